// Package peers holds the Dropbox emulator to other people's clients: what one
// of them finds wrong is the emulator's bug. It has tests only.
//
// Each client runs unmodified in a network and mount namespace of its own, in
// which Dropbox's real host names lead to the emulator over HTTPS, with an
// authority made for it; nothing else can be reached from there. The tests need
// root. Debian's rclone and python3-dropbox run with every test; the newest
// rclone, which is a module of its own in rclone, and the JavaScript SDK must be
// built or fetched first, so they run with ODBXFS_SOAK=1.
package peers
