package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"odbxfs"
	"odbxfs/cmd/odbxfs/config"
	"odbxfs/cmd/odbxfs/daemon"
	"odbxfs/sync/dropbox"
)

// loginPort is where the browser comes back to. It is fixed, since Dropbox
// takes only addresses that are registered for the app, port included.
const loginPort = 53683

func newLogin(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "login", Short: "Sign in to Dropbox", Args: noArgs, RunE: showHelp}
	cmd.AddCommand(newLoginDropbox(a))
	return cmd
}

func newLogout(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "logout", Short: "Sign out of Dropbox", Args: noArgs, RunE: showHelp}
	cmd.AddCommand(newLogoutDropbox(a))
	return cmd
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// loginFlags are those of `odbxfs login dropbox`.
type loginFlags struct {
	client  string
	paste   bool
	noLinks bool
	port    int
}

func newLoginDropbox(a *app) *cobra.Command {
	var f loginFlags
	cmd := &cobra.Command{
		Use: "dropbox", Short: "Sign in to a cloud client's Dropbox account",
		Long: fmt.Sprintf(`Login dropbox asks a person, in the browser, to let odbxfs into a Dropbox
account, and keeps what Dropbox gives for it where the config says: in
password_file (made with mode 0600) or password_keyring of [dropbox.NAME].

It needs an app of your own, once: in Dropbox's App Console, scoped access; under
Permissions account_info.read, files.metadata.read, files.content.read,
files.content.write, and for links sharing.read and sharing.write; its App key
goes into the config as app_key. No app secret is needed.

The browser comes back to http://localhost:%d/, which has to stand among the
app's redirect URIs. With --paste Dropbox shows a code instead, and nothing has
to be registered: for a server without a browser, too.

A running daemon takes the new login by itself.`, loginPort),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.loginDropbox(cmd, f) },
	}
	cmd.Flags().StringVar(&f.client, "client", "", "the cloud client's name (default: the only one in the config)")
	cmd.Flags().BoolVar(&f.paste, "paste", false, "paste a code that Dropbox shows")
	cmd.Flags().BoolVar(&f.noLinks, "no-links", false, "ask for no right to shared links: for the link policy none")
	cmd.Flags().IntVar(&f.port, "port", loginPort, "the port that the browser comes back to; 0: any that is free")
	return cmd
}

func (a *app) loginDropbox(cmd *cobra.Command, f loginFlags) error {
	name, d, cfg, err := a.dropboxSection(cmd, f.client)
	if err != nil {
		return err
	}
	if d.AppKey == "" {
		return usageError{fmt.Errorf("dropbox.%s.app_key is not set: it is the App key in Dropbox's App Console", name)}
	}
	if err := d.MayKeep(); err != nil {
		return notKept(name, err) // before anybody is asked for anything
	}
	ctx := cmd.Context()
	lc := dropbox.LoginConfig{AppKey: d.AppKey, API: d.API, WWW: d.WWW, NoLinks: f.noLinks, Random: rand.Reader}
	var listener net.Listener
	if !f.paste {
		if listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", f.port)); err != nil {
			return usageError{fmt.Errorf("wait for the browser: %w; take another --port, or --paste", err)}
		}
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			return err
		}
		lc.Redirect = "http://localhost:" + port + "/"
	}
	l, err := dropbox.NewLogin(lc)
	if err != nil {
		return err
	}
	code, err := a.loginCode(ctx, cmd.InOrStdin(), l, lc.Redirect, listener)
	if err != nil {
		return err
	}
	grant, err := l.Redeem(ctx, code)
	if err != nil {
		return err
	}
	where, err := d.Keep(grant.RefreshToken)
	if err != nil {
		return notKept(name, err)
	}
	account, err := daemon.Dropbox(daemon.Options{Config: cfg}, d).Account(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "signed in as %s (%s account); the login is kept in %s\n", printable(account.Email), account.Kind, where)
	return err
}

// loginCode sends the person to Dropbox's page and waits for the code.
func (a *app) loginCode(ctx context.Context, stdin io.Reader, l *dropbox.Login, redirect string, listener net.Listener) (string, error) {
	fmt.Fprintf(a.stdout, "Open this page in a browser, and allow odbxfs in:\n\n  %s\n\n", l.URL())
	if listener != nil {
		fmt.Fprintf(a.stdout, "Waiting for the browser to come back. If Dropbox's page refuses the redirect_uri,\nadd %s to the app's redirect URIs, or use --paste.\n", redirect)
		return l.Receive(ctx, listener)
	}
	fmt.Fprint(a.stdout, "Paste the code that it shows: ")
	line := make(chan string, 1)
	go func() {
		// An end of input gives what there is: Dropbox says that it is no code.
		text, _ := bufio.NewReader(stdin).ReadString('\n')
		line <- text
	}()
	select {
	case code := <-line:
		if strings.TrimSpace(code) == "" {
			return "", usageError{errors.New("no code was pasted")}
		}
		return code, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func newLogoutDropbox(a *app) *cobra.Command {
	var client string
	cmd := &cobra.Command{
		Use: "dropbox", Short: "Revoke a cloud client's Dropbox login, and forget it",
		Long: `Logout dropbox makes the login worthless at Dropbox and removes it here. Shared
links stay, and so does everything in Dropbox; a running daemon waits for a new
login. To bring everything back into Odoo first, use odbxfs reset.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			name, d, cfg, err := a.dropboxSection(cmd, client)
			if err != nil {
				return err
			}
			if err := d.MayKeep(); err != nil {
				return notKept(name, err)
			}
			if _, err := d.Read(cmd.Context()); config.IsAbsent(err) {
				_, err = fmt.Fprintf(a.stdout, "[dropbox.%s] has no login\n", name)
				return err
			}
			err = daemon.Dropbox(daemon.Options{Config: cfg}, d).Revoke(cmd.Context())
			if err != nil && !odbxfs.IsKind(err, odbxfs.KindCredentials) {
				return err // it would stay good at Dropbox
			}
			if err := d.Forget(); err != nil {
				return notKept(name, err)
			}
			_, err = fmt.Fprintf(a.stdout, "signed out; the login of [dropbox.%s] is gone\n", name)
			return err
		},
	}
	cmd.Flags().StringVar(&client, "client", "", "the cloud client's name (default: the only one in the config)")
	return cmd
}

// dropboxSection finds a client's section of the config.
func (a *app) dropboxSection(cmd *cobra.Command, client string) (string, config.Dropbox, config.Config, error) {
	cfg, err := a.config(cmd)
	if err != nil {
		return "", config.Dropbox{}, cfg, err
	}
	name, d, ok := cfg.Section(client)
	switch {
	case ok:
		return name, d, cfg, nil
	case len(cfg.Dropbox) == 0:
		err = errors.New("the config has no [dropbox.NAME]; NAME is the cloud client's, lower case")
	case client == "":
		err = fmt.Errorf("there are several accounts, name one with --client: %s", strings.Join(slices.Sorted(maps.Keys(cfg.Dropbox)), ", "))
	default:
		err = fmt.Errorf("the config has no [dropbox.%s]; it has %s", name, strings.Join(slices.Sorted(maps.Keys(cfg.Dropbox)), ", "))
	}
	return name, d, cfg, usageError{err}
}

// notKept names the section whose source of the secret can't be written.
func notKept(name string, err error) error {
	if errors.Is(err, config.ErrNotKept) {
		return usageError{fmt.Errorf("[dropbox.%s]: %w", name, err)}
	}
	return err
}
