package cache

import "context"

// contextOfChild is the child process's own; it has no test to end it.
func contextOfChild() (context.Context, context.CancelFunc) {
	return context.WithCancel(context.Background())
}
