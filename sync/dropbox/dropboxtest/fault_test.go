package dropboxtest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		fault   Fault
		want    string
		written bool
	}{
		{Fault{Kind: DropBefore}, "dropped", false},
		{Fault{Kind: DropAfter}, "dropped", true},
		{Fault{Kind: RateLimited, RetryAfter: 15 * time.Second}, "429", false},
		{Fault{Kind: RateLimitedText}, "429 too_many_requests", false},
		{Fault{Kind: TooManyWrites}, "429", false},
		{Fault{Kind: ServerError}, "500", false},
		{Fault{Kind: BadGateway}, "502", false},
		{Fault{Kind: TokenExpired}, "401 expired_access_token", false},
		{Fault{Kind: TokenRevoked}, "401 invalid_access_token", false},
		{Fault{Kind: ResetCursor}, "409 reset", false},
		{Fault{Kind: Truncate}, "dropped", true},
		{Fault{Kind: Delay, Wait: time.Millisecond}, "ok", true},
	} {
		t.Run(c.fault.Kind.String(), func(t *testing.T) {
			c.fault.Route, c.fault.Item, c.fault.Call = "files/up*", "/hit", 2
			a := newAccount(t, Options{Faults: []Fault{c.fault}})
			equal(t, "another item", a.send("files/upload", `{"path":"/other"}`, "x"), "ok")
			equal(t, "first call", a.send("files/upload", `{"path":"/hit1"}`, "x"), "ok")
			r := a.send("files/upload", `{"path":"/hit2"}`, "x")
			if !strings.HasPrefix(r.String(), c.want) {
				t.Errorf("second call: %v %s, want %s", r, r.text, c.want)
			}
			equal(t, "written", a.meta("/hit2") != nil, c.written)
			equal(t, "third call", a.send("files/upload", `{"path":"/hit3"}`, "x"), "ok")
			log := a.srv.Requests()
			equal(t, "log", log[2].Fault, c.fault.Kind.String())
		})
	}
}

func TestRetryAfterIsInHeaderAndBody(t *testing.T) {
	a := newAccount(t, Options{Faults: []Fault{{Kind: RateLimited, RetryAfter: 300 * time.Second}, {Kind: TooManyWrites, Call: 2}}})
	r := a.rpc("files/list_folder", `{"path":""}`)
	equal(t, "header", r.header.Get("Retry-After"), "300")
	equal(t, "body", r.json["error"], obj{"reason": obj{".tag": "too_many_requests"}, "retry_after": 300})
	r = a.rpc("files/list_folder", `{"path":""}`)
	equal(t, "of writes", fmt.Sprint(r.header.Get("Retry-After"), r.json["error"]), "1"+fmt.Sprint(obj{"reason": obj{".tag": "too_many_write_operations"}}))
}

func TestFaultsTimesAndClear(t *testing.T) {
	a := newAccount(t, Options{})
	a.srv.Inject(Fault{Kind: ServerError, Times: 2})
	ask := func() string { return a.rpc("users/get_space_usage", "null").String() }
	equal(t, "three calls", ask()+","+ask()+","+ask(), "500,500,ok")
	a.srv.Inject(Fault{Kind: ServerError, Times: -1})
	equal(t, "for ever", ask()+","+ask()+","+ask(), "500,500,500")
	a.srv.ClearFaults()
	equal(t, "cleared", ask(), "ok")
}

func TestDroppedAndTruncatedOverARealConnection(t *testing.T) {
	a, base := started(t, Options{})
	a.put("/f", strings.Repeat("x", 100_000))
	download := func() (int, error) {
		req := a.request("files/download", nil, map[string]string{"Dropbox-API-Arg": `{"path":"/f"}`})
		req.URL.Host = strings.TrimPrefix(base, "http://")
		resp, err := http.DefaultTransport.(*http.Transport).Clone().RoundTrip(req)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return len(b), err
	}
	a.srv.Inject(Fault{Kind: DropBefore}, Fault{Kind: Truncate, Bytes: 70_000, Call: 2})
	if _, err := download(); err == nil {
		t.Error("dropped: no error")
	}
	n, err := download()
	if err == nil || n != 70_000 {
		t.Errorf("truncated: %d bytes, %v", n, err)
	}
	n, err = download()
	if err != nil || n != 100_000 {
		t.Errorf("whole: %d bytes, %v", n, err)
	}
}

func TestWriteLock(t *testing.T) {
	clock := &fakeClock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	var waits []time.Duration
	after := func(d time.Duration) <-chan time.Time {
		waits = append(waits, d)
		c := make(chan time.Time, 1)
		c <- time.Time{}
		return c
	}
	a := newAccount(t, Options{Now: clock.Now, After: after, Behaviour: Behaviour{WriteLock: WriteLock{Hold: 160 * time.Millisecond, PerEntry: time.Millisecond, MaxWait: 300 * time.Millisecond}}})
	var got []string
	for i := range 4 { // at one instant of the clock
		got = append(got, a.send("files/upload", obj{"path": fmt.Sprintf("/%d", i)}, "x").String())
	}
	equal(t, "answers", got[:2], []string{"ok", "ok"})
	equal(t, "rejected", strings.HasPrefix(got[2], "429"), true)
	equal(t, "waits", waits, []time.Duration{160 * time.Millisecond, 320 * time.Millisecond})
}

func TestCloseEndsALongpoll(t *testing.T) {
	a := newAccount(t, Options{})
	_, cur := a.list("")
	done := make(chan reply, 1)
	go func() { done <- a.rpc("files/list_folder/longpoll", obj{"cursor": cur}) }()
	time.Sleep(10 * time.Millisecond)
	if err := a.srv.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case r := <-done:
		equal(t, "answer", r.json["changes"], false)
	case <-time.After(5 * time.Second):
		t.Fatal("still waiting")
	}
}
