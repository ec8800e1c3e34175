package dropboxtest

// endpoints is every route below /2 that the server knows.
var endpoints = map[string]endpoint{
	"auth/token/revoke":         {do: with(tokenRevoke)},
	"check/user":                {do: with(checkUser)},
	"users/get_current_account": {do: with(currentAccount)},
	"users/get_space_usage":     {do: with(spaceUsage)},
	"users/features/get_values": {do: with(featureValues)},

	"files/create_folder":             {do: with(createFolderV1), writes: true},
	"files/create_folder_v2":          {do: with(createFolderV2), writes: true},
	"files/create_folder_batch":       {do: with(createFolderBatch), writes: true},
	"files/create_folder_batch/check": {do: checkJob("create_folder_batch")},
	"files/delete":                    {do: with(deleteV1), writes: true},
	"files/delete_v2":                 {do: with(deleteV2), writes: true},
	"files/delete_batch":              {do: with(deleteBatch), writes: true},
	"files/delete_batch/check":        {do: checkJob("delete_batch")},
	"files/permanently_delete":        {do: with(permanentlyDelete)},
	"files/move":                      {do: relocateOne(false, bare), writes: true},
	"files/move_v2":                   {do: relocateOne(false, wrapped), writes: true},
	"files/move_batch_v2":             {do: with(moveBatch), writes: true},
	"files/move_batch/check_v2":       {do: checkJob("move_batch")},
	"files/copy":                      {do: relocateOne(true, bare), writes: true},
	"files/copy_v2":                   {do: relocateOne(true, wrapped), writes: true},
	"files/copy_batch_v2":             {do: with(copyBatch), writes: true},
	"files/copy_batch/check_v2":       {do: checkJob("copy_batch")},

	"files/upload":                            {style: upload, do: with(uploadFile), writes: true},
	"files/upload_session/start":              {style: upload, do: with(sessionStart)},
	"files/upload_session/start_batch":        {do: with(sessionStartBatch)},
	"files/upload_session/append_v2":          {style: upload, do: with(sessionAppend)},
	"files/upload_session/append_batch":       {style: upload, do: with(sessionAppendBatch)},
	"files/upload_session/finish":             {style: upload, do: with(sessionFinish), writes: true},
	"files/upload_session/finish_batch":       {do: with(sessionFinishBatch), writes: true},
	"files/upload_session/finish_batch/check": {do: checkJob("finish_batch")},
	"files/upload_session/finish_batch_v2":    {do: with(sessionFinishBatchV2), writes: true},

	"files/download":                      {style: download, do: with(downloadFile)},
	"files/get_metadata":                  {do: with(getMetadata)},
	"files/get_temporary_link":            {do: with(temporaryLink)},
	"files/list_folder":                   {do: with(listFolder)},
	"files/list_folder/continue":          {do: with(listContinue)},
	"files/list_folder/get_latest_cursor": {do: with(latestCursor)},
	"files/list_folder/longpoll":          {do: with(longpoll), noAuth: true},
	"files/list_revisions":                {do: with(listRevisions)},
	"files/restore":                       {do: with(restore), writes: true},

	"sharing/create_shared_link_with_settings": {do: with(createLink)},
	"sharing/list_shared_links":                {do: with(listLinks)},
	"sharing/modify_shared_link_settings":      {do: with(modifyLink)},
	"sharing/revoke_shared_link":               {do: with(revokeLink)},
	"sharing/get_shared_link_metadata":         {do: with(linkMetadata)},
}

// deleteV1 is the retired form: the metadata without a wrapping.
func deleteV1(c *call, arg *deleteArg) (any, error) { return deleteOne(c, arg) }
