package config

import (
	"strings"
	"testing"
	"time"
)

func TestLimitsFollowTheTimeOfDay(t *testing.T) {
	at := func(clock string) time.Time {
		when, err := time.Parse("15:04", clock)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for _, c := range []struct {
		text, clock string
		want        int64
	}{
		{"", "12:00", 0}, {"off", "12:00", 0}, {"512k", "00:00", 512 << 10}, {"2M", "23:59", 2 << 20}, {"1G", "12:00", 1 << 30}, {"100", "12:00", 100},
		{"08:00,512k 19:00,off", "07:59", 0}, {"08:00,512k 19:00,off", "08:00", 512 << 10}, {"08:00,512k 19:00,off", "18:59", 512 << 10},
		{"08:00,512k 19:00,off", "19:00", 0}, {"08:00,1k 19:00,2k", "03:00", 2048},
	} {
		tt, err := ParseTimetable(c.text)
		if err != nil || tt.At(at(c.clock)) != c.want {
			t.Errorf("%q at %s: %d, %v, want %d", c.text, c.clock, tt.At(at(c.clock)), err, c.want)
		}
	}
	for _, bad := range []string{"fast", "-1", "0", "1T", "08:00", "25:00,1k", "08:00,1k 07:00,2k", "1k 2k", "08:00,", "99999999999999999999"} {
		if tt, err := ParseTimetable(bad); err == nil || len(tt.steps) > 0 {
			t.Errorf("%q is taken for %+v", bad, tt)
		}
	}
	up, down := Dropbox{UploadLimit: "1k", DownloadLimit: "2k"}.Bandwidth(at("12:00"))
	if up != 1024 || down != 2048 {
		t.Errorf("got %d, %d", up, down)
	}
	_, err := Load(write(t, "[dropbox.main]\nupload_limit = 'fast'"), true, nil)
	if err == nil || !strings.Contains(err.Error(), "dropbox.main.upload_limit") || !strings.Contains(err.Error(), `"fast"`) {
		t.Errorf("got %v", err)
	}
}

func FuzzTimetable(f *testing.F) {
	seeds := []string{"", "off", "512k", "08:00,512k 19:00,off", "08:00,1k 07:00,2k", "1k 2k"}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tt, err := ParseTimetable(s)
		if err == nil && tt.At(time.Unix(0, 0)) < 0 || err != nil && len(tt.steps) > 0 {
			t.Errorf("%q: %+v, %v", s, tt, err)
		}
	})
}
