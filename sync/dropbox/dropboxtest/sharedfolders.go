package dropboxtest

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// firstShared is the number of the first namespace that sharing makes.
const firstShared = 84528192

type shareFolderArg struct {
	Path              string         `json:"path" stone:"required"`
	ACLUpdatePolicy   *tagged        `json:"acl_update_policy"`
	ForceAsync        bool           `json:"force_async"`
	MemberPolicy      *tagged        `json:"member_policy"`
	SharedLinkPolicy  *tagged        `json:"shared_link_policy"`
	ViewerInfoPolicy  *tagged        `json:"viewer_info_policy"`
	AccessInheritance *tagged        `json:"access_inheritance"`
	Actions           []tagged       `json:"actions"`
	LinkSettings      map[string]any `json:"link_settings"`
}

// shareFolder makes a folder a namespace of its own, and the folder where there
// is none.
func shareFolder(c *call, arg *shareFolderArg) (any, error) {
	c.item = arg.Path
	return c.locked(func() (any, error) {
		n, err := c.v.toShare(arg.Path)
		if err != nil {
			return nil, err
		}
		id := firstShared
		for c.s.tree.spaces[strconv.Itoa(id)] != nil {
			id++
		}
		c.s.tree.share(n, strconv.Itoa(id), "")
		done := c.v.sharedFolder(n)
		done[".tag"] = "complete"
		if arg.ForceAsync {
			return c.s.startStatus("share_folder", done), nil
		}
		return done, nil
	})
}

// toShare gives the folder of a path, if it may be shared; errors are those of
// ShareFolderError.
func (v *view) toShare(path string) (*node, error) {
	n, lerr := v.lookup(parsePath(path))
	switch {
	case lerr != nil && strings.HasPrefix(path, "/"):
		made, err := v.createFolder(path, false)
		if err != nil {
			return nil, fail("bad_path", "invalid_path")
		}
		n = made
	case lerr != nil, n.parent == nil, n == v.root, n.owner != "":
		return nil, fail("bad_path", "invalid_path")
	case !n.folder():
		return nil, fail("bad_path", "is_file")
	case n.ns != "":
		e := fail("bad_path", "already_shared")
		e.extra = v.sharedFolder(n)
		return nil, e
	}
	if v.shared(n.parent) != "" {
		return nil, fail("bad_path", "inside_shared_folder")
	}
	for _, space := range v.tree.spaces {
		for up := space.parent; up != nil; up = up.parent {
			if up == n {
				return nil, fail("bad_path", "contains_shared_folder")
			}
		}
	}
	return n, nil
}

// sharedFolder is SharedFolderMetadata.
func (v *view) sharedFolder(n *node) map[string]any {
	display := v.display(n.display())
	return map[string]any{
		"access_type": tag("owner"), "is_inside_team_folder": false, "is_team_folder": false, "name": n.name,
		"path_display": display, "path_lower": fold(display), "shared_folder_id": n.ns, "folder_id": n.id,
		"access_inheritance": tag("inherit"), "preview_url": v.linkBase() + "/home" + display,
		"time_invited": v.opt.Now().UTC().Format(time.RFC3339),
		"policy":       map[string]any{"acl_update_policy": tag("owner"), "shared_link_policy": tag("anyone"), "member_policy": tag("anyone")},
	}
}

type folderMetadataArg struct {
	SharedFolderID string   `json:"shared_folder_id" stone:"required"`
	Actions        []tagged `json:"actions"`
}

func sharedFolderMetadata(c *call, arg *folderMetadataArg) (any, error) {
	c.item = arg.SharedFolderID
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	n := c.s.tree.spaces[arg.SharedFolderID]
	if n == nil || n.owner != "" {
		return nil, fail("invalid_id")
	}
	return c.v.sharedFolder(n), nil
}

type listFoldersArg struct {
	Limit   int      `json:"limit"`
	Actions []tagged `json:"actions"`
}

func listSharedFolders(c *call, arg *listFoldersArg) (any, error) {
	if arg.Limit == 0 {
		arg.Limit = 1000
	}
	if arg.Limit < 1 || arg.Limit > 1000 {
		return nil, badCall("request body: limit: %d is not within [1, 1000]", arg.Limit)
	}
	return c.sharedFolders("", arg.Limit), nil
}

type listFoldersContinueArg struct {
	Cursor string `json:"cursor" stone:"required"`
}

func listSharedFoldersContinue(c *call, arg *listFoldersContinueArg) (any, error) {
	limit, after, has := strings.Cut(arg.Cursor, ":")
	n, err := strconv.Atoi(limit)
	if err != nil || !has || n < 1 {
		return nil, fail("invalid_cursor")
	}
	return c.sharedFolders(after, n), nil
}

// sharedFolders lists a page of those after one.
func (c *call) sharedFolders(after string, limit int) map[string]any {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	page := map[string]any{}
	entries := []any{}
	for _, ns := range slices.Sorted(maps.Keys(c.s.tree.spaces)) {
		n := c.s.tree.spaces[ns]
		if n.owner != "" || ns <= after {
			continue
		}
		if len(entries) == limit {
			page["cursor"] = strconv.Itoa(limit) + ":" + after
			break
		}
		entries, after = append(entries, c.v.sharedFolder(n)), ns
	}
	page["entries"] = entries
	return page
}

// checkApp echoes to whoever knows the app's key and secret.
func checkApp(c *call, arg *echoArg) (any, error) {
	if key, secret, ok := c.r.BasicAuth(); !ok || key == "" || secret == "" {
		return nil, badCall("Invalid authorization value in HTTP header %q: %q.", "Authorization", c.r.Header.Get("Authorization"))
	}
	return map[string]any{"result": arg.Query}, nil
}
