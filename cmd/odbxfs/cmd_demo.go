package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"odbxfs/cmd/odbxfs/control"
	"odbxfs/cmd/odbxfs/daemon"
	"odbxfs/cmd/odbxfs/demo"
	"odbxfs/sync"
)

// errNoDemo says that there is nothing to ask.
var errNoDemo = errors.New("no demo runs")

func newDemo(a *app) *cobra.Command {
	var dir string
	var real int
	cmd := &cobra.Command{
		Use: "demo", Short: "Try it: an Odoo and a Dropbox in memory, mounted and mirrored below a folder",
		Long: `Demo needs neither an Odoo nor a Dropbox: it brings both, in memory, with the
daemon wired to them as to real ones. DIR/odoo is the mount, DIR/dropbox the
Dropbox account's content, DIR/state the store.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if real != 0 && real != 14 && real != 19 {
				return usageError{errors.New("--odoo is 14 or 19")}
			}
			return a.demo(cmd.Context(), dir, real)
		},
	}
	cmd.PersistentFlags().StringVar(&dir, "dir", "demo", "the folder for everything")
	cmd.Flags().IntVar(&real, "odoo", 0, "with a real Odoo of this version (14 or 19), built first where it is missing")
	cmd.AddCommand(&cobra.Command{
		Use: "status", Short: "How the running demo does", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			socket, err := control.Path(filepath.Join(dir, "state", "store"))
			if err != nil {
				return err
			}
			var s sync.Status
			err = control.Call(cmd.Context(), socket, daemon.VerbStatus, nil, &s)
			if errors.Is(err, control.ErrNoDaemon) {
				return fmt.Errorf("%w in %s", errNoDemo, dir)
			}
			if err != nil {
				return err
			}
			return a.finish(s)
		},
	})
	return cmd
}

func (a *app) demo(ctx context.Context, dir string, real int) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	world, err := demo.Start(ctx, demo.Options{Dir: abs, RealOdoo: real, Progress: a.stderr, Program: os.Args[0]})
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if a.verbose {
		log = a.log()
	}
	d, err := daemon.OpenToServe(ctx, daemon.Options{Config: world.Config, Mode: daemon.Run, Log: log, Store: world.Store})
	if err != nil {
		return errors.Join(openError(err), world.Close())
	}
	serveErr := d.Serve(ctx, func() { fmt.Fprint(a.stdout, world.Tour(dir)) })
	return errors.Join(serveErr, d.Close(), world.Close())
}
