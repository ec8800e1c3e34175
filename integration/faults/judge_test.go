package faults

import (
	"crypto/sha1" //nolint:gosec // Odoo's checksum
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"odbxfs/sync/dropbox/dropboxtest"
)

// document is a row of ir.attachment, as the server has it.
type document struct {
	id                        int64
	kind, url, checksum, path string
}

// inOdoo gives the documents of all orders, by path.
func (w *world) inOdoo() map[string][]document {
	orders, folders := map[int64]string{}, map[int64]map[string]any{}
	for _, r := range w.odoo.Rows("sale.order") {
		orders[number(r["id"])], _ = r["name"].(string)
	}
	for _, r := range w.odoo.Rows("x_odbxfs_folder") {
		folders[number(r["id"])] = r
	}
	all := map[string][]document{}
	for _, r := range w.odoo.Rows("ir.attachment") {
		if r["res_model"] != "sale.order" || r["res_field"] != nil {
			continue
		}
		d := document{id: number(r["id"])}
		d.kind, _ = r["type"].(string)
		d.url, _ = r["url"].(string)
		d.checksum, _ = r["checksum"].(string)
		path, _ := r["name"].(string)
		for up := folders[number(r["x_odbxfs_folder_id"])]; up != nil; up = folders[number(up["x_parent_id"])] {
			path = fmt.Sprint(up["x_name"], "/", path)
		}
		d.path = orders[number(r["res_id"])] + "/" + path
		all[d.path] = append(all[d.path], d)
	}
	return all
}

func number(v any) int64 {
	n, _ := v.(int64)
	return n
}

// boxFile is what Dropbox says of a file.
type boxFile struct {
	Tag  string `json:".tag"`
	Path string `json:"path_display"`
	Name string `json:"name"`
	Hash string `json:"content_hash"`
}

// inBox gives the content_hash of each file below the orders, by path.
func (w *world) inBox() (map[string]string, error) {
	var page struct {
		Entries []boxFile `json:"entries"`
		Cursor  string    `json:"cursor"`
		More    bool      `json:"has_more"`
	}
	all := map[string]string{}
	err := w.person.try("files/list_folder", map[string]any{"path": strings.TrimSuffix(root, "/"), "recursive": true}, nil, &page)
	for {
		if err != nil {
			return nil, err
		}
		for _, f := range page.Entries {
			if f.Tag == "file" {
				all[strings.TrimPrefix(f.Path, root)] = f.Hash
			}
		}
		if !page.More {
			return all, nil
		}
		cursor := page.Cursor
		page.Entries = nil
		err = w.person.try("files/list_folder/continue", map[string]any{"cursor": cursor}, nil, &page)
	}
}

// judge reports where a side differs from what is wanted.
func (w *world) judge() error {
	box, err := w.inBox()
	if err != nil {
		return err
	}
	odoo := w.inOdoo()
	var wrong []error
	for _, path := range slices.Sorted(maps.Keys(w.want)) {
		text := w.want[path]
		hash, _, err := dropboxtest.ContentHash(strings.NewReader(text))
		switch got, there := box[path]; {
		case err != nil:
			return err
		case !there:
			wrong = append(wrong, fmt.Errorf("%s is not in Dropbox", path))
		case got != hash:
			wrong = append(wrong, fmt.Errorf("%s has other bytes in Dropbox", path))
		}
		delete(box, path)
		wrong = append(wrong, w.judgeDocument(path, text, odoo[path]))
		delete(odoo, path)
	}
	for path := range box {
		wrong = append(wrong, fmt.Errorf("%s is in Dropbox and should not be", path))
	}
	for path := range odoo {
		wrong = append(wrong, fmt.Errorf("%s is in Odoo and should not be", path))
	}
	if err := some(wrong); err != nil {
		return err
	}
	return w.judgeLinks()
}

// some joins errors, of many the first dozen.
func some(all []error) error {
	all = slices.DeleteFunc(all, func(err error) bool { return err == nil })
	if len(all) > 12 {
		all = append(all[:12], fmt.Errorf("and %d more", len(all)-12))
	}
	return errors.Join(all...)
}

// judgeDocument reports what is wrong with the documents at a path.
func (w *world) judgeDocument(path, text string, docs []document) error {
	if len(docs) != 1 {
		return fmt.Errorf("Odoo has %d documents at %s", len(docs), path)
	}
	d := docs[0]
	sum := sha1.Sum([]byte(text)) //nolint:gosec // as above
	switch {
	case d.kind == "binary" && w.converts:
		return fmt.Errorf("%s is still a binary", path)
	case (d.kind == "binary" || d.checksum != "") && d.checksum != hex.EncodeToString(sum[:]):
		return fmt.Errorf("%s has other bytes in Odoo", path)
	}
	return nil
}

// judgeLinks reports which links lead elsewhere than to the file at their path.
func (w *world) judgeLinks() error {
	var wrong []error
	for path, docs := range w.inOdoo() {
		if docs[0].kind == "url" {
			wrong = append(wrong, w.judgeLink(path, docs[0].url))
		}
	}
	return some(wrong)
}

func (w *world) judgeLink(path, url string) error {
	var m struct {
		Path string `json:"path_lower"`
	}
	if err := w.person.try("sharing/get_shared_link_metadata", map[string]any{"url": url}, nil, &m); err != nil {
		return fmt.Errorf("%s: its link: %w", path, err)
	}
	if m.Path != strings.ToLower(root+path) {
		return fmt.Errorf("the link of %s leads to %s", path, m.Path)
	}
	return nil
}
