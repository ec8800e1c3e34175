// Package cache is the store: the three trees, the mount's view of them, what
// was done through the mount (intents), the queue, the log, and file contents.
package cache
