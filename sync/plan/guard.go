package plan

import "odbxfs"

// GuardPolicy says how many deletions a plan may hold before a person is asked.
type GuardPolicy struct {
	Off   bool
	Most  int // more than this are held; zero stands for 200
	Share int // more than this many percent of a client's items are held; zero stands for 20
	Least int // but not by their share when they are fewer than this; zero stands for 10
}

// The guard's figures where the policy names none.
const (
	guardMost  = 200
	guardShare = 20
	guardLeast = 10
)

// Held splits a plan by the guard of deletions: what may go on, and the
// deletions that wait for a person, marked. Totals are the items that each
// client has now. Moves were recognised by the planner and are no deletions. All
// deletions of a client are held together, so that nobody is asked about half a
// folder; both keep their order.
func Held(tasks []odbxfs.Task, totals map[odbxfs.ClientID]int, pol GuardPolicy) (goOn, held []odbxfs.Task) {
	count := map[odbxfs.ClientID]int{}
	for _, t := range tasks {
		if t.Kind.Deletes() {
			count[t.Client]++
		}
	}
	for _, t := range tasks {
		if t.Kind.Deletes() && TooMany(count[t.Client], totals[t.Client], pol) {
			t.Held = true
			held = append(held, t)
			continue
		}
		goOn = append(goOn, t)
	}
	return goOn, held
}

// TooMany reports whether n deletions among total items ask for a person.
func TooMany(n, total int, pol GuardPolicy) bool {
	most, share, least := orElse(pol.Most, guardMost), orElse(pol.Share, guardShare), orElse(pol.Least, guardLeast)
	return !pol.Off && (n > most || (n >= least && n*100 > total*share))
}

func orElse(v, standard int) int {
	if v == 0 {
		return standard
	}
	return v
}
