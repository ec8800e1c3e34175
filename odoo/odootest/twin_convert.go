package odootest

import (
	"maps"
	"slices"
	"strings"

	"odbxfs/odoo/internal/wire"
)

// The twin of convert_lib.py, as far as this server has the models.

var (
	neverLinks      = []string{"mail.template", "mail.compose.message", "product.document", "quotation.document", "account.edi.document"}
	neverPrefix     = []string{"ir.", "sign.", "documents.", "spreadsheet."}
	harmlessFields  = []string{"mail.message.attachment_ids", "ir.attachment.original_id"}
	mainKept        = []string{"account.move", "account.bank.statement", "hr.expense"}
	transientModels = []string{"mail.compose.message"}
)

func retained(why string, soon bool) *wire.Result {
	return &wire.Result{Out: "retained", Reason: why, Soon: soon}
}

// referred finds a stored field that refers to a document, and whether its
// model is a passing one.
func (c *twinCall) referred(id int64) (string, bool) {
	for _, name := range slices.Sorted(maps.Keys(c.db.models)) {
		m := c.db.models[name]
		for _, field := range slices.Sorted(maps.Keys(m.fields)) {
			fl := m.fields[field]
			full := name + "." + field
			if fl.relation != documents || fl.compute != nil || fl.kind != "many2one" && fl.kind != "many2many" || slices.Contains(harmlessFields, full) ||
				field == "message_main_attachment_id" && !slices.Contains(mainKept, name) {
				continue
			}
			for _, r := range m.rows {
				if r.num(field) == id || slices.Contains(r.list(field), id) {
					return full, slices.Contains(transientModels, name)
				}
			}
		}
	}
	return "", false
}

// keep says why a document stays in Odoo; nil when it may become a link.
func (c *twinCall) keep(r *row) *wire.Result {
	switch {
	case r.kind != "binary" || r.url != "":
		return retained("it is no binary document", false)
	case r.public:
		return retained("it is public", false)
	case slices.Contains(neverLinks, r.model) || slices.ContainsFunc(neverPrefix, func(p string) bool { return strings.HasPrefix(r.model, p) }):
		return retained("documents of "+r.model+" are read by Odoo", false)
	case strings.HasPrefix(r.mime, "image/"):
		return retained("pictures may stand in texts", false)
	case r.mime == "application/pdf" && len(c.rows("ir.actions.report", func(_ int64, a record) bool {
		return a.str("model") == r.model && a.yes("attachment_use") && a.str("attachment") != ""
	})) > 0:
		return retained("stored reports are printed from it", false)
	case len(c.rows("mail.mail", func(_ int64, mail record) bool {
		waits := mail.str("state") == "outgoing" || mail.str("state") == "exception"
		return waits && slices.Contains(c.must("mail.message").rows[mail.num("mail_message_id")].list("attachment_ids"), r.id)
	})) > 0:
		return retained("a mail with it is not sent yet", true)
	}
	if name, passing := c.referred(r.id); name != "" {
		return retained(name+" refers to it", passing)
	}
	return nil
}

// relink gives a copy of one of our links a Dropbox file of its own.
func (c *twinCall) relink(op map[string]any, id int64, url string) wire.Result {
	vals := c.hints(op, map[string]any{"url": url, "x_odbxfs_size": float64(c.numberOr0(op["size"]))})
	if mimetype := c.text(op["mimetype"]); mimetype != "" {
		vals["mimetype"], vals["x_odbxfs_mimetype"] = shownType(mimetype), mimetype
	}
	c.root(func() *fault { return c.write(c.must(documents), id, vals) })
	c.setChecksum(id, c.text(op["sha1"]))
	return done(refTo("att", id))
}

// keptIn is keep's answer with the document's name.
func (c *twinCall) keptIn(r *row) *wire.Result {
	kept := c.keep(r)
	if kept != nil {
		kept.Ref = refTo("att", r.id)
	}
	return kept
}

func (c *twinCall) mayConvert(op map[string]any) wire.Result {
	r := c.document(c.parse(c.text(op["ref"])).id)
	if r == nil {
		return wire.Result{Out: "gone"}
	}
	ref := refTo("att", r.id)
	if r.kind == "url" {
		return done(ref)
	}
	if !c.holds(op, r) {
		return wire.Result{Out: "changed", Ref: ref}
	}
	if kept := c.keptIn(r); kept != nil {
		return *kept
	}
	return done(ref)
}

func (c *twinCall) convert(op map[string]any) wire.Result {
	id := c.parse(c.text(op["ref"])).id
	r := c.document(id)
	if r == nil {
		return wire.Result{Out: "gone"}
	}
	ref, url := refTo("att", id), c.text(op["url"])
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		return refused("invalid", "a link without a url")
	}
	if r.kind == "url" && r.url == url {
		return done(ref)
	}
	if !c.holds(op, r) {
		return wire.Result{Out: "changed", Ref: ref}
	}
	if r.kind == "url" && c.ourURL(r.url) {
		return c.relink(op, id, url)
	}
	if kept := c.keptIn(r); kept != nil {
		return *kept
	}
	size := c.numberOr0(op["size"])
	if size == 0 {
		size = c.must(documents).rows[id].num("file_size")
	}
	mimetype := firstText(c.text(op["mimetype"]), r.mime)
	row := mimetype
	if shownType(mimetype) != mimetype {
		row = shownType(r.mime)
	}
	vals := c.hints(op, map[string]any{"type": "url", "url": url, "datas": false, "mimetype": row, "x_odbxfs_mimetype": mimetype, "x_odbxfs_size": float64(size)})
	if f := catch(func() { c.root(func() *fault { return c.write(c.must(documents), id, vals) }) }); f != nil {
		if f.code() == 1 {
			c.raise(f)
		}
		kept := retained("Odoo refuses: "+f.message, false)
		kept.Ref = ref
		return *kept
	}
	c.setChecksum(id, r.sha1)
	return done(ref)
}

func (c *twinCall) restore(op map[string]any) wire.Result {
	id := c.parse(c.text(op["ref"])).id
	r := c.documentAnywhere(id)
	if r == nil {
		return wire.Result{Out: "gone"}
	}
	if r.kind == "binary" && r.url == "" && r.sha1 == c.text(op["sha1"]) {
		return done(refTo("att", id))
	}
	e, _ := op["expect"].(map[string]any)
	same := r.kind == "url" && r.url == c.text(e["url"])
	if r.inside {
		same = c.holds(op, r)
	}
	if !same {
		return wire.Result{Out: "changed", Ref: refTo("att", id)}
	}
	vals := c.hints(op, c.content(op))
	toBinary(vals)
	vals["mimetype"] = firstText(c.text(op["mimetype"]), r.truth, r.mime, "application/octet-stream")
	c.root(func() *fault { return c.write(c.must(documents), id, vals) })
	return c.verified(op, id)
}

func (c *twinCall) settle(op map[string]any) wire.Result { return done(c.text(op["ref"])) }
