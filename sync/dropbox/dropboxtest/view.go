package dropboxtest

import (
	"encoding/json"
	"net/http"
	"strings"
)

// member is one account of the server: the first, or another of its team.
type member struct {
	Account
	memberID string // dbmid:..., of a team's
}

// view is what a call sees of the tree: whose call it is, and what its paths
// begin at. It is good for one call.
type view struct {
	*Server
	who  *member
	root *node // what the path "" names
	ns   string
}

// member finds an account by its id.
func (s *Server) member(id string) *member {
	for _, m := range s.members {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// home gives an account's own folder: the root, where there is no team space.
// The caller holds the lock.
func (s *Server) home(m *member) (*node, string) {
	if n := s.tree.spaces[m.NamespaceID]; n != nil && s.opt.Team != nil {
		return n, m.NamespaceID
	}
	return s.tree.root, s.tree.namespace
}

// openView finds out whose call it is, and by Dropbox-API-Path-Root where its
// paths begin.
func (s *Server) openView(p pass, r *http.Request) (*view, error) {
	who, err := s.actor(p, r)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v := &view{Server: s, who: who}
	v.root, v.ns = s.home(who)
	if app := s.opt.AppFolder; app != "" {
		n, _, _ := v.at(v.root, []string{"Apps", app})
		v.root, v.ns = n, n.ns
	}
	if header := r.Header.Get("Dropbox-API-Path-Root"); header != "" {
		return v, v.enter(header)
	}
	return v, nil
}

// actor is the account of a token; with a team's token the one that
// Dropbox-API-Select-User names.
func (s *Server) actor(p pass, r *http.Request) (*member, error) {
	if p.who != "" {
		if m := s.member(p.who); m != nil {
			return m, nil
		}
		return nil, authError("user_suspended")
	}
	selected := r.Header.Get("Dropbox-API-Select-User")
	if selected == "" {
		return nil, badCall("This API function operates on a single Dropbox account, but the OAuth 2 access token you provided is for an entire Dropbox Business team.  Since your API app key has team member file access permissions, you can operate on a team member's Dropbox by providing the \"Dropbox-API-Select-User\" HTTP header or \"select_user\" URL parameter to specify the exact user <https://www.dropbox.com/developers/documentation/http/teams>.")
	}
	for _, m := range s.members {
		if m.memberID == selected {
			return m, nil
		}
	}
	return nil, authError("invalid_select_user")
}

// enter follows a Dropbox-API-Path-Root header.
func (v *view) enter(header string) error {
	var root struct {
		Tag       string `json:".tag"`
		Root      string `json:"root"`
		Namespace string `json:"namespace_id"`
	}
	if err := json.Unmarshal([]byte(header), &root); err != nil {
		return badCall(`HTTP header "Dropbox-API-Path-Root": could not decode input as JSON`)
	}
	switch {
	case root.Tag == "home":
		return nil
	case root.Tag == "root" && root.Root == v.tree.namespace && v.opt.AppFolder == "":
		v.root, v.ns = v.tree.root, v.tree.namespace
		return nil
	case root.Tag == "root":
		return &apiError{status: http.StatusUnprocessableEntity, body: map[string]any{"error_summary": "invalid_root/..",
			"error": map[string]any{".tag": "invalid_root", "invalid_root": v.rootInfo()}}}
	case root.Tag == "namespace_id":
		if n := v.space(root.Namespace); n != nil {
			v.root, v.ns = n, root.Namespace
			return nil
		}
	}
	return &apiError{status: http.StatusUnprocessableEntity, body: map[string]any{
		"error_summary": "no_permission/..", "error": tag("no_permission")}}
}

// space finds the folder of a namespace that the caller may see, or nil.
func (v *view) space(ns string) *node {
	n := v.tree.spaces[ns]
	if ns == v.tree.namespace {
		n = v.tree.root
	}
	if n == nil || v.hides(n) || v.opt.AppFolder != "" && !n.within(v.root) {
		return nil
	}
	return n
}

// hides reports what belongs to another member of the team.
func (v *view) hides(n *node) bool {
	for ; n != nil; n = n.parent {
		if n.owner != "" && n.owner != v.who.ID {
			return true
		}
	}
	return false
}

// hidden gives the folded paths of folders that an account does not see.
func (s *Server) hidden(account string) []string {
	var list []string
	for _, n := range s.tree.spaces {
		if n.owner != "" && n.owner != account {
			list = append(list, n.lower())
		}
	}
	return list
}

// below reports whether a folded path is one of the folders, or in it.
func below(lower string, folders []string) bool {
	for _, f := range folders {
		if lower == f || strings.HasPrefix(lower, f+"/") {
			return true
		}
	}
	return false
}

// at is the tree's, without what the caller does not see.
func (v *view) at(start *node, parts []string) (found, deepest *node, rest []string) {
	found, deepest, rest = at(start, parts)
	if v.who != nil && v.hides(deepest) {
		return nil, v.tree.root, parts
	}
	return found, deepest, rest
}

// display gives a path as the caller writes it.
func (v *view) display(full string) string {
	if rel, ok := cutFold(full, v.root.display()); ok {
		return rel
	}
	return full
}

// cutFold takes a prefix off, whatever its case.
func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// absolute gives the folded path in the tree of a path that the caller wrote.
func (v *view) absolute(path string) string { return v.root.lower() + lower(path) }

// metadata of what exists, without .tag.
func (v *view) metadata(n *node) map[string]any {
	display := v.display(n.display())
	m := map[string]any{"name": n.name, "path_lower": fold(display), "path_display": display, "id": n.id}
	if n.folder() {
		v.shareFields(m, n)
		return m
	}
	v.fileFields(m, n.revision())
	if info := v.shared(n); info != "" {
		m["sharing_info"] = map[string]any{"read_only": false, "parent_shared_folder_id": info}
	}
	return m
}

// shareFields tells of a folder that is a namespace, or lies in one.
func (v *view) shareFields(m map[string]any, n *node) {
	info := map[string]any{"read_only": false, "traverse_only": false, "no_access": false}
	if parent := v.shared(n.parent); parent != "" {
		info["parent_shared_folder_id"] = parent
	}
	if n.ns != "" && n.owner == "" {
		info["shared_folder_id"] = n.ns
		m["shared_folder_id"] = n.ns // deprecated, and still sent
	}
	if len(info) > 3 {
		m["sharing_info"] = info
	}
}

// shared gives the namespace of the nearest shared folder at or above n, or "".
func (v *view) shared(n *node) string {
	for ; n != nil; n = n.parent {
		if n.ns != "" && n.owner == "" && n.parent != nil {
			return n.ns
		}
	}
	return ""
}

// tagged metadata, for places where Dropbox's type is Metadata.
func (v *view) tagged(n *node) map[string]any {
	m := v.metadata(n)
	m[".tag"] = "file"
	if n.folder() {
		m[".tag"] = "folder"
	}
	return m
}

// revMetadata is that of one revision.
func (v *view) revMetadata(r fileRev) map[string]any {
	display := v.display(r.display)
	m := map[string]any{"name": r.name, "path_lower": fold(display), "path_display": display, "id": r.id}
	v.fileFields(m, r)
	return m
}

func (v *view) fileFields(m map[string]any, r fileRev) {
	m["rev"], m["size"], m["is_downloadable"] = r.rev, r.size, r.cloud == ""
	m["content_hash"] = r.hash
	if info := r.exportInfo(); info != nil {
		m["export_info"] = info
	}
	m["client_modified"], m["server_modified"] = formatTime(r.client), formatTime(r.server)
}

// gone is DeletedMetadata: no id.
func (v *view) gone(e entry) map[string]any {
	display := v.display(e.display)
	return map[string]any{".tag": "deleted", "name": e.base(), "path_lower": fold(display), "path_display": display}
}
