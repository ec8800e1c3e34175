package dropboxtest

import (
	"testing"
	"time"
)

func TestABystanderMeetsNoFaultAndCostsNothing(t *testing.T) {
	a := newAccount(t, Options{Costs: Costs{Latency: map[string]Span{"": {time.Hour, time.Hour}}, Lock: WriteLock{Hold: time.Hour, MaxWait: time.Nanosecond}}})
	a.through = a.srv.Bystander()
	a.srv.Inject(Fault{Kind: ServerError, Times: -1})
	for _, p := range []string{"/a", "/b", "/c"} {
		equal(t, p, a.send("files/upload", obj{"path": p}, p), "ok")
	}
	equal(t, "what is there", a.send("files/download", obj{"path": "/b"}, ""), "ok")
	equal(t, "the log", len(a.srv.Requests()), 0)
}
