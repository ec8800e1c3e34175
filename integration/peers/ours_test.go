package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"odbxfs"
	"odbxfs/sync/dropbox"
)

// What the engine gives the client: writes by the thousand, downloads side by
// side.
const (
	oursBatch    = 1000
	oursParallel = 16
)

// ours is our client as a program of its own, driven as the engine drives it.
type ours struct {
	*dropbox.Client
	ctx context.Context //nolint:containedctx // a program's own, as long as it runs
}

// runOurs does one piece of a benchmark's work: a verb and its arguments.
func runOurs(args []string) error {
	o := ours{ctx: context.Background(), Client: dropbox.New(dropbox.Config{AppKey: "app", Now: time.Now,
		Secret: func(context.Context) (string, error) { return refreshToken, nil },
		Sleep:  func(_ context.Context, d time.Duration) error { time.Sleep(d); return nil }})}
	if _, err := o.Account(o.ctx); err != nil {
		return err
	}
	switch args[0] {
	case "up":
		return o.up(args[1], args[2])
	case "down":
		return o.down(args[1], args[2])
	case "changes":
		return o.changes(args[1])
	case "rename":
		n, err := strconv.Atoi(args[3])
		return errors.Join(err, o.rename(args[1], args[2], n))
	case "delete":
		return o.remove(args[1])
	}
	return fmt.Errorf("no such work: %s", args)
}

// apply carries out writes as the engine does: of one kind, a batch at a time.
func (o ours) apply(ops []odbxfs.DropboxOp) ([]odbxfs.DropboxResult, error) {
	var all []odbxfs.DropboxResult
	for len(ops) > 0 {
		n := min(len(ops), oursBatch)
		results, err := o.Apply(o.ctx, ops[:n])
		if err != nil {
			return nil, err
		}
		for i, r := range results {
			if r.Outcome != odbxfs.Done {
				return nil, fmt.Errorf("%s: %v: %w", ops[i].Path, r.Outcome, r.Err)
			}
		}
		all, ops = append(all, results...), ops[n:]
	}
	return all, nil
}

func (o ours) up(src, to string) error {
	folders := []odbxfs.DropboxOp{{Kind: odbxfs.DropboxMakeFolder, Path: to}}
	var uploads []odbxfs.DropboxOp
	err := filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == src {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			folders = append(folders, odbxfs.DropboxOp{Kind: odbxfs.DropboxMakeFolder, Path: to + "/" + rel})
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		uploads = append(uploads, odbxfs.DropboxOp{Kind: odbxfs.DropboxUpload, Path: to + "/" + rel, Size: info.Size(),
			Content: func(context.Context) (io.ReadCloser, error) { return os.Open(path) }})
		return nil
	})
	if err == nil {
		_, err = o.apply(folders)
	}
	if err == nil {
		_, err = o.apply(uploads)
	}
	return err
}

// list gives what is below a folder.
func (o ours) list(folder string) (nodes []odbxfs.DropboxNode, cursor string, err error) {
	for {
		page, err := o.Changes(o.ctx, folder, cursor)
		if err != nil {
			return nil, "", err
		}
		for _, ch := range page.Changes {
			nodes = append(nodes, ch.Node)
		}
		if cursor = page.Cursor; !page.More {
			return nodes, cursor, nil
		}
	}
}

func (o ours) down(folder, to string) error {
	nodes, _, err := o.list(folder)
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(oursParallel)
	for _, n := range nodes {
		if n.Kind == odbxfs.File {
			group.Go(func() error { return o.fetch(n, filepath.Join(to, strings.TrimPrefix(n.Path, folder))) })
		}
	}
	return group.Wait()
}

// fetch brings one file; the client compares its content_hash.
func (o ours) fetch(n odbxfs.DropboxNode, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	r, err := o.Content(o.ctx, n.ID, n.Rev, 0, -1)
	if err != nil {
		return err
	}
	f, err := os.Create(to)
	if err != nil {
		return errors.Join(err, r.Close())
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close(), r.Close())
}

// changes is what the engine does when the long-poll says that there is
// something: it reads on from its cursor.
func (o ours) changes(folder string) error {
	data, err := os.ReadFile(cursorFile())
	if err != nil {
		return err
	}
	page, err := o.Changes(o.ctx, folder, string(data))
	if err == nil && (len(page.Changes) != 2 || page.More) {
		err = fmt.Errorf("%d changes, want 2: a file went from here to there", len(page.Changes))
	}
	return err
}

// cursorFile is where the benchmark leaves the cursor that the daemon would have.
func cursorFile() string { return filepath.Join(os.Getenv(dirEnv), "cursor") }

func (o ours) rename(from, to string, n int) error {
	nodes, _, err := o.list(from)
	if err != nil {
		return err
	}
	folders, moves := []odbxfs.DropboxOp{{Kind: odbxfs.DropboxMakeFolder, Path: to}}, []odbxfs.DropboxOp(nil)
	for _, node := range nodes {
		at := to + strings.TrimPrefix(node.Path, from)
		switch {
		case node.Kind == odbxfs.Folder && node.Path != from:
			folders = append(folders, odbxfs.DropboxOp{Kind: odbxfs.DropboxMakeFolder, Path: at})
		case node.Kind == odbxfs.File && len(moves) < n:
			moves = append(moves, odbxfs.DropboxOp{Kind: odbxfs.DropboxMove, ID: node.ID, Path: at})
		}
	}
	if _, err = o.apply(folders); err == nil {
		_, err = o.apply(moves)
	}
	return err
}

func (o ours) remove(folder string) error {
	nodes, _, err := o.list(folder)
	if err != nil {
		return err
	}
	var removals []odbxfs.DropboxOp
	for _, n := range nodes {
		if n.Kind == odbxfs.File {
			removals = append(removals, odbxfs.DropboxOp{Kind: odbxfs.DropboxRemove, ID: n.ID, Rev: n.Rev})
		}
	}
	_, err = o.apply(removals)
	return err
}
