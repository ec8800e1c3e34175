// Package lab gives tests, benchmarks and the demo real Odoo servers, as
// pleasantly as net/http/httptest gives HTTP servers:
//
//	srv := lab.Start(t, 19)
//	srv.URL, srv.Database, srv.AdminLogin // a server of its own, demo data inside
//	pgx.Connect(ctx, srv.DSN())           // and its database, to judge by SQL
//
// # What is built, once
//
// [Build] makes, for Odoo 14 and for Odoo 19, from Debian's packages:
//
//	.lab/cache/                 sid's signed index and the Odoo 19 package it names
//	.lab/19/tree/               a Debian tree with Odoo and PostgreSQL (2 GB)
//	.lab/19/template/pg/        a PostgreSQL cluster with the template database
//	.lab/19/template/filestore/ and the files that belong to it
//	.lab/build-19.log           what the build said
//
// Each of tree and template is made beside its place, renamed into it when
// it is whole, and stamped with the recipe it was made by (recipe.go); so an
// interrupted build loses at most one step, and a changed recipe is built anew.
// [Start] builds what is missing. The folder is .lab at the module's root, or
// $ODBXFS_LAB_DIR. Packages come from the mirror that the machine's own apt
// uses, or from $ODBXFS_LAB_MIRROR.
//
// # What runs, and how it ends
//
//	test process A ── Server ── box: Odoo, port 20000+ ──┐
//	              └── Server ── box: Odoo ───────────────┤
//	test process B ── Server ── box: Odoo ───────────────┴─ box: PostgreSQL of 19
//
// Everything runs in boxes (box.sh): a PID namespace, so that nothing outlives
// its box; a mount namespace, so that no mount reaches the host; a chroot into
// the read-only tree. The box of an Odoo server reads its standard input and
// ends when the process at the other end does, even by kill -9. The box of a
// version's PostgreSQL is shared by all processes; each holds a shared file
// lock while it has a server, and the box ends when it can have that lock for
// itself. A PostgreSQL box works on a copy of the template cluster in memory, which
// is gone with it; what a killed process left beside running ones, a database and
// a folder, is removed by whoever starts next.
//
// Nothing of that needs more than root (or sudo without a question) and Linux.
//
// # What it does not do
//
// It knows nothing of the product: its few own calls to Odoo ([Server.Execute])
// are plain JSON-RPC, so a test's judge shares no code with what is judged.
// Crons do not run unless [Options.CronThreads] says so. Nothing here
// survives a power cut, and nothing has to.
package lab
