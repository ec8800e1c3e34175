package scenario

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"odbxfs/integration/lab"
	"odbxfs/sync/dropbox/dropboxtest"
)

// setClient writes the row of the world's cloud client, as its page does.
func (w *World) setClient(t *testing.T, vals map[string]any) {
	t.Helper()
	id := w.first(t, "x_odbxfs_client", [][]any{{"x_name", "=", "Demo"}})
	must(t, w.odoo.call(t.Context(), "x_odbxfs_client", "write", []any{[]int64{id}, vals}, nil, nil))
}

// policy sets what links the client makes, and waits until the syncer has it: a
// pause that is set by the same write shows in its status.
func (w *World) policy(t *testing.T, links string) {
	t.Helper()
	w.setClient(t, map[string]any{"x_links": links, "x_paused": true})
	w.eventually(t, "the new policy is known", func() error { return w.statusHas(t, "cloud client Demo: paused") })
	w.setClient(t, map[string]any{"x_paused": false})
	w.eventually(t, "the client goes on", func() error { return w.statusHas(t, "cloud client Demo: connected") })
}

// noLinks: under policy none a document's url opens for those who sign in to
// Dropbox only. A mount without Dropbox says EACCES, and status says why.
func noLinks(t *testing.T, w *World) {
	id, name := w.order(t)
	w.policy(t, "none")
	defer w.policy(t, "public")
	must(t, os.WriteFile(w.in("Sales Orders", name, "none.txt"), []byte("bytes of "+name), 0o644))
	link := w.one(t, "sale.order", id, "none.txt", isLink).URL
	if !strings.HasSuffix(link, "/home/Odoo/Sales%20Orders/"+name+"/none.txt") {
		t.Errorf("the link leads to %s", link)
	}
	other := w.another(t)
	other.startProcess(t, "mount")
	defer other.down(t)
	path := other.in("Sales Orders", name, "none.txt")
	other.eventually(t, "the open fails with EACCES", func() error {
		_, err := os.ReadFile(path)
		if !errors.Is(err, syscall.EACCES) {
			return fmt.Errorf("it answers %w", err)
		}
		return nil
	})
	status, _ := other.odbxfs(t, "status", "--of", "mount")
	if !strings.Contains(status, "could not be opened") || !strings.Contains(status, "none.txt") || !strings.Contains(status, "its link is not public") {
		t.Errorf("status does not say why:\n%s", status)
	}
	// A mount with an empty store could not show it to the scenarios that follow.
	// In Odoo, because the mount's guard would count it with what others removed.
	must(t, w.odoo.call(t.Context(), "ir.attachment", "unlink", []any{[]int64{w.one(t, "sale.order", id, "none.txt", isLink).ID}}, nil, nil))
	w.eventually(t, "it is gone", func() error {
		return errors.Join(none(w.odoo.documents(t, "sale.order", id)), gone(w.box2("Sales Orders", name, "none.txt")))
	})
}

// policies: the links of a client follow its policy. Under "none" the old one ends;
// for a team no stranger opens it; an account that has no team makes none, and says
// what to choose.
func policies(t *testing.T, w *World) {
	id, name := w.order(t)
	defer w.policy(t, "public")
	must(t, os.WriteFile(w.in("Sales Orders", name, "open.txt"), []byte("open"), 0o644))
	public := w.one(t, "sale.order", id, "open.txt", isLink).URL
	w.eventually(t, "everybody opens it", func() error { return answers(public, http.StatusOK, "open") })
	w.policy(t, "none")
	w.eventually(t, "the page asks for a login, and the link has ended", func() error {
		link := w.one(t, "sale.order", id, "open.txt", isLink).URL
		if !strings.HasSuffix(link, "/home/Odoo/Sales%20Orders/"+name+"/open.txt") {
			return fmt.Errorf("the link leads to %s", link)
		}
		return errors.Join(answers(link, http.StatusOK, "Login - Dropbox"), answers(public, http.StatusNotFound, "not found"))
	})
	w.box.BecomeKind(dropboxtest.Business)
	defer w.box.BecomeKind(dropboxtest.Basic)
	w.policy(t, "team_only")
	w.eventually(t, "it is a link that asks strangers for a login", func() error {
		link := w.one(t, "sale.order", id, "open.txt", isLink).URL
		if strings.Contains(link, "/home/") {
			return fmt.Errorf("the link leads to %s", link)
		}
		return answers(link, http.StatusOK, "Login - Dropbox")
	})
	w.box.BecomeKind(dropboxtest.Basic)
	must(t, os.WriteFile(w.in("Sales Orders", name, "bound.txt"), []byte("bound"), 0o644))
	w.says(t, w.commands()[0], "bound.txt", "not_authorized")
	w.one(t, "sale.order", id, "bound.txt", func(d document) error { return binaryOf(d, "bound") })
	w.policy(t, "public")
	for _, n := range []string{"open", "bound"} {
		w.eventually(t, "everybody opens it again", func() error {
			return answers(w.one(t, "sale.order", id, n+".txt", isLink).URL, http.StatusOK, n)
		})
	}
}

// answers opens an address as somebody without a login would.
func answers(link string, status int, text string) error {
	resp, err := http.Get(strings.Replace(link, "dl=0", "dl=1", 1))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != status || !strings.Contains(string(body), text)) {
		err = fmt.Errorf("%s: %s, %q", link, resp.Status, clip(string(body)))
	}
	return err
}

var anchor = regexp.MustCompile(`<a [^>]*href="([^"]*/web/content/[^"]*)"`)

// mailed: a mail with a converted document carries a link that its reader can
// open, and the real files as such; never an empty file.
func mailed(t *testing.T, w *World) {
	id, name := w.order(t)
	content, image := pdf+"mailed "+name, picture(60, 40)
	must(t, os.WriteFile(w.in("Sales Orders", name, "offer.pdf"), []byte(content), 0o644))
	must(t, os.WriteFile(w.in("Sales Orders", name, "sketch.png"), []byte(image), 0o644))
	link := w.one(t, "sale.order", id, "offer.pdf", isLink)
	real := w.one(t, "sale.order", id, "sketch.png", func(d document) error { return binaryOf(d, image) })
	// The in-memory Odoo sends no mails and runs no automation: there it is
	// shown that the automation stands, and that the link which it writes opens.
	var automations []struct {
		ModelID any    `json:"model_id"`
		Trigger string `json:"trigger"`
		Active  bool   `json:"active"`
	}
	must(t, w.odoo.call(t.Context(), "base.automation", "search_read", []any{[]any{[]any{"name", "=", "Odbxfs: links in mails"}}, []string{"model_id", "trigger", "active"}}, nil, &automations))
	if len(automations) != 1 || automations[0].Trigger != "on_create" || !automations[0].Active {
		t.Fatalf("the automation on outgoing mails: %+v", automations)
	}
	base, database := w.odoo.address()
	srv := w.odoo.real()
	if srv == nil {
		var tokens []string
		must(t, w.odoo.call(t.Context(), "ir.attachment", "generate_access_token", []any{[]int64{link.ID}}, nil, &tokens))
		w.opensFile(t, fmt.Sprintf("%s/web/content/%d?download=1&access_token=%s", base, link.ID, tokens[0]), database, content)
		return
	}
	sink := lab.StartSink(t)
	must(t, srv.UseSink(t.Context(), sink))
	must(t, w.odoo.call(t.Context(), "ir.config_parameter", "set_param", []any{"web.base.url", base}, nil, nil))
	var reader int64
	must(t, w.odoo.call(t.Context(), "res.partner", "create", []any{map[string]any{"name": "Reader", "email": "reader@example.com"}}, nil, &reader))
	must(t, w.odoo.call(t.Context(), "sale.order", "message_post", []any{[]int64{id}}, map[string]any{
		"body": "Our offer", "subject": "Offer " + name, "message_type": "comment", "subtype_xmlid": "mail.mt_comment",
		"partner_ids": []int64{reader}, "attachment_ids": []int64{link.ID, real.ID},
	}, nil))
	must(t, srv.RunCron(t.Context(), "mail.ir_cron_mail_scheduler_action"))
	var letter lab.Letter
	w.eventually(t, "the mail arrives", func() error {
		for _, m := range sink.Messages() {
			if slices.Contains(m.To, "reader@example.com") {
				var err error
				letter, err = m.Parse()
				return err
			}
		}
		return fmt.Errorf("%d mails, none to the reader", len(sink.Messages()))
	})
	w.judgeLetter(t, letter, content, image, database)
	// What was posted stands in the chatter as it was.
	if d := w.one(t, "sale.order", id, "offer.pdf", isLink); d.ID != link.ID || d.URL != link.URL {
		t.Errorf("the mail changed the document: %+v", d)
	}
}

func (w *World) judgeLetter(t *testing.T, letter lab.Letter, content, image, database string) {
	t.Helper()
	var files []string
	for _, a := range letter.Attachments {
		files = append(files, a.Name)
		if len(a.Content) == 0 {
			t.Errorf("the mail carries %s as an empty file", a.Name)
		}
		if a.Name == "sketch.png" && string(a.Content) != image {
			t.Errorf("sketch.png arrives with %d bytes of %d", len(a.Content), len(image))
		}
	}
	if !slices.Equal(files, []string{"sketch.png"}) {
		t.Errorf("the mail carries the files %v", files)
	}
	links := anchor.FindAllStringSubmatch(letter.HTML, -1)
	if len(links) != 1 {
		t.Fatalf("%d links in the mail:\n%s", len(links), letter.HTML)
	}
	w.opensFile(t, html.UnescapeString(links[0][1]), database, content)
}

// opensFile follows a link of Odoo's as a reader's browser does, without any
// login: it leads to a page of Dropbox's about the file, which gives the bytes.
func (w *World) opensFile(t *testing.T, url, database, content string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	must(t, err)
	// A server of one database, as a deployed one is, needs no such header.
	req.Header.Set("X-Odoo-Database", database)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	must(t, err)
	at := resp.Request.URL
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(at.String(), w.box.URL()+"/scl/fi/") {
		t.Fatalf("%s leads to %s: %s", url, at, resp.Status)
	}
	opens(t, at.String(), content)
}
