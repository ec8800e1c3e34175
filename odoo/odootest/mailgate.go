package odootest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
)

// messageProcess is mail.thread.message_process as far as a fetched mail goes
// that belongs to a record: its text becomes a message there, each attached file
// a document of the record. Replies are not matched: thread_id says where.
func messageProcess(t *tx, _ *model, a args) (any, *fault) {
	name, _ := a.get(0, "model").(string)
	m, f := t.model(name)
	if f != nil {
		return nil, f
	}
	id := numberOf(a.get(5, "thread_id"))
	if m.rows[id] == nil {
		return nil, unforeseen("ValueError", "No possible route found for incoming message. Create an appropriate mail.alias or force the destination model.")
	}
	var text []byte
	switch raw := a.get(1, "message").(type) {
	case string:
		text = []byte(raw)
	case []byte:
		text = raw
	}
	body, files, err := parseMail(text)
	if err != nil {
		return nil, unforeseen("ValueError", "%v", err)
	}
	documents := t.must("ir.attachment")
	var atts []int64
	for _, file := range files {
		vals := map[string]any{"name": file.name, "raw": file.data, "res_model": name, "res_id": id}
		att, f := t.create(documents, vals)
		if f != nil {
			return nil, f
		}
		atts = append(atts, att)
	}
	t.insert(t.must("mail.message"), record{"body": body, "model": name, "res_id": id, "attachment_ids": atts, "message_type": "email"})
	return id, nil
}

// mailFile is a file that came with a mail.
type mailFile struct {
	name string
	data []byte
}

// parseMail gives a mail's text and its files.
func parseMail(raw []byte) (body string, files []mailFile, err error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return "", nil, err
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		text, err := io.ReadAll(decoded(m.Header.Get("Content-Transfer-Encoding"), m.Body))
		return string(text), nil, err
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return body, files, nil
		}
		if err != nil {
			return "", nil, err
		}
		data, err := io.ReadAll(decoded(p.Header.Get("Content-Transfer-Encoding"), p))
		if err != nil {
			return "", nil, err
		}
		if name := p.FileName(); name != "" {
			files = append(files, mailFile{name, data})
		} else {
			body += string(data)
		}
	}
}

func decoded(encoding string, r io.Reader) io.Reader {
	switch strings.ToLower(encoding) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		return quotedprintable.NewReader(r)
	}
	return r
}
