package sync

import (
	"context"
	"log/slog"
	"time"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/sync/content"
	"odbxfs/sync/plan"
)

// Connector signs in to the Dropbox account of a cloud client. It may be called
// again after an error; it must not keep the context.
type Connector func(ctx context.Context, client odbxfs.CloudClient) (Dropbox, error)

// Options make an engine. Store, Odoo, Content, Now and Random are needed by
// all; Ledger and Dropbox by sync and run, and by neither alone.
type Options struct {
	Store   *cache.Store
	Odoo    Odoo
	Ledger  OdooLedger      // nil: a mount
	Dropbox Connector       // nil: a mount
	Content *content.Opener // bytes of nodes, for uploads

	// Intents says whether what was done through the mount is carried out here.
	Intents bool

	// Holder names this installation in leases: the same after a restart (host
	// and store, not the process), or a restart waits until its own lease ends.
	Holder string
	// WebBase is Dropbox's web address, for links under the policy "none":
	// "https://www.dropbox.com".
	WebBase string

	// Now is the clock; Random gives jitter in [0,1).
	Now    func() time.Time
	Random func() float64

	// Interval is the time between two looks at Odoo; 0 is 10 s.
	Interval time.Duration
	// LeaseTTL is how long a lease lasts when it is not renewed; 0 is 60 s.
	LeaseTTL time.Duration
	// Quiet is how long the mount's deletions rest before they are counted and
	// carried out, so that an rm -r is seen whole; 0 is 1 s.
	Quiet time.Duration
	// Guard says how many deletions need a person. The zero value is law's
	// default: 200, or 20% when that is at least 10.
	Guard plan.GuardPolicy

	// OnlyPlan observes and plans, and carries out nothing (--dry-run). Tasks
	// are left in the engine's memory, not in the queue.
	OnlyPlan bool

	Log *slog.Logger // nil: nothing is said
}

// Defaults of Options, and sizes of steps. A thousand rows is what one step of
// the store takes in well under 100 ms. A batch for Dropbox is what its batch
// calls take (1,000): each call costs half a second and the namespace's lock,
// however many entries it has. One for Odoo is less, so that a lost reply repeats
// little, and others have their turn.
const (
	defaultInterval = 10 * time.Second
	defaultLeaseTTL = time.Minute
	defaultQuiet    = time.Second
	stepRows        = 1000
	planRows        = 500
	batchItems      = 200
	dropboxItems    = 1000
	batchBytes      = 64 << 20
	pairsPage       = 1000
	logPage         = 500
)

func (o *Options) setDefaults() {
	if o.Interval == 0 {
		o.Interval = defaultInterval
	}
	if o.LeaseTTL == 0 {
		o.LeaseTTL = defaultLeaseTTL
	}
	if o.Quiet == 0 {
		o.Quiet = defaultQuiet
	}
	if o.WebBase == "" {
		o.WebBase = "https://www.dropbox.com"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// syncs reports whether this engine works on Dropbox.
func (o *Options) syncs() bool { return o.Ledger != nil && o.Dropbox != nil }
