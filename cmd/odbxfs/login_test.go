package main

import (
	"io"
	"net/http"
	"os"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var (
	pageForm = regexp.MustCompile(`https?://\S+/oauth2/authorize\?\S+`)
	codeForm = regexp.MustCompile(`value="([^"]+)"`)
)

// allow is a person with a browser: it waits for the sign-in page's address in
// a program's output, opens it, and allows the app. The browser follows to
// where it is sent; with a second file the code that the page shows is written
// there: allow OUTPUT [INPUT].
func allow(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: allow output [input]")
	}
	var page []byte
	for end := time.Now().Add(time.Minute); page == nil; time.Sleep(20 * time.Millisecond) {
		if data, err := os.ReadFile(ts.MkAbs(args[0])); err == nil {
			page = pageForm.Find(data)
		}
		if time.Now().After(end) {
			ts.Fatalf("no address of a sign-in page in %s", args[0])
		}
	}
	resp, err := http.Get(string(page))
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if len(args) == 1 {
		return
	}
	m := codeForm.FindSubmatch(body)
	if m == nil {
		ts.Fatalf("the page shows no code: %s", body)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), append(m[1], '\n'), 0o600))
}
