// Drives the JavaScript SDK against the emulator. An answer that is not the
// expected one ends this with an exception.
const assert = require('node:assert/strict');
const { Dropbox } = require('dropbox');

const dbx = new Dropbox({ accessToken: 'token' });

async function fails(promise, status, summary) {
  try {
    await promise;
  } catch (e) {
    assert.equal(e.status, status);
    assert.ok(e.error.error_summary.startsWith(summary), e.error.error_summary);
    return;
  }
  assert.fail(`did not fail with ${summary}`);
}

async function main() {
  const me = (await dbx.usersGetCurrentAccount()).result;
  assert.equal(me.account_type['.tag'], 'pro');
  const name = '/Odoo/aä 😀.txt';
  const one = (await dbx.filesUpload({ path: name, contents: 'Hello Dropbox!' })).result;
  assert.equal(one.path_display, name);
  assert.equal(one.content_hash, '16dff8700700b9aa627e24bbf832940c084b41ade5c5d6fe5417963a547ed9c2');
  await fails(dbx.filesUpload({ path: name, contents: 'other' }), 409, 'path/conflict/file');
  const session = (await dbx.filesUploadSessionStart({ close: false, contents: 'abc' })).result.session_id;
  await dbx.filesUploadSessionAppendV2({ cursor: { session_id: session, offset: 3 }, contents: 'def' });
  const up = (await dbx.filesUploadSessionFinish({ cursor: { session_id: session, offset: 6 }, commit: { path: '/Odoo/s' }, contents: 'g' })).result;
  assert.equal(up.size, 7);
  let page = (await dbx.filesListFolder({ path: '/Odoo', recursive: true, limit: 1 })).result;
  let n = page.entries.length;
  while (page.has_more) {
    page = (await dbx.filesListFolderContinue({ cursor: page.cursor })).result;
    n += page.entries.length;
  }
  assert.equal(n, 3);
  const down = (await dbx.filesDownload({ path: name })).result;
  assert.equal(Buffer.from(down.fileBinary).toString(), 'Hello Dropbox!');
  assert.equal((await dbx.filesMoveV2({ from_path: '/Odoo/s', to_path: '/Odoo/d/t' })).result.metadata.id, up.id);
  assert.equal((await dbx.filesGetMetadata({ path: '/Odoo/d/t' })).result.rev.length, up.rev.length);
  await fails(dbx.filesGetMetadata({ path: '/none' }), 409, 'path/not_found');
  const link = (await dbx.sharingCreateSharedLinkWithSettings({ path: name })).result;
  assert.ok(link.url.includes('/scl/fi/'));
  assert.equal((await dbx.sharingListSharedLinks({ path: name, direct_only: true })).result.links.length, 1);
  assert.equal((await dbx.sharingRevokeSharedLink({ url: link.url })).status, 200);
  const job = (await dbx.filesDeleteBatch({ entries: [{ path: '/Odoo/d' }] })).result.async_job_id;
  let status;
  do {
    status = (await dbx.filesDeleteBatchCheck({ async_job_id: job })).result;
  } while (status['.tag'] === 'in_progress');
  assert.equal(status.entries[0]['.tag'], 'success');
  const gone = [];
  do {
    page = (await dbx.filesListFolderContinue({ cursor: page.cursor })).result;
    gone.push(...page.entries.map((e) => e['.tag'] + e.path_lower));
  } while (page.has_more);
  assert.deepEqual(gone, ['deleted/odoo/s', 'deleted/odoo/d']);
}

main().catch((e) => {
  console.error(e, e.error);
  process.exit(1);
});
