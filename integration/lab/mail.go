package lab

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
)

// A Mail is one mail as it came over the wire.
type Mail struct {
	From string   // of the envelope
	To   []string // of the envelope
	Raw  []byte   // header and body
}

// A Letter is a mail taken apart, as its reader would see it.
type Letter struct {
	Subject     string
	Text        string // the first text/plain part that is no attachment
	HTML        string // the first text/html part that is no attachment
	Attachments []Attachment
}

// An Attachment is a file in a mail.
type Attachment struct {
	Name    string
	Type    string // media type, without parameters
	Inline  bool   // shown in the text by a Content-ID
	Content []byte // decoded; its length is the file's size
}

// Parse takes a mail apart. Texts are taken to be UTF-8, which is what Odoo
// sends.
func (m Mail) Parse() (Letter, error) {
	msg, err := mail.ReadMessage(bytes.NewReader(m.Raw))
	if err != nil {
		return Letter{}, fmt.Errorf("lab: mail: %w", err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil {
		return Letter{}, fmt.Errorf("lab: mail's subject: %w", err)
	}
	l := Letter{Subject: subject}
	err = l.part(textproto.MIMEHeader(msg.Header), msg.Body)
	return l, err
}

// part adds one part, and those inside it, to the letter.
func (l *Letter) part(h textproto.MIMEHeader, body io.Reader) error {
	kind := h.Get("Content-Type")
	if kind == "" {
		kind = "text/plain"
	}
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		return fmt.Errorf("lab: mail's content type %q: %w", kind, err)
	}
	if strings.HasPrefix(media, "multipart/") {
		return l.parts(multipart.NewReader(body, params["boundary"]))
	}
	content, err := decodePart(h.Get("Content-Transfer-Encoding"), body)
	if err != nil {
		return err
	}
	disposition, dparams, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	if err != nil && h.Get("Content-Disposition") != "" {
		return fmt.Errorf("lab: mail's disposition: %w", err)
	}
	name := dparams["filename"]
	if name == "" {
		name = params["name"]
	}
	switch {
	case disposition == "attachment" || name != "":
		l.Attachments = append(l.Attachments, Attachment{
			Name: decodeWord(name), Type: media, Inline: h.Get("Content-Id") != "" && disposition != "attachment", Content: content,
		})
	case media == "text/html" && l.HTML == "":
		l.HTML = string(content)
	case media == "text/plain" && l.Text == "":
		l.Text = string(content)
	}
	return nil
}

func (l *Letter) parts(r *multipart.Reader) error {
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("lab: mail's parts: %w", err)
		}
		if err := l.part(p.Header, p); err != nil {
			return err
		}
	}
}

func decodePart(encoding string, body io.Reader) ([]byte, error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("lab: mail's part: %w", err)
	}
	return b, nil
}

// decodeWord decodes a file name in the old encoding; a name that is not in it
// is the name itself.
func decodeWord(s string) string {
	if d, err := new(mime.WordDecoder).DecodeHeader(s); err == nil {
		return d
	}
	return s
}
