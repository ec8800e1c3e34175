package dropbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"odbxfs"
)

// Receive serves the address that Dropbox sends the browser back to, until the
// answer of this sign-in has come, and gives its code. Answers of others are
// refused and waited past. It closes listener.
func (l *Login) Receive(ctx context.Context, listener net.Listener) (string, error) {
	type end struct {
		code string
		err  error
	}
	ends := make(chan end, 1)
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code, err := l.code(r.URL.Query())
		if odbxfs.IsKind(err, odbxfs.KindInvalid) {
			http.Error(w, "This is no answer to the sign-in that odbxfs waits for.", http.StatusBadRequest)
			return
		}
		text := "odbxfs is signed in to Dropbox. You can close this page."
		if err != nil {
			text = "odbxfs was not allowed in. You can close this page."
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Referrer-Policy", "no-referrer")
		_, _ = fmt.Fprintln(w, text) // the browser may be gone: the answer is what counts
		select {
		case ends <- end{code, err}:
		default: // the page was loaded again
		}
	})}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(listener) }()
	var got end
	select {
	case got = <-ends:
	case err := <-failed:
		got.err = fmt.Errorf("wait for the browser: %w", err)
	case <-ctx.Done():
		got.err = ctx.Err()
	}
	// The browser still has to read its page.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return "", errors.Join(got.err, err)
	}
	return got.code, got.err
}
