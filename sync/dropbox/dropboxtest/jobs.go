package dropboxtest

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// job is a batch that answers later. Its work was done when it was started;
// jobs do not outlive the server, as Dropbox's do not for ever.
type job struct {
	kind   string
	status map[string]any // what check answers in the end
	polls  int            // how often check still says in_progress
}

// startJob gives the answer with the id of a batch's job.
func (s *Server) startJob(kind string, entries []any) map[string]any {
	return s.startStatus(kind, map[string]any{".tag": "complete", "entries": entries})
}

// startStatus gives the answer with the id of a job that ends with status.
func (s *Server) startStatus(kind string, status map[string]any) map[string]any {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", kind, s.tree.nextSeq()))
	id := "dbjid:" + base64.RawURLEncoding.EncodeToString(append([]byte{0, 0}, sum[:]...))
	s.jobs[id] = &job{kind: kind, status: status, polls: max(0, s.opt.Behaviour.JobPolls)}
	return map[string]any{".tag": "async_job_id", "async_job_id": id}
}

type pollArg struct {
	AsyncJobID string `json:"async_job_id" stone:"required"`
}

// checkJob makes the check route for one kind of job.
func checkJob(kind string) handler {
	return with(func(c *call, arg *pollArg) (any, error) {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		j := c.s.jobs[arg.AsyncJobID]
		if j == nil || j.kind != kind {
			return nil, fail("invalid_async_job_id")
		}
		if entries, ok := j.status["entries"].([]any); ok {
			c.item = items(len(entries))
		}
		if j.polls > 0 {
			j.polls--
			return tag("in_progress"), nil
		}
		return j.status, nil
	})
}

// LoseJobs forgets all running and finished jobs, as a restart does.
func (s *Server) LoseJobs() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.jobs)
}
