package dropbox

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"odbxfs"
)

func TestWhatWasSentIsKnownAfterACrash(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	dir := filepath.Join(t.TempDir(), "uploads")
	op := odbxfs.DropboxOp{Key: "sha", Size: 100 << 20, Path: "/a"}
	open := func(o odbxfs.DropboxOp) *parts {
		return New(Config{Resume: dir, Now: func() time.Time { return now }}).openParts(o)
	}
	p := open(op)
	p.begin("session", now)
	for _, at := range []int64{0, 2 * chunkSize} {
		if err := p.sent(at); err != nil {
			t.Fatal(err)
		}
	}
	got := open(op)
	if got.Session != "session" || !got.has(0) || got.has(chunkSize) || !got.has(2*chunkSize) {
		t.Errorf("got %+v", got)
	}
	for what, other := range map[string]odbxfs.DropboxOp{
		"other bytes":   {Key: "sha2", Size: op.Size, Path: op.Path},
		"another place": {Key: op.Key, Size: op.Size, Path: "/b"},
		"another file":  {Key: op.Key, Size: op.Size, Path: op.Path, ID: "id:x"},
		"unknown bytes": {Size: op.Size, Path: op.Path},
	} {
		if got := open(other); got.Session != "" {
			t.Errorf("%s: goes on with %q", what, got.Session)
		}
	}
	now = now.Add(sessionLife + time.Second)
	if got := open(op); got.Session != "" {
		t.Errorf("a session that Dropbox has forgotten: %q", got.Session)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 0 {
		t.Errorf("it is kept: %v, %v", left, err)
	}
}

func TestDamagedNotesBeginAnew(t *testing.T) {
	dir := t.TempDir()
	op := odbxfs.DropboxOp{Key: "sha", Size: 1, Path: "/a"}
	cl := New(Config{Resume: dir, Now: time.Now})
	p := cl.openParts(op)
	p.begin("session", time.Now())
	if err := p.sent(0); err != nil {
		t.Fatal(err)
	}
	for _, damage := range []string{"", "{", `{"session": "x", "begun": "2999-01-01T00:00:00Z", "have": [1]}`, `{"session": ""}`, `{"session": "x", "have": [-8388608]}`} {
		if err := os.WriteFile(p.path, []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := cl.openParts(op); got.Session != "" || len(got.Have) != 0 {
			t.Errorf("%q: got %q %v", damage, got.Session, got.Have)
		}
	}
	p.forget()
	p.forget()
	if _, err := os.Stat(p.path); !os.IsNotExist(err) {
		t.Errorf("forgotten, and still there: %v", err)
	}
	p.path = "/proc/none/x.json"
	if err := p.sent(chunkSize); err == nil {
		t.Error("what can't be noted is told")
	}
}

func FuzzParts(f *testing.F) {
	for _, s := range []string{"", "{}", `{"session": "x", "begun": "2026-01-01T00:00:00Z", "have": [0, 8388608]}`, `{"session": "x", "have": [5]}`, "null"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var p parts
		if err := p.decode(data); err != nil && (p.Session != "" || p.Have != nil) {
			t.Errorf("half a value: %q %v", p.Session, p.Have)
		} else if err == nil && p.Session == "" {
			t.Error("no session, and no error")
		}
	})
}
