package daemon

import (
	"errors"
	"testing"
	"time"

	"odbxfs/cmd/odbxfs/config"
)

func TestALimitThatIsChangedInTheConfigHoldsSoon(t *testing.T) {
	now := time.Unix(1000, 0)
	cfg := config.Config{Dropbox: map[string]config.Dropbox{"main": {UploadLimit: "1k"}}}
	var broken error
	loads := 0
	b := &bandwidth{name: "main", d: cfg.Dropbox["main"], now: func() time.Time { return now },
		reload: func() (config.Config, error) { loads++; return cfg, broken }}
	wants := func(what string, want int64) {
		t.Helper()
		for range 10 {
			if up, down := b.limits(); up != want || down != 0 {
				t.Errorf("%s: %d, %d", what, up, down)
			}
		}
	}
	wants("at the start", 1<<10)
	cfg.Dropbox = map[string]config.Dropbox{"main": {UploadLimit: "2k"}}
	wants("at once", 1<<10)
	now = now.Add(reloadEvery)
	wants("a moment later", 2<<10)
	broken, cfg = errors.New("half written"), config.Config{}
	now = now.Add(reloadEvery)
	wants("while the file can't be read", 2<<10)
	if loads != 3 {
		t.Errorf("the file was read %d times", loads)
	}
	b.reload = nil
	now = now.Add(reloadEvery)
	wants("without a file", 2<<10)
}
