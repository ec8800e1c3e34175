package provision

// SetupActions gives the actions that setup and remove run themselves, in a
// fixed order: a server without Python has to know them too.
func SetupActions() []Action { return setupActions() }
