package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/cmd/odbxfs/config"
	"odbxfs/cmd/odbxfs/daemon"
	"odbxfs/sync"
)

// daemonOptions are those of the config.
func (a *app) daemonOptions(cmd *cobra.Command, mode daemon.Mode) (daemon.Options, error) {
	cfg, err := a.config(cmd)
	path := a.configPath
	reload := func() (config.Config, error) { return config.Load(path, true, a.environ) }
	return daemon.Options{Config: cfg, Mode: mode, Log: a.log(), Reload: reload}, err
}

// serve runs a daemon until it is stopped.
func (a *app) serve(ctx context.Context, opt daemon.Options, ready string) error {
	d, err := daemon.OpenToServe(ctx, opt)
	if err != nil {
		return openError(err)
	}
	serveErr := d.Serve(ctx, func() { fmt.Fprintln(a.stdout, ready) })
	return errors.Join(serveErr, d.Close())
}

// openError says what to do when a daemon has the store.
func openError(err error) error {
	if errors.Is(err, cache.ErrLocked) {
		return hintedError{err, "a daemon is at work on this store already; `odbxfs status` asks it"}
	}
	return err
}

func newMount(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "mount [DIR]", Short: "Mount Odoo's folders at DIR, as the user of [mount]",
		Long: `Mount shows Odoo's folder trees at DIR until it is stopped or unmounted.

It signs in as the user of [mount] in the config, and shows and changes what
that user may see and change in Odoo. What is copied in is safe on this machine
when close returns, and goes to Odoo in the background: odbxfs status tells.

DIR is an empty folder; it is made where it is missing. Without DIR it is that of
mount.dir in the config.

On an Odoo without odbxfs setup, name the models under [mount] (plain mode):
  models = ["sale.order", "project.project"]`,
		Example: `  odbxfs mount ~/Odoo
  cp offer.pdf ~/Odoo/"Sales Orders"/S00042/
  umount ~/Odoo                            # or Ctrl-C where it runs`,
		Args: atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.serveMount(cmd, args, daemon.Mount, "; stop with Ctrl-C or umount")
		},
	}
	nonEmptyFlag(cmd)
	return cmd
}

// nonEmptyFlag lets a mount hide what is in its folder.
func nonEmptyFlag(cmd *cobra.Command) {
	cmd.Flags().Bool("nonempty", false, "mount over a folder that is not empty, and hide what is in it")
}

// serveMount runs a daemon with a mount, at the folder that was named or is set.
func (a *app) serveMount(cmd *cobra.Command, args []string, mode daemon.Mode, how string) error {
	opt, err := a.daemonOptions(cmd, mode)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		opt.Config.Mount.Dir = args[0]
	}
	if opt.Config.Mount.Dir == "" {
		return usageError{errors.New("no place to mount at: name a folder, or set mount.dir")}
	}
	if cmd.Flags().Changed("nonempty") {
		if opt.Config.Mount.NonEmpty, err = cmd.Flags().GetBool("nonempty"); err != nil {
			return err
		}
	}
	return a.serve(cmd.Context(), opt, "mounted at "+opt.Config.Mount.Dir+how)
}

func newRun(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "run [DIR]", Short: "Mount and sync in one process, as the technical user of [sync]",
		Long: `Run is mount and sync on one store, for one machine.

Its mount is the administrator's view: it shows all that the sync sees, whatever
the technical user's own rights are, and only this machine's user may enter it.
New files belong to the technical user.`,
		Args: atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.serveMount(cmd, args, daemon.Run, " with the administrator's view (this user only), and syncing; stop with Ctrl-C")
		},
	}
	nonEmptyFlag(cmd)
	return cmd
}

func newSync(a *app) *cobra.Command {
	var once, dry bool
	cmd := &cobra.Command{
		Use: "sync", Short: "Mirror the tree to Dropbox and back, for ever or once",
		Long: `Sync mirrors the folders and documents of Odoo's folder rules to Dropbox, and
what changes in Dropbox back to Odoo, within seconds, until it is stopped. It
signs in to Odoo as the technical user of [sync], and to Dropbox with the section
of the cloud client, as [dropbox.main]. Run it on one machine: a second one waits
until the first is gone.

With --once it ends when nothing is left to do but what waits for a person.`,
		Example: `  odbxfs sync --dry-run      # what would be done, and why
  odbxfs sync --once         # from cron, or to try
  odbxfs sync                # for ever, as a service`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opt, err := a.daemonOptions(cmd, daemon.Sync)
			if err != nil {
				return err
			}
			if !once && !dry {
				return a.serve(cmd.Context(), opt, "syncing; stop with Ctrl-C")
			}
			var r daemon.OnceReport
			if err := a.ask(cmd.Context(), opt, daemon.VerbOnce, daemon.OnceArgs{DryRun: dry}, &r); err != nil {
				return err
			}
			if dry {
				return errors.Join(a.printPlanned(r.Planned), unanswered(r.Status))
			}
			return errors.Join(a.finish(r.Status), unanswered(r.Status))
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "do what is to be done now, then end")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would be done, and do nothing")
	return cmd
}

// errOther says that nothing was done, since somebody else does it.
var errOther = errors.New("another syncer is at work on this cloud client")

// unanswered tells of a remote without which a pass could not be done.
func unanswered(s sync.Status) error {
	if !s.OdooOK {
		return &odbxfs.Error{Op: "sync", Item: "with Odoo", Kind: s.OdooErr, Err: errors.New(strings.Join(s.Waiting, "; "))}
	}
	for _, c := range s.Clients {
		if c.State == sync.StateError {
			return &odbxfs.Error{Op: "sync", Item: c.Name, Kind: c.Kind, Err: errors.New(c.Message)}
		}
		if c.Other {
			return fmt.Errorf("sync %s: %w", c.Name, errOther)
		}
	}
	return nil
}

// finish prints a state, and makes an exit code of what waits for a person.
func (a *app) finish(s sync.Status) error {
	printStatus(a.stdout, s, time.Now())
	var waits, hints []string
	if n := len(s.Held); n > 0 {
		waits = append(waits, fmt.Sprintf("held deletions: %d", n))
		hints = append(hints, "`odbxfs approve` or `odbxfs restore` what is held")
	}
	if n := len(s.Parked); n > 0 {
		waits = append(waits, fmt.Sprintf("parked: %d", n))
		hints = append(hints, "mend the reason of what is parked, then `odbxfs retry`")
	}
	if len(waits) == 0 {
		return nil
	}
	return hintedError{personError{errors.New("something waits for a person: " + strings.Join(waits, ", "))}, strings.Join(hints, "; ")}
}

// ask has a verb done by the daemon on the store, or by this process when
// there is none.
func (a *app) ask(ctx context.Context, opt daemon.Options, verb string, args, result any) error {
	return openError(daemon.Ask(ctx, opt, verb, args, result))
}

// modeFlag lets a command say whose store it means.
func modeFlag(cmd *cobra.Command, mode *string) {
	cmd.Flags().StringVar(mode, "of", "", "whose store: run, sync or mount (default: the one that a daemon runs on, else that of [sync], or of [mount] where [sync] is not set)")
}

// pickStore finds the store that a command means: that of the mode, or of the
// daemon that runs when nobody said.
func (a *app) pickStore(cmd *cobra.Command, mode string) (daemon.Options, error) {
	opt, err := a.daemonOptions(cmd, daemon.Sync)
	if err != nil {
		return opt, err
	}
	switch m := daemon.Mode(mode); m {
	case daemon.Mount, daemon.Sync, daemon.Run:
		opt.Mode = m
		return opt, nil
	case "":
	default:
		return opt, usageError{fmt.Errorf("--of is run, sync or mount, not %q", mode)}
	}
	opt.Mode, err = daemon.Running(cmd.Context(), opt.Config)
	return opt, err
}

func newStatus(a *app) *cobra.Command {
	var mode string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "How it does: queue, held deletions, parked items, why nothing moves",
		Long: `Status asks the daemon that runs on the store, or looks into the store when none
does: then it tells how the last one did, and how long ago.

  tasks      what sync will do by itself, in Odoo or in Dropbox
  changes    what was done in the mount and is on its way to Odoo
  waiting    why nothing moves: a server that does not answer, a refused login
  held       deletions that wait for you, since they are many at once:
             odbxfs approve carries them out, odbxfs restore takes them back
  parked     what the other side refuses, with its words (no right, a name that
             it does not take, too large): mend that, then odbxfs retry

It ends with exit code 5 while something is held or parked.`,
		Example: `  odbxfs status
  odbxfs status --of mount   # when mount and sync run on one machine
  odbxfs status --json | jq .Parked`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opt, err := a.pickStore(cmd, mode)
			if err != nil {
				return err
			}
			var s sync.Status
			if err := a.ask(cmd.Context(), opt, daemon.VerbStatus, nil, &s); err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(s)
			}
			return a.finish(s)
		},
	}
	modeFlag(cmd, &mode)
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func newReset(a *app) *cobra.Command {
	var mode string
	var args daemon.ResetArgs
	cmd := &cobra.Command{
		Use: "reset", Short: "Bring everything back into Odoo, and forget the cloud client",
		Long: `Reset makes every link of a cloud client a binary attachment again, checked byte
for byte, and forgets what was paired. Dropbox's copies stay, or go to Dropbox's
trash with --remove-remote. It says how many of each, and may be run again: what
could not be brought back is named, and waits. The cloud client is paused from then
on, or it would be mirrored again: take the pause away on its form in Odoo to begin
anew.`,
		Example: `  odbxfs reset                            # the only cloud client
  odbxfs reset --client Main --remove-remote
  odbxfs setup --remove                   # afterwards: Odoo is as before`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opt, err := a.pickStore(cmd, mode)
			if err != nil {
				return err
			}
			if opt.Mode == daemon.Mount {
				return usageError{errors.New("a mount has no cloud client to reset; use --of run or --of sync")}
			}
			var r sync.ResetReport
			if err := a.ask(cmd.Context(), opt, daemon.VerbReset, args, &r); err != nil {
				return err
			}
			return a.printReset(r)
		},
	}
	modeFlag(cmd, &mode)
	cmd.Flags().StringVar(&args.Client, "client", "", "the cloud client's name (default: the only one)")
	cmd.Flags().BoolVar(&args.Remove, "remove-remote", false, "put Dropbox's copies into its trash afterwards")
	return cmd
}

const heldHelp = `Many deletions at once (above sync.hold_deletions, or a fifth of a cloud client's
items) are held, on whichever side they were made: they wait for a person, and all
else goes on. odbxfs status lists them.

`

const pathsHelp = `

Paths are those of the tree, as status shows them; without one, all are meant.`

func newApprove(a *app) *cobra.Command {
	return onPaths(a, &cobra.Command{
		Use: "approve [PATH...]", Short: "Carry out held deletions",
		Long:    heldHelp + "Approve lets them go: what was deleted on one side is deleted on the other." + pathsHelp,
		Example: "  odbxfs approve\n  odbxfs approve \"Sales Orders/S00001/old\"",
	}, daemon.VerbApprove, "%d deletions go on\n")
}

func newRestore(a *app) *cobra.Command {
	return onPaths(a, &cobra.Command{
		Use: "restore [PATH...]", Short: "Undo held deletions",
		Long: heldHelp + `Restore takes them back: what was deleted on one side comes again from the other.
A link's bytes, which were in Dropbox alone, come from Dropbox's trash.` + pathsHelp,
		Example: "  odbxfs restore\n  odbxfs restore \"Sales Orders/S00001/offer.pdf\"",
	}, daemon.VerbRestore, "%d things are back\n")
}

func newRetry(a *app) *cobra.Command {
	return onPaths(a, &cobra.Command{
		Use: "retry [PATH...]", Short: "Try parked things again",
		Long: `What the other side refuses is parked, with its reason: a right that is missing, a
name that it does not take, a file that is too large. Nothing is lost, and what
does not depend on it goes on; odbxfs status lists it. Mend the reason, then retry.` + pathsHelp,
		Example: "  odbxfs retry\n  odbxfs retry --of mount \"Projects/Office/plan.pdf\"",
	}, daemon.VerbRetry, "%d things are tried again\n")
}

// onPaths lets a command work on things of the tree, or on all.
func onPaths(a *app, cmd *cobra.Command, verb, said string) *cobra.Command {
	var mode string
	cmd.RunE = func(cmd *cobra.Command, paths []string) error {
		opt, err := a.pickStore(cmd, mode)
		if err != nil {
			return err
		}
		var n daemon.Count
		if err := a.ask(cmd.Context(), opt, verb, daemon.PathArgs{Paths: paths}, &n); err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.stdout, said, n.N)
		return err
	}
	modeFlag(cmd, &mode)
	return cmd
}
