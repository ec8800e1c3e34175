package dropbox

import (
	"context"
	"errors"
	"strings"

	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/files"

	"odbxfs"
)

// batchLimit is the most entries of a move, copy, delete or finish batch.
const batchLimit = 1000

// Apply carries out the writes: those of one kind that follow each other go as
// a batch, and one batch ends before the next begins. The results come in the
// order of the ops. The error is set only when the context ended.
func (c *Client) Apply(ctx context.Context, ops []odbxfs.DropboxOp) ([]odbxfs.DropboxResult, error) {
	results := make([]odbxfs.DropboxResult, 0, len(ops))
	for len(results) < len(ops) {
		rest := ops[len(results):]
		n := 1
		for n < len(rest) && n < batchLimit && rest[n].Kind == rest[0].Kind {
			n++
		}
		batch, err := c.applyBatch(ctx, rest[:n])
		if ctxErr := ctx.Err(); ctxErr != nil {
			return nil, ctxErr
		}
		if err != nil {
			batch = failAll(n, err)
		}
		results = append(results, batch...)
	}
	return results, nil
}

func (c *Client) applyBatch(ctx context.Context, ops []odbxfs.DropboxOp) ([]odbxfs.DropboxResult, error) {
	switch ops[0].Kind {
	case odbxfs.DropboxMakeFolder:
		return c.makeFolders(ctx, ops)
	case odbxfs.DropboxUpload:
		return c.upload(ctx, ops), nil
	case odbxfs.DropboxMove:
		return c.move(ctx, ops)
	case odbxfs.DropboxCopy:
		return c.copy(ctx, ops)
	case odbxfs.DropboxRemove:
		return c.remove(ctx, ops)
	}
	return nil, &odbxfs.Error{Op: "write to Dropbox", Kind: odbxfs.KindInvalid, Err: errors.New("unknown kind of write")}
}

func failAll(n int, err error) []odbxfs.DropboxResult {
	results := make([]odbxfs.DropboxResult, n)
	for i := range results {
		results[i] = failed(err)
	}
	return results
}

// failed turns an error into the outcome that it stands for.
func failed(err error) odbxfs.DropboxResult {
	switch odbxfs.KindOf(err) {
	case odbxfs.KindMissing:
		return odbxfs.DropboxResult{Outcome: odbxfs.Gone, Err: err}
	case odbxfs.KindExists, odbxfs.KindChanged:
		return odbxfs.DropboxResult{Outcome: odbxfs.Changed, Err: err}
	case odbxfs.KindName, odbxfs.KindInvalid, odbxfs.KindTooLarge, odbxfs.KindUnsupported, odbxfs.KindAccess:
		return odbxfs.DropboxResult{Outcome: odbxfs.Refused, Err: err}
	default:
		return odbxfs.DropboxResult{Outcome: odbxfs.Failed, Err: err}
	}
}

func done(n *odbxfs.DropboxNode) odbxfs.DropboxResult {
	return odbxfs.DropboxResult{Outcome: odbxfs.Done, Node: n}
}

func asError(err error) *odbxfs.Error {
	e, _ := errors.AsType[*odbxfs.Error](err)
	return e
}

func (c *Client) makeFolders(ctx context.Context, ops []odbxfs.DropboxOp) ([]odbxfs.DropboxResult, error) {
	const op = "make a folder in Dropbox"
	if len(ops) == 1 {
		res, err := c.files.CreateFolderV2Context(ctx, files.NewCreateFolderArg(ops[0].Path))
		if err != nil {
			return []odbxfs.DropboxResult{c.adoptFolder(ctx, ops[0].Path, wrap(op, ops[0].Path, err))}, nil
		}
		return []odbxfs.DropboxResult{done(nodeOf(res.Metadata))}, nil
	}
	paths := make([]string, len(ops))
	for i := range ops {
		paths[i] = ops[i].Path
	}
	launch, err := c.files.CreateFolderBatchContext(ctx, files.NewCreateFolderBatchArg(paths))
	if err != nil {
		return nil, wrap(op, "", err)
	}
	complete := launch.Complete
	if launch.AsyncJobId != "" {
		complete, err = poll(ctx, c, op, launch.AsyncJobId, c.folderJob)
		if err != nil {
			return nil, err
		}
	}
	if complete == nil || !each(complete.Entries, len(ops)) {
		return nil, oddAnswer(op)
	}
	results := make([]odbxfs.DropboxResult, len(ops))
	for i, entry := range complete.Entries {
		if entry.Success != nil && entry.Success.Metadata != nil {
			results[i] = done(nodeOf(entry.Success.Metadata))
		} else {
			results[i] = c.adoptFolder(ctx, paths[i], entryError(op, paths[i], entry.Failure))
		}
	}
	return results, nil
}

// adoptFolder takes a folder that stands there already for the one wanted.
func (c *Client) adoptFolder(ctx context.Context, path string, err error) odbxfs.DropboxResult {
	if !odbxfs.IsKind(err, odbxfs.KindExists) {
		return failed(err)
	}
	n, lookErr := c.metadata(ctx, path)
	switch {
	case lookErr != nil:
		return failed(lookErr)
	case n != nil && n.Kind == odbxfs.Folder:
		return done(n)
	}
	return odbxfs.DropboxResult{Outcome: odbxfs.Changed, Node: n, Err: err}
}

func relocations(ops []odbxfs.DropboxOp) []*files.RelocationPath {
	entries := make([]*files.RelocationPath, len(ops))
	for i, o := range ops {
		entries[i] = files.NewRelocationPath(string(o.ID), o.Path)
	}
	return entries
}

func (c *Client) move(ctx context.Context, ops []odbxfs.DropboxOp) ([]odbxfs.DropboxResult, error) {
	const op = "move in Dropbox"
	if len(ops) == 1 {
		res, err := c.files.MoveV2Context(ctx, files.NewRelocationArg(string(ops[0].ID), ops[0].Path))
		if err != nil {
			return []odbxfs.DropboxResult{c.settleMove(ctx, ops[0], wrap(op, ops[0].Path, err))}, nil
		}
		return []odbxfs.DropboxResult{done(nodeOf(res.Metadata))}, nil
	}
	launch, err := c.files.MoveBatchV2Context(ctx, files.NewMoveBatchArg(relocations(ops)))
	if err != nil {
		return nil, wrap(op, "", err)
	}
	return c.relocated(ctx, op, ops, launch, c.moveJob, c.settleMove)
}

// relocated reads the end of a move or copy batch.
func (c *Client) relocated(ctx context.Context, op string, ops []odbxfs.DropboxOp, launch *files.RelocationBatchV2Launch,
	job func(context.Context, string) (*files.RelocationBatchV2Result, error),
	settle func(context.Context, odbxfs.DropboxOp, error) odbxfs.DropboxResult,
) ([]odbxfs.DropboxResult, error) {
	complete := launch.Complete
	if launch.AsyncJobId != "" {
		var err error
		if complete, err = poll(ctx, c, op, launch.AsyncJobId, job); err != nil {
			return nil, err
		}
	}
	if complete == nil || !each(complete.Entries, len(ops)) {
		return nil, oddAnswer(op)
	}
	results := make([]odbxfs.DropboxResult, len(ops))
	for i, entry := range complete.Entries {
		if n := nodeOf(entry.Success); n != nil {
			results[i] = done(n)
		} else {
			results[i] = settle(ctx, ops[i], entryError(op, ops[i].Path, entry.Failure))
		}
	}
	return results, nil
}

// settleMove looks whether a failed move has its work done already, and
// carries out one that only changes the case of a name, which the API refuses
// as a conflict of the file with itself: by way of another name.
func (c *Client) settleMove(ctx context.Context, o odbxfs.DropboxOp, err error) odbxfs.DropboxResult {
	if odbxfs.IsKind(err, odbxfs.KindMissing) {
		return c.settleMissing(ctx, o, err)
	}
	if kind := odbxfs.KindOf(err); kind != odbxfs.KindExists && kind != odbxfs.KindChanged && kind != odbxfs.KindUnknown {
		return failed(err)
	}
	n, lookErr := c.metadata(ctx, o.Path)
	switch {
	case lookErr != nil:
		return failed(lookErr)
	case n == nil || n.ID != o.ID:
		return odbxfs.DropboxResult{Outcome: odbxfs.Changed, Node: n, Err: err}
	case n.Name == o.Path[len(parentOf(o.Path))+1:]:
		return done(n)
	}
	const op = "change the case of a name in Dropbox"
	between := parentOf(o.Path) + "/.odbxfs-rename-" + strings.TrimPrefix(string(o.ID), "id:")
	if _, err := c.files.MoveV2Context(ctx, files.NewRelocationArg(string(o.ID), between)); err != nil {
		return failed(wrap(op, o.Path, err))
	}
	res, err := c.files.MoveV2Context(ctx, files.NewRelocationArg(string(o.ID), o.Path))
	if err != nil {
		return failed(wrap(op, o.Path, err))
	}
	return done(nodeOf(res.Metadata))
}

// settleMissing looks whether the source of a move or copy is gone. One that was
// written a moment ago may not be found yet (rclone's issue 8881): then it is to
// be tried again.
func (c *Client) settleMissing(ctx context.Context, o odbxfs.DropboxOp, err error) odbxfs.DropboxResult {
	n, lookErr := c.metadata(ctx, string(o.ID))
	switch {
	case lookErr != nil:
		return failed(lookErr)
	case n == nil:
		return failed(err)
	}
	return failed(&odbxfs.Error{Op: "move or copy in Dropbox", Item: n.Path, Kind: odbxfs.KindUnavailable, Err: errors.New("Dropbox does not find it yet")})
}

func (c *Client) copy(ctx context.Context, ops []odbxfs.DropboxOp) ([]odbxfs.DropboxResult, error) {
	const op = "copy in Dropbox"
	if len(ops) == 1 {
		res, err := c.files.CopyV2Context(ctx, files.NewRelocationArg(string(ops[0].ID), ops[0].Path))
		if err != nil {
			return []odbxfs.DropboxResult{c.settleCopy(ctx, ops[0], wrap(op, ops[0].Path, err))}, nil
		}
		return []odbxfs.DropboxResult{done(nodeOf(res.Metadata))}, nil
	}
	launch, err := c.files.CopyBatchV2Context(ctx, files.NewRelocationBatchArgBase(relocations(ops)))
	if err != nil {
		return nil, wrap(op, "", err)
	}
	return c.relocated(ctx, op, ops, launch, c.copyJob, c.settleCopy)
}

// settleCopy takes a file of the wanted content that is there already for the
// copy: an earlier attempt made it.
func (c *Client) settleCopy(ctx context.Context, o odbxfs.DropboxOp, err error) odbxfs.DropboxResult {
	if odbxfs.IsKind(err, odbxfs.KindMissing) {
		return c.settleMissing(ctx, o, err)
	}
	if !odbxfs.IsKind(err, odbxfs.KindExists) {
		return failed(err)
	}
	n, lookErr := c.metadata(ctx, o.Path)
	switch {
	case lookErr != nil:
		return failed(lookErr)
	case n != nil && n.Kind == odbxfs.File && n.ID != o.ID && o.ContentHash != "" && n.ContentHash == o.ContentHash:
		return done(n)
	}
	return odbxfs.DropboxResult{Outcome: odbxfs.Changed, Node: n, Err: err}
}

func (c *Client) remove(ctx context.Context, ops []odbxfs.DropboxOp) ([]odbxfs.DropboxResult, error) {
	const op = "remove from Dropbox"
	results := make([]odbxfs.DropboxResult, len(ops))
	entries, at := make([]*files.DeleteArg, 0, len(ops)), make([]int, 0, len(ops))
	for i, o := range ops {
		if o.Rev == "" {
			if blocked := c.notEmpty(ctx, o.ID); blocked != nil {
				results[i] = failed(blocked)
				continue
			}
		}
		arg := files.NewDeleteArg(string(o.ID))
		arg.ParentRev = string(o.Rev)
		entries, at = append(entries, arg), append(at, i)
	}
	if len(entries) == 0 {
		return results, nil
	}
	if len(entries) == 1 {
		_, err := c.files.DeleteV2Context(ctx, entries[0])
		results[at[0]] = removed(err, op, entries[0].Path)
		return results, nil
	}
	launch, err := c.files.DeleteBatchContext(ctx, files.NewDeleteBatchArg(entries))
	if err != nil {
		return nil, wrap(op, "", err)
	}
	complete := launch.Complete
	if launch.AsyncJobId != "" {
		if complete, err = poll(ctx, c, op, launch.AsyncJobId, c.deleteJob); err != nil {
			return nil, err
		}
	}
	if complete == nil || !each(complete.Entries, len(entries)) {
		return nil, oddAnswer(op)
	}
	for k, entry := range complete.Entries {
		results[at[k]] = done(nil)
		if entry.Failure != nil {
			results[at[k]] = removed(entryError(op, entries[k].Path, entry.Failure), op, entries[k].Path)
		}
	}
	return results, nil
}

// removed reads one deletion's end; what is not there any more is removed.
func removed(err error, op, item string) odbxfs.DropboxResult {
	if err == nil {
		return done(nil)
	}
	if err = wrap(op, item, err); odbxfs.IsKind(err, odbxfs.KindMissing) {
		return done(nil)
	}
	return failed(err)
}

// notEmpty says what keeps a folder from being removed: delete_v2 takes a
// folder with all that is in it, the unknown included, and that must not be.
func (c *Client) notEmpty(ctx context.Context, id odbxfs.DropboxID) error {
	arg := files.NewListFolderArg(string(id))
	arg.Limit = 1
	res, err := c.files.ListFolderContext(ctx, arg)
	if err != nil {
		if err = wrap("look into a folder of Dropbox", string(id), err); odbxfs.IsKind(err, odbxfs.KindMissing) {
			return nil
		}
		return err
	}
	if len(res.Entries) > 0 || res.HasMore {
		return &odbxfs.Error{Op: "remove from Dropbox", Item: string(id), Kind: odbxfs.KindChanged, Err: errors.New("the folder is not empty")}
	}
	return nil
}
