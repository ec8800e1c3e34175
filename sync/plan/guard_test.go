package plan

import "testing"

func TestTooMany(t *testing.T) {
	for _, c := range []struct {
		sentence string
		n, total int
		pol      GuardPolicy
		want     bool
	}{
		{"nothing is deleted", 0, 0, GuardPolicy{}, false},
		{"nine of nine are few", 9, 9, GuardPolicy{}, false},
		{"ten of forty-nine are more than a fifth", 10, 49, GuardPolicy{}, true},
		{"ten of fifty are a fifth, not more", 10, 50, GuardPolicy{}, false},
		{"two hundred of many go", 200, 100_000, GuardPolicy{}, false},
		{"more never go unasked", 201, 100_000, GuardPolicy{}, true},
		{"unless it is off", 201, 201, GuardPolicy{Off: true}, false},
		{"the figures are the policy's", 3, 100, GuardPolicy{Most: 2}, true},
		{"the share is the policy's", 3, 100, GuardPolicy{Share: 2, Least: 3}, true},
	} {
		if got := TooMany(c.n, c.total, c.pol); got != c.want {
			t.Errorf("%s: got %t", c.sentence, got)
		}
	}
}
