package dropboxtest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Real programs, with the system calls that they really make.
func TestVimKeepsTheID(t *testing.T) {
	for _, way := range []string{"yes", "no"} { // in place, and by rename
		p := newPerson(t, Behaviour{})
		p.put("/note.txt", "first line\n")
		id := p.id("/note.txt")
		_, cur := p.list("")
		p.sh("vim -N -u NONE -i NONE -es -c 'set writebackup backupcopy=" + way + "' -c 's/first/second/' -c wq note.txt")
		p.until("saved with backupcopy="+way, func() bool { return p.get("/note.txt", nil).text == "second line\n" })
		p.until("nothing else is left", func() bool {
			list, _ := p.list("")
			return fmt.Sprint(list) == "[file /note.txt]"
		})
		equal(t, "id with backupcopy="+way, p.id("/note.txt"), id)
		news, _ := p.news(cur)
		equal(t, "the file itself never went", strings.Contains(fmt.Sprint(news), "deleted /note.txt "), false)
	}
}

func TestATreeOfFiveHundredFiles(t *testing.T) {
	p := newPerson(t, Behaviour{})
	p.mkdir("/to")
	p.sh(`mkdir ../src; for d in $(seq 25); do mkdir ../src/d$d; for f in $(seq 20); do echo $d.$f > ../src/d$d/f$f; done; done`)
	start := time.Now()
	p.sh("cp -r ../src/. to/")
	p.until("copied", func() bool {
		list, _ := p.list("/to")
		return len(list) == 1+25+500
	})
	t.Logf("500 files by cp -r are in the account after %v", time.Since(start))
	id := p.id("/to/d7/f7")
	p.sh("mv to moved")
	p.until("moved", func() bool { return p.id("/moved/d7/f7") == id })
	start = time.Now()
	for i := range 200 {
		p.put(fmt.Sprintf("/moved/d1/api%d", i), fmt.Sprint(i))
	}
	t.Logf("200 uploads into the directory: %v", time.Since(start))
	p.sh("rm -r moved")
	p.until("removed", func() bool { list, _ := p.list(""); return len(list) == 0 })
}
