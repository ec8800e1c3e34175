package odootest

// Gaps names the checks of the contract that this server cannot pass. The
// suite runs them all the same, and each must fail.
func Gaps() []string { return nil }
