package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"odbxfs/cmd/odbxfs/config"
)

const about = `odbxfs keeps Odoo's documents as plain files.

  mount   shows Odoo's folder trees as a filesystem: a folder for each sale
          order, project, partner...; files are Odoo's attachments
  sync    mirrors that tree to Dropbox and back; attachments become links, and
          their bytes leave Odoo once Dropbox has confirmed them

Begin with "odbxfs demo": it needs neither Odoo nor Dropbox.
For real use:

  odbxfs setup --plan     see what would be put into Odoo, then without --plan
  odbxfs mount ~/Odoo     on a workstation
  odbxfs sync             on one server
  odbxfs status           how it does`

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use: "odbxfs", Short: "Odoo's documents as plain files, mirrored to Dropbox", Long: about + "\n\n" + exitHelp(),
		SilenceErrors: true, SilenceUsage: true, SuggestionsMinimumDistance: 2,
		Args: noSuchCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVar(&a.configPath, "config", config.DefaultPath(), "the config file (or ODBXFS_CONFIG)")
	root.PersistentFlags().BoolVarP(&a.verbose, "verbose", "v", false, "log every call")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newDemo(a), newSetup(a), newMount(a), newSync(a), newRun(a), newReset(a), newStatus(a), newApprove(a), newRestore(a), newRetry(a), newLinks(a), newLogin(a), newLogout(a), newSettings(a))
	return root
}

// newSettings lists the settings, as config has them.
func newSettings(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "settings", Short: "List all settings: name, environment variable, meaning and default",
		Long: `Settings lists what the config file can set: each setting's name and its
environment variable, which wins over the file; below them what it means and its
default. "odoo.url" stands in the file as url under [odoo]. A * is the name of a
cloud client: lower case, with dashes for spaces.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			for _, s := range config.Settings() {
				line := fmt.Sprintf("%-26s %s\n    %s", s.Key, s.Env, s.Meaning)
				if s.Default != "" {
					line += "; default " + s.Default
				}
				if _, err := fmt.Fprintln(a.stdout, line); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// noSuchCommand judges what follows odbxfs and is no command.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("there is no command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or "))
	}
	return usageError{err}
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%q takes nothing more, and was given %q", cmd.CommandPath(), args)}
	}
	return nil
}

func atMostOne(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageError{fmt.Errorf("%q takes one folder, and was given %q (one with blanks in its name needs quotes)", cmd.CommandPath(), args)}
	}
	return nil
}

func cutEnv(line, name string) (string, bool) { return strings.CutPrefix(line, name+"=") }
