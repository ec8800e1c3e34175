"""Drives Debian's python3-dropbox, whose validators are strict, against the
emulator. An answer that it cannot take, or that is not the expected one, ends
this with an exception. Its argument is the authority's certificate."""
import datetime
import sys

import dropbox
from dropbox import files, sharing, users
from dropbox.exceptions import ApiError, AuthError

dbx = dropbox.Dropbox(oauth2_refresh_token="refresh", app_key="key", app_secret="secret",
                      session=dropbox.create_session(ca_certs=sys.argv[1]))


def fails(do, *tags):
    """do must fail with a chain of tags."""
    try:
        do()
    except ApiError as e:
        error = e.error
        for i, tag in enumerate(tags):
            assert error._tag == tag, (error, tags)
            if i + 1 < len(tags):
                error = error._value
                if hasattr(error, "reason"):
                    error = error.reason
        return
    raise AssertionError("did not fail with %r" % (tags,))


def done(check, launch):
    """The entries of a job."""
    if launch.is_complete():
        return launch.get_complete().entries
    while True:
        status = check(launch.get_async_job_id())
        if status.is_complete():
            return status.get_complete().entries


# The account.
me = dbx.users_get_current_account()
assert me.account_type.is_pro(), me
assert me.root_info.root_namespace_id == me.root_info.home_namespace_id, me
assert dbx.users_get_account(me.account_id).email == me.email
assert len(dbx.users_get_account_batch([me.account_id])) == 1
assert dbx.users_get_space_usage().allocation.is_individual()
values = dbx.users_features_get_values([users.UserFeature.paper_as_files, users.UserFeature.file_locking]).values
assert values[0].get_paper_as_files().get_enabled(), values
assert dbx.check_user("hello").result == "hello"

# Uploads and modes.
name = "/Odoo/a\u00e4 \U0001f600.txt"
when = datetime.datetime(2020, 1, 2, 3, 4, 5)
one = dbx.files_upload(b"Hello Dropbox!", name, client_modified=when)
assert one.content_hash == "16dff8700700b9aa627e24bbf832940c084b41ade5c5d6fe5417963a547ed9c2", one
assert one.client_modified == when and one.path_display == name
fails(lambda: dbx.files_upload(b"other", name), "path", "conflict", "file")
assert dbx.files_upload(b"other", name, autorename=True).name == "a\u00e4 \U0001f600 (1).txt"
two = dbx.files_upload(b"two", name, mode=files.WriteMode.update(one.rev))
assert two.id == one.id and two.rev != one.rev
assert dbx.files_upload(b"three", name, mode=files.WriteMode.overwrite).id == one.id
fails(lambda: dbx.files_upload(b"x", "/desktop.ini"), "path", "disallowed_name")
fails(lambda: dbx.files_upload(b"x", "/h", content_hash="0" * 64), "content_hash_mismatch")

# Sessions.
start = dbx.files_upload_session_start(b"abc")
cursor = files.UploadSessionCursor(start.session_id, 3)
dbx.files_upload_session_append_v2(b"def", cursor)
fails(lambda: dbx.files_upload_session_append_v2(b"def", cursor), "incorrect_offset")
cursor.offset = 6
up = dbx.files_upload_session_finish(b"g", cursor, files.CommitInfo("/Odoo/s.bin"))
assert up.size == 7, up
ids = dbx.files_upload_session_start_batch(2).session_ids
commits = []
for i, session_id in enumerate(ids):
    dbx.files_upload_session_append_v2(b"data", files.UploadSessionCursor(session_id, 0), close=True)
    commits.append(files.UploadSessionFinishArg(files.UploadSessionCursor(session_id, 4), files.CommitInfo("/Odoo/batch/%d" % i)))
commits.append(files.UploadSessionFinishArg(files.UploadSessionCursor("unknown", 4), files.CommitInfo("/x")))
entries = dbx.files_upload_session_finish_batch_v2(commits).entries
assert entries[0].get_success().path_display == "/Odoo/batch/0", entries
assert entries[2].get_failure().get_lookup_failed().is_not_found(), entries

# Listings and changes.
latest = dbx.files_list_folder_get_latest_cursor("/Odoo", recursive=True).cursor
page = dbx.files_list_folder("/Odoo", recursive=True, limit=2)
found = list(page.entries)
while page.has_more:
    page = dbx.files_list_folder_continue(page.cursor)
    found += page.entries
assert len(found) == 7, found
assert isinstance(dbx.files_get_metadata("/odoo/batch"), files.FolderMetadata)
fails(lambda: dbx.files_get_metadata("/none"), "path", "not_found")
dbx.files_delete_v2("/Odoo/batch/1")
assert dbx.files_list_folder_longpoll(latest).changes
changes = dbx.files_list_folder_continue(latest).entries
assert [type(e).__name__ for e in changes] == ["DeletedMetadata"], changes
assert isinstance(dbx.files_get_metadata("/Odoo/batch/1", include_deleted=True), files.DeletedMetadata)

# Downloads.
meta, response = dbx.files_download(name)
assert response.content == b"three" and meta.id == one.id
assert dbx.files_download("rev:" + one.rev)[1].content == b"Hello Dropbox!"
assert dbx.files_get_temporary_link(name).metadata.id == one.id
archive, response = dbx.files_download_zip("/Odoo/batch")
assert archive.metadata.name == "batch" and response.content[:2] == b"PK"
paper = dbx.files_paper_create(b"# title", "/Odoo/doc.paper", files.ImportFormat.markdown)
assert paper.result_path == "/Odoo/doc.paper"
assert dbx.files_paper_update(b"more", "/Odoo/doc.paper", files.ImportFormat.markdown, files.PaperDocUpdatePolicy.append).paper_revision == 2
exported, response = dbx.files_export("/Odoo/doc.paper", export_format="markdown")
assert exported.export_metadata.name == "doc.md" and b"more" in response.content
fails(lambda: dbx.files_download("/Odoo/doc.paper"), "unsupported_file")
info = dbx.files_get_metadata("/Odoo/doc.paper")
assert not info.is_downloadable and "markdown" in info.export_info.export_options, info
fails(lambda: dbx.files_get_thumbnail_v2(files.PathOrLink.path(name)), "unsupported_extension")
fails(lambda: dbx.files_get_preview("/Odoo/none.docx"), "path", "not_found")

# Folders, moves, copies, deletions.
folders = done(dbx.files_create_folder_batch_check, dbx.files_create_folder_batch(["/Odoo/n1", "/Odoo/n2", "/Odoo/batch"]))
assert folders[0].get_success().metadata.name == "n1", folders
assert folders[2].get_failure().get_path().get_conflict().is_folder(), folders
assert dbx.files_create_folder_v2("/Odoo/n3").metadata.name == "n3"
assert dbx.files_move_v2("/Odoo/s.bin", "/Odoo/n1/s.bin").metadata.id == up.id
assert dbx.files_copy_v2("/Odoo/n1", "/Odoo/n4").metadata.name == "n4"
fails(lambda: dbx.files_move_v2("/none", "/x"), "from_lookup", "not_found")
pairs = [files.RelocationPath("/Odoo/n4", "/Odoo/n5"), files.RelocationPath("/none", "/x")]
moved = done(dbx.files_move_batch_check_v2, dbx.files_move_batch_v2(pairs))
assert moved[0].get_success().name == "n5" and moved[1].get_failure().get_relocation_error().get_from_lookup().is_not_found(), moved
copied = done(dbx.files_copy_batch_check_v2, dbx.files_copy_batch_v2([files.RelocationPath("/Odoo/n5", "/Odoo/n6")]))
assert copied[0].get_success().name == "n6", copied
deleted = done(dbx.files_delete_batch_check, dbx.files_delete_batch([files.DeleteArg("/Odoo/n6"), files.DeleteArg("/none")]))
assert deleted[0].get_success().metadata.name == "n6" and deleted[1].get_failure().get_path_lookup().is_not_found(), deleted

# Revisions.
revisions = dbx.files_list_revisions(name)
assert len(revisions.entries) == 3 and not revisions.is_deleted, revisions
assert dbx.files_restore(name, one.rev).content_hash == one.content_hash
fails(lambda: dbx.files_restore(name, "123456789"), "invalid_revision")

# Search, links of other kinds.
assert dbx.files_search_v2("a\u00e4").matches[0].metadata.get_metadata().name.startswith("a\u00e4")
first = dbx.files_search_v2("n", files.SearchOptions(max_results=1))
assert first.has_more and len(dbx.files_search_continue_v2(first.cursor).matches) > 0, first
assert "/apitul/1/" in dbx.files_get_temporary_upload_link(files.CommitInfo("/Odoo/later")).link
job = dbx.files_save_url("/Odoo/saved", "https://www.dropbox.com/nothing")
while True:
    status = dbx.files_save_url_check_job_status(job.get_async_job_id())
    if not status.is_in_progress():
        break
assert status.get_failed().is_download_failed(), status
locked = dbx.files_lock_file_batch([files.LockFileArg(name)]).entries
assert locked[0].get_failure().is_file_not_shared(), locked
assert dbx.files_get_file_lock_batch([files.LockFileArg(name)]).entries[0].get_success().lock.content.is_unlocked()
assert dbx.files_unlock_file_batch([files.UnlockFileArg(name)]).entries[0].is_success()

# Shared links.
link = dbx.sharing_create_shared_link_with_settings(name)
assert link.link_permissions.resolved_visibility.is_public(), link
fails(lambda: dbx.sharing_create_shared_link_with_settings(name), "shared_link_already_exists")
assert [l.url for l in dbx.sharing_list_shared_links(name, direct_only=True).links] == [link.url]
changed = dbx.sharing_modify_shared_link_settings(link.url, sharing.SharedLinkSettings(expires=datetime.datetime(2090, 1, 1)))
assert changed.expires.year == 2090, changed
fails(lambda: dbx.sharing_modify_shared_link_settings(link.url, sharing.SharedLinkSettings(audience=sharing.LinkAudience.team)), "settings_error", "not_authorized")
assert dbx.sharing_get_shared_link_metadata(link.url).id == one.id
shared, response = dbx.sharing_get_shared_link_file(link.url)
assert shared.name == one.name and response.content == b"Hello Dropbox!"
dbx.sharing_revoke_shared_link(link.url)
fails(lambda: dbx.sharing_get_shared_link_metadata(link.url), "shared_link_not_found")

# The end of the sign-in.
dbx.auth_token_revoke()
try:
    dbx.files_list_folder("")
    raise AssertionError("a revoked token works")
except AuthError as e:
    assert e.error.is_invalid_access_token(), e
except Exception as e:  # it asks for a fresh token first
    assert "invalid_grant" in str(e) or "400" in str(e), repr(e)
