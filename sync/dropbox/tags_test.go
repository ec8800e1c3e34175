package dropbox

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"odbxfs"
)

// met are the unions that the routes of this package can answer with, by the
// package of the SDK that has them. Those that a field of another is of stand
// here too.
var met = map[string][]string{
	"files": {"LookupError", "WriteError", "WriteConflictError", "UploadError", "UploadSessionLookupError", "UploadSessionStartError",
		"UploadSessionAppendError", "UploadSessionAppendBatchError", "UploadSessionAppendBatchEntryError", "UploadSessionFinishError",
		"RelocationError", "RelocationBatchErrorEntry", "MoveIntoVaultError", "MoveIntoFamilyError", "DeleteError", "DeleteBatchError",
		"CreateFolderError", "CreateFolderEntryError", "CreateFolderBatchError", "ListFolderError", "ListFolderContinueError",
		"ListFolderLongpollError", "DownloadError", "ExportError", "GetMetadataError"},
	"sharing": {"CreateSharedLinkWithSettingsError", "SharedLinkSettingsError", "ListSharedLinksError", "RevokeSharedLinkError"},
	"auth":    {"AuthError", "AccessError", "InvalidAccountTypeError", "PaperAccessError", "NoPermissionError", "RateLimitReason"},
	"async":   {"PollError"},
	"common":  {"PathRootError"},
}

// containers are tags whose member tells, or that tell nothing.
var containers = []string{"path", "path_lookup", "path_write", "from_lookup", "from_write", "to", "relocation_error",
	"settings_error", "file", "folder", "file_ancestor", "other"}

// unionTags reads the tags of an SDK package's unions from its constants.
func unionTags(t *testing.T, pkg string) map[string]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/"+pkg).Output()
	if err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "*.go"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources of %s: %v", pkg, err)
	}
	tags := map[string]string{}
	for _, name := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == 1 && len(spec.Values) == 1 {
				if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if value, err := strconv.Unquote(lit.Value); err == nil {
						tags[spec.Names[0].Name] = value
					}
				}
			}
			return true
		})
	}
	return tags
}

// constantOf is how the SDK names the constant of a union's tag.
func constantOf(union, tag string) string {
	var b strings.Builder
	b.WriteString(union)
	for part := range strings.SplitSeq(tag, "_") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

func TestEveryTagThatTheSDKKnowsHasAKind(t *testing.T) {
	seen := map[string]bool{}
	for pkg, unions := range met {
		all := unionTags(t, pkg)
		for _, union := range unions {
			found := 0
			for name, tag := range all {
				if name != constantOf(union, tag) {
					continue
				}
				found++
				seen[tag] = true
				if _, ok := kindByTag[tag]; !ok && !slices.Contains(containers, tag) {
					t.Errorf("%s.%s: the tag %q has no kind", pkg, union, tag)
				}
			}
			if found == 0 {
				t.Errorf("the SDK has no union %s.%s any more", pkg, union)
			}
		}
	}
	// What stands in the table and in none of the unions was seen elsewhere.
	elsewhere := []string{"deleted", "in_progress"}
	for tag := range kindByTag {
		if !seen[tag] && !slices.Contains(elsewhere, tag) {
			t.Errorf("no union has the tag %q", tag)
		}
	}
}

func TestTheInnermostKnownTagDecides(t *testing.T) {
	for _, c := range []struct {
		tags string
		want odbxfs.ErrorKind
	}{
		{"path/conflict/file", odbxfs.KindExists},
		{"path/conflict/sunspots", odbxfs.KindExists},
		{"from_lookup/not_found", odbxfs.KindMissing},
		{"lookup_failed/not_found", odbxfs.KindReset},
		{"lookup_failed/closed", odbxfs.KindReset},
		{"relocation_error/to/conflict/folder", odbxfs.KindExists},
		{"path/insufficient_space", odbxfs.KindFull},
		{"settings_error/not_authorized", odbxfs.KindUnsupported},
		{"too_many_write_operations", odbxfs.KindRateLimited},
		{"other", odbxfs.KindUnknown},
		{"sunspots", odbxfs.KindUnknown},
	} {
		if got := kindOfTags(strings.Split(c.tags, "/")); got != c.want {
			t.Errorf("%s: %s, want %s", c.tags, got, c.want)
		}
	}
	if got := kindOfTags(nil); got != odbxfs.KindUnknown {
		t.Errorf("no tags: %s", got)
	}
}

func TestAnEntryOfABatchIsClassifiedAsAnAnswer(t *testing.T) {
	for _, c := range []struct {
		union any
		kind  odbxfs.ErrorKind
		text  string
	}{
		{map[string]any{".tag": "path", "path": map[string]any{".tag": "disallowed_name"}}, odbxfs.KindName, "path/disallowed_name"},
		{map[string]any{".tag": "too_many_write_operations"}, odbxfs.KindRateLimited, "too_many_write_operations"},
		{map[string]any{".tag": "internal_error"}, odbxfs.KindUnavailable, "internal_error"},
		{nil, odbxfs.KindUnknown, "Conflict"},
		{func() {}, odbxfs.KindUnknown, "json: unsupported type: func()"},
	} {
		e := entryError("do", "/a", c.union)
		if e.Kind != c.kind || fmt.Sprint(e.Err) != c.text || (e.RetryAfter == lockWait) != (c.kind == odbxfs.KindRateLimited) {
			t.Errorf("%v: got %v, %q, wait %s", c.union, e.Kind, e.Err, e.RetryAfter)
		}
	}
}
