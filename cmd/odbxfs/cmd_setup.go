package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"odbxfs"
	"odbxfs/cmd/odbxfs/config"
	"odbxfs/cmd/odbxfs/daemon"
	"odbxfs/odoo/provision"
)

// setupFlags are what setup is told.
type setupFlags struct {
	plan, remove      bool
	login             config.Login
	client, root      string
	links             string
	rules             []string
	installAutomation bool
}

func newSetup(a *app) *cobra.Command {
	var f setupFlags
	cmd := &cobra.Command{
		Use: "setup", Short: "Put models, rights, actions and menus into Odoo, or take them out again",
		Long: `Setup puts into Odoo what odbxfs needs there: models for cloud clients, folder
rules, folders, pairs and logs, server actions, a menu, and a group for the
technical user of [sync]. It installs no addon, may be run again, and is undone
by --remove. It needs a login with Settings rights: [setup] in the config, or
--login with one of the --password flags.

  odbxfs setup --plan
  odbxfs setup --client Main --root /Odoo --links public --rule "Sales Orders=sale.order"`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.config(cmd)
			if err != nil {
				return err
			}
			if f.login.Login != "" {
				cfg.Setup.Login = f.login
			}
			return a.setup(cmd.Context(), cfg, f)
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.plan, "plan", false, "show what would be done, write nothing")
	fl.BoolVar(&f.remove, "remove", false, "take everything out again (refused while links are left)")
	fl.StringVar(&f.login.Login, "login", "", "an Odoo login with Settings rights (default: that of [setup])")
	fl.StringVar(&f.login.PasswordFile, "password-file", "", "the file with its password")
	fl.StringVar(&f.login.PasswordCommand, "password-command", "", "the command that prints its password")
	fl.StringVar(&f.login.PasswordEnv, "password-env", "", "the environment variable with its password")
	fl.StringVar(&f.client, "client", "", "make a cloud client of this name")
	fl.StringVar(&f.root, "root", "/Odoo", "its folder in Dropbox")
	fl.StringVar(&f.links, "links", "", "its link policy, for you to choose: public, team_only or none")
	fl.StringArrayVar(&f.rules, "rule", nil, "make a folder rule, as \"Folder name=model\", mirrored by --client (without it: shown in mounts only); may be given several times")
	fl.BoolVar(&f.installAutomation, "install-base-automation", false, "install Odoo's module base_automation where it is missing, for mails with links")
	return cmd
}

func (f setupFlags) options(ctx context.Context, cfg config.Config) (provision.Options, error) {
	o := provision.Options{TechnicalLogin: cfg.Sync.Login.Login, InstallBaseAutomation: f.installAutomation}
	if f.client != "" {
		policy := odbxfs.LinkPolicy(f.links)
		switch policy {
		case odbxfs.LinkPublic, odbxfs.LinkTeamOnly, odbxfs.LinkNone:
		default:
			return o, usageError{errors.New("choose --links public (whoever has a link may open the file), team_only, or none: there is no default")}
		}
		if !strings.HasPrefix(f.root, "/") {
			return o, usageError{fmt.Errorf("--root %q: it is a path in Dropbox, and begins with /", f.root)}
		}
		o.Clients = []provision.ClientSpec{{Name: f.client, Root: f.root, Links: policy}}
	}
	for _, r := range f.rules {
		name, model, ok := strings.Cut(r, "=")
		if !ok || name == "" || model == "" {
			return o, usageError{fmt.Errorf("--rule %q: want \"Folder name=model\"", r)}
		}
		o.Rules = append(o.Rules, provision.RuleSpec{Name: name, Model: model, Client: f.client})
	}
	if o.TechnicalLogin != "" && !f.remove {
		password, err := cfg.Sync.Read(ctx)
		if err != nil {
			return o, &odbxfs.Error{Op: "give the technical user", Item: o.TechnicalLogin + " its password", Kind: odbxfs.KindSettings, Err: err}
		}
		o.TechnicalPassword = password
	}
	return o, nil
}

func (a *app) setup(ctx context.Context, cfg config.Config, f setupFlags) error {
	o, err := f.options(ctx, cfg)
	if err != nil {
		return err
	}
	client, err := daemon.Client(daemon.Options{Config: cfg, Log: a.log()}, cfg.Setup.Login)
	if err != nil {
		return err
	}
	if err := daemon.SignIn(ctx, client); err != nil {
		return err
	}
	var models []string
	for _, r := range o.Rules {
		models = append(models, r.Model)
	}
	if err := daemon.CheckModels(ctx, client, "look at the model of --rule", models); err != nil {
		return err
	}
	work := map[[2]bool]func() (provision.Plan, error){
		{false, false}: func() (provision.Plan, error) { return provision.Setup(ctx, client, o) },
		{false, true}:  func() (provision.Plan, error) { return provision.MakePlan(ctx, client, o) },
		{true, false}:  func() (provision.Plan, error) { return provision.RemoveAll(ctx, client) },
		{true, true}:   func() (provision.Plan, error) { return provision.MakeRemovalPlan(ctx, client) },
	}
	plan, err := work[[2]bool{f.remove, f.plan}]()
	if _, printErr := fmt.Fprint(a.stdout, plan.String()); err == nil {
		err = printErr
	}
	if err == nil && plan.Empty() {
		_, err = fmt.Fprintln(a.stdout, "nothing to do")
	}
	return err
}
