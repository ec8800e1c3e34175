package peers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// remoteFile is what list_folder says of a file.
type remoteFile struct {
	Tag  string `json:".tag"`
	Path string `json:"path_display"`
	Hash string `json:"content_hash"`
}

// remotePage is list_folder's answer, or its error.
type remotePage struct {
	Entries []remoteFile `json:"entries"`
	Cursor  string       `json:"cursor"`
	More    bool         `json:"has_more"`
	Error   string       `json:"error_summary"`
}

// ask calls a route of files. That a folder is not there is no error here.
func ask(ctx context.Context, client *http.Client, route string, arg map[string]any, page *remotePage) error {
	body, err := json.Marshal(arg)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api.dropboxapi.com/2/files/"+route, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer token")
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	err = errors.Join(json.NewDecoder(resp.Body).Decode(page), resp.Body.Close())
	page.Error = strings.TrimRight(page.Error, "./")
	if err == nil && resp.StatusCode != http.StatusOK && page.Error != "path/not_found" {
		err = fmt.Errorf("%s: %d %s", route, resp.StatusCode, page.Error)
	}
	return err
}
