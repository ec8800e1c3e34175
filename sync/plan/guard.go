package plan

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
