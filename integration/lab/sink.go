package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// A Sink is a mail server on a loopback port that takes every mail and passes
// none on. Its methods may be called concurrently.
type Sink struct {
	Addr string // 127.0.0.1:PORT; fixed after OpenSink

	server *smtp.Server
	served chan error

	mu    sync.Mutex // guards what follows
	mails []Mail
	more  chan struct{} // closed and replaced with every mail
}

// OpenSink starts a sink, which runs until Close; ctx bounds only its start.
func OpenSink(ctx context.Context) (*Sink, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	k := &Sink{Addr: l.Addr().String(), served: make(chan error, 1), more: make(chan struct{})}
	k.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &sinkSession{sink: k}, nil
	}))
	k.server.Domain = "localhost"
	k.server.MaxMessageBytes = 256 << 20
	k.server.ReadTimeout, k.server.WriteTimeout = time.Minute, time.Minute
	go func() { k.served <- k.server.Serve(l) }()
	return k, nil
}

// StartSink gives a test a sink that ends with it.
func StartSink(tb TB) *Sink {
	tb.Helper()
	k, err := OpenSink(context.Background())
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	tb.Cleanup(func() {
		if err := k.Close(); err != nil {
			tb.Fatalf("%v", err)
		}
	})
	return k
}

// Close stops the sink and waits for its end. The mails stay readable.
func (k *Sink) Close() error {
	err := k.server.Close()
	if serr := <-k.served; !errors.Is(serr, smtp.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

// Messages gives the mails so far, in the order they came.
func (k *Sink) Messages() []Mail {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.mails)
}

// Wait waits until at least n mails are there, and gives all.
func (k *Sink) Wait(ctx context.Context, n int) ([]Mail, error) {
	for {
		k.mu.Lock()
		mails, more := slices.Clone(k.mails), k.more
		k.mu.Unlock()
		if len(mails) >= n {
			return mails, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return mails, fmt.Errorf("lab: %d of %d mails came: %w", len(mails), n, context.Cause(ctx))
		}
	}
}

func (k *Sink) take(m Mail) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mails = append(k.mails, m)
	close(k.more)
	k.more = make(chan struct{})
}

// A sinkSession takes the mails of one connection.
type sinkSession struct {
	sink *Sink
	mail Mail
}

// Reset implements smtp.Session.
func (s *sinkSession) Reset() { s.mail = Mail{} }

// Logout implements smtp.Session.
func (s *sinkSession) Logout() error { return nil }

// Mail implements smtp.Session.
func (s *sinkSession) Mail(from string, _ *smtp.MailOptions) error {
	s.mail.From = from
	return nil
}

// Rcpt implements smtp.Session.
func (s *sinkSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.To = append(s.mail.To, to)
	return nil
}

// Data implements smtp.Session.
func (s *sinkSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mail.Raw = raw
	s.sink.take(s.mail)
	return nil
}

// UseSink makes the sink this server's one and only way for mails. Mails still
// wait for Odoo's queue, unless the test sends them at once or triggers the
// cron "Mail: Email Queue Manager".
func (s *Server) UseSink(ctx context.Context, k *Sink) error {
	host, portText, err := net.SplitHostPort(k.Addr)
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	var old []int
	if err := s.Admin(ctx, "ir.mail_server", "search", []any{[]any{}}, nil, &old); err != nil {
		return err
	}
	if len(old) > 0 {
		if err := s.Admin(ctx, "ir.mail_server", "unlink", []any{old}, nil, nil); err != nil {
			return err
		}
	}
	return s.Admin(ctx, "ir.mail_server", "create", []any{map[string]any{
		"name": "sink", "smtp_host": host, "smtp_port": port, "smtp_encryption": "none",
	}}, nil, nil)
}
