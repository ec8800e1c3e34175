package lab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A Mark is a point in a server's log, to read or count from.
type Mark int64

// A Call is one HTTP request that Odoo answered and logged.
type Call struct {
	Time   time.Time // of the answer, UTC, milliseconds
	Method string    // as POST
	Path   string    // with its query
	Status int
}

// LogPath is the server's log, one file over all restarts. It is removed by
// Close.
func (s *Server) LogPath() string { return s.db.log() }

// Mark gives the end of the log as it is now.
func (s *Server) Mark() (Mark, error) {
	st, err := os.Stat(s.LogPath())
	if err != nil {
		return 0, fmt.Errorf("lab: %w", err)
	}
	return Mark(st.Size()), nil
}

// Log gives what the server logged since m (0 = all).
func (s *Server) Log(m Mark) (text string, err error) {
	f, err := os.Open(s.LogPath())
	if err != nil {
		return "", fmt.Errorf("lab: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b, err := io.ReadAll(io.NewSectionReader(f, int64(m), 1<<40))
	if err != nil {
		return "", fmt.Errorf("lab: %w", err)
	}
	return string(b), nil
}

// Calls lists the HTTP requests that the server answered since m (0 = all),
// those of Execute included. Odoo logs a request when its answer is on the
// way, so the line may come a moment after the caller has the answer: let a test
// wait for the line it expects. A client that reuses connections or not makes no
// difference.
func (s *Server) Calls(m Mark) ([]Call, error) {
	log, err := s.Log(m)
	if err != nil {
		return nil, err
	}
	return callsIn(log), nil
}

// requestLine is werkzeug's line, as Odoo 14 and 19 write it; some versions of
// werkzeug colour the request.
var requestLine = regexp.MustCompile(`^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) \d+ INFO \S+ werkzeug: .*?"(?:\x1b\[[0-9;]*m)*([A-Z]+) (\S+) HTTP/[\d.]+(?:\x1b\[[0-9;]*m)*" (\d{3}) `)

func callsIn(log string) []Call {
	var calls []Call
	for line := range strings.Lines(log) {
		f := requestLine.FindStringSubmatch(line)
		if f == nil {
			continue
		}
		at, terr := time.Parse("2006-01-02 15:04:05,000", f[1])
		status, serr := strconv.Atoi(f[4])
		if terr != nil || serr != nil { // the expression admits only what parses, but for a 30th of February
			continue
		}
		calls = append(calls, Call{Time: at, Method: f[2], Path: f[3], Status: status})
	}
	return calls
}
