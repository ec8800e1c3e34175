package dropboxtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// exchange is one recorded call of the real service.
type exchange struct {
	fixture string // "upload/success"
	n       int    // its place in the fixture, from 0
	route   string
	arg     string // JSON, or a form
	data    string
	status  int
	answer  string
	result  string // the Dropbox-Api-Result header
}

func (x exchange) String() string { return fmt.Sprintf("%s#%d %s", x.fixture, x.n, x.route) }

// readRecorded parses testdata/recorded.txt: "### fixture", "> url", "> ARG"
// and "> BODY" of the request, "< status", "< H" and "< body" of the answer.
func readRecorded(t *testing.T) []exchange {
	t.Helper()
	b, err := os.ReadFile("testdata/recorded.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []exchange
	count := map[string]int{}
	for _, part := range strings.Split(string(b), "### ")[1:] {
		lines := strings.Split(strings.TrimRight(part, "\n"), "\n")
		x := exchange{fixture: strings.TrimSuffix(strings.TrimPrefix(lines[0], "./"), ".yml"), status: 0}
		x.n = count[x.fixture]
		count[x.fixture]++
		body, hasArg := "", false
		for _, line := range lines[1:] {
			switch {
			case strings.HasPrefix(line, "> https://"):
				u, err := url.Parse(line[2:])
				if err != nil {
					t.Fatal(err)
				}
				x.route = strings.TrimPrefix(strings.TrimPrefix(u.Path, "/2"), "/")
			case strings.HasPrefix(line, "> ARG ['"):
				x.arg, hasArg = strings.TrimSuffix(strings.TrimPrefix(line, "> ARG ['"), "']"), true
			case strings.HasPrefix(line, "> BODY "):
				body = strings.TrimPrefix(line, "> BODY ")
			case strings.HasPrefix(line, "< H "):
				_, rest, _ := strings.Cut(line, "'Dropbox-Api-Result': ['")
				x.result, _, _ = strings.Cut(rest, "']")
			case strings.HasPrefix(line, "< ") && x.status == 0:
				if _, err := fmt.Sscan(line[2:], &x.status); err != nil {
					t.Fatalf("%s: %q: %v", x, line, err)
				}
			case strings.HasPrefix(line, "< "):
				x.answer = line[2:]
			}
		}
		x.data = body
		if !hasArg {
			x.arg, x.data = body, ""
		}
		if slices.Contains(lostNewline, fmt.Sprintf("%s#%d", x.fixture, x.n)) {
			x.data += "\n"
		}
		list = append(list, x)
	}
	return list
}

// lostNewline are the recordings whose data ended in a newline, which the dump
// of the recordings does not have; sizes and hashes of the answers show it.
var lostNewline = []string{"chunked_uploader/success#2", "upload_by_chunks/success_io#0", "upload/success_io#0"}

// notServed are routes of the recordings that this server does not have.
var notServed []string

// notRepeatable are recordings whose set-up one account can't have.
var notRepeatable = map[string]string{
	"revoke_shared_link/access_denied": "another person's link",
}

// fieldsOf walks JSON as far as it goes and gives the paths of its fields, each
// object named by its .tag, with the kind of each value. whole tells whether it
// came to the end.
func fieldsOf(text string) (fields map[string]string, whole bool) {
	fields = map[string]string{}
	dec := json.NewDecoder(strings.NewReader(text))
	err := walkFields(dec, "", fields)
	return fields, err == nil
}

func walkFields(dec *json.Decoder, at string, fields map[string]string) error {
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	switch v := tok.(type) {
	case json.Delim:
		label := ""
		for dec.More() {
			if v == '[' {
				if err := walkFields(dec, at+"[]", fields); err != nil {
					return err
				}
				continue
			}
			key, err := dec.Token()
			if err != nil {
				return err
			}
			name := key.(string)
			if name == ".tag" {
				tag, err := dec.Token()
				if err != nil {
					return err
				}
				label = fmt.Sprintf("{%v}", tag)
				fields[at+label] = "union"
				continue
			}
			if err := walkFields(dec, at+label+"."+name, fields); err != nil {
				return err
			}
		}
		_, err = dec.Token()
		return err
	case nil:
		fields[at] = "null"
	default:
		fields[at] = fmt.Sprintf("%T", v)
	}
	return nil
}

// player repeats recordings on one account per folder of fixtures; what the
// service named (sessions, cursors, jobs, revs, links) is replaced by what this
// server named at the same point.
type player struct {
	*account
	names map[string]string
}

func newPlayer(t *testing.T, folder string) *player {
	t.Helper()
	kind := Basic
	if strings.HasPrefix(folder, "create_shared_link") {
		kind = Pro // some of its fixtures set an expiry
	}
	clock := &fakeClock{time.Date(2018, 6, 22, 14, 6, 3, 0, time.UTC)}
	return &player{newAccount(t, Options{Now: clock.Now, Account: Account{Kind: kind}, RefreshToken: "MOCK_REFRESH_TOKEN"}), map[string]string{}}
}

// make puts a file or folder at a path, by the shape of what was recorded there.
func (p *player) make(path string, folder bool) {
	if path == "" || p.meta(path) != nil {
		return
	}
	if folder {
		p.mkdir(path)
		return
	}
	p.put(path, "content of "+path)
}

func (p *player) ensureGone(path string) {
	if p.meta(path) != nil {
		p.must(p.rpc("files/delete_v2", obj{"path": path}))
	}
}

var linkURLs = regexp.MustCompile(`"url": "([^"]+)"`)

// learn pairs the names in a recorded answer with ours.
func (p *player) learn(x exchange, recorded, ours obj) {
	for _, key := range []string{"session_id", "cursor", "rev", "async_job_id"} {
		if was, ok := recorded[key].(string); ok {
			if is, ok := ours[key].(string); ok {
				p.names[was] = is
			}
		}
	}
	// The answers with links were cut off, but their urls come first.
	was := linkURLs.FindAllStringSubmatch(x.answer, -1)
	is, _ := ours["links"].([]any)
	for i := range min(len(was), len(is)) {
		p.names[was[i][1]] = is[i].(obj)["url"].(string)
	}
}

// ours replaces the service's names in an argument.
func (p *player) ours(arg string) string {
	for was, is := range p.names {
		arg = strings.ReplaceAll(arg, strings.Trim(jsonOf([]string{was}), "[]"), strings.Trim(jsonOf([]string{is}), "[]"))
	}
	return arg
}

// play repeats one exchange.
func (p *player) play(x exchange) reply {
	arg := obj{}
	_ = json.Unmarshal([]byte(x.arg), &arg) // an argument that was cut off is handled by setUp
	arg = p.setUp(x, arg)
	text := p.ours(jsonOf(arg))
	if x.arg == "null" || x.arg == "" {
		text = "null"
	}
	if x.route == "oauth2/token" {
		form := x.arg
		if strings.Contains(form, "authorization_code") {
			form = "grant_type=authorization_code&client_id=k&client_secret=s&code=" + p.srv.Code(strings.Contains(x.fixture, "refresh"))
		}
		req := p.request("x", strings.NewReader(form), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
		req.URL.Path = "/oauth2/token"
		return p.do(req)
	}
	switch endpoints[x.route].style {
	case upload:
		return p.send(x.route, text, x.data)
	case download:
		req := p.request(x.route, strings.NewReader(""), map[string]string{"Dropbox-API-Arg": headerSafe(text)})
		return p.do(req)
	case rpc:
	}
	req := p.request(x.route, strings.NewReader(text), map[string]string{"Content-Type": "application/json"})
	switch {
	case x.status == 401:
		p.srv.ExpireTokens()
		defer p.srv.Grant(p.tok)
	case x.status == 422:
		req.Header.Set("Dropbox-API-Path-Root", `{".tag":"namespace_id","namespace_id":"9"}`)
	case strings.Contains(x.answer, "access token is malformed"):
		req.Header.Set("Authorization", "Bearer ?")
	}
	return p.do(req)
}

// setUp brings the account to where the recording began, and gives the
// argument, with revs that fit.
func (p *player) setUp(x exchange, arg obj) obj {
	str := func(key string) string { s, _ := arg[key].(string); return s }
	rec := obj{}
	_ = json.Unmarshal([]byte(x.answer), &rec) // cut off: only what the argument tells is set up
	isFolder := rec[".tag"] == "folder"
	ok := x.status == 200
	switch x.route {
	case "files/list_folder", "files/list_folder/get_latest_cursor":
		p.setUpListing(x, str("path"), ok)
	case "files/list_folder/longpoll":
		if ok {
			p.put("/dropbox_api_fixtures/list_folder_longpoll/wake.txt", fmt.Sprint(x.n))
		}
	case "files/copy", "files/move":
		p.setUpRelocation(x, str("from_path"), str("to_path"), isFolder, ok)
	case "files/copy_batch_v2", "files/move_batch_v2":
		for _, e := range arg["entries"].([]any) {
			p.make(e.(obj)["from_path"].(string), false)
		}
	case "files/copy_batch/check_v2", "files/create_folder_batch/check", "files/delete_batch/check":
		if ok {
			arg["async_job_id"] = p.setUpJob(x.route)
		}
	case "files/create_folder", "files/create_folder_batch":
		p.setUpFolders(x, arg)
	case "files/delete":
		if strings.Contains(x.answer, "not_found") {
			break
		}
		p.make(str("path"), isFolder)
	case "files/delete_batch":
		for _, e := range arg["entries"].([]any) {
			p.make(e.(obj)["path"].(string), path.Ext(e.(obj)["path"].(string)) == "")
		}
	case "files/get_thumbnail_batch":
		if !strings.Contains(x.answer, "not_found") {
			p.put(arg["entries"].([]any)[0].(obj)["path"].(string), picture(300, 200))
		}
	case "files/get_metadata", "files/download", "files/get_temporary_link", "files/get_preview", "files/get_thumbnail", "files/list_revisions", "files/restore":
		p.setUpRead(x, arg, isFolder, ok)
	case "files/upload", "files/upload_session/finish":
		p.setUpCommit(rec, arg)
	case "sharing/create_shared_link_with_settings", "sharing/list_shared_links", "sharing/get_shared_link_metadata", "sharing/revoke_shared_link":
		return p.setUpLink(x, arg, ok)
	}
	return arg
}

func (p *player) setUpListing(x exchange, path string, ok bool) {
	if !ok {
		return
	}
	if x.fixture == "list_folder/success_shared_folder" {
		path = "/dropbox_api_fixtures/list_folder/shared_folder" // listed through its link
	}
	p.make(path, true)
	rec, _ := fieldsOf(x.answer)
	if rec[".entries[]{folder}"] != "" {
		p.make(path+"/some folder", true)
	}
	if rec[".entries[]{file}"] != "" {
		p.make(path+"/some file", false)
	}
}

func (p *player) setUpRelocation(x exchange, from, to string, folder, ok bool) {
	if !ok {
		return
	}
	p.make(from, folder)
	p.ensureGone(to)
	if strings.Contains(x.fixture, "rename") {
		p.make(to, false)
	}
}

// setUpJob runs a batch whose entries come out in every way.
func (p *player) setUpJob(check string) any {
	p.make("/folder 1/in", true)
	p.make("/file.txt", false)
	p.make("/other.txt", false)
	arg, route := obj{}, strings.TrimSuffix(strings.TrimSuffix(check, "/check"), "/check_v2")
	switch route {
	case "files/copy_batch":
		route += "_v2"
		arg["entries"] = []obj{{"from_path": "/folder 1", "to_path": "/folder 2"}, {"from_path": "/file.txt", "to_path": "/f3/photo.png"}, {"from_path": "/none", "to_path": "/x"}}
	case "files/create_folder_batch":
		arg["paths"], arg["force_async"] = []string{"/folder 1", "/new"}, true
	case "files/delete_batch":
		arg["entries"] = []obj{{"path": "/folder 1"}, {"path": "/other.txt", "parent_rev": "123456789"}, {"path": "/file.txt"}}
	}
	id := p.must(p.rpc(route, arg))["async_job_id"]
	p.must(p.rpc(check, obj{"async_job_id": id})) // in_progress
	return id
}

func (p *player) setUpFolders(x exchange, arg obj) {
	if strings.Contains(x.fixture, "large_entries") { // its argument was cut off
		arg["autorename"], arg["force_async"] = false, false
		var paths []string
		for i := range 1000 {
			paths = append(paths, fmt.Sprintf("/Folder %d", i))
		}
		arg["paths"] = paths
		return
	}
	paths, _ := arg["paths"].([]any)
	if s, ok := arg["path"]; ok {
		paths = []any{s}
	}
	for _, s := range paths {
		switch {
		case strings.Contains(x.answer, "malformed"):
		case strings.Contains(x.answer, `"conflict"`), strings.Contains(x.answer, "(1)"):
			p.make(s.(string), !strings.Contains(x.answer, `".tag": "file"`))
		default:
			p.ensureGone(s.(string))
		}
	}
}

func (p *player) setUpRead(x exchange, arg obj, folder, ok bool) {
	file := arg["path"].(string)
	switch {
	case path.Ext(file) == ".png" && ok:
		p.put(file, picture(300, 200))
	case x.fixture == "restore/success" || x.fixture == "list_revisions/success":
		p.make(file, false)
		p.names["1a6a24061bdd"] = p.meta(file)["rev"].(string)
		p.put(file, "newer")
		p.ensureGone(file)
	case strings.Contains(x.fixture, "deleted"):
		p.make(file, false)
		p.ensureGone(file)
	case x.fixture == "restore/invalid_revision" || ok:
		p.make(file, folder)
	default:
		p.ensureGone(file)
	}
}

// setUpCommit lets the name be free or taken as the recorded answer tells.
func (p *player) setUpCommit(rec, arg obj) {
	if c, ok := arg["commit"].(obj); ok {
		arg = c
	}
	file := arg["path"].(string)
	if mode, ok := arg["mode"].(obj); ok && mode["update"] != nil {
		p.make(file, false)
		mode["update"] = p.meta(file)["rev"]
		return
	}
	if rec["name"] != nil && rec["name"] != path.Base(file) {
		p.make(file, false)
	} else if arg["autorename"] != true {
		p.ensureGone(file)
	}
}

// setUpLink shares what the recording had shared.
func (p *player) setUpLink(x exchange, arg obj, ok bool) obj {
	share := func(path string, folder bool) string {
		p.make(path, folder)
		r := p.rpc("sharing/create_shared_link_with_settings", obj{"path": path})
		if r.status == 200 {
			return r.json["url"].(string)
		}
		return p.must(p.rpc("sharing/list_shared_links", obj{"path": path, "direct_only": true}))["links"].([]any)[0].(obj)["url"].(string)
	}
	file, _ := arg["path"].(string)
	folder := !strings.Contains(file, ".")
	switch x.route {
	case "sharing/create_shared_link_with_settings":
		p.ensureGone(file)
		p.make(file, folder)
		if strings.Contains(x.answer, "already_exists") {
			share(file, folder)
		}
		if s := arg["settings"].(obj); ok && s["expires"] != nil {
			s["expires"] = "2030-01-01T00:00:00Z"
		}
		if strings.Contains(x.fixture, "no_permission") {
			p.srv.members[0].Kind = Basic
		} else {
			p.srv.members[0].Kind = Pro
		}
	case "sharing/list_shared_links":
		share(file, folder)
		if dir := path.Dir(file); dir != "/" && strings.Contains(x.answer, `"path_lower": "`+dir+`"`) {
			share(dir, true)
		}
	case "sharing/revoke_shared_link", "sharing/get_shared_link_metadata":
		if ok && x.n == 0 {
			arg["url"] = share("/revoked", true)
		}
	}
	return arg
}

// What the comparison found when it was written. Fewer is a loss.
const (
	wantCompared  = 124
	wantNotServed = 0
	wantCut       = 22
)

func TestAnswersAreThoseOfTheRecordings(t *testing.T) {
	players := map[string]*player{}
	var compared, skipped int
	var cut, missing []string
	routes := map[string]int{}
	for _, x := range readRecorded(t) {
		if slices.Contains(notServed, x.route) {
			skipped++
			missing = append(missing, x.String())
			continue
		}
		if why := notRepeatable[x.fixture]; why != "" {
			t.Logf("not repeated: %s: %s", x, why)
			continue
		}
		folder := path.Dir(x.fixture)
		if players[folder] == nil {
			players[folder] = newPlayer(t, folder)
		}
		p := players[folder]
		got := p.play(x)
		if problem := compare(x, got); problem != nil {
			t.Errorf("%s: %v\nrecorded %d %s\nours     %d %s", x, problem, x.status, x.answer, got.status, got.text)
		}
		rec := obj{}
		if json.Unmarshal([]byte(x.answer), &rec) != nil && strings.HasPrefix(x.answer, "{") {
			cut = append(cut, x.String())
		}
		p.learn(x, rec, got.json)
		compared++
		routes[x.route]++
	}
	t.Logf("compared %d exchanges on %d routes; %d of them with a cut-off answer: %s", compared, len(routes), len(cut), strings.Join(cut, ", "))
	t.Logf("not served: %d: %s", skipped, strings.Join(missing, ", "))
	if compared < wantCompared || len(cut) > wantCut || skipped > wantNotServed {
		t.Errorf("compared %d (want %d or more), cut off %d (want %d or fewer), not served %d (want %d or fewer)", compared, wantCompared, len(cut), wantCut, skipped, wantNotServed)
	}
}

// compare checks status, texts, error tags, and that every recorded field is in
// our answer with the same kind of value.
func compare(x exchange, got reply) error {
	if got.err != nil {
		return got.err
	}
	if got.status != x.status {
		return fmt.Errorf("status %d, recorded %d", got.status, x.status)
	}
	if x.status == 400 && got.text != x.answer {
		return errors.New("another text")
	}
	recorded, ours := x.answer, got.text
	if x.result != "" {
		recorded, ours = x.result, got.header.Get("Dropbox-Api-Result")
	} else if !strings.HasPrefix(recorded, "{") {
		if x.status == 200 && recorded != ours && recorded != "" {
			return errors.New("another body")
		}
		return nil
	}
	want, _ := fieldsOf(recorded)
	have, whole := fieldsOf(ours)
	if !whole {
		return io.ErrUnexpectedEOF
	}
	for _, field := range slices.Sorted(maps.Keys(want)) {
		if have[field] != want[field] {
			return fmt.Errorf("field %s is %q, recorded %q", field, have[field], want[field])
		}
	}
	if !strings.HasPrefix(x.route, "files/upload") || x.status != 200 {
		return nil
	}
	var a, b struct {
		Name        string `json:"name"`
		ContentHash string `json:"content_hash"`
		Size        int64  `json:"size"`
	}
	if err := errors.Join(json.Unmarshal([]byte(recorded), &a), json.Unmarshal([]byte(ours), &b)); err != nil {
		return err
	}
	if a != b {
		return fmt.Errorf("name, hash and size %v, recorded %v", b, a)
	}
	return nil
}
