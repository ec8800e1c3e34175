package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"odbxfs/cache"
	"odbxfs/cmd/odbxfs/config"
	"odbxfs/cmd/odbxfs/control"
)

// A store that is locked while nobody answers for it is one that a command has
// for a moment, or a daemon that starts or ends.
const (
	lockPatience = 10 * time.Second       // how long it is tried
	lockPause    = 200 * time.Millisecond // between two tries
)

// Ask has a verb done by the daemon on opt's store, or by this process when there
// is none. The result is decoded into result. [cache.ErrLocked] when another
// process has the store and does not answer.
func Ask(ctx context.Context, opt Options, verb string, args, result any) error {
	socket, err := socketOf(&opt)
	if err != nil {
		return err
	}
	return patiently(ctx, func() (bool, error) {
		err := control.Call(ctx, socket, verb, args, result)
		if !errors.Is(err, control.ErrNoDaemon) {
			return false, err
		}
		return true, askHere(ctx, opt, verb, args, result)
	})
}

// OpenToServe opens the store as [Open] does, for a daemon. A store that a
// command has for a moment is waited for; one on which a daemon answers is not.
func OpenToServe(ctx context.Context, opt Options) (*Daemon, error) {
	socket, err := socketOf(&opt)
	if err != nil {
		return nil, err
	}
	var d *Daemon
	err = patiently(ctx, func() (bool, error) {
		var err error
		d, err = Open(ctx, opt)
		return !control.Alive(ctx, socket), err
	})
	return d, err
}

// Running gives the mode of the daemon that runs for this config. When there is
// none it is that of the login that the config has.
func Running(ctx context.Context, cfg config.Config) (Mode, error) {
	otherwise := Sync
	if cfg.Sync.Login.Login == "" && cfg.Mount.Login.Login != "" {
		otherwise = Mount
	}
	for _, m := range []Mode{Run, Sync, Mount} {
		socket, err := control.Path(StoreDir(cfg, m))
		if err != nil {
			return otherwise, err
		}
		if control.Alive(ctx, socket) {
			return m, nil
		}
	}
	return otherwise, nil
}

// socketOf finds the control socket of opt's store, which it fills in.
func socketOf(opt *Options) (string, error) {
	if opt.Store == "" {
		opt.Store = StoreDir(opt.Config, opt.Mode)
	}
	return control.Path(opt.Store)
}

// patiently tries again for a while what finds the store locked, as long as that
// is of use.
func patiently(ctx context.Context, try func() (again bool, err error)) error {
	for start := time.Now(); ; {
		again, err := try()
		if !again || !errors.Is(err, cache.ErrLocked) || time.Since(start) > lockPatience {
			return err
		}
		if err := sleep(ctx, lockPause); err != nil {
			return err
		}
	}
}

// askHere has a verb done in this process. Arguments and result go through JSON
// as they do through the socket.
func askHere(ctx context.Context, opt Options, verb string, args, result any) error {
	d, err := Open(ctx, opt)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(args)
	if err == nil {
		var answer any
		if answer, err = d.Direct(ctx, verb, raw); err == nil {
			if raw, err = json.Marshal(answer); err == nil {
				err = json.Unmarshal(raw, result)
			}
		}
	}
	return errors.Join(err, d.Close())
}
