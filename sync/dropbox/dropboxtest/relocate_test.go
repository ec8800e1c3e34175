package dropboxtest

import (
	"fmt"
	"testing"
)

// Ids that differ by the case of a letter are two files.
func TestABatchOfManyMovesById(t *testing.T) {
	a := newAccount(t, Options{})
	var entries []obj
	for i := range 500 {
		a.put(fmt.Sprintf("/a/%d", i), "x")
		entries = append(entries, obj{"from_path": a.id(fmt.Sprintf("/a/%d", i)), "to_path": fmt.Sprintf("/b/%d", i)})
	}
	for i, e := range a.job("files/move_batch/check_v2", a.rpc("files/move_batch_v2", obj{"entries": entries})) {
		equal(t, fmt.Sprint("entry ", i), e.(obj)[".tag"], any("success"))
	}
}
