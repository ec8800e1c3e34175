// Package faults disturbs the sync: while files go both ways, something goes
// wrong at Dropbox or on the way to it, in each case of a table something else.
// Whatever it was, both sides end the same, no file is there twice, no byte is
// lost, and the requests that it took are bounded. It has tests only.
//
// The engine, both clients and both servers are the real ones, wired as the
// daemon wires them, in one process and on a fake clock (testing/synctest): five
// minutes that Dropbox asks to wait pass at once, and nothing hangs on how busy
// the machine is. What became of the files is judged by the servers' own state.
//
// Ten cases with 100 files run with every test, all of them with FAULTS=whole,
// and with 1,000 files when ODBXFS_SOAK is set.
package faults
