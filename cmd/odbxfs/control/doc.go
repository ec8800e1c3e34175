// Package control lets commands speak to the daemon that holds a store: a unix
// socket, mode 0600, in the runtime directory, named by a short hash of the
// store's path. Whoever connects must be of the same uid (or root); the kernel
// says who it is.
//
// A command is a verb with JSON arguments and a JSON result, over HTTP, so that
// a lost daemon shows as a torn connection and a context's end reaches it.
package control
