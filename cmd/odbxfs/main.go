package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"odbxfs/cmd/odbxfs/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program, for main and for tests.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	//nolint:contextcheck // cobra hands the commands ctx
	root := newRoot(&app{environ: environ, stdout: stdout, stderr: stderr})
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	report(stderr, err)
	return exitCode(err)
}

// app is what all commands share.
type app struct {
	environ        []string
	stdout, stderr io.Writer
	configPath     string
	verbose        bool
}

// config loads the settings; a file that was named must be there.
func (a *app) config(cmd *cobra.Command) (config.Config, error) {
	named := cmd.Flags().Changed("config")
	for _, line := range a.environ {
		if path, ok := cutEnv(line, "ODBXFS_CONFIG"); ok && !named {
			a.configPath, named = path, true
		}
	}
	cfg, err := config.Load(a.configPath, named, a.environ)
	if err != nil {
		return cfg, usageError{err}
	}
	return cfg, nil
}

func (a *app) log() *slog.Logger {
	level := slog.LevelInfo
	if a.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: level}))
}
