package dropboxtest

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

type listFolderArg struct {
	Path                            string          `json:"path" stone:"required"`
	Recursive                       bool            `json:"recursive"`
	IncludeMediaInfo                bool            `json:"include_media_info"`
	IncludeDeleted                  bool            `json:"include_deleted"`
	IncludeHasExplicitSharedMembers bool            `json:"include_has_explicit_shared_members"`
	IncludeMountedFolders           *bool           `json:"include_mounted_folders"`
	Limit                           *int            `json:"limit"`
	SharedLink                      *sharedLinkRef  `json:"shared_link"`
	IncludePropertyGroups           json.RawMessage `json:"include_property_groups"`
	IncludeNonDownloadableFiles     *bool           `json:"include_non_downloadable_files"`
	IncludeRestorableInfo           bool            `json:"include_restorable_info"`
}

type sharedLinkRef struct {
	URL      string `json:"url" stone:"required"`
	Password string `json:"password"`
}

// cursor is what a cursor's characters hold. It survives restarts, as
// Dropbox's do: positions in the journal are the same after a replay.
type cursor struct {
	Version   int    `json:"v"`
	Born      int64  `json:"b"` // seconds since 1970
	Epoch     int    `json:"e"`
	Namespace string `json:"n"` // of the path root
	Account   string `json:"u"`
	Path      string `json:"p"` // folded path of the listed folder; "" is the root
	Recursive bool   `json:"r,omitempty"`
	Deleted   bool   `json:"d,omitempty"`
	Plain     bool   `json:"x,omitempty"` // without files that cannot be downloaded
	Limit     int    `json:"l"`
	Pos       int    `json:"j"`           // journal entries that the client has
	After     string `json:"a,omitempty"` // sort key of the last entry, while the first listing goes on
	Listing   bool   `json:"f,omitempty"` // the first listing goes on
	Shared    string `json:"s,omitempty"` // key of the link that is listed through
}

const cursorVersion = 1

func (c cursor) encode() string {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // a struct of strings and numbers can't fail
	}
	return "AAF" + base64.RawURLEncoding.EncodeToString(b)
}

func decodeCursor(s string) (cursor, bool) {
	var c cursor
	raw, ok := strings.CutPrefix(s, "AAF")
	if !ok {
		return c, false
	}
	b, err := base64.RawURLEncoding.DecodeString(raw)
	if err != nil || json.Unmarshal(b, &c) != nil {
		return c, false
	}
	return c, c.Version == cursorVersion
}

// sortKey orders paths so that folders come before what they hold.
func sortKey(lower string) string { return strings.ReplaceAll(lower, "/", "\x00") }

func (c *call) listArg(arg *listFolderArg) (int, error) {
	c.item = arg.Path
	if err := c.checkPath("path", arg.Path, listPattern); err != nil && (arg.Path != "" || arg.SharedLink == nil) {
		return 0, err
	}
	limit := c.s.opt.PageSize
	if arg.Limit != nil {
		if *arg.Limit < 1 || *arg.Limit > 2000 {
			return 0, badCall("request body: limit: %d is not within [1, 2000]", *arg.Limit)
		}
		limit = min(limit, *arg.Limit)
	}
	return limit, nil
}

// openCursor makes the cursor of a new listing. The caller holds the lock.
func (c *call) openCursor(arg *listFolderArg, limit int) (cursor, error) {
	s := c.v
	cur := cursor{Version: cursorVersion, Born: s.opt.Now().Unix(), Epoch: s.epoch, Namespace: c.v.ns, Account: c.v.who.ID, Recursive: arg.Recursive,
		Deleted: arg.IncludeDeleted, Plain: arg.IncludeNonDownloadableFiles != nil && !*arg.IncludeNonDownloadableFiles, Limit: limit, Pos: len(s.tree.journal), Listing: true}
	spec := parsePath(arg.Path)
	if arg.SharedLink != nil {
		l := s.linkOf(arg.SharedLink.URL)
		if l == nil {
			return cur, fail("path", "not_found")
		}
		cur.Shared = l.Key
		spec = pathSpec{id: l.ID, parts: spec.parts, malformed: spec.malformed}
	}
	n, lerr := s.lookup(spec)
	if lerr != nil {
		return cur, lerr.under("path")
	}
	if !n.folder() {
		return cur, fail("path", "not_folder")
	}
	cur.Path = n.lower()
	return cur, nil
}

func listFolder(c *call, arg *listFolderArg) (any, error) {
	return c.listing(arg, func(cur cursor) (any, error) {
		if c.s.opt.Behaviour.EmptyFirstPage {
			return map[string]any{"entries": []any{}, "cursor": cur.encode(), "has_more": true}, nil
		}
		return c.v.page(cur)
	})
}

func latestCursor(c *call, arg *listFolderArg) (any, error) {
	return c.listing(arg, func(cur cursor) (any, error) {
		cur.Listing = false
		return map[string]any{"cursor": cur.encode()}, nil
	})
}

// listing checks an argument and does something with its new cursor under the
// lock.
func (c *call) listing(arg *listFolderArg, do func(cursor) (any, error)) (any, error) {
	limit, err := c.listArg(arg)
	if err != nil {
		return nil, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	cur, err := c.openCursor(arg, limit)
	if err != nil {
		return nil, err
	}
	return do(cur)
}

type cursorArg struct {
	Cursor string `json:"cursor" stone:"required"`
}

func listContinue(c *call, arg *cursorArg) (any, error) {
	cur, ok := decodeCursor(arg.Cursor)
	if !ok {
		return nil, badCall("request body: cursor: unsupported cursor type")
	}
	c.item = cur.Path
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.expired(cur) || cur.Epoch != c.s.epoch || cur.Namespace != c.v.ns || cur.Account != c.v.who.ID || cur.Pos > len(c.s.tree.journal) {
		return nil, fail("reset")
	}
	return c.v.page(cur)
}

// expired reports whether a cursor is older than Behaviour.CursorAge. Each
// answer has a younger one.
func (s *Server) expired(cur cursor) bool {
	age := s.opt.Behaviour.CursorAge
	return age > 0 && s.opt.Now().Sub(time.Unix(cur.Born, 0)) > age
}

// page answers with the next entries of a cursor.
func (v *view) page(cur cursor) (any, error) {
	folder, _, _ := v.at(v.tree.root, parsePath(cur.Path).parts)
	if folder == nil || !folder.folder() {
		return nil, fail("path", "not_found")
	}
	var entries []any
	var more bool
	if cur.Listing {
		entries, more = v.listPage(&cur, folder)
	} else {
		entries, more = v.deltaPage(&cur)
	}
	cur.Born = v.opt.Now().Unix()
	if v.opt.Behaviour.ChildrenFirst {
		childrenFirst(entries)
	}
	if n := len(entries); n > 0 && v.opt.Behaviour.RepeatEntries {
		entries = append(entries, entries[n-1])
	}
	return map[string]any{"entries": entries, "cursor": cur.encode(), "has_more": more}, nil
}

// childrenFirst swaps each folder with the entry after it, where that lies in it.
func childrenFirst(entries []any) {
	for i := 0; i+1 < len(entries); i++ {
		a, b := entries[i].(map[string]any), entries[i+1].(map[string]any)
		in := strings.HasPrefix(b["path_lower"].(string), a["path_lower"].(string)+"/")
		if a[".tag"] == "folder" && b[".tag"] == "file" && in {
			entries[i], entries[i+1] = b, a
			i++
		}
	}
}

// listPage gives entries of the current state in path order, after cur.After.
// What changes between two pages comes again by the journal, from cur.Pos on.
func (v *view) listPage(cur *cursor, folder *node) ([]any, bool) {
	type item struct {
		key  string
		meta func() map[string]any
	}
	var list []item
	add := func(lower string, meta func() map[string]any) {
		if key := sortKey(lower); cur.After == "" || key > cur.After {
			list = append(list, item{key, meta})
		}
	}
	visit := func(n *node) {
		if !(cur.Plain && n.cloud != "") && n != v.root && !(v.opt.Team != nil && v.hides(n)) && (n != folder || !v.opt.Behaviour.OmitListedFolder) {
			add(n.lower(), func() map[string]any { return v.tagged(n) })
		}
	}
	if cur.Recursive {
		folder.walk(visit)
	} else {
		for _, n := range folder.sorted() {
			visit(n)
		}
	}
	if cur.Deleted {
		hidden := v.hidden(v.who.ID)
		for lower, tomb := range v.tree.tombs {
			if cur.covers(lower) && !below(lower, hidden) {
				add(lower, func() map[string]any { return v.gone(tomb) })
			}
		}
	}
	slices.SortFunc(list, func(a, b item) int { return strings.Compare(a.key, b.key) })
	entries := []any{}
	for i, it := range list {
		if i == cur.Limit {
			return entries, true
		}
		entries = append(entries, it.meta())
		cur.After = it.key
	}
	cur.Listing, cur.After = false, ""
	return entries, false
}

// covers reports whether a path belongs to what the cursor lists.
func (c *cursor) covers(lower string) bool {
	rel, ok := strings.CutPrefix(lower, c.Path+"/")
	return ok && (c.Recursive || !strings.Contains(rel, "/")) || c.Recursive && lower == c.Path
}

// deltaPage gives the journal after cur.Pos, compacted: of the puts at a path
// only the last, and of those only what still is there. A path's last deletion
// stays even when something was put there later, because it ends the children
// that stood below.
func (v *view) deltaPage(cur *cursor) ([]any, bool) {
	news := v.tree.journal[cur.Pos:]
	lastPut, lastGone := map[string]int{}, map[string]int{}
	for i, e := range news {
		if e.gone {
			lastGone[e.lower] = i
		} else {
			lastPut[e.lower] = i
		}
	}
	entries := []any{}
	own, hidden := v.root.lower(), v.hidden(v.who.ID)
	for i, e := range news {
		if !cur.covers(e.lower) || e.lower == own || below(e.lower, hidden) {
			continue
		}
		var meta map[string]any
		switch {
		case e.gone && lastGone[e.lower] == i:
			meta = v.gone(e)
		case !e.gone && lastPut[e.lower] == i:
			if n, _, _ := v.at(v.tree.root, parsePath(e.lower).parts); n != nil && !(cur.Plain && n.cloud != "") {
				meta = v.tagged(n)
			}
		}
		if meta == nil {
			continue
		}
		if len(entries) == cur.Limit {
			cur.Pos += i
			return entries, true
		}
		entries = append(entries, meta)
	}
	cur.Pos = len(v.tree.journal)
	return entries, false
}

type longpollArg struct {
	Cursor  string `json:"cursor" stone:"required"`
	Timeout *int   `json:"timeout"`
}

// longpoll waits for something that the cursor would list.
func longpoll(c *call, arg *longpollArg) (any, error) {
	cur, ok := decodeCursor(arg.Cursor)
	if !ok {
		return nil, badCall("request body: cursor: unsupported cursor type")
	}
	seconds := 30
	if arg.Timeout != nil {
		seconds = *arg.Timeout
	}
	if seconds < 30 || seconds > 480 {
		return nil, badCall("request body: timeout: %d is not within [30, 480]", seconds)
	}
	c.item = cur.Path
	end := c.s.opt.After(time.Duration(seconds) * time.Second)
	for {
		changes, reset, wake := c.s.hasNews(cur)
		if reset {
			return nil, fail("reset")
		}
		if changes {
			return c.polled(true), nil
		}
		select {
		case <-wake:
		case <-end:
			return c.polled(false), nil
		case <-c.s.done:
			return c.polled(false), nil
		case <-c.r.Context().Done():
			return nil, c.r.Context().Err()
		}
	}
}

func (c *call) polled(changes bool) map[string]any {
	answer := map[string]any{"changes": changes}
	if b := c.s.opt.Behaviour.LongpollBackoff; b > 0 {
		answer["backoff"] = int(b / time.Second)
	}
	return answer
}

func (s *Server) hasNews(cur cursor) (changes, reset bool, wake <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tree
	if s.expired(cur) || cur.Epoch != s.epoch || cur.Pos > len(t.journal) {
		return false, true, nil
	}
	if cur.Listing || s.opt.Behaviour.LongpollAnyChange && cur.Pos < len(t.journal) {
		return true, false, nil
	}
	hidden := s.hidden(cur.Account)
	for _, e := range t.journal[cur.Pos:] {
		if cur.covers(e.lower) && !below(e.lower, hidden) {
			return true, false, nil
		}
	}
	return false, false, t.changed
}
