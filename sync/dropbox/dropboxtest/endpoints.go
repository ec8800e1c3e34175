package dropboxtest

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Endpoint is one row of docs/dropbox-endpoints.md: a route or page, and what
// confirms that it behaves as Dropbox does.
type Endpoint struct {
	Route    string   // as Request.Route
	Recorded int      // how many recordings of the real service there are
	Clients  []string // whose tests call it
	Guessed  string   // what neither settles; "-": nothing
}

// ReadEndpoints reads the table of a file. Tests of clients compare it with
// what they called.
func ReadEndpoints(file string) ([]Endpoint, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read table of endpoints: %w", err)
	}
	rows, err := parseEndpoints(string(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return rows, nil
}

// parseEndpoints takes the lines that begin with | and a quoted route.
func parseEndpoints(text string) ([]Endpoint, error) {
	var rows []Endpoint
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 4 {
			return nil, fmt.Errorf("a row of %d cells: %s", len(cells), line)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		e := Endpoint{Route: strings.Trim(cells[0], "`"), Guessed: cells[3]}
		if cells[1] != "-" {
			n, err := strconv.Atoi(cells[1])
			if err != nil {
				return nil, fmt.Errorf("recordings of %s: %w", e.Route, err)
			}
			e.Recorded = n
		}
		if cells[2] != "-" {
			e.Clients = strings.Split(cells[2], ", ")
		}
		rows = append(rows, e)
	}
	if len(rows) == 0 {
		return nil, errors.New("no row of a table of endpoints")
	}
	return rows, nil
}

// Uncalled gives the routes whose rows name a client that did not call them.
func Uncalled(rows []Endpoint, client string, calls map[string]int) []string {
	var list []string
	for _, r := range rows {
		if slices.Contains(r.Clients, client) && calls[r.Route] == 0 {
			list = append(list, r.Route)
		}
	}
	return list
}

// pages are what the server has besides the routes of /2, as Request.Route
// names them.
var pages = []string{"oauth2/authorize", "oauth2/token", "scl/fi", "scl/fo", "apitl/1", "apitul/1", "cd/0/get", "cd/0/inline", "home", "login"}
