package lab

import (
	"context"
	"errors"
	"net/smtp"
	"strings"
	"testing"
	"time"
)

// crlf makes a mail's lines end as they do on the wire.
func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

const richMail = `From: a@example.com
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
Content-Type: multipart/mixed; boundary="o"

--o
Content-Type: multipart/alternative; boundary="i"

--i
Content-Type: text/plain; charset="utf-8"

plain
--i
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

<a href=3D"http://x/y?a=3D1">a l=
ink</a>
--i--
--o
Content-Type: application/pdf
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename*=utf-8''%C3%A4.pdf

JVBE
Rg==
--o
Content-Type: text/plain; name="=?utf-8?b?w6Q=?=.txt"
Content-Disposition: attachment

--o
Content-Type: image/png; name="p.png"
Content-Id: <1>
Content-Disposition: inline

png
--o--
`

func TestALetterIsTakenApart(t *testing.T) {
	l, err := Mail{Raw: crlf(richMail)}.Parse()
	if err != nil {
		t.Fatal(err)
	}
	if l.Subject != "Grüße" || l.Text != "plain" || l.HTML != `<a href="http://x/y?a=1">a link</a>` {
		t.Errorf("subject %q, text %q, HTML %q", l.Subject, l.Text, l.HTML)
	}
	want := []Attachment{
		{Name: "ä.pdf", Type: "application/pdf", Content: []byte("%PDF")},
		{Name: "ä.txt", Type: "text/plain"},
		{Name: "p.png", Type: "image/png", Inline: true, Content: []byte("png")},
	}
	if len(l.Attachments) != len(want) {
		t.Fatalf("attachments %+v", l.Attachments)
	}
	for i, w := range want {
		got := l.Attachments[i]
		if got.Name != w.Name || got.Type != w.Type || got.Inline != w.Inline || string(got.Content) != string(w.Content) {
			t.Errorf("attachment %d is %+v, want %+v", i, got, w)
		}
	}
}

func TestALetterWithoutPartsIsText(t *testing.T) {
	l, err := Mail{Raw: crlf("Subject: x\n\nhello")}.Parse()
	if err != nil || l.Text != "hello" || l.HTML != "" || len(l.Attachments) != 0 {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestABrokenMailIsAnError(t *testing.T) {
	for name, raw := range map[string]string{
		"no header":         "hello",
		"parts without end": "Content-Type: multipart/mixed; boundary=x\n\n--x\nA: b\n\nc",
		"broken base64":     "Content-Transfer-Encoding: base64\n\n!!!!",
	} {
		if _, err := (Mail{Raw: crlf(raw)}).Parse(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestTheSinkTakesMailsAndSaysWhenTheyAreThere(t *testing.T) {
	k := StartSink(t)
	got := make(chan int, 1)
	go func() {
		mails, err := k.Wait(t.Context(), 2)
		if err != nil {
			t.Error(err)
		}
		got <- len(mails)
	}()
	for _, to := range []string{"a@example.com", "b@example.com"} {
		if err := smtp.SendMail(k.Addr, nil, "from@example.com", []string{to, "c@example.com"}, crlf("Subject: to "+to+"\n\nx")); err != nil {
			t.Fatal(err)
		}
	}
	if n := <-got; n != 2 {
		t.Errorf("the waiter got %d mails", n)
	}
	m := k.Messages()
	if len(m) != 2 || m[1].From != "from@example.com" || strings.Join(m[1].To, " ") != "b@example.com c@example.com" {
		t.Errorf("the sink has %+v", m)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := k.Wait(ctx, 3); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for a mail that nobody sends: %v", err)
	}
}
