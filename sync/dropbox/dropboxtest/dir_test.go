package dropboxtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// person is an account whose content is a directory in which someone works.
type person struct {
	*account
	opt Options
}

func newPerson(t *testing.T, b Behaviour) *person {
	t.Helper()
	base := t.TempDir()
	p := &person{opt: Options{Dir: filepath.Join(base, "dropbox"), State: filepath.Join(base, "state"), Behaviour: b}}
	p.open(t)
	return p
}

func (p *person) open(t *testing.T) {
	t.Helper()
	srv, err := New(p.opt)
	if err != nil {
		t.Fatal(err)
	}
	if p.account == nil {
		p.account = &account{t: t}
		t.Cleanup(func() {
			if err := p.srv.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
	p.srv, p.tok = srv, srv.Token()
}

// restart closes the server, lets something happen, and opens it again.
func (p *person) restart(between func()) {
	p.t.Helper()
	if err := p.srv.Close(); err != nil {
		p.t.Fatalf("close: %v", err)
	}
	between()
	p.open(p.t)
}

// sh runs a shell command in the directory.
func (p *person) sh(script string) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "sh", "-ec", script)
	cmd.Dir = p.opt.Dir
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// until polls a condition for at most a minute.
func (p *person) until(what string, ok func() bool) {
	p.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			list, _ := p.list("")
			p.t.Fatalf("%s: not within a minute; the account has %v", what, list)
		}
	}
}

// same checks that account and directory hold the same, bytes included.
func (p *person) same() {
	p.t.Helper()
	inDropbox, _ := p.list("")
	slices.Sort(inDropbox)
	var onDisk []string
	err := filepath.WalkDir(p.opt.Dir, func(path string, e os.DirEntry, err error) error {
		rel := strings.TrimPrefix(path, p.opt.Dir)
		if err != nil || rel == "" {
			return err
		}
		if e.IsDir() {
			onDisk = append(onDisk, "folder "+rel)
			return nil
		}
		onDisk = append(onDisk, "file "+rel)
		b, err := os.ReadFile(path)
		if got := p.get(rel, nil).text; err == nil && got != string(b) {
			p.t.Errorf("%s: Dropbox has %q, the directory %q", rel, got, b)
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	slices.Sort(onDisk)
	equal(p.t, "account and directory", inDropbox, onDisk)
}

func (p *person) read(name string) string {
	p.t.Helper()
	b, err := os.ReadFile(filepath.Join(p.opt.Dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

// state tells id and content of the paths, as "a.txt=#1:bytes"; ids are numbered
// by the start state.
func (p *person) state(ids map[string]string, paths ...string) string {
	var list []string
	for _, path := range paths {
		m := p.meta("/" + path)
		if m == nil {
			list = append(list, path+"=gone")
			continue
		}
		who := ids[m["id"].(string)]
		if who == "" {
			who = "new"
		}
		if name := m["name"]; name != filepath.Base(path) {
			who = fmt.Sprintf("(%s)%s", name, who)
		}
		text := ""
		if m[".tag"] == "file" {
			text = ":" + p.get("/"+path, nil).text
		}
		list = append(list, path+"="+who+text)
	}
	return strings.Join(list, " ")
}

// What a person does, and what becomes of ids. The account starts with a.txt
// (#a), b.txt (#b), and d/ (#d) with d/x.txt (#x) and d/s/ with d/s/y.txt (#y).
var personCases = []struct {
	what, script string
	want         string
}{
	{"mv renames", "mv a.txt c.txt", "a.txt=gone c.txt=#a:A"},
	{"mv into another folder", "mv a.txt d/s/", "a.txt=gone d/s/a.txt=#a:A"},
	{"mv into a new folder", "mkdir n; mv a.txt n/", "a.txt=gone n/a.txt=#a:A"},
	{"mv of a folder keeps all ids", "mv d e", "d=gone e=#d e/x.txt=#x:X e/s/y.txt=#y:Y"},
	{"mv of a folder into another", "mkdir n; mv d n/", "d=gone n/d=#d n/d/s/y.txt=#y:Y"},
	{"mv of a folder, then inside it", "mv d e; mv e/s/y.txt e/z.txt; echo -n new > e/x.txt", "e=#d e/z.txt=#y:Y e/x.txt=#x:new"},
	{"mv over a file ends the moved id", "mv a.txt b.txt", "a.txt=gone b.txt=#b:A"},
	{"cp is a new id", "cp a.txt c.txt", "a.txt=#a:A c.txt=new:A"},
	{"cp -p too", "cp -p a.txt d/", "a.txt=#a:A d/a.txt=new:A"},
	{"cp over a file is a new revision", "cp a.txt b.txt", "a.txt=#a:A b.txt=#b:A"},
	{"cp -r of a folder", "cp -r d e", "d=#d e=new e/s/y.txt=new:Y d/s/y.txt=#y:Y"},
	{"sed -i keeps the id", "sed -i s/A/B/ a.txt", "a.txt=#a:B b.txt=#b:B"},
	{">> appends", "printf more >> a.txt", "a.txt=#a:Amore"},
	{"> truncates", ": > a.txt", "a.txt=#a:"},
	{"vim's save by rename", "mv a.txt a.txt~; printf V > a.txt; rm a.txt~", "a.txt=#a:V a.txt~=gone"},
	{"a save by a temporary file", "printf T > .a.tmp; mv .a.tmp a.txt", "a.txt=#a:T .a.tmp=gone"},
	{"rm and make again", "rm a.txt; printf N > a.txt", "a.txt=#a:N"},
	{"rm", "rm a.txt", "a.txt=gone b.txt=#b:B"},
	{"rm -r", "rm -r d", "d=gone d/x.txt=gone d/s/y.txt=gone"},
	{"swapping two files swaps the bytes", "mv a.txt t; mv b.txt a.txt; mv t b.txt", "a.txt=#a:B b.txt=#b:A t=gone"},
	{"a folder takes a file's name", "mv a.txt c.txt; mkdir a.txt; printf Q > a.txt/q", "c.txt=#a:A a.txt=new a.txt/q=new:Q"},
	{"a file takes a folder's name", "mv d e; printf F > d", "e=#d d=new:F e/x.txt=#x:X"},
	{"a parent becomes the child", "mv d/s s; mv d s/d", "s/d=#d s/d/x.txt=#x:X s/y.txt=#y:Y"},
	{"case only", "mv a.txt A.txt", "A.txt=#a:A"},
	{"an NFD name", "printf U > \"$(printf 'u\\314\\210')\"", "ü=new:U"},
	{"two names that differ in case", "printf C > B.TXT", "b.txt=#b:B B (Case Conflict).TXT=new:C"},
	{"what the desktop program ignores", "printf 1 > '~$doc'; printf 2 > .DS_Store; ln -s a.txt link; mkfifo pipe; printf L > last", "last=new:L ~$doc=gone link=gone pipe=gone"},
}

func TestWhatAPersonDoes(t *testing.T) {
	for _, way := range []string{"while it runs", "while it is off"} {
		for _, c := range personCases {
			t.Run(c.what+" "+way, func(t *testing.T) {
				t.Parallel()
				p := newPerson(t, Behaviour{})
				p.put("/a.txt", "A")
				p.put("/b.txt", "B")
				p.put("/d/x.txt", "X")
				p.put("/d/s/y.txt", "Y")
				ids := map[string]string{p.id("/a.txt"): "#a", p.id("/b.txt"): "#b", p.id("/d"): "#d", p.id("/d/x.txt"): "#x", p.id("/d/s/y.txt"): "#y"}
				if way == "while it is off" {
					p.restart(func() { p.sh(c.script) })
				} else {
					// Seen as one, as an editor's save is: sh may be slow on a busy
					// machine. TestAPersonAndTheAPIAtOnce lets things be seen in parts.
					p.srv.mu.Lock()
					p.sh(c.script)
					p.srv.mu.Unlock()
				}
				paths := splitPaths(c.want)
				got := ""
				for end := time.Now().Add(time.Minute); got != c.want && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
					got = p.state(ids, paths...)
				}
				if got != c.want {
					t.Errorf("%s:\n got %s\nwant %s", c.script, got, c.want)
				}
				if !strings.Contains(c.what, "ignores") {
					p.same()
				}
			})
		}
	}
}

// splitPaths takes the paths out of "a=1 b c=2": a path may hold blanks.
func splitPaths(want string) []string {
	var paths []string
	for _, part := range strings.SplitAfter(want, "=") {
		if !strings.HasSuffix(part, "=") {
			break
		}
		part = strings.TrimSuffix(part, "=")
		if len(paths) > 0 {
			_, part, _ = strings.Cut(part, " ")
		}
		paths = append(paths, part)
	}
	return paths
}

func TestAPersonsChangeWakesLongpoll(t *testing.T) {
	p := newPerson(t, Behaviour{})
	p.mkdir("/d")
	_, cur := p.list("")
	for i := range 5 {
		done := make(chan reply, 1)
		go func() { done <- p.rpc("files/list_folder/longpoll", obj{"cursor": cur}) }()
		start := time.Now()
		p.sh(fmt.Sprintf("printf %d > d/f%d", i, i))
		select {
		case r := <-done:
			equal(t, "answer", r.json["changes"], true)
		case <-time.After(time.Minute):
			t.Fatal("not woken")
		}
		t.Logf("woken after %s, shell included", time.Since(start))
		var news []string
		news, cur = p.news(cur)
		equal(t, "news", news, []string{fmt.Sprintf("file /d/f%d", i)})
	}
}

func TestAnOpenFileCountsWhenClosedOrAtRest(t *testing.T) {
	p := newPerson(t, Behaviour{})
	f := p.writing("slow.txt", 30)
	defer f.Close()
	p.until("at rest", func() bool { return p.meta("/slow.txt") != nil })
	equal(t, "bytes", p.get("/slow.txt", nil).text, strings.Repeat("part ", 30))
	if _, err := f.WriteString("end"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	p.until("closed", func() bool { return strings.HasSuffix(p.get("/slow.txt", nil).text, "end") })
}

// writing writes a file for some 10 ms a part, and leaves it open; until then
// nobody may see it. Where the machine itself made a rest that counts, it is
// written once more.
func (p *person) writing(name string, parts int) *os.File {
	p.t.Helper()
	for range 20 {
		f, err := os.Create(filepath.Join(p.opt.Dir, name))
		if err != nil {
			p.t.Fatal(err)
		}
		seen, longest, last := false, time.Duration(0), time.Now()
		for range parts {
			if _, err := f.WriteString("part "); err != nil {
				p.t.Fatal(err)
			}
			seen = seen || p.meta("/"+name) != nil
			time.Sleep(10 * time.Millisecond)
			longest, last = max(longest, time.Since(last)), time.Now()
		}
		if !seen {
			return f
		}
		if longest < restTime/2 {
			p.t.Fatalf("seen while it was being written, %s at most between two parts", longest)
		}
		if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
			p.t.Fatal(err)
		}
		p.until("gone", func() bool { return p.meta("/"+name) == nil })
	}
	p.t.Fatal("this machine makes too many rests")
	return nil
}

func TestTheAPIWritesIntoTheDirectory(t *testing.T) {
	p := newPerson(t, Behaviour{})
	p.must(p.send("files/upload", `{"path":"/Odoo/a.txt","client_modified":"2020-01-02T03:04:05Z"}`, "one"))
	st, err := os.Stat(filepath.Join(p.opt.Dir, "Odoo/a.txt"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "mtime", st.ModTime().UTC().Format(stampForm), "2020-01-02T03:04:05Z")
	p.put("/Odoo/a.txt", "two")
	equal(t, "overwritten", p.read("Odoo/a.txt"), "two")
	p.must(p.rpc("files/copy_v2", `{"from_path":"/Odoo","to_path":"/Copy"}`))
	p.must(p.rpc("files/move_v2", `{"from_path":"/Odoo/a.txt","to_path":"/Odoo/n/b.txt"}`))
	equal(t, "moved", p.read("Odoo/n/b.txt"), "two")
	equal(t, "copied", p.read("Copy/a.txt"), "two")
	p.must(p.rpc("files/delete_v2", `{"path":"/Copy"}`))
	p.same()
}

func TestOwnWritesAreNotSeenAgain(t *testing.T) {
	p := newPerson(t, Behaviour{})
	_, cur := p.list("")
	for i := range 20 {
		p.put(fmt.Sprintf("/d%d/f.txt", i%4), fmt.Sprint("v", i))
	}
	p.must(p.rpc("files/move_v2", `{"from_path":"/d0","to_path":"/m"}`))
	p.must(p.rpc("files/delete_v2", `{"path":"/d1"}`))
	before := p.meta("/m/f.txt")["rev"]
	_, cur = p.news(cur)
	// A person's change afterwards proves that all events before were taken in.
	p.sh("printf end > mark")
	p.until("mark", func() bool { return p.meta("/mark") != nil })
	news, _ := p.news(cur)
	equal(t, "seen after own writes", news, []string{"file /mark"})
	equal(t, "rev", p.meta("/m/f.txt")["rev"], before)
}

func TestWhatAPersonDidBeforeTheCallIsOlder(t *testing.T) {
	p := newPerson(t, Behaviour{})
	first := p.put("/a.txt", "one")
	p.put("/d/known", "k")
	p.sh("printf person > a.txt; printf unseen > d/unseen") // the call comes before the watcher's 30 ms
	stale := p.send("files/upload", obj{"path": "/a.txt", "mode": obj{".tag": "update", "update": first["rev"]}}, "api")
	equal(t, "update of an overtaken rev", stale, "409 path/conflict/file")
	equal(t, "person's bytes", p.read("a.txt"), "person")
	p.sh("printf unseen2 > d/unseen2")
	p.must(p.rpc("files/delete_v2", `{"path":"/d"}`))
	gone := p.must(p.rpc("files/list_revisions", `{"path":"/d/unseen2"}`))
	equal(t, "what was deleted with the folder has a revision", gone["is_deleted"], true)
}

func TestAPersonAndTheAPIAtOnce(t *testing.T) {
	p := newPerson(t, Behaviour{})
	p.mkdir("/api")
	p.mkdir("/person")
	done := make(chan error, 1)
	go func() {
		cmd := exec.Command("sh", "-ec", `for i in $(seq 60); do printf $i > person/f$i; mv person/f$i person/g$i; cp person/g$i api/p$i; done; rm person/g1 api/p1`)
		cmd.Dir = p.opt.Dir
		done <- cmd.Run()
	}()
	for i := range 60 {
		p.put(fmt.Sprintf("/api/a%d", i), fmt.Sprint(i))
		p.must(p.rpc("files/move_v2", fmt.Sprintf(`{"from_path":"/api/a%d","to_path":"/person/a%d"}`, i, i)))
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	p.until("all there", func() bool {
		list, _ := p.list("")
		return len(list) == 2+60+59+59
	})
	p.same()
}

func TestEverythingSurvivesARestart(t *testing.T) {
	p := newPerson(t, Behaviour{})
	p.opt.BaseURL = "http://example.invalid"
	one := p.put("/d/a.txt", "one")
	p.put("/d/a.txt", "two")
	p.put("/gone.txt", "x")
	p.must(p.rpc("files/delete_v2", `{"path":"/gone.txt"}`))
	_, cur := p.list("")
	link := p.must(p.rpc("sharing/create_shared_link_with_settings", `{"path":"/d/a.txt"}`))
	before := p.meta("/d/a.txt")
	p.restart(func() { p.sh("printf off > off.txt") })
	equal(t, "metadata", jsonOf(p.meta("/d/a.txt")), jsonOf(before))
	equal(t, "old revision", p.get("rev:"+one["rev"].(string), nil).text, "one")
	news, _ := p.news(cur)
	equal(t, "an old cursor goes on", news, []string{"file /off.txt"})
	links := p.must(p.rpc("sharing/list_shared_links", `{"path":"/d/a.txt"}`))["links"].([]any)
	equal(t, "link", strings.TrimPrefix(links[0].(obj)["url"].(string), "http://example.invalid"), strings.TrimPrefix(link["url"].(string), "https://www.dropbox.com"))
	again := p.put("/new.txt", "n")
	if again["id"] == before["id"] {
		t.Error("ids must not be given twice")
	}
	p.restart(func() {
		f, err := os.OpenFile(filepath.Join(p.opt.State, "journal.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteString(`{"op":"put","seq":12`) // as a crash leaves it
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	})
	p.same()
}

func TestStateMustLieOutside(t *testing.T) {
	dir := t.TempDir()
	if srv, err := New(Options{Dir: dir, State: filepath.Join(dir, "state")}); err == nil {
		srv.Close()
		t.Error("a state inside the directory must be refused")
	}
	o := Options{Dir: filepath.Join(dir, "d"), State: filepath.Join(dir, "s")}
	srv, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	if second, err := New(o); err == nil {
		second.Close()
		t.Error("a second server on one state must be refused")
	}
}
