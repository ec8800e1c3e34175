// Package config reads the program's one config file and its environment.
//
// The file is TOML. Every setting also has an environment variable: its key in
// capitals, dots as underscores, behind ODBXFS_ (odoo.url is ODBXFS_ODOO_URL,
// dropbox.main.app_key is ODBXFS_DROPBOX_MAIN_APP_KEY). The environment wins.
// A key that nobody knows is an error that names the nearest one.
//
// Secrets never stand in the file itself and never on a command line: a
// [Secret] says where one comes from.
package config
