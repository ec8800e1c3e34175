package dropboxtest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

var madeUpNames = []string{"Jane Doe", "John Roe", "Ann Poe"}

// Options says what the account and its server are like. The zero value is a
// basic account, empty, in memory.
type Options struct {
	// Now is the server's clock; nil: the machine's.
	Now func() time.Time
	// After waits on the same clock as Now; nil: the machine's. It times
	// long-polls, delays, the write lock and the watching of Dir.
	After func(time.Duration) <-chan time.Time

	// Dir is a directory that the account's content is kept equal with, in both
	// directions; empty: there is none.
	Dir string
	// State is the directory that keeps ids, revisions, journal, links and
	// contents over restarts. It must lie outside Dir and on the same file
	// system. Empty with Dir: Dir + ".state". Empty without Dir: all in memory.
	State string

	// Addr is where Start listens; empty: a free loopback port.
	Addr string
	// BaseURL stands before the path of links that the server hands out; empty:
	// the URL of Start, or https://www.dropbox.com when Start was not called.
	BaseURL string

	// Token is an access token that is valid from the start, for ever, besides
	// those of Server.Token; empty: none.
	Token string
	// RefreshToken is a refresh token that is valid from the start; empty: none.
	RefreshToken string

	// AppScopes are the scopes that the app has, parted by spaces; empty: all
	// that it could ask for. A sign-in gets those of them that it asks for.
	AppScopes string
	// Redirects are the addresses that the app has registered for sign-ins;
	// empty: any on this machine.
	Redirects []string

	// PageSize is the largest number of entries of one list_folder answer; 0: 2000.
	PageSize int
	// Fetch is how save_url reaches the rest of the world; nil: not at all.
	Fetch http.RoundTripper
	// Account is whose account it is.
	Account Account
	// Team makes it a team's space, with more members than Account. Each has a
	// home folder in the root, which only that member sees and which paths begin
	// at unless Dropbox-API-Path-Root says otherwise; the rest of the root is
	// everybody's.
	Team *Team
	// AppFolder confines the app to the folder /Apps/AppFolder, as apps with that
	// kind of access are; empty: full access.
	AppFolder string
	// Costs is what calls cost in time; see MeasuredCosts.
	Costs Costs
	// Behaviour settles what Dropbox's documents leave open.
	Behaviour Behaviour
	// Faults go wrong from the start; see Server.Inject.
	Faults []Fault
}

// AccountKind is Dropbox's account_type.
type AccountKind string

// The account kinds that Dropbox has.
const (
	Basic    AccountKind = "basic"
	Pro      AccountKind = "pro"
	Business AccountKind = "business"
)

// Team is a team's space. Its members' accounts are of kind Business.
type Team struct {
	NamespaceID string    // of the root; default "88000001"
	Members     []Account // besides Options.Account
}

// Account is what users/get_current_account tells. Empty fields get values of
// a made-up person.
type Account struct {
	Kind        AccountKind // default Basic
	ID          string      // "dbid:" and 35 more characters
	Name        string      // display name, "Given Surname"
	Email       string
	Country     string
	Locale      string
	NamespaceID string // of its home, which is the root but for a team's space; digits, a part of every rev
	TeamName    string // with Business
	Allocated   int64  // quota in bytes; default 2 GiB
}

// Behaviour holds the switches for what is not settled about the real service.
// The zero value is what the recordings and the specification suggest most.
type Behaviour struct {
	// StrictHeader refuses a Dropbox-API-Arg header that is not ASCII. Off: the
	// service takes raw UTF-8 too, which rclone sends.
	StrictHeader bool
	// RefuseEmoji answers malformed_path to names outside the BMP, as Dropbox
	// did until about November 2025.
	RefuseEmoji bool
	// CaseOnlyMove is what a move does that only changes case: "" or "conflict"
	// (the specification: not supported), "rename" or "noop".
	CaseOnlyMove string
	// DeletedChildren makes the delta of a deleted folder list its children as
	// deleted too. Off: the folder alone, which is the harder one for clients.
	DeletedChildren bool
	// KeepRevsInMovedFolder leaves the revs of a moved folder's files as they
	// were. Off: each journal entry is a new rev, as recorded for single files.
	KeepRevsInMovedFolder bool
	// OmitListedFolder leaves a recursively listed folder itself out of its own
	// listing.
	OmitListedFolder bool
	// EmptyFirstPage answers list_folder with no entries and has_more, as was
	// recorded once.
	EmptyFirstPage bool
	// CursorAge is how old a cursor may become before it answers reset; 0: any
	// age. Dropbox says that cursors may expire, not when.
	CursorAge time.Duration
	// ChildrenFirst sends a new folder after the first of what it holds, which
	// the rules for applying entries allow.
	ChildrenFirst bool
	// RepeatEntries sends the last entry of each page twice.
	RepeatEntries bool
	// AsyncFolders is from how many paths on create_folder_batch is a job;
	// 0: 100 (2 were recorded as answered at once, 1000 as a job).
	AsyncFolders int
	// JobPolls is how often check answers in_progress before complete; 0: 1,
	// negative: never.
	JobPolls int
	// LongpollAnyChange wakes a long-poll by any change of the account, not only
	// by those that its cursor would list.
	LongpollAnyChange bool
	// LongpollBackoff is sent with each answer of a long-poll, in whole seconds.
	LongpollBackoff time.Duration
	// RefuseFinishedSession makes finishing a session twice lookup_failed /
	// not_found. Off: it commits the same content again (a no-op at that path).
	RefuseFinishedSession bool
	// SilentTeamAudience lets an account without a team ask for audience=team
	// and gives it a public link. Off: settings_error/not_authorized.
	SilentTeamAudience bool
	// DefaultAudience is a link's audience when none is asked for: "" or
	// "public", or "team" (a team's policy).
	DefaultAudience string
	// MaxRequest is the largest body of one upload request; 0: 150 MiB.
	MaxRequest int64
	// MaxItems is how many items one delete, move or copy may touch; 0: 10,000.
	MaxItems int
	// MaxHeader is the largest Dropbox-API-Arg in bytes; 0: no limit but
	// net/http's of 1 MiB for all headers. Beyond it: 400 from the edge.
	MaxHeader int
	// SessionAge is how long an upload session lives; 0: 7 days.
	SessionAge time.Duration
}

func (o *Options) setDefaults() {
	if o.Now == nil {
		o.Now = time.Now // the default of a server for tests; the product hands its own clock in
	}
	if o.After == nil {
		o.After = time.After
	}
	if o.Dir != "" && o.State == "" {
		o.State = o.Dir + ".state"
	}
	if o.PageSize <= 0 {
		o.PageSize = 2000
	}
	o.Account.setDefaults(0)
	if o.Team != nil {
		team := *o.Team
		team.Members = slices.Clone(team.Members)
		if team.NamespaceID == "" {
			team.NamespaceID = "88000001"
		}
		o.Account.Kind = Business
		o.Account.setDefaults(0)
		for i := range team.Members {
			team.Members[i].Kind = Business
			team.Members[i].setDefaults(i + 1)
		}
		o.Team = &team
	}
	o.Behaviour.setDefaults()
}

// setDefaults fills in the n-th account, counted from 0.
func (a *Account) setDefaults(n int) {
	name := append(madeUpNames, fmt.Sprintf("Member %d", n))[min(n, len(madeUpNames))]
	for _, d := range []struct {
		field *string
		value string
	}{
		{&a.ID, fmt.Sprintf("dbid:AABOLtA1rT6rRK4vajKZrWqLZ7wVnV863u%d", n+4)},
		{&a.Name, name}, {&a.Email, strings.ToLower(strings.Fields(name)[0]) + "@example.com"},
		{&a.Country, "ES"}, {&a.Locale, "en"}, {&a.NamespaceID, strconv.Itoa(70721710 + n)},
	} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if a.Kind == "" {
		a.Kind = Basic
	}
	if a.Kind == Business && a.TeamName == "" {
		a.TeamName = "Example Ltd"
	}
	if a.Allocated == 0 {
		a.Allocated = 2 << 30
	}
}

func (b *Behaviour) setDefaults() {
	if b.AsyncFolders == 0 {
		b.AsyncFolders = 100
	}
	if b.JobPolls == 0 {
		b.JobPolls = 1
	}
	if b.MaxRequest == 0 {
		b.MaxRequest = 150 << 20
	}
	if b.MaxItems == 0 {
		b.MaxItems = 10_000
	}
	if b.SessionAge == 0 {
		b.SessionAge = 7 * 24 * time.Hour
	}
}
