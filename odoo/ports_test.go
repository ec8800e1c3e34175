package odoo_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"odbxfs"
	"odbxfs/integration/lab"
	"odbxfs/odoo"
	"odbxfs/odoo/provision"
)

// The ports of engine and mount on real servers. One server a version serves
// all cases; each works on records of its own.

func TestPortsOdoo14(t *testing.T) { portsOnLab(t, 14, odoo.Auto, portCases) }

func TestPortsOdoo19(t *testing.T) { portsOnLab(t, 19, odoo.Auto, portCases) }

// The other transports carry other values: XML-RPC no null and no number above
// 2^31, JSON-2 no positional arguments.

func TestPortsOverXMLRPCOdoo14(t *testing.T) { portsOnLab(t, 14, odoo.XMLRPC, carried(t)) }

func TestPortsOverXMLRPCOdoo19(t *testing.T) { portsOnLab(t, 19, odoo.XMLRPC, carried(t)) }

func TestPortsOverJSON2Odoo19(t *testing.T) { portsOnLab(t, 19, odoo.JSON2, carried(t)) }

// carried are the cases that between them call every action.
func carried(t *testing.T) []portCase {
	var out []portCase
	for _, name := range []string{
		"an empty mark lists everything, parents first", "counts are those of the references of each scope", "an idle look brings nothing",
		"an employee puts files in, rewrites, renames, moves and removes them", "a large file goes in parts", "a name that cannot travel is refused alone", "an employee has his own rights only",
		"a pdf becomes a link and a binary again", "a copy of a link gets a file of its own", "a Dropbox file becomes a link with its pair", "pairs are written once, by version",
		"a lease has one holder, and an epoch that shuts out the last one", "a log line of a task is closed in place", "the client's page says how it goes",
		"actions that lost their groups are noticed", "the engine reads what the technical user may not", "a conversion waits for a concurrent writer and then sees his work",
	} {
		i := slices.IndexFunc(portCases, func(c portCase) bool { return c.name == name })
		if i < 0 {
			t.Fatalf("no case %q", name)
		}
		out = append(out, portCases[i])
	}
	return out
}

// portCase is one behaviour, told as a sentence.
type portCase struct {
	name string
	run  func(t *testing.T, b *bench)
}

// portCases are independent of each other and of their order.
var portCases = []portCase{
	{"an empty mark lists everything, parents first", listsEverything},
	{"counts are those of the references of each scope", countsMatchRefs},
	{"an idle look brings nothing", idleLook},
	{"a transaction that commits late is not missed", lateCommit},
	{"a new record has its default subfolders in the same look", defaultSubfolders},
	{"a record goes to the first rule that takes it", firstRuleWins},
	{"a rule whose domain cannot be read stops the look", brokenDomain},
	{"an employee puts files in, rewrites, renames, moves and removes them", employeeWrites},
	{"a create whose reply was lost is found by its key", lostReply},
	{"another user's key is not ours", keysAreOwn},
	{"a write that expects something else is Changed", compareAndSet},
	{"a large file goes in parts", largeFile},
	{"a name that cannot travel is refused alone", oddNames},
	{"many writes travel in a few batches, in order", manyWrites},
	{"an image beyond 1920 pixels keeps its bytes", bigImage},
	{"folders are made, renamed, moved across records and removed", folders},
	{"a folder of another record on a document is ignored", forgedFolder},
	{"an employee has his own rights only", employeeRights},
	{"portal users run none of our actions", portalRefused},
	{"employees run none of the engine's actions", engineRefused},
	{"a pdf becomes a link and a binary again", convertAndRestore},
	{"what Odoo reads again is retained", retained},
	{"a document changed meanwhile is not converted", convertChanged},
	{"a conversion waits for a concurrent writer and then sees his work", convertConcurrent},
	{"a copy of a link, a foreign url, and a link are told apart", documentTypes},
	{"a copy of a link gets a file of its own", copyOfALink},
	{"a Dropbox file becomes a link with its pair", createLink},
	{"pairs are written once, by version", pairVersions},
	{"a removed document's pair stays as a tombstone", tombstones},
	{"a lease has one holder, and an epoch that shuts out the last one", leases},
	{"a log line of a task is closed in place", logLines},
	{"the client's page says how it goes", clientState},
	{"actions that lost their groups are noticed", verifyGroups},
	{"the engine reads what the technical user may not", engineContent},
	{"a moved folder takes its documents to the other record", movedInOdoo},
}

func portsOnLab(t *testing.T, version int, transport odoo.Transport, cases []portCase) {
	t.Parallel()
	b := newBench(t, version, transport)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(t, b) })
	}
}

// bench is a provisioned server with clients of every sort.
type bench struct {
	ctx     context.Context
	s       *lab.Server
	admin   *odoo.Client
	engine  *odoo.Engine
	user    *odoo.User
	demo    *odoo.Client
	portal  *odoo.Client
	db      *pgx.Conn
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

func newBench(t *testing.T, version int, transport odoo.Transport) *bench {
	t.Helper()
	s := lab.Start(t, version)
	b := &bench{ctx: t.Context(), s: s, version: version}
	b.admin = b.connect(t, s.AdminLogin, s.AdminPassword)
	if _, err := provision.Setup(b.ctx, b.admin, demoOptions); err != nil {
		t.Fatal(err)
	}
	b.speaks = transport
	b.demo = b.connect(t, s.DemoLogin, s.DemoPassword)
	b.portal = b.connect(t, s.PortalLogin, s.PortalPassword)
	b.engine = odoo.NewEngine(b.connect(t, demoOptions.TechnicalLogin, demoOptions.TechnicalPassword))
	b.user = odoo.NewUser(b.demo)
	var err error
	if b.db, err = pgx.Connect(b.ctx, s.DSN()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.db.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	b.client = odbxfs.ClientID(b.number(t, "SELECT id FROM x_odbxfs_client WHERE x_name = 'Main'"))
	if _, _, err := b.engine.Lease(b.ctx, b.client, "bench", time.Hour); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) connect(t *testing.T, login, password string) *odoo.Client {
	t.Helper()
	cfg := odoo.Config{URL: b.s.URL, Database: b.s.Database, Login: login, Now: time.Now, Transport: b.speaks,
		Secret: func(context.Context) (string, error) { return password, nil }}
	if b.speaks == odoo.JSON2 && login != b.s.PortalLogin { // a portal user gets no key
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

// number and text judge by SQL; no row is zero.
func (b *bench) number(t *testing.T, sql string, args ...any) int64 {
	t.Helper()
	var n int64
	if err := b.db.QueryRow(b.ctx, sql, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func (b *bench) text(t *testing.T, sql string, args ...any) string {
	t.Helper()
	var s *string
	if err := b.db.QueryRow(b.ctx, sql, args...).Scan(&s); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	if s == nil {
		return ""
	}
	return *s
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
