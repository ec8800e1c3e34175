package dropboxtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRandomWorkInBothPlaces lets a person and the API do random things to the
// same few names, with a restart in between; in the end account and directory
// hold the same.
func TestRandomWorkInBothPlaces(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, 2))
			p := newPerson(t, Behaviour{})
			name := func() string {
				return strings.Repeat("/"+[]string{"a", "b", "c"}[rnd.IntN(3)], 1) + []string{"", "/a", "/b", "/c/d"}[rnd.IntN(4)]
			}
			for i := range 60 {
				at, to := filepath.Join(p.opt.Dir, name()), filepath.Join(p.opt.Dir, name())
				var err error // most fail on what is or is not there, which is right
				switch rnd.IntN(9) {
				case 0, 1:
					err = os.WriteFile(at, []byte(fmt.Sprint("person", i)), 0o644)
				case 2:
					err = os.Rename(at, to)
				case 3:
					err = os.Mkdir(at, 0o755)
				case 4:
					err = os.RemoveAll(at)
				case 5:
					err = exec.CommandContext(t.Context(), "cp", "-r", at, to).Run()
				case 6:
					p.send("files/upload", obj{"path": name(), "mode": "overwrite"}, fmt.Sprint("api", i))
				case 7:
					p.rpc("files/move_v2", obj{"from_path": name(), "to_path": name()})
				case 8:
					p.rpc("files/delete_v2", obj{"path": name()})
				}
				if err == nil && rnd.IntN(4) == 0 {
					time.Sleep(time.Duration(rnd.IntN(60)) * time.Millisecond) // so that some is taken in meanwhile
				}
				if i == 40 {
					p.restart(func() {})
				}
			}
			for end := time.Now().Add(time.Minute); p.differs() != "" && time.Now().Before(end); {
				time.Sleep(20 * time.Millisecond)
			}
			if diff := p.differs(); diff != "" {
				t.Errorf("account and directory differ: %s", diff)
			}
			for _, q := range p.srv.Requests() {
				if q.Status >= 500 {
					t.Errorf("server failed: %+v", q)
				}
			}
		})
	}
}

// differs tells the first differences, or "".
func (p *person) differs() string {
	var account, disk []string
	names, _ := p.list("")
	for _, n := range names {
		if path, ok := strings.CutPrefix(n, "file "); ok {
			n += " " + p.get(path, nil).text
		}
		account = append(account, n)
	}
	err := filepath.WalkDir(p.opt.Dir, func(path string, e os.DirEntry, err error) error {
		rel := strings.TrimPrefix(path, p.opt.Dir)
		switch {
		case err != nil || rel == "":
			return err
		case e.IsDir():
			disk = append(disk, "folder "+rel)
			return nil
		}
		b, err := os.ReadFile(path)
		disk = append(disk, fmt.Sprintf("file %s %s", rel, b))
		return err
	})
	if err != nil {
		return err.Error()
	}
	slices.Sort(account)
	slices.Sort(disk)
	if slices.Equal(account, disk) {
		return ""
	}
	return fmt.Sprintf("\naccount   %q\ndirectory %q", account, disk)
}
