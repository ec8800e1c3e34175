package odoo

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"reflect"

	"odbxfs"
	"odbxfs/odoo/internal/wire"
)

const (
	// batchOps and batchBytes bound one call of apply: Odoo works on it in one
	// transaction, and holds its content in memory several times.
	batchOps   = 200
	batchBytes = 8 << 20
	// partBytes is the size of the parts of what is larger than batchBytes.
	partBytes = 8 << 20
)

// errLeaseLost says that another took the lease of a cloud client.
var errLeaseLost = errors.New("another process has the lease of this cloud client")

// apply carries the writes out, in order, in batches of one transaction each.
// Each write is checked and done on its own inside its batch: one that fails
// leaves the others alone. An error means that the fate of no write is known;
// where a later batch breaks off, its writes are Failed with that error.
func (a *actions) apply(ctx context.Context, ops []odbxfs.OdooOp, leases []any) ([]odbxfs.OdooResult, error) {
	if err := a.c.SignIn(ctx); err != nil { // from here on the transport is known
		return nil, err
	}
	out := make([]odbxfs.OdooResult, len(ops))
	for start := 0; start < len(ops); {
		end, sent, err := a.batch(ctx, ops, start, out)
		if err == nil {
			err = a.send(ctx, ops, sent, leases, out)
		}
		if err != nil {
			if start == 0 {
				return nil, err
			}
			for i := start; i < len(ops); i++ {
				out[i] = odbxfs.OdooResult{Outcome: odbxfs.Failed, Err: err}
			}
			return out, nil
		}
		start = end
	}
	return out, nil
}

// sentOp is a write on its way: its place in the caller's list, and its form.
type sentOp struct {
	at   int
	form map[string]any
}

// batch collects writes from start on until one of the bounds is met. Those
// whose content cannot be read are answered here.
func (a *actions) batch(ctx context.Context, ops []odbxfs.OdooOp, start int, out []odbxfs.OdooResult) (end int, sent []sentOp, err error) {
	room := int64(batchBytes)
	for end = start; end < len(ops) && len(sent) < batchOps; end++ {
		op := ops[end]
		form, err := wire.Op(op)
		if err != nil {
			return end, nil, argumentError("write to Odoo", err)
		}
		if err := a.carried(form); err != nil {
			out[end] = odbxfs.OdooResult{Outcome: odbxfs.Refused, Err: err}
			continue
		}
		if op.Content == nil {
			sent = append(sent, sentOp{end, form})
			continue
		}
		if op.Size > room && room < batchBytes {
			return end, sent, nil // not the first content of this batch: the next one takes it
		}
		if err := a.attach(ctx, op, form); err != nil {
			if outage(err) {
				return end, nil, err
			}
			outcome := odbxfs.Failed
			if odbxfs.IsKind(err, odbxfs.KindTooLarge) {
				outcome = odbxfs.Refused
			}
			out[end] = odbxfs.OdooResult{Outcome: outcome, Err: err}
			continue
		}
		room -= op.Size
		sent = append(sent, sentOp{end, form})
	}
	return end, sent, nil
}

// carried refuses a write with a text that the transport or Odoo cannot take:
// it would fail its whole batch.
func (a *actions) carried(form map[string]any) error {
	err := checkText(form)
	if err == nil && a.c.Transport() == XMLRPC {
		_, err = xmlValue(reflect.ValueOf(form))
	}
	if err != nil {
		return &odbxfs.Error{Op: "write to Odoo", Kind: odbxfs.KindName, Err: err}
	}
	return nil
}

// outage reports whether an error concerns the server or the caller and not
// the write at hand.
func outage(err error) bool {
	switch odbxfs.KindOf(err) {
	case odbxfs.KindUnavailable, odbxfs.KindCredentials, odbxfs.KindSettings, odbxfs.KindUnsupported, odbxfs.KindRateLimited:
		return true
	default:
		return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	}
}

// attach puts the content into the write's form: inline when it is small, else
// as parts that are sent before.
func (a *actions) attach(ctx context.Context, op odbxfs.OdooOp, form map[string]any) error {
	const what = "send content"
	if op.Size > odbxfs.MaxFileSize {
		return &odbxfs.Error{Op: what, Item: op.Name, Kind: odbxfs.KindTooLarge, Err: fmt.Errorf("%d bytes; Odoo keeps sizes in 31 bits", op.Size)}
	}
	r, err := op.Content(ctx)
	if err != nil {
		return fmt.Errorf("open content: %w", err)
	}
	sum := sha1.New()
	if op.Size <= batchBytes {
		err = a.inline(op, r, sum, form)
	} else {
		err = a.parts(ctx, op, r, sum, form)
	}
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	got := hex.EncodeToString(sum.Sum(nil))
	if op.SHA1 != "" && string(op.SHA1) != got {
		return &odbxfs.Error{Op: what, Item: op.Name, Kind: odbxfs.KindCorrupt, Err: fmt.Errorf("content has sha1 %s, announced was %s", got, op.SHA1)}
	}
	form["sha1"] = got
	return nil
}

func (a *actions) inline(op odbxfs.OdooOp, r io.Reader, sum hash.Hash, form map[string]any) error {
	var text bytes.Buffer
	enc := base64.NewEncoder(base64.StdEncoding, &text)
	n, err := io.Copy(io.MultiWriter(enc, sum), io.LimitReader(r, op.Size+1))
	if err := errors.Join(err, enc.Close()); err != nil {
		return fmt.Errorf("read content: %w", err)
	}
	if n != op.Size {
		return sizeError(op, n)
	}
	form["content"] = text.String()
	return nil
}

func sizeError(op odbxfs.OdooOp, n int64) error {
	return &odbxfs.Error{Op: "send content", Item: op.Name, Kind: odbxfs.KindCorrupt, Err: fmt.Errorf("content has %d bytes or more, announced were %d", n, op.Size)}
}

func (a *actions) parts(ctx context.Context, op odbxfs.OdooOp, r io.Reader, sum hash.Hash, form map[string]any) error {
	var ids []int64
	var total int64
	buf := make([]byte, partBytes)
	for {
		n, err := io.ReadFull(r, buf)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("read content: %w", err)
		}
		if n == 0 {
			break
		}
		if total += int64(n); total > op.Size {
			return sizeError(op, total)
		}
		sum.Write(buf[:n])
		var w struct {
			ID int64 `odoo:"id"`
		}
		if err := a.run(ctx, "upload", map[string]any{"content": base64.StdEncoding.EncodeToString(buf[:n])}, &w); err != nil {
			return err
		}
		ids = append(ids, w.ID)
	}
	if total != op.Size {
		return sizeError(op, total)
	}
	form["parts"] = ids
	return nil
}

func (a *actions) send(ctx context.Context, ops []odbxfs.OdooOp, sent []sentOp, leases []any, out []odbxfs.OdooResult) error {
	if len(sent) == 0 {
		return nil
	}
	forms := make([]any, len(sent))
	for i, s := range sent {
		forms[i] = s.form
	}
	arg := map[string]any{"ops": forms}
	if len(leases) > 0 {
		arg["leases"] = leases
	}
	var w wire.Results
	if err := a.run(ctx, "apply", arg, &w); err != nil {
		return err
	}
	if w.Lost != 0 {
		return &odbxfs.Error{Op: "write to Odoo", Kind: odbxfs.KindAccess, Err: errLeaseLost}
	}
	if len(w.Results) != len(sent) {
		return answerError("write to Odoo", fmt.Errorf("%d results for %d writes", len(w.Results), len(sent)))
	}
	for i, s := range sent {
		item := ops[s.at].Ref.String()
		if item == "" {
			item = ops[s.at].Name
		}
		res, err := w.Results[i].Odoo("write to Odoo", item)
		if err != nil {
			return answerError("write to Odoo", err)
		}
		out[s.at] = res
	}
	return nil
}
