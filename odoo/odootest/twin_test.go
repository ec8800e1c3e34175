package odootest_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/odoo"
	"odbxfs/odoo/odootest"
	"odbxfs/odoo/provision"
)

// The ports of engine and mount on the server in memory: the twins of our
// actions, held against what package odoo's tests of the same names ask of real
// servers. One server a version serves all cases; each works on records of its own.

func TestTwins(t *testing.T) {
	for _, c := range []struct {
		version   int
		transport odoo.Transport
	}{{14, odoo.Session}, {14, odoo.XMLRPC}, {19, odoo.Session}, {19, odoo.JSON2}, {19, odoo.XMLRPC}} {
		t.Run(fmt.Sprintf("%d/%s", c.version, c.transport), func(t *testing.T) {
			b := newBench(t, c.version, c.transport)
			for _, p := range portCases {
				if p.heavy && c.transport != odoo.Session {
					continue // megabytes through another codec show nothing new
				}
				t.Run(p.name, func(t *testing.T) { p.run(b.with(t)) })
			}
		})
	}
}

// portCase is one behaviour, told as a sentence.
type portCase struct {
	name  string
	run   func(b *bench)
	heavy bool // moves megabytes
}

// portCases are independent of each other and of their order.
var portCases = []portCase{
	{"an empty mark lists everything, parents first", listsEverything, false},
	{"counts are those of the references of each scope", countsMatchRefs, false},
	{"an idle look brings nothing", idleLook, false},
	{"a transaction that commits late is not missed", lateCommit, false},
	{"a new record has its default subfolders in the same look", defaultSubfolders, false},
	{"a record goes to the first rule that takes it", firstRuleWins, false},
	{"a rule whose domain cannot be read stops the look", brokenDomain, false},
	{"an employee puts files in, rewrites, renames, moves and removes them", employeeWrites, false},
	{"a create whose reply was lost is found by its key", lostReply, false},
	{"another user's key is not ours", keysAreOwn, false},
	{"a write that expects something else is Changed", compareAndSet, false},
	{"a large file goes in parts", largeFile, true},
	{"a name that cannot travel is refused alone", oddNames, false},
	{"many writes travel in a few batches, in order", manyWrites, true},
	{"an image beyond 1920 pixels keeps its bytes", bigImage, true},
	{"folders are made, renamed, moved across records and removed", folders, false},
	{"a folder of another record on a document is ignored", forgedFolder, false},
	{"an employee has his own rights only", employeeRights, false},
	{"portal users run none of our actions", portalRefused, false},
	{"employees run none of the engine's actions", engineRefused, false},
	{"a pdf becomes a link and a binary again", convertAndRestore, false},
	{"what Odoo reads again is retained", retained, false},
	{"a document changed meanwhile is not converted", convertChanged, false},
	{"a conversion waits for a concurrent writer and then sees his work", convertConcurrent, false},
	{"a copy of a link, a foreign url, and a link are told apart", documentTypes, false},
	{"a copy of a link gets a file of its own", copyOfALink, false},
	{"a Dropbox file becomes a link with its pair", createLink, false},
	{"pairs are written once, by version", pairVersions, false},
	{"a removed document's pair stays as a tombstone", tombstones, false},
	{"a lease has one holder, and an epoch that shuts out the last one", leases, false},
	{"a log line of a task is closed in place", logLines, false},
	{"the client's page says how it goes", clientState, false},
	{"actions that lost their groups are noticed", verifyGroups, false},
	{"the engine reads what the technical user may not", engineContent, false},
	{"a moved folder takes its documents to the other record", movedInOdoo, false},
}

// bench is a provisioned server with clients of every sort.
type bench struct {
	t       *testing.T // the case's
	ctx     context.Context
	s       *odootest.Server
	admin   *odoo.Client
	engine  *odoo.Engine
	user    *odoo.User
	demo    *odoo.Client
	portal  *odoo.Client
	client  odbxfs.ClientID
	version int
	speaks  odoo.Transport
}

var demoOptions = provision.Options{
	TechnicalLogin: "odbxfs", TechnicalPassword: "odbxfs-Secret-1",
	Clients: []provision.ClientSpec{{Name: "Main", Root: "/Odoo", Links: odbxfs.LinkPublic}},
	Rules: []provision.RuleSpec{
		{Name: "Sales Orders", Model: "sale.order", Client: "Main", Subfolders: []string{"Offers", "Drawings"}},
		{Name: "Projects", Model: "project.project", Client: "Main"},
		{Name: "Contacts", Model: "res.partner", Client: "Main", Domain: "[('name', 'not ilike', 'unlisted')]"},
		{Name: "Absent", Model: "no.such.model", Client: "Main"},
	},
}

// with is the bench for one case.
func (b *bench) with(t *testing.T) *bench {
	t.Helper()
	c := *b
	c.t = t
	return &c
}

func newBench(t *testing.T, version int, transport odoo.Transport) *bench {
	t.Helper()
	b := &bench{ctx: t.Context(), version: version}
	// records are looked at by the second, as Odoo shows dates: so each call
	// takes a while
	var calls atomic.Int64
	began := time.Now()
	clock := func() time.Time { return began.Add(time.Duration(calls.Add(1)) * 100 * time.Millisecond) }
	b.s = odootest.New(odootest.Options{Version: version, Demo: true, Now: clock})
	b.admin = b.connect(t, odootest.AdminLogin, odootest.AdminPassword)
	if _, err := provision.Setup(b.ctx, b.admin, demoOptions); err != nil {
		t.Fatal(err)
	}
	b.speaks = transport
	b.demo = b.connect(t, odootest.DemoLogin, odootest.DemoPassword)
	b.portal = b.connect(t, odootest.PortalLogin, odootest.PortalPassword)
	b.engine = odoo.NewEngine(b.connect(t, demoOptions.TechnicalLogin, demoOptions.TechnicalPassword))
	b.user = odoo.NewUser(b.demo)
	for _, r := range b.s.Rows("x_odbxfs_client") {
		b.client = odbxfs.ClientID(r["id"].(int64))
	}
	if _, _, err := b.engine.Lease(b.ctx, b.client, "bench", time.Hour); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) connect(t *testing.T, login, password string) *odoo.Client {
	t.Helper()
	cfg := odoo.Config{URL: b.s.URL(), Database: b.s.Database(), Login: login, Now: time.Now, Transport: b.speaks, HTTP: b.s.Transport(),
		Secret: func(context.Context) (string, error) { return password, nil }}
	if b.speaks == odoo.JSON2 && login != odootest.PortalLogin { // a portal user gets no key
		key := b.key(t, cfg, password)
		cfg.Secret = func(context.Context) (string, error) { return key, nil }
	} else if b.speaks == odoo.JSON2 {
		cfg.Transport = odoo.Auto
	}
	c, err := odoo.Connect(b.ctx, cfg)
	if err != nil {
		t.Fatalf("sign in as %s: %v", login, err)
	}
	return c
}

// key makes an API key over the session.
func (b *bench) key(t *testing.T, cfg odoo.Config, password string) string {
	t.Helper()
	cfg.Transport = odoo.Session
	c, err := odoo.Connect(b.ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	key, err := c.NewAPIKey(b.ctx, "bench", password, 1)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// row, count and the others judge by what is stored.
func (b *bench) row(t *testing.T, model string, id int64) map[string]any {
	t.Helper()
	for _, r := range b.s.Rows(model) {
		if r["id"] == id {
			return r
		}
	}
	t.Fatalf("no row %d of %s", id, model)
	return nil
}

func (b *bench) count(model string, like func(map[string]any) bool) int {
	n := 0
	for _, r := range b.s.Rows(model) {
		if like(r) {
			n++
		}
	}
	return n
}

func is(field string, want any) func(map[string]any) bool {
	return func(r map[string]any) bool { return r[field] == want }
}

func starts(field, with string) func(map[string]any) bool {
	return func(r map[string]any) bool { s, _ := r[field].(string); return strings.HasPrefix(s, with) }
}

func on(record odbxfs.OdooRef) func(map[string]any) bool {
	return func(r map[string]any) bool { return r["res_model"] == record.Model && r["res_id"] == record.ID }
}

func (b *bench) id(t *testing.T, model string, like func(map[string]any) bool) int64 {
	t.Helper()
	for _, r := range b.s.Rows(model) {
		if like(r) {
			return r["id"].(int64)
		}
	}
	t.Fatalf("no such row of %s", model)
	return 0
}

func (b *bench) orderID(t *testing.T, name string) int64 {
	t.Helper()
	return b.id(t, "sale.order", is("name", name))
}

func (b *bench) rule(t *testing.T, name string) odbxfs.OdooRef {
	t.Helper()
	return odbxfs.RuleRef(b.id(t, "x_odbxfs_rule", is("x_name", name)))
}

func (b *bench) xmlID(t *testing.T, module, name string) int64 {
	t.Helper()
	id := b.id(t, "ir.model.data", func(r map[string]any) bool { return r["module"] == module && r["name"] == name })
	return b.row(t, "ir.model.data", id)["res_id"].(int64)
}

// partner makes a contact that an employee may write.
func (b *bench) partner(t *testing.T, name string) odbxfs.OdooRef {
	t.Helper()
	id, err := b.admin.Create(b.ctx, "res.partner", map[string]any{"name": name})
	if err != nil {
		t.Fatal(err)
	}
	return odbxfs.RecordRef("res.partner", id)
}

func opener(content []byte) odbxfs.Opener {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
}

func sum(content []byte) odbxfs.SHA1 {
	s := sha1.Sum(content)
	return odbxfs.SHA1(hex.EncodeToString(s[:]))
}

// create is the write that puts a file into a folder.
func create(parent odbxfs.OdooRef, name string, content []byte) odbxfs.OdooOp {
	return odbxfs.OdooOp{Kind: odbxfs.OdooCreateFile, Key: fmt.Sprintf("key-%s-%s-%d", parent, name, rand.Uint64()), Parent: parent, Name: name,
		Content: opener(content), Size: int64(len(content)), SHA1: sum(content)}
}

// port is what both ports do.
type port interface {
	Apply(context.Context, []odbxfs.OdooOp) ([]odbxfs.OdooResult, error)
	Nodes(context.Context, []odbxfs.OdooRef) ([]odbxfs.OdooNode, error)
	Changes(context.Context, string) (odbxfs.OdooChanges, error)
	Refs(context.Context, odbxfs.OdooScope) ([]odbxfs.OdooRef, error)
}

// apply carries out one write and wants this outcome.
func (b *bench) apply(t *testing.T, p port, want odbxfs.Outcome, op odbxfs.OdooOp) odbxfs.OdooResult {
	t.Helper()
	res, err := p.Apply(b.ctx, []odbxfs.OdooOp{op})
	if err != nil {
		t.Fatal(err)
	}
	if res[0].Outcome != want {
		t.Fatalf("outcome %d (%s %v), want %d", res[0].Outcome, res[0].Reason, res[0].Err, want)
	}
	return res[0]
}

// put makes a file and gives its node.
func (b *bench) put(t *testing.T, p port, parent odbxfs.OdooRef, name string, content []byte) odbxfs.OdooNode {
	t.Helper()
	res := b.apply(t, p, odbxfs.Done, create(parent, name, content))
	if res.Node == nil {
		t.Fatal("no node of what was made")
	}
	return *res.Node
}

// node asks for one node, which must be there.
func (b *bench) node(t *testing.T, p port, ref odbxfs.OdooRef) odbxfs.OdooNode {
	t.Helper()
	nodes, err := p.Nodes(b.ctx, []odbxfs.OdooRef{ref})
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes) != 1 {
		t.Fatalf("%s: %d nodes", ref, len(nodes))
	}
	return nodes[0]
}

func (b *bench) absent(t *testing.T, p port, ref odbxfs.OdooRef) {
	t.Helper()
	nodes, err := p.Nodes(b.ctx, []odbxfs.OdooRef{ref})
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes) != 0 {
		t.Fatalf("%s is there: %+v", ref, nodes)
	}
}

// read gives a document's bytes.
func read(t *testing.T, open func() (io.ReadCloser, error)) []byte {
	t.Helper()
	r, err := open()
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return content
}

// wantKind fails unless err has this kind.
func wantKind(t *testing.T, err error, kind odbxfs.ErrorKind) {
	t.Helper()
	if !odbxfs.IsKind(err, kind) {
		t.Fatalf("error %v, want kind %q", err, kind)
	}
}

// find gives the node of this name in a folder, among nodes.
func find(nodes []odbxfs.OdooNode, parent odbxfs.OdooRef, name string) (odbxfs.OdooNode, bool) {
	for _, n := range nodes {
		if n.ParentRef == parent && n.Name == name {
			return n, true
		}
	}
	return odbxfs.OdooNode{}, false
}

func pdf(text string) []byte {
	return []byte("%PDF-1.4\n" + text + strings.Repeat("\n% filler", 20) + "\n%%EOF\n")
}
