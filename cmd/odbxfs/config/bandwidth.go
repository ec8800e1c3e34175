package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Timetable is a bandwidth limit that may change with the time of day. The zero
// value is no limit.
type Timetable struct{ steps []step }

// A step holds from its minute of the day until the next one.
type step struct {
	minute int
	limit  int64 // bytes a second; 0: none
}

// ParseTimetable reads a limit, as "512k", "2M" or "off", or limits by the time
// of day, as "08:00,512k 19:00,off"; k, M and G are 1024 times one another.
func ParseTimetable(s string) (Timetable, error) {
	var t Timetable
	fields := strings.Fields(s)
	for _, f := range fields {
		at, size, timed := strings.Cut(f, ",")
		if !timed {
			at, size = "00:00", f
			if len(fields) > 1 {
				return Timetable{}, fmt.Errorf("%q has no time of day, as 08:00,512k", f)
			}
		}
		clock, err := time.Parse("15:04", at)
		if err != nil {
			return Timetable{}, fmt.Errorf("%q is no time of day, as 08:00", at)
		}
		st := step{minute: clock.Hour()*60 + clock.Minute()}
		if st.limit, err = parseRate(size); err != nil {
			return Timetable{}, err
		}
		if n := len(t.steps); n > 0 && t.steps[n-1].minute >= st.minute {
			return Timetable{}, fmt.Errorf("%q is not later than the time before it", at)
		}
		t.steps = append(t.steps, st)
	}
	return t, nil
}

func parseRate(s string) (int64, error) {
	if s == "off" {
		return 0, nil
	}
	digits, unit := s, int64(1)
	for i, letter := range []string{"k", "M", "G"} {
		if cut, ok := strings.CutSuffix(s, letter); ok {
			digits, unit = cut, 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%q is no limit in bytes a second, as 512k, 2M or off", s)
	}
	return n * unit, nil
}

// At gives the limit at a time, in bytes a second; 0 is none. Before the first
// step of a day the last one of the day before holds.
func (t Timetable) At(now time.Time) int64 {
	if len(t.steps) == 0 {
		return 0
	}
	limit, minute := t.steps[len(t.steps)-1].limit, now.Hour()*60+now.Minute()
	for _, s := range t.steps {
		if s.minute <= minute {
			limit = s.limit
		}
	}
	return limit
}

// Bandwidth gives the limits of an account at a time, in bytes a second; 0 is
// none. [Load] has made sure that both can be read.
func (d Dropbox) Bandwidth(now time.Time) (up, down int64) {
	upload, err := ParseTimetable(d.UploadLimit)
	if err != nil {
		upload = Timetable{}
	}
	download, err := ParseTimetable(d.DownloadLimit)
	if err != nil {
		download = Timetable{}
	}
	return upload.At(now), download.At(now)
}

// check refuses limits that can't be read.
func (d Dropbox) check(name string) error {
	for key, value := range map[string]string{"upload_limit": d.UploadLimit, "download_limit": d.DownloadLimit} {
		if _, err := ParseTimetable(value); err != nil {
			return fmt.Errorf("dropbox.%s.%s: %w", name, key, err)
		}
	}
	return nil
}
