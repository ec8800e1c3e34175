package dropboxtest

import (
	"encoding/base64"
	"encoding/json"
	"path"
	"slices"
	"strings"
)

type searchOptions struct {
	Path           string   `json:"path"`
	MaxResults     *int     `json:"max_results"`
	OrderBy        *tagged  `json:"order_by"`
	FileStatus     *tagged  `json:"file_status"`
	FilenameOnly   bool     `json:"filename_only"`
	FileExtensions []string `json:"file_extensions"`
	FileCategories []tagged `json:"file_categories"`
	AccountID      string   `json:"account_id"`
}

type searchArg struct {
	Query             string         `json:"query" stone:"required"`
	Options           *searchOptions `json:"options"`
	MatchFieldOptions *struct {
		IncludeHighlights bool `json:"include_highlights"`
	} `json:"match_field_options"`
	IncludeHighlights bool `json:"include_highlights"`
}

// searchCursor is what a cursor's characters hold. A search is done again for
// each page, as Dropbox warns that pages may overlap.
type searchCursor struct {
	Query     string   `json:"q"`
	Folder    string   `json:"f"` // id; empty: everything
	Limit     int      `json:"l"`
	From      int      `json:"n"`
	ByTime    bool     `json:"t"`
	Extension []string `json:"e"`
}

// maxMatches is how many a search gives in all its pages.
const maxMatches = 10_000

// search finds names that have all the query's words at the beginning of a
// word of theirs. Contents are not searched.
func search(c *call, arg *searchArg) (any, error) {
	c.item = arg.Query
	opt := arg.Options
	if opt == nil {
		opt = &searchOptions{}
	}
	cur := searchCursor{Query: arg.Query, Limit: 100, Extension: opt.FileExtensions, ByTime: opt.OrderBy != nil && opt.OrderBy.Tag == "last_modified_time"}
	if opt.MaxResults != nil {
		cur.Limit = *opt.MaxResults
	}
	switch {
	case cur.Limit < 1 || cur.Limit > 1000:
		return nil, badCall("request body: options: max_results: %d is not within [1, 1000]", cur.Limit)
	case strings.TrimSpace(arg.Query) == "":
		e := fail("invalid_argument")
		e.extra = map[string]any{"invalid_argument": "query"}
		return nil, e
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if opt.Path != "" {
		n, lerr := c.v.lookup(parsePath(opt.Path))
		if lerr != nil {
			return nil, lerr.under("path")
		}
		cur.Folder = n.id
	}
	return c.v.searchPage(cur), nil
}

func searchContinue(c *call, arg *cursorArg) (any, error) {
	var cur searchCursor
	b, err := base64.RawURLEncoding.DecodeString(arg.Cursor)
	if err != nil || json.Unmarshal(b, &cur) != nil {
		return nil, badCall("request body: cursor: unsupported cursor type")
	}
	c.item = cur.Query
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.v.searchPage(cur), nil
}

func (v *view) searchPage(cur searchCursor) map[string]any {
	top := v.root
	if n := v.byID(cur.Folder); n != nil {
		top = n
	}
	var found []*node
	top.walk(func(n *node) {
		if n != v.root && !v.hides(n) && matches(n.name, cur.Query) && (len(cur.Extension) == 0 ||
			slices.Contains(cur.Extension, strings.TrimPrefix(path.Ext(n.name), "."))) {
			found = append(found, n)
		}
	})
	if cur.ByTime {
		slices.SortStableFunc(found, func(a, b *node) int { return b.server.Compare(a.server) })
	}
	found = found[:min(len(found), maxMatches)]
	from := min(cur.From, len(found))
	to := min(from+cur.Limit, len(found))
	list := []any{}
	for _, n := range found[from:to] {
		list = append(list, map[string]any{"metadata": map[string]any{".tag": "metadata", "metadata": v.tagged(n)}, "match_type": tag("filename")})
	}
	answer := map[string]any{"matches": list, "has_more": to < len(found)}
	if to < len(found) {
		cur.From = to
		b, err := json.Marshal(cur)
		if err != nil {
			panic(err) // a struct of strings and numbers can't fail
		}
		answer["cursor"] = base64.RawURLEncoding.EncodeToString(b)
	}
	return answer
}

// matches reports whether each word of the query begins a word of the name.
func matches(name, query string) bool {
	words := strings.FieldsFunc(fold(name), func(r rune) bool { return strings.ContainsRune(" ._-()", r) })
	for q := range strings.FieldsSeq(fold(query)) {
		if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, q) }) && fold(name) != q {
			return false
		}
	}
	return true
}
