package fs

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// The tree of the benchmarks.
const (
	benchFolders = 100
	benchFiles   = 100 // in each
)

// BenchmarkTree lists a tree of 10,000 files through the mount, cold (a kernel
// that knows nothing) and warm, against the same tree on tmpfs in the same run.
// The figures to look at are the ratios.
func BenchmarkTree(b *testing.B) {
	native := nativeTree(b)
	mnt, remount := mountedTree(b)
	for _, c := range []struct {
		name string
		cmd  []string
		cold bool
	}{
		{"ls -lR cold", []string{"ls", "-lR"}, true},
		{"ls -lR warm", []string{"ls", "-lR"}, false},
		{"find cold", []string{"find"}, true},
		{"find warm", []string{"find"}, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			var here, there time.Duration
			for range b.N {
				if c.cold {
					remount()
				} else {
					list(b, c.cmd, mnt)
				}
				list(b, c.cmd, native)
				here += list(b, c.cmd, mnt)
				there += list(b, c.cmd, native)
			}
			b.ReportMetric(float64(here)/float64(there), "x-tmpfs")
			b.ReportMetric(here.Seconds()/float64(b.N), "s/tree")
		})
	}
}

// list runs a listing program on a tree.
func list(b *testing.B, cmd []string, dir string) time.Duration {
	b.Helper()
	run := exec.CommandContext(b.Context(), cmd[0], append(cmd[1:], dir)...)
	start := time.Now()
	if err := run.Run(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// nativeTree makes the tree on tmpfs.
func nativeTree(b *testing.B) string {
	b.Helper()
	root, err := os.MkdirTemp("/dev/shm", "odbxfs-bench-") //nolint:usetesting // in memory, which the test's own folder need not be
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := os.RemoveAll(root); err != nil {
			b.Error(err)
		}
	})
	for f := range benchFolders {
		dir := filepath.Join(root, fmt.Sprintf("S%05d", f))
		if err := os.Mkdir(dir, 0o755); err != nil {
			b.Fatal(err)
		}
		for i := range benchFiles {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("document %d.pdf", i)), nil, 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
	return root
}

// mountedTree puts the tree into a store and mounts it. remount makes the
// kernel forget all of it.
func mountedTree(b *testing.B) (mnt string, remount func()) {
	b.Helper()
	store, err := cache.Open(b.Context(), cache.Options{Dir: b.TempDir(), Now: time.Now, After: time.After})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	fillTree(b, store)
	mnt = filepath.Join(b.TempDir(), "mnt")
	if err := os.Mkdir(mnt, 0o700); err != nil {
		b.Fatal(err)
	}
	var srv *Server
	unmount := func() {
		if srv == nil {
			return
		}
		if err := srv.Unmount(context.WithoutCancel(b.Context())); err != nil {
			b.Fatal(err)
		}
	}
	remount = func() {
		unmount()
		srv, err = Mount(context.WithoutCancel(b.Context()), Options{Dir: mnt, Store: OnCache(store), Now: time.Now, FsName: fsName(), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
	}
	remount()
	b.Cleanup(unmount)
	return mnt, remount
}

func fillTree(b *testing.B, store *cache.Store) {
	b.Helper()
	put := func(tx *cache.Tx, n odbxfs.OdooNode) error {
		n.Writable, n.MTime = true, time.Unix(1e9, 0)
		_, err := tx.PutOdoo(n)
		return err
	}
	for f := range benchFolders {
		err := store.Update(func(tx *cache.Tx) error {
			if f == 0 {
				if err := put(tx, odbxfs.OdooNode{Ref: odbxfs.RootRef(), Kind: odbxfs.Folder, Role: odbxfs.RoleRoot}); err != nil {
					return err
				}
				if err := put(tx, odbxfs.OdooNode{Ref: odbxfs.RuleRef(1), ParentRef: odbxfs.RootRef(), Kind: odbxfs.Folder, Role: odbxfs.RoleRule, Name: "Orders"}); err != nil {
					return err
				}
			}
			record := odbxfs.RecordRef("sale.order", int64(f+1))
			if err := put(tx, odbxfs.OdooNode{Ref: record, ParentRef: odbxfs.RuleRef(1), Kind: odbxfs.Folder, Role: odbxfs.RoleRecord, Name: fmt.Sprintf("S%05d", f)}); err != nil {
				return err
			}
			for i := range benchFiles {
				file := odbxfs.OdooNode{Ref: odbxfs.AttachmentRef(int64(f*benchFiles + i + 1)), ParentRef: record, Kind: odbxfs.File, Type: odbxfs.Binary,
					Name: fmt.Sprintf("document %d.pdf", i), SHA1: odbxfs.EmptySHA1}
				if err := put(tx, file); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
