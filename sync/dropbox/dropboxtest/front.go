package dropboxtest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// front is where HTTP comes in.
type front struct {
	mu   sync.Mutex
	http []*http.Server
	url  string
}

// start serves h on addr, "" for a free loopback port, and gives the base URL.
func (f *front) start(h http.Handler, addr string) (string, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("start Dropbox emulator: %w", err)
	}
	url := "http://" + l.Addr().String()
	f.setURL(url)
	f.serve(h, l)
	return url, nil
}

// startTLS is start with a certificate of an authority made for it, whose own
// certificate it gives as PEM.
func (f *front) startTLS(h http.Handler, addr string, hosts []string, now time.Time) ([]byte, error) {
	ca, leaf, err := makeCertificates(now, hosts)
	if err != nil {
		return nil, fmt.Errorf("start Dropbox emulator: %w", err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("start Dropbox emulator: %w", err)
	}
	f.serve(h, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{leaf}, MinVersion: tls.VersionTLS12}))
	return ca, nil
}

func (f *front) serve(h http.Handler, l net.Listener) {
	// Its complaints are about connections that a fault tore on purpose.
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(discard{}, "", 0)}
	f.mu.Lock()
	f.http = append(f.http, srv)
	f.mu.Unlock()
	go srv.Serve(l) //nolint:errcheck // it returns when it is closed, with nothing to tell
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func (f *front) setURL(url string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.url = url
}

func (f *front) base() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.url
}

// take gives the servers, for closing them once.
func (f *front) take() []*http.Server {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.http
	f.http = nil
	return list
}

func closeAll(servers []*http.Server) error {
	var err error
	for _, h := range servers {
		err = errors.Join(err, h.Close())
	}
	return err
}
