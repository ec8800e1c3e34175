package lab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
)

// Servers listen between firstPort and lastPort: below the range from which the
// kernel gives ports to everybody else, so that a port stays ours while its
// server is stopped for a moment. PostgreSQL's ports follow in box.sh.
const (
	firstPort = 20000
	lastPort  = 23999
)

// takePort reserves a free loopback port for as long as the lock is held.
func takePort(ctx context.Context, f folder) (int, *fileLock, error) {
	const n = lastPort - firstPort + 1
	start := rand.IntN(n)
	for i := range n {
		port := firstPort + (start+i)%n
		lock, err := tryLock(filepath.Join(f.ports(), fmt.Sprintf("%d.lock", port)), exclusive)
		if errors.Is(err, errLocked) {
			continue
		}
		if err != nil {
			return 0, nil, err
		}
		if l, err := new(net.ListenConfig).Listen(ctx, "tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, lock, l.Close()
		}
		if err := lock.unlock(); err != nil {
			return 0, nil, err
		}
	}
	return 0, nil, fmt.Errorf("lab: no free port between %d and %d", firstPort, lastPort)
}
