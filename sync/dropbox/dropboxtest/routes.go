package dropboxtest

// The scopes that routes want, by Dropbox's documentation of each.
const (
	whoIs   = "account_info.read"
	lists   = "files.metadata.read"
	reads   = "files.content.read"
	changes = "files.content.write"
	shared  = "sharing.read"
	shares  = "sharing.write"
)

// endpoints is every route below /2 that the server knows.
var endpoints = map[string]endpoint{
	"auth/token/revoke":         {do: with(tokenRevoke)},
	"check/app":                 {do: with(checkApp), noAuth: true},
	"check/user":                {scope: whoIs, do: with(checkUser)},
	"users/get_account":         {scope: shared, do: with(getAccount)},
	"users/get_account_batch":   {scope: shared, do: with(getAccountBatch)},
	"users/get_current_account": {scope: whoIs, do: with(currentAccount)},
	"users/get_space_usage":     {scope: whoIs, do: with(spaceUsage)},
	"users/features/get_values": {scope: whoIs, do: with(featureValues)},

	"files/create_folder":             {scope: changes, do: with(createFolderV1), writes: true},
	"files/create_folder_v2":          {scope: changes, do: with(createFolderV2), writes: true},
	"files/create_folder_batch":       {scope: changes, do: with(createFolderBatch), writes: true},
	"files/create_folder_batch/check": {scope: changes, do: checkJob("create_folder_batch")},
	"files/delete":                    {scope: changes, do: with(deleteV1), writes: true},
	"files/delete_v2":                 {scope: changes, do: with(deleteV2), writes: true},
	"files/delete_batch":              {scope: changes, do: with(deleteBatch), writes: true},
	"files/delete_batch/check":        {scope: changes, do: checkJob("delete_batch")},
	"files/permanently_delete":        {do: with(permanentlyDelete)},
	"files/move":                      {scope: changes, do: relocateOne(false, bare), writes: true},
	"files/move_v2":                   {scope: changes, do: relocateOne(false, wrapped), writes: true},
	"files/move_batch_v2":             {scope: changes, do: with(moveBatch), writes: true},
	"files/move_batch/check_v2":       {scope: changes, do: checkJob("move_batch")},
	"files/copy":                      {scope: changes, do: relocateOne(true, bare), writes: true},
	"files/copy_v2":                   {scope: changes, do: relocateOne(true, wrapped), writes: true},
	"files/copy_batch_v2":             {scope: changes, do: with(copyBatch), writes: true},
	"files/copy_batch/check_v2":       {scope: changes, do: checkJob("copy_batch")},

	"files/upload":                            {scope: changes, style: upload, do: with(uploadFile), writes: true},
	"files/upload_session/start":              {scope: changes, style: upload, do: with(sessionStart)},
	"files/upload_session/start_batch":        {scope: changes, do: with(sessionStartBatch)},
	"files/upload_session/append_v2":          {scope: changes, style: upload, do: with(sessionAppend)},
	"files/upload_session/append_batch":       {scope: changes, style: upload, do: with(sessionAppendBatch)},
	"files/upload_session/finish":             {scope: changes, style: upload, do: with(sessionFinish), writes: true},
	"files/upload_session/finish_batch":       {scope: changes, do: with(sessionFinishBatch), writes: true},
	"files/upload_session/finish_batch/check": {scope: changes, do: checkJob("finish_batch")},
	"files/upload_session/finish_batch_v2":    {scope: changes, do: with(sessionFinishBatchV2), writes: true},

	"files/download_zip":                  {scope: reads, style: download, do: with(downloadZip)},
	"files/export":                        {scope: reads, style: download, do: with(exportFile)},
	"files/get_preview":                   {scope: reads, style: download, do: with(getPreview)},
	"files/get_thumbnail":                 {scope: reads, style: download, do: with(getThumbnail)},
	"files/get_thumbnail_v2":              {scope: reads, style: download, do: with(getThumbnailV2)},
	"files/get_thumbnail_batch":           {scope: reads, do: with(getThumbnailBatch)},
	"files/get_temporary_upload_link":     {scope: changes, do: with(temporaryUploadLink)},
	"files/save_url":                      {scope: changes, do: with(saveURL), writes: true},
	"files/save_url/check_job_status":     {scope: changes, do: checkJob("save_url")},
	"files/search_v2":                     {scope: lists, do: with(search)},
	"files/search/continue_v2":            {scope: lists, do: with(searchContinue)},
	"files/lock_file_batch":               {scope: changes, do: with(lockFiles)},
	"files/unlock_file_batch":             {scope: changes, do: with(unlockFiles)},
	"files/get_file_lock_batch":           {scope: reads, do: with(fileLocks)},
	"files/paper/create":                  {scope: changes, style: upload, do: with(paperCreate), writes: true},
	"files/paper/update":                  {scope: changes, style: upload, do: with(paperUpdate), writes: true},
	"files/download":                      {scope: reads, style: download, do: with(downloadFile)},
	"files/get_metadata":                  {scope: lists, do: with(getMetadata)},
	"files/get_temporary_link":            {scope: reads, do: with(temporaryLink)},
	"files/list_folder":                   {scope: lists, do: with(listFolder)},
	"files/list_folder/continue":          {scope: lists, do: with(listContinue)},
	"files/list_folder/get_latest_cursor": {scope: lists, do: with(latestCursor)},
	"files/list_folder/longpoll":          {do: with(longpoll), noAuth: true},
	"files/list_revisions":                {scope: lists, do: with(listRevisions)},
	"files/restore":                       {scope: changes, do: with(restore), writes: true},

	"sharing/create_shared_link_with_settings": {scope: shares, do: with(createLink)},
	"sharing/list_shared_links":                {scope: shared, do: with(listLinks)},
	"sharing/modify_shared_link_settings":      {scope: shares, do: with(modifyLink)},
	"sharing/revoke_shared_link":               {scope: shares, do: with(revokeLink)},
	"sharing/get_shared_link_file":             {scope: shared, style: download, do: with(linkedFile)},
	"sharing/get_shared_link_metadata":         {scope: shared, do: with(linkMetadata)},
	"sharing/share_folder":                     {scope: shares, do: with(shareFolder), writes: true},
	"sharing/check_share_job_status":           {scope: shares, do: checkJob("share_folder")},
	"sharing/list_folders":                     {scope: shared, do: with(listSharedFolders)},
	"sharing/list_folders/continue":            {scope: shared, do: with(listSharedFoldersContinue)},
	"sharing/get_folder_metadata":              {scope: shared, do: with(sharedFolderMetadata)},
}

// deleteV1 is the retired form: the metadata without a wrapping.
func deleteV1(c *call, arg *deleteArg) (any, error) { return deleteOne(c, arg) }
