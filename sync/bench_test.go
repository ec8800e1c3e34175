package sync

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkMirror takes new files of Odoo all the way: looked at, uploaded,
// made links, settled. The cost of one must not hang on how many they are:
// us/file of 20,000 is to be about that of 2,000.
func BenchmarkMirror(b *testing.B) {
	for _, files := range []int{2000, 20000} {
		for _, perFolder := range []int{20, files} {
			b.Run(fmt.Sprintf("files=%d/folder=%d", files, perFolder), func(b *testing.B) {
				for range b.N {
					b.StopTimer()
					r := newRig(b, 1)
					r.dropbox.page = 1000
					r.calm()
					for f := range files / perFolder {
						folder := r.odoo.addFolder(order1, fmt.Sprintf("folder %d", f))
						for i := range perFolder {
							r.odoo.addFile(folder, fmt.Sprintf("%d.txt", i), fmt.Appendf(nil, "file %d of %d", i, f))
						}
					}
					r.clock = r.clock.Add(time.Minute)
					b.StartTimer()
					r.step(Event{})
					r.calm()
					b.StopTimer()
					if got, want := len(r.dropbox.bytes), files; got != want {
						b.Fatalf("%d files in Dropbox, want %d", got, want)
					}
					r.close()
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(files*b.N), "us/file")
			})
		}
	}
}

// BenchmarkSend takes new files of a mount to Odoo. It too must not cost more
// for each when they are many.
func BenchmarkSend(b *testing.B) {
	for _, files := range []int{2000, 20000} {
		b.Run(fmt.Sprintf("files=%d", files), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				r := newRig(b, 1, func(o *Options) { o.Ledger, o.Dropbox = nil, nil })
				r.calm()
				for i := range files {
					r.mountWrites("Sales Orders/S00001", fmt.Sprintf("%d.txt", i), fmt.Appendf(nil, "file %d", i))
				}
				b.StartTimer()
				r.calm()
				b.StopTimer()
				r.close()
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(files*b.N), "us/file")
		})
	}
}
