// Command labctl builds the lab, shows what is built and running, and removes
// it: `make lab` is `labctl build`.
//
// Exit codes: 0 done, 1 failed, 2 wrong usage.
package main
