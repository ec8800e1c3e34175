package odbxfs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"odbxfs"
)

func TestRefsReadBackAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Int64Range(1, 1<<62).Draw(t, "id")
		model := rapid.StringMatching(`[a-z][a-z_.]{0,30}`).Draw(t, "model")
		for _, ref := range []odbxfs.OdooRef{
			{}, odbxfs.RootRef(), odbxfs.RuleRef(id), odbxfs.FolderRef(id), odbxfs.AttachmentRef(id), odbxfs.RecordRef(model, id),
		} {
			if got, err := odbxfs.ParseOdooRef(ref.String()); err != nil || got != ref {
				t.Fatalf("%+v is written %q and read %+v, %v", ref, ref.String(), got, err)
			}
		}
	})
}

func TestWhatIsNoRefIsAnError(t *testing.T) {
	for _, s := range []string{"rule", "rule:", "rule:x", "rule:-1", "rule:0", "rule:01", "rule:1:2", "rec:12", "rec::12", "rec:sale.order", "att:99999999999999999999", "root:1", " root", "dir:1 "} {
		if ref, err := odbxfs.ParseOdooRef(s); err == nil {
			t.Errorf("%q was read as %+v", s, ref)
		}
	}
}

func FuzzParseOdooRef(f *testing.F) {
	for _, s := range []string{"root", "rule:3", "rec:sale.order:12", "dir:45", "att:678", "", "rec:a:b:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if ref, err := odbxfs.ParseOdooRef(s); err == nil && ref.String() != s {
			t.Errorf("%q reads as %+v, which is written %q", s, ref, ref)
		}
	})
}

func TestEveryKindOfErrorHasItsWords(t *testing.T) {
	seen := map[string]odbxfs.ErrorKind{}
	for _, k := range odbxfs.ErrorKinds() {
		words := k.String()
		if other, twice := seen[words]; twice || words == "" || strings.HasPrefix(words, "ErrorKind(") {
			t.Errorf("kind %d is called %q, as is %d", k, words, other)
		}
		seen[words] = k
	}
	if odbxfs.ErrorKind(200).String() != "ErrorKind(200)" {
		t.Error("a kind that is none has no number")
	}
}

func TestAnErrorTellsOperationItemKindAndCause(t *testing.T) {
	cause := errors.New("503")
	e := &odbxfs.Error{Op: "upload", Item: "/a", Kind: odbxfs.KindRateLimited, RetryAfter: 15 * time.Second, Err: cause}
	if got := e.Error(); got != "upload /a: asked to wait 15s: 503" {
		t.Errorf("got %q", got)
	}
	wrapped := fmt.Errorf("sync: %w", e)
	if !errors.Is(wrapped, cause) || odbxfs.KindOf(wrapped) != odbxfs.KindRateLimited || !odbxfs.IsKind(wrapped, odbxfs.KindRateLimited) {
		t.Error("wrapping hides kind or cause")
	}
	if odbxfs.KindOf(cause) != odbxfs.KindUnknown || odbxfs.KindOf(nil) != odbxfs.KindUnknown || odbxfs.IsKind(cause, odbxfs.KindUnknown) {
		t.Error("an error of nobody has a kind")
	}
}

func TestTasksAndPassesHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for k := odbxfs.TaskDropboxMkdir; k <= odbxfs.TaskForget; k++ {
		if name := k.String(); name == "" || name == "none" || seen[name] {
			t.Errorf("task kind %d is called %q", k, name)
		} else {
			seen[name] = true
		}
	}
	if odbxfs.TaskKind(0).String() != "none" || odbxfs.Pass(0).String() != "none" || odbxfs.Reverse.String() != "reverse" {
		t.Error("names of passes, or of no task")
	}
	if !odbxfs.TaskOdooDelete.Deletes() || !odbxfs.TaskDropboxDelete.Deletes() || odbxfs.TaskForget.Deletes() {
		t.Error("which tasks delete")
	}
}
