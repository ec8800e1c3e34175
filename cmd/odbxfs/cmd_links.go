package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"odbxfs/cmd/odbxfs/daemon"
)

func newLinks(a *app) *cobra.Command {
	var mode string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "links", Short: "List every link in Odoo: path, who can open it, until when, document",
		Long: `Links lists the documents that are links, a line each: path (the record's folder
is a part of it), who can open it, until when, the document in Odoo, the address.
Who can open it is Dropbox's own word (public, team_only, password...), asked now;
"login" is Dropbox's own page, "gone" a link that Dropbox no longer has.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opt, err := a.pickStore(cmd, mode)
			if err != nil {
				return err
			}
			if opt.Mode == daemon.Mount {
				return usageError{errors.New("a mount has no cloud client; use --of run or --of sync")}
			}
			var r daemon.LinksReport
			if err := a.ask(cmd.Context(), opt, daemon.VerbLinks, nil, &r); err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(r)
			}
			return a.printLinks(r)
		},
	}
	modeFlag(cmd, &mode)
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func (a *app) printLinks(r daemon.LinksReport) error {
	var b strings.Builder
	for _, l := range r.Links {
		until := "no end"
		if !l.Expires.IsZero() {
			until = "until " + l.Expires.Format("2006-01-02 15:04 MST")
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%s\n", printable(l.Path), l.Visibility, until, l.Attachment, l.URL)
	}
	fmt.Fprintf(&b, "%d links\n", len(r.Links))
	for _, why := range r.Silent {
		fmt.Fprintf(&b, "did not answer: %s\n", printable(why))
	}
	_, err := fmt.Fprint(a.stdout, b.String())
	return err
}
