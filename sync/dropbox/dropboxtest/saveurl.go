package dropboxtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
)

type saveURLArg struct {
	Path string `json:"path" stone:"required"`
	URL  string `json:"url" stone:"required"`
}

// saveURL fetches by Options.Fetch and answers with a job. The work is done at
// once; the job only tells later.
func saveURL(c *call, arg *saveURLArg) (any, error) {
	c.item = arg.URL
	if err := c.checkPath("path", arg.Path, writePattern); err != nil {
		return nil, err
	}
	u, err := url.Parse(arg.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fail("invalid_url")
	}
	status := map[string]any{".tag": "complete"}
	meta, err := c.saveFrom(arg)
	if e, ok := errors.AsType[*unionError](err); ok {
		status = map[string]any{".tag": "failed", "failed": e.union()}
	} else if err != nil {
		return nil, err
	}
	for k, v := range meta { // a struct as member is flat
		status[k] = v
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.s.startStatus("save_url", status), nil
}

func (c *call) saveFrom(arg *saveURLArg) (map[string]any, error) {
	body, err := c.s.fetch(c.r.Context(), arg.URL)
	if err != nil {
		return nil, err
	}
	hash, err := c.s.keepText(string(body))
	if err != nil {
		return nil, err
	}
	meta, err := c.locked(func() (any, error) {
		return c.v.commitFile(commitInfo{Path: arg.Path, Autorename: true}, hash, int64(len(body)))
	})
	if err != nil {
		return nil, err
	}
	return meta.(map[string]any), nil
}

// fetch gets an address; errors are those of SaveUrlError.
func (s *Server) fetch(ctx context.Context, address string) ([]byte, error) {
	if s.opt.Fetch == nil {
		return nil, fail("download_failed") // there is no world outside
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fail("invalid_url")
	}
	resp, err := s.opt.Fetch.RoundTrip(req)
	if err != nil {
		return nil, fail("download_failed")
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	if resp.StatusCode == http.StatusNotFound {
		return nil, fail("not_found")
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, fail("download_failed")
	}
	return b, nil
}
