package dropboxtest

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestUnderAFakeClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t, Options{Costs: Costs{Lock: WriteLock{Hold: 160 * time.Millisecond, MaxWait: time.Hour}}})
		_, cur := a.list("")
		start := time.Now()
		equal(t, "answer", a.must(a.rpc("files/list_folder/longpoll", obj{"cursor": cur, "timeout": 480})), obj{"changes": false})
		equal(t, "virtual time", time.Since(start), 480*time.Second)
		for range 10 {
			a.put("/a", time.Now().String())
		}
		equal(t, "writes in virtual time", time.Since(start), 480*time.Second+10*160*time.Millisecond)
		a.srv.Inject(Fault{Kind: DropAfter})
		equal(t, "a lost reply", a.send("files/upload", `{"path":"/b"}`, "x"), "dropped")
		equal(t, "was written", a.meta("/b") != nil, true)
	})
}
