package faults

import (
	"time"

	"odbxfs"
	"odbxfs/sync/dropbox/dropboxtest"
)

// A fault is one thing that goes wrong while files go both ways.
type fault struct {
	name string
	ci   bool // it is among the ten that every run has
	// What goes wrong: calls, from the moment when people begin to work; what is
	// done to the account then; what the account is like from the start.
	calls   []dropboxtest.Fault
	strike  func(*world)
	account dropboxtest.Options
	convert odbxfs.ConvertPolicy
	large   bool // a file that travels in parts is among those that come
	restart bool // the syncer is ended in the midst of it, and started again
	// mend puts it right after a while, where it does not pass by itself.
	after time.Duration
	mend  func(*world)
	most  float64 // requests for each file, but for long-polls; 0: usual
}

// usual is how many requests for each file a fault may lead to. Without any it
// is one for the link, and some for the batches.
const usual = 1.6

type call = dropboxtest.Fault

func calls(all ...call) []call { return all }

// over ends what was injected.
func over(w *world) { w.box.ClearFaults() }

// faults are all of them, by what they meet.
func faults() []fault {
	var all []fault
	for _, some := range [][]fault{uploads, largeUploads, folders, moves, removals, news, logins, limits, downloads, links, rooms, networks, accounts} {
		all = append(all, some...)
	}
	return all
}

const (
	startBatch  = "files/upload_session/start_batch"
	appendBatch = "files/upload_session/append_batch"
	finishBatch = "files/upload_session/finish_batch_v2"
	appendPart  = "files/upload_session/append_v2"
	startPart   = "files/upload_session/start"
	finishPart  = "files/upload_session/finish"
	makeLink    = "sharing/create_shared_link_with_settings"
	nextPage    = "files/list_folder/continue"
	longpoll    = "files/list_folder/longpoll"
	download    = "files/download"
)

var uploads = []fault{
	{name: "sessions are not opened", calls: calls(call{Route: startBatch, Kind: dropboxtest.DropBefore})},
	{name: "sessions are opened and the answer lost", calls: calls(call{Route: startBatch, Kind: dropboxtest.DropAfter})},
	{name: "a batch's bytes do not arrive", calls: calls(call{Route: appendBatch, Kind: dropboxtest.DropBefore})},
	{name: "a batch's bytes arrive and the answer is lost", ci: true, calls: calls(call{Route: appendBatch, Kind: dropboxtest.DropAfter})},
	{name: "a half of a batch's bytes arrives", calls: calls(call{Route: appendBatch, Kind: dropboxtest.HalfRequest})},
	{name: "a batch's bytes are sent twice by the network", calls: calls(call{Route: appendBatch, Kind: dropboxtest.Doubled})},
	{name: "a batch's bytes are answered by null", calls: calls(call{Route: appendBatch, Kind: dropboxtest.Nothing})},
	{name: "append_batch is not known", most: 2.6, calls: calls(call{Route: appendBatch, Kind: dropboxtest.Unknown, Times: -1})},
	{name: "the header of append_batch is too long", most: 2.6, account: dropboxtest.Options{Behaviour: dropboxtest.Behaviour{MaxHeader: 900}}},
	{name: "a commit is not done", calls: calls(call{Route: finishBatch, Kind: dropboxtest.DropBefore})},
	{name: "a commit is done and the answer lost", ci: true, calls: calls(call{Route: finishBatch, Kind: dropboxtest.DropAfter, Times: 2})},
	{name: "a commit is done and its sessions are gone when it is sent again", calls: calls(call{Route: finishBatch, Kind: dropboxtest.DropAfter}),
		account: dropboxtest.Options{Behaviour: dropboxtest.Behaviour{RefuseFinishedSession: true}}},
	{name: "a commit is done twice", calls: calls(call{Route: finishBatch, Kind: dropboxtest.Doubled, Times: 3})},
	{name: "a commit's answer breaks off", calls: calls(call{Route: finishBatch, Kind: dropboxtest.Truncate})},
	{name: "a commit's answer comes in drops", calls: calls(call{Route: finishBatch, Kind: dropboxtest.Slow, Wait: 20 * time.Second})},
	{name: "every second file of a commit is put off", ci: true, calls: calls(call{Route: finishBatch, Kind: dropboxtest.PartialBatch, Times: 3})},
	{name: "every second file of a commit fails without a reason", calls: calls(call{Route: finishBatch, Kind: dropboxtest.PartialBatch, Times: 2, Tags: []string{"other"}})},
	{name: "a commit meets the namespace's lock", calls: calls(call{Route: finishBatch, Kind: dropboxtest.TooManyWrites, Times: 6})},
	{name: "a commit is answered 500", calls: calls(call{Route: finishBatch, Kind: dropboxtest.ServerError, Times: 3})},
	{name: "the sessions end before their commit", ci: true, calls: calls(call{Route: finishBatch, Kind: dropboxtest.SessionsLost, Times: 2})},
	{name: "the syncer ends between a commit and its answer", restart: true, calls: calls(call{Route: finishBatch, Kind: dropboxtest.Delay, Wait: 2500 * time.Millisecond})},
}

var largeUploads = []fault{
	{name: "a large file's session is opened and the answer lost", large: true, calls: calls(call{Route: startPart, Kind: dropboxtest.DropAfter})},
	{name: "a part does not arrive", large: true, calls: calls(call{Route: appendPart, Kind: dropboxtest.DropBefore})},
	{name: "a half of a part arrives", large: true, calls: calls(call{Route: appendPart, Kind: dropboxtest.HalfRequest, Call: 2})},
	{name: "the last part arrives and the answer is lost", large: true, calls: calls(call{Route: appendPart, Kind: dropboxtest.DropAfter, Call: 2})},
	{name: "parts are refused for their offset", large: true, calls: calls(call{Route: appendPart, Kind: dropboxtest.Refused, Tags: []string{"concurrent_session_invalid_offset"}})},
	{name: "a large file's session ends midway", large: true, calls: calls(call{Route: appendPart, Kind: dropboxtest.SessionsLost, Call: 2})},
	{name: "a large file's session ends before its commit", large: true, calls: calls(call{Route: finishPart, Kind: dropboxtest.SessionsLost})},
	{name: "a large file's commit is done and the answer lost", large: true, calls: calls(call{Route: finishPart, Kind: dropboxtest.DropAfter})},
	{name: "a large file's commit is done and its session gone when it is sent again", large: true, calls: calls(call{Route: finishPart, Kind: dropboxtest.DropAfter}),
		account: dropboxtest.Options{Behaviour: dropboxtest.Behaviour{RefuseFinishedSession: true}}},
	{name: "the syncer ends between two parts", large: true, restart: true, calls: calls(call{Route: appendPart, Kind: dropboxtest.Delay, Wait: 2500 * time.Millisecond, Call: 2})},
}

var folders = []fault{
	{name: "folders are made and the answer lost", calls: calls(call{Route: "files/create_folder*", Kind: dropboxtest.DropAfter})},
	{name: "folders are made by a job that takes its time", account: dropboxtest.Options{Behaviour: dropboxtest.Behaviour{AsyncFolders: 1, JobPolls: 8}}, most: 2},
	{name: "folders are made by a job that is forgotten", account: dropboxtest.Options{Behaviour: dropboxtest.Behaviour{AsyncFolders: 1}},
		calls: calls(call{Route: "files/create_folder_batch/check", Kind: dropboxtest.JobsLost})},
	{name: "folders are made twice", calls: calls(call{Route: "files/create_folder*", Kind: dropboxtest.Doubled, Times: 3})},
}

var moves = []fault{
	{name: "files are moved and the answer lost", ci: true, calls: calls(call{Route: "files/move*", Kind: dropboxtest.DropAfter})},
	{name: "files are moved twice", calls: calls(call{Route: "files/move*", Kind: dropboxtest.Doubled, Times: 2})},
	{name: "every second file of a move is put off", calls: calls(call{Route: "files/move_batch_v2", Kind: dropboxtest.PartialBatch})},
	{name: "every second file of a move is not found yet", calls: calls(call{Route: "files/move_batch_v2", Kind: dropboxtest.PartialBatch, Tags: []string{"relocation_error", "from_lookup", "not_found"}})},
	{name: "a move's job is forgotten", calls: calls(call{Route: "files/move_batch/check_v2", Kind: dropboxtest.JobsLost})},
	{name: "a move's job takes ten minutes", most: 3, after: 5 * time.Minute, mend: over, calls: calls(call{Route: "files/move_batch/check_v2", Kind: dropboxtest.JobStuck, Times: -1})},
	{name: "the syncer ends while a move's job runs", restart: true, calls: calls(call{Route: "files/move_batch/check_v2", Kind: dropboxtest.Delay, Wait: 2500 * time.Millisecond})},
}

var removals = []fault{
	{name: "files are removed and the answer lost", calls: calls(call{Route: "files/delete*", Kind: dropboxtest.DropAfter})},
	{name: "files are removed twice", calls: calls(call{Route: "files/delete*", Kind: dropboxtest.Doubled})},
	{name: "every second file of a removal is put off", calls: calls(call{Route: "files/delete_batch", Kind: dropboxtest.PartialBatch})},
	{name: "a removal's job is forgotten", calls: calls(call{Route: "files/delete_batch/check", Kind: dropboxtest.JobsLost})},
	{name: "a removed folder's children are listed as removed too", account: dropboxtest.Options{Behaviour: dropboxtest.Behaviour{DeletedChildren: true}}},
}

var news = []fault{
	{name: "a page of news breaks off", calls: calls(call{Route: nextPage, Kind: dropboxtest.Truncate, Times: 2})},
	{name: "news are lost on the way", calls: calls(call{Route: nextPage, Kind: dropboxtest.DropAfter, Times: 3})},
	{name: "the cursor is forgotten", ci: true, calls: calls(call{Route: nextPage, Kind: dropboxtest.ResetCursor})},
	{name: "all cursors are forgotten, again and again", strike: func(w *world) {
		for range 3 {
			w.box.ResetCursors()
			time.Sleep(time.Second)
		}
	}},
	{name: "the cursor's folder is said to be gone", calls: calls(call{Route: nextPage, Kind: dropboxtest.Refused, Tags: []string{"path", "not_found"}})},
	{name: "news come late", calls: calls(call{Route: nextPage, Kind: dropboxtest.Lagging, Times: 4})},
	{name: "news are answered 503 with a time", calls: calls(call{Route: nextPage, Kind: dropboxtest.Unavailable, RetryAfter: 30 * time.Second, Times: 2})},
	{name: "news come in small pages with entries twice", most: 3, account: dropboxtest.Options{PageSize: 7, Behaviour: dropboxtest.Behaviour{RepeatEntries: true, EmptyFirstPage: true}}},
	{name: "a folder's children come before it", account: dropboxtest.Options{PageSize: 5, Behaviour: dropboxtest.Behaviour{ChildrenFirst: true}}, most: 3},
	{name: "a moved folder's files keep their revs", account: dropboxtest.Options{Behaviour: dropboxtest.Behaviour{KeepRevsInMovedFolder: true}}},
	{name: "the long-poll breaks", calls: calls(call{Route: longpoll, Kind: dropboxtest.DropBefore, Times: 5})},
	{name: "the long-poll cries wolf", calls: calls(call{Route: longpoll, Kind: dropboxtest.FalseAlarm, Times: 20})},
	{name: "the long-poll forgets its cursor", calls: calls(call{Route: longpoll, Kind: dropboxtest.ResetCursor, Times: 2})},
	{name: "the long-poll asks to be left alone", account: dropboxtest.Options{Behaviour: dropboxtest.Behaviour{LongpollBackoff: 2 * time.Minute}}},
}

var logins = []fault{
	{name: "the access token ends", ci: true, strike: expire},
	{name: "the access token ends inside a batch", calls: calls(call{Route: finishBatch, Kind: dropboxtest.TokenExpired})},
	{name: "the login is revoked, and given anew", after: 10 * time.Minute,
		strike: revoke,
		mend:   func(w *world) { w.secret = w.box.Refresh() }},
	{name: "the token's server does not answer", strike: expire,
		calls: calls(call{Route: "oauth2/token", Kind: dropboxtest.ServerError, Times: 5})},
	{name: "the token's server asks to wait", strike: expire,
		calls: calls(call{Route: "oauth2/token", Kind: dropboxtest.RateLimited, RetryAfter: 20 * time.Second})},
}

var limits = []fault{
	{name: "any call is too many, for fifteen seconds", ci: true, calls: calls(call{Kind: dropboxtest.RateLimited, RetryAfter: 15 * time.Second, Call: 5, Times: 3})},
	{name: "any call is too many, for five minutes, said in plain text", calls: calls(call{Kind: dropboxtest.RateLimitedText, RetryAfter: 300 * time.Second, Call: 9})},
	{name: "every third kind of call is too many", calls: calls(
		call{Route: startBatch, Kind: dropboxtest.RateLimited, Times: 2}, call{Route: appendBatch, Kind: dropboxtest.RateLimited, Times: 2},
		call{Route: nextPage, Kind: dropboxtest.RateLimited, Times: 2}, call{Route: makeLink, Kind: dropboxtest.RateLimited, Times: 5})},
	{name: "a small budget of requests", account: dropboxtest.Options{Costs: dropboxtest.Costs{Rate: 2, Burst: 20, RetryAfter: 15 * time.Second}}, most: 2.5},
	{name: "every write meets the namespace's lock", account: dropboxtest.Options{Costs: dropboxtest.MeasuredCosts(1)}},
	{name: "Dropbox is down, for five minutes", after: 5 * time.Minute, mend: over, most: 2, calls: calls(call{Kind: dropboxtest.BadGateway, Times: -1})},
}

var downloads = []fault{
	{name: "a download breaks off", convert: odbxfs.ConvertNone, calls: calls(call{Route: download, Kind: dropboxtest.Truncate, Times: 3})},
	{name: "a download does not begin", convert: odbxfs.ConvertNone, calls: calls(call{Route: download, Kind: dropboxtest.DropBefore, Times: 3})},
	{name: "a download comes in drops", convert: odbxfs.ConvertNone, calls: calls(call{Route: download, Kind: dropboxtest.Slow, Wait: time.Minute, Times: 3})},
	{name: "downloads are too many", convert: odbxfs.ConvertNone, calls: calls(call{Route: download, Kind: dropboxtest.RateLimited, RetryAfter: 10 * time.Second, Times: 3})},
	{name: "what is to be downloaded is not found yet", convert: odbxfs.ConvertNone, calls: calls(call{Route: download, Kind: dropboxtest.Lagging, Times: 3})},
}

var links = []fault{
	{name: "links are made and the answers lost", ci: true, calls: calls(call{Route: makeLink, Kind: dropboxtest.DropAfter, Times: 10}), most: 2},
	{name: "links' answers break off", calls: calls(call{Route: makeLink, Kind: dropboxtest.Truncate, Times: 10}), most: 2},
	{name: "links are refused, then allowed", calls: calls(call{Route: makeLink, Kind: dropboxtest.Refused, Tags: []string{"settings_error", "not_authorized"}, Times: -1}), most: 2.6,
		after: 5 * time.Minute, mend: retry},
	{name: "links wait for the address to be verified", calls: calls(call{Route: makeLink, Kind: dropboxtest.Refused, Tags: []string{"email_not_verified"}, Times: -1}), most: 2.6,
		after: 5 * time.Minute, mend: retry},
}

// retry is what a person does when what was refused is allowed.
func retry(w *world) {
	w.t.Helper()
	w.box.ClearFaults()
	_, err := w.engine.Retry()
	must(w.t, err)
}

var rooms = []fault{
	{name: "the account is full for a large file, then has room again", large: true, most: 2,
		account: dropboxtest.Options{Account: dropboxtest.Account{Allocated: 40 << 20}},
		strike:  func(w *world) { w.fill("/filler", 40<<20) }, after: 10 * time.Minute, mend: func(w *world) { w.empty("/filler") }},
	{name: "a folder may not be written to, then may", most: 2, after: 5 * time.Minute, mend: retry,
		calls: calls(call{Route: finishBatch, Kind: dropboxtest.PartialBatch, Times: -1, Tags: []string{"path", "no_write_permission"}})},
}

var networks = []fault{
	{name: "the network is gone, for ten minutes", ci: true, after: 10 * time.Minute, mend: over, most: 2, calls: calls(call{Kind: dropboxtest.DropBefore, Times: -1})},
	{name: "every answer is lost, for a minute", after: time.Minute, mend: over, most: 3, calls: calls(call{Kind: dropboxtest.DropAfter, Times: -1})},
	{name: "every third answer is lost", most: 3, calls: thirds(dropboxtest.DropAfter)},
	{name: "a hotel's network answers with a page of its own", after: 5 * time.Minute, mend: over, most: 2, calls: calls(call{Kind: dropboxtest.Portal, Times: -1})},
	{name: "every call is done twice", most: 2, calls: calls(call{Kind: dropboxtest.Doubled, Times: -1})},
	{name: "every answer takes twenty seconds", after: 10 * time.Minute, mend: over, calls: calls(call{Kind: dropboxtest.Delay, Wait: 20 * time.Second, Times: -1})},
}

// thirds is a kind of fault for each third of a hundred calls.
func thirds(kind dropboxtest.FaultKind) []call {
	var all []call
	for n := 3; n < 100; n += 3 {
		all = append(all, call{Kind: kind, Call: n})
	}
	return all
}

var accounts = []fault{
	{name: "nothing goes wrong"},
	{name: "the syncer ends while files come", restart: true},
}

// expire ends the syncer's access token before its time.
func expire(w *world) {
	w.box.ExpireTokens()
	w.box.Grant("person")
}

// revoke ends the syncer's login.
func revoke(w *world) {
	w.box.RevokeToken()
	w.box.Grant("person")
}
