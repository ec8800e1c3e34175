package cache

// The moments at which a test ends the process, or cuts the power: one between
// any two steps that leave something on disk. Each is passed in what people and
// engines do all day.
const (
	pointMade     = "a content was made"
	pointHashed   = "what is to be sealed was hashed"
	pointSealed   = "a content was sealed"
	pointBegun    = "a transaction is about to be committed"
	pointLogged   = "a transaction was committed"
	pointSettled  = "contents follow a commit"
	pointDoomed   = "a content is about to be removed"
	pointSyncing  = "a sync began"
	pointFiles    = "contents were synced"
	pointRecords  = "records of contents were stored"
	pointSynced   = "logs were synced"
	pointOpened   = "the database was opened"
	pointLoaded   = "contents were loaded"
	pointSwept    = "contents without record were swept"
	pointStarted  = "the mark of a clean end was taken away"
	pointTidied   = "references were tidied"
	pointChecked  = "intents were checked"
	pointClosing  = "a last sync is through"
	pointMarked   = "the mark of a clean end was set"
	pointReleased = "all is on disk"
)

// points lists them all.
var points = []string{
	pointMade, pointHashed, pointSealed, pointBegun, pointLogged, pointSettled, pointDoomed,
	pointSyncing, pointFiles, pointRecords, pointSynced, pointOpened, pointLoaded, pointSwept,
	pointStarted, pointTidied, pointChecked, pointClosing, pointMarked, pointReleased,
}

// at says that a point is reached.
func (s *Store) at(point string) {
	if s.opt.at != nil {
		s.opt.at(point)
	}
}
