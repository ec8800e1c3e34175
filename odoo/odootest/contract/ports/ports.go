package ports

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/odoo"
	"odbxfs/odoo/odootest/contract"
	"odbxfs/odoo/provision"
)

// Where says which rows are meant: field to value.
type Where map[string]any

// Server is a fresh server under test, with Odoo's demo data.
type Server struct {
	Version int         // 14 or 19
	Config  odoo.Config // where it is, without a login

	Admin, Employee, Portal contract.Login

	// Rows gives a model's rows as they are stored: text, int64, float64, bool,
	// time.Time in UTC; nil for what is not set.
	Rows func(t *testing.T, model string, like Where) []map[string]any
	// Calls counts what was asked of the server, at least all runs of actions.
	Calls func(t *testing.T) int
	// WriteLate renames an attachment in a transaction that stays open until
	// commit is called.
	WriteLate func(t *testing.T, admin *odoo.Client, attachment int64, name string) (commit func())
	// Meet lets convert run, and has the user's write committed while convert's
	// transaction is open or waits. It returns when convert has.
	Meet func(t *testing.T, user *odoo.User, write odbxfs.OdooOp, convert func())
}

// Options says what to hold against the ports.
type Options struct {
	Server    Server
	Transport odoo.Transport
	Light     bool // leave out what moves megabytes
	// Brief are more transports, over which go only the cases that between them
	// call every action. They share the provisioned server: a real one takes
	// longer to make than they do.
	Brief []odoo.Transport
}

// Run provisions the server and runs the cases, one after the other; each works
// on records of its own.
func Run(t *testing.T, o Options) {
	t.Helper()
	admin := newAdmin(t, o.Server)
	b := newBench(t, o.Server, admin, o.Transport)
	for _, c := range portCases {
		if !o.Light || c.is&heavy == 0 {
			t.Run(c.name, func(t *testing.T) { c.run(b.with(t)) })
		}
	}
	for _, transport := range o.Brief {
		t.Run("over "+string(transport), func(t *testing.T) {
			b := newBench(t, o.Server, admin, transport)
			for _, c := range portCases {
				if c.is&brief != 0 {
					t.Run(c.name, func(t *testing.T) { c.run(b.with(t)) })
				}
			}
		})
	}
}

const (
	heavy = 1 << iota // moves megabytes
	brief             // calls an action that no other brief one calls, or carries other values
)

// portCase is one behaviour, told as a sentence.
type portCase struct {
	name string
	run  func(b *bench)
	is   int
}

// portCases are independent of each other and of their order.
var portCases = []portCase{
	{"an empty mark lists everything, parents first", listsEverything, brief},
	{"counts are those of the references of each scope", countsMatchRefs, brief},
	{"an idle look brings nothing", idleLook, brief},
	{"a transaction that commits late is not missed", lateCommit, 0},
	{"a new record has its default subfolders in the same look", defaultSubfolders, 0},
	{"a record goes to the first rule that takes it", firstRuleWins, 0},
	{"a rule whose domain cannot be read stops the look", brokenDomain, 0},
	{"an employee puts files in, rewrites, renames, moves and removes them", employeeWrites, brief},
	{"a create whose reply was lost is found by its key", lostReply, 0},
	{"another user's key is not ours", keysAreOwn, 0},
	{"a write that expects something else is Changed", compareAndSet, 0},
	{"a large file goes in parts", largeFile, heavy | brief},
	{"a name that cannot travel is refused alone", oddNames, brief},
	{"many writes travel in a few batches, in order", manyWrites, heavy},
	{"an image beyond 1920 pixels keeps its bytes", bigImage, heavy},
	{"folders are made, renamed, moved across records and removed", folders, 0},
	{"a folder of another record on a document is ignored", forgedFolder, 0},
	{"an employee has his own rights only", employeeRights, brief},
	{"portal users run none of our actions", portalRefused, 0},
	{"employees run none of the engine's actions", engineRefused, 0},
	{"a pdf becomes a link and a binary again", convertAndRestore, brief},
	{"what Odoo reads again is retained", retained, 0},
	{"a document changed meanwhile is not converted", convertChanged, 0},
	{"a conversion waits for a concurrent writer and then sees his work", convertConcurrent, brief},
	{"a copy of a link, a foreign url, and a link are told apart", documentTypes, 0},
	{"a copy of a link gets a file of its own", copyOfALink, brief},
	{"a Dropbox file becomes a link with its pair", createLink, brief},
	{"pairs are written once, by version", pairVersions, brief},
	{"a removed document's pair stays as a tombstone", tombstones, 0},
	{"a lease has one holder, and an epoch that shuts out the last one", leases, brief},
	{"a log line of a task is closed in place", logLines, brief},
	{"the client's page says how it goes", clientState, brief},
	{"actions that lost their groups are noticed", verifyGroups, brief},
	{"the engine reads what the technical user may not", engineContent, brief},
	{"a moved folder takes its documents to the other record", movedInOdoo, 0},
}

// bench is a provisioned server with clients of every sort.
type bench struct {
	t      *testing.T // the case's
	ctx    context.Context
	srv    Server
	admin  *odoo.Client
	engine *odoo.Engine
	user   *odoo.User
	demo   *odoo.Client
	portal *odoo.Client
	client odbxfs.ClientID
	speaks odoo.Transport
}

// own makes a name that no other transport's run of the case has.
func (b *bench) own(name string) string { return name + string(b.speaks) }

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

// newAdmin provisions the server.
func newAdmin(t *testing.T, srv Server) *odoo.Client {
	t.Helper()
	b := &bench{ctx: t.Context(), srv: srv}
	admin := b.connect(t, srv.Admin)
	if _, err := provision.Setup(b.ctx, admin, demoOptions); err != nil {
		t.Fatal(err)
	}
	return admin
}

// newBench signs in over a transport.
func newBench(t *testing.T, srv Server, admin *odoo.Client, transport odoo.Transport) *bench {
	t.Helper()
	b := &bench{ctx: t.Context(), srv: srv, admin: admin, speaks: transport}
	b.demo = b.connect(t, srv.Employee)
	b.portal = b.connect(t, srv.Portal)
	b.engine = odoo.NewEngine(b.connect(t, technical))
	b.user = odoo.NewUser(b.demo)
	b.client = odbxfs.ClientID(b.id(t, "x_odbxfs_client", Where{"x_name": "Main"}))
	if _, _, err := b.engine.Lease(b.ctx, b.client, "bench", time.Hour); err != nil {
		t.Fatal(err)
	}
	return b
}

var technical = contract.Login{Login: demoOptions.TechnicalLogin, Password: demoOptions.TechnicalPassword}

func (b *bench) connect(t *testing.T, l contract.Login) *odoo.Client {
	t.Helper()
	cfg := b.srv.Config
	cfg.Login, cfg.Now, cfg.Transport = l.Login, time.Now, b.speaks
	cfg.Secret = func(context.Context) (string, error) { return l.Password, nil }
	if b.speaks == odoo.JSON2 && l != b.srv.Portal { // a portal user gets no key
		key := b.key(t, cfg, l.Password)
		cfg.Secret = func(context.Context) (string, error) { return key, nil }
	} else if b.speaks == odoo.JSON2 {
		cfg.Transport = odoo.Auto
	}
	c, err := odoo.Connect(b.ctx, cfg)
	if err != nil {
		t.Fatalf("sign in as %s: %v", l.Login, err)
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
	rows := b.srv.Rows(t, model, Where{"id": id})
	if len(rows) != 1 {
		t.Fatalf("%d rows %d of %s", len(rows), id, model)
	}
	return rows[0]
}

func (b *bench) count(t *testing.T, model string, like Where) int {
	t.Helper()
	return len(b.srv.Rows(t, model, like))
}

// countPairs counts those whose Dropbox id begins so.
func (b *bench) countPairs(t *testing.T, prefix string) int {
	t.Helper()
	n := 0
	for _, r := range b.srv.Rows(t, "x_odbxfs_pair", nil) {
		if id, _ := r["x_dropbox"].(string); strings.HasPrefix(id, prefix) {
			n++
		}
	}
	return n
}

// unset reports whether a column holds what Odoo shows as nothing.
func unset(v any) bool {
	return v == nil || v == "" || v == false || v == int64(0) || v == float64(0)
}

func on(record odbxfs.OdooRef) Where { return Where{"res_model": record.Model, "res_id": record.ID} }

// id gives the first such row's.
func (b *bench) id(t *testing.T, model string, like Where) int64 {
	t.Helper()
	rows := b.srv.Rows(t, model, like)
	if len(rows) == 0 {
		t.Fatalf("no row %v of %s", like, model)
	}
	return rows[0]["id"].(int64)
}

func (b *bench) orderID(t *testing.T, name string) int64 {
	t.Helper()
	return b.id(t, "sale.order", Where{"name": name})
}

func (b *bench) rule(t *testing.T, name string) odbxfs.OdooRef {
	t.Helper()
	return odbxfs.RuleRef(b.id(t, "x_odbxfs_rule", Where{"x_name": name}))
}

func (b *bench) xmlID(t *testing.T, module, name string) int64 {
	t.Helper()
	rows := b.srv.Rows(t, "ir.model.data", Where{"module": module, "name": name})
	if len(rows) != 1 {
		t.Fatalf("%d external ids %s.%s", len(rows), module, name)
	}
	return rows[0]["res_id"].(int64)
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
