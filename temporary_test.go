package odbxfs

import "testing"

func TestTemporaryNamesAreThoseOfProgramsAndNotOfPeople(t *testing.T) {
	for _, name := range []string{
		".~lock.offer.odt#", "~$offer.docx", "~WRD0001.tmp", ".offer.txt.swp", ".offer.txt.swo", ".x.swx",
		".goutputstream-A1B2C3", ".fuse_hidden0000001", "Thumbs.db", "thumbs.db", "desktop.ini", ".DS_Store", "index.lock",
	} {
		if !TemporaryName(name) {
			t.Errorf("%q would be sent", name)
		}
	}
	for _, name := range []string{
		"", ".", "a", "offer.odt", "offer.odt~", "offer.bak", "offer.tmp", "~offer", "yarn.lock", "Cargo.lock", ".env",
		".env.sample", "a.swp", ".swp", ".sw", ".x.swz", ".x.sw", "lock.offer.odt#", "x~$y", "notes ~ draft.tmp.txt",
	} {
		if TemporaryName(name) {
			t.Errorf("%q would never be sent", name)
		}
	}
}
