// Package provision puts into an Odoo what the product needs there, says
// beforehand what that is, and takes it out again.
//
// Everything is data: models and their fields, rights, server actions, views
// and menus are listed in definitions.go and views.go; setup.go compares the
// list with what the database has (by external ids of the module "odbxfs") and
// writes the difference. A second [Setup] writes nothing. [MakePlan] walks the
// same list without writing.
//
// The server actions (actions/*.py) are the product's stored procedures. Each is
// put together from shared parts, once for the engine and once for users
// ([Actions]); the in-memory Odoo of the tests knows them by the SHA-256 of
// their code. No secret stands in any of them: Odoo shows an action's code to
// whoever makes it fail.
//
// Versions differ in the names of fields and views; what a server wants is asked
// of it (flavor.go), never told from its number.
package provision
