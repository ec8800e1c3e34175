package sync

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

func TestAValueThatIsNotThereLeavesTheOther(t *testing.T) {
	r := newRig(t, 1)
	r.update(func(tx *cache.Tx) error {
		v := "as it was"
		if err := getMeta(tx, "test/none", &v); err != nil || v != "as it was" {
			t.Errorf("%q, %v", v, err)
		}
		if err := setMeta(tx, "test/one", 17); err != nil {
			return err
		}
		n := 0
		if err := getMeta(tx, "test/one", &n); err != nil || n != 17 {
			t.Errorf("%d, %v", n, err)
		}
		if err := tx.SetMeta("test/one", nil); err != nil {
			return err
		}
		n = 3
		if err := getMeta(tx, "test/one", &n); err != nil || n != 3 {
			t.Errorf("after it was removed: %d, %v", n, err)
		}
		return nil
	})
}

func TestADamagedValueIsNamed(t *testing.T) {
	r := newRig(t, 1)
	r.update(func(tx *cache.Tx) error { return tx.SetMeta(metaOdooMark, []byte("{")) })
	r.close()
	store, err := cache.Open(t.Context(), cache.Options{Dir: r.dir, Now: func() time.Time { return r.clock },
		After: func(time.Duration) <-chan time.Time { return nil }, ID: fmt.Sprint("rig", r.stores)})
	if err != nil {
		t.Fatal(err)
	}
	opt := r.engine.opt
	opt.Store = store
	if _, err := New(opt); err == nil || !strings.Contains(err.Error(), metaOdooMark) {
		t.Errorf("got %v", err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

// Two things never share a key.
func TestKeysAreTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, key := range []string{
		metaOdooMark, metaDatabase, metaLogSent, metaCursor(1), metaCursor(11), metaPairs(1), metaAccount(1), metaRemoved(1),
		metaApproved(1), metaApproved(11), metaURL("u"), metaSent(1), metaShared("u"),
	} {
		if seen[key] || !strings.HasPrefix(key, "engine/") {
			t.Errorf("%s is another's", key)
		}
		seen[key] = true
	}
	if metaCursor(odbxfs.ClientID(1)) == metaCursor(odbxfs.ClientID(2)) {
		t.Error("two clients share a cursor")
	}
}
