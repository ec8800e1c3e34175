package dropbox

import (
	"encoding/json"

	"odbxfs"
)

// kindByTag gives the kind of an error union by its innermost tag that stands
// here, so "path/conflict/file" is a conflict. It has every tag of every union
// that the routes of this package can answer with, but those of containers.
var kindByTag = map[string]odbxfs.ErrorKind{
	"not_found": odbxfs.KindMissing, "deleted": odbxfs.KindMissing, "shared_link_not_found": odbxfs.KindMissing,

	"conflict": odbxfs.KindExists, "shared_link_already_exists": odbxfs.KindExists,

	"malformed_path": odbxfs.KindName, "disallowed_name": odbxfs.KindName,

	"insufficient_space": odbxfs.KindFull, "insufficient_quota": odbxfs.KindFull,
	"team_folder_insufficient_space": odbxfs.KindFull, "member_folder_insufficient_space": odbxfs.KindFull,
	"team_folder_insufficient_quota": odbxfs.KindFull, "member_folder_insufficient_quota": odbxfs.KindFull,
	"upload_traffic_limit_reached": odbxfs.KindFull, // a plan's month ends as slowly as an account empties

	"too_many_write_operations": odbxfs.KindRateLimited, "too_many_requests": odbxfs.KindRateLimited,

	"no_write_permission": odbxfs.KindAccess, "access_restricted": odbxfs.KindAccess, "team_folder": odbxfs.KindAccess,
	"access_denied": odbxfs.KindAccess, "no_permission": odbxfs.KindAccess, "permission_denied": odbxfs.KindAccess,
	"restricted_content": odbxfs.KindAccess, "locked": odbxfs.KindAccess, "banned_member": odbxfs.KindAccess,
	"shared_link_access_denied": odbxfs.KindAccess, "team_access_denied": odbxfs.KindAccess,
	"paper_access_denied": odbxfs.KindAccess, "paper_disabled": odbxfs.KindAccess, "not_paper_user": odbxfs.KindAccess,

	"not_authorized": odbxfs.KindUnsupported, "invalid_settings": odbxfs.KindUnsupported, "email_not_verified": odbxfs.KindUnsupported,
	"invalid_account_type": odbxfs.KindUnsupported, "endpoint": odbxfs.KindUnsupported, "feature": odbxfs.KindUnsupported,
	"unsupported_file": odbxfs.KindUnsupported, "unsupported_content_type": odbxfs.KindUnsupported,
	"unsupported_link_type": odbxfs.KindUnsupported, "encryption_not_supported": odbxfs.KindUnsupported,
	"non_exportable": odbxfs.KindUnsupported, "invalid_export_format": odbxfs.KindUnsupported,
	"cant_copy_shared_folder": odbxfs.KindUnsupported, "cant_nest_shared_folder": odbxfs.KindUnsupported,
	"cant_move_shared_folder": odbxfs.KindUnsupported, "cant_transfer_ownership": odbxfs.KindUnsupported,
	"cant_move_into_vault": odbxfs.KindUnsupported, "cant_move_into_family": odbxfs.KindUnsupported,
	"is_shared_folder": odbxfs.KindUnsupported, "too_many_shared_folders": odbxfs.KindUnsupported,
	"too_many_shared_folder_targets": odbxfs.KindUnsupported,

	"missing_scope": odbxfs.KindCredentials, "invalid_access_token": odbxfs.KindCredentials, "expired_access_token": odbxfs.KindCredentials,
	"user_suspended": odbxfs.KindCredentials, "invalid_select_user": odbxfs.KindCredentials, "invalid_select_admin": odbxfs.KindCredentials,
	"route_access_denied": odbxfs.KindCredentials, "unauthorized_account_id_usage": odbxfs.KindCredentials,

	"invalid_root": odbxfs.KindForeign,

	"reset": odbxfs.KindReset,

	"too_large": odbxfs.KindTooLarge, "payload_too_large": odbxfs.KindTooLarge, "too_many_files": odbxfs.KindTooLarge,

	"content_hash_mismatch": odbxfs.KindCorrupt, "length_mismatch": odbxfs.KindCorrupt,

	"not_file": odbxfs.KindChanged, "not_folder": odbxfs.KindChanged, "cant_move_folder_into_itself": odbxfs.KindChanged,
	"duplicated_or_nested_paths": odbxfs.KindChanged,

	// What is left of an upload session is of no use: the upload begins anew.
	"incorrect_offset": odbxfs.KindReset, "closed": odbxfs.KindReset, "not_closed": odbxfs.KindReset, "lookup_failed": odbxfs.KindReset,
	"concurrent_session_not_closed": odbxfs.KindReset, "concurrent_session_missing_data": odbxfs.KindReset,
	"concurrent_session_invalid_offset": odbxfs.KindReset, "concurrent_session_invalid_data_size": odbxfs.KindReset,
	"concurrent_session_data_not_allowed": odbxfs.KindReset, "concurrent_session_close_not_allowed": odbxfs.KindReset,

	"internal_error": odbxfs.KindUnavailable, "operation_suppressed": odbxfs.KindUnavailable, "in_progress": odbxfs.KindUnavailable,
	"invalid_async_job_id": odbxfs.KindUnavailable, "retry_error": odbxfs.KindUnavailable,

	"properties_error": odbxfs.KindInvalid, "template_error": odbxfs.KindInvalid,
	"shared_link_malformed": odbxfs.KindInvalid, "unsupported_parameter_field": odbxfs.KindInvalid,
}

func kindOfTags(tags []string) odbxfs.ErrorKind {
	for i := len(tags) - 1; i >= 0; i-- {
		kind, ok := kindByTag[tags[i]]
		if !ok {
			continue
		}
		if kind == odbxfs.KindMissing && i > 0 && tags[i-1] == "lookup_failed" {
			return odbxfs.KindReset // it is the session that is not found
		}
		return kind
	}
	return odbxfs.KindUnknown
}

// tagsOfBody reads {"error": {".tag": ...}} or {"error": {"reason": {".tag": ...}}},
// and the seconds to wait that a rate limit's body may name.
func tagsOfBody(body []byte) (tags []string, wait int64) {
	var answer struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return nil, 0
	}
	var limit struct {
		RetryAfter int64 `json:"retry_after"`
	}
	if json.Unmarshal(answer.Error, &limit) != nil || limit.RetryAfter < 0 {
		limit.RetryAfter = 0
	}
	return tagsOf(answer.Error), limit.RetryAfter
}

// maxDepth is how deep a union is followed; none of the API is nested that deep.
const maxDepth = 8

// tagsOf follows a union from its tag to the member of that name, and so on.
func tagsOf(union json.RawMessage) []string {
	var tags []string
	for range maxDepth {
		var members map[string]json.RawMessage
		if json.Unmarshal(union, &members) != nil {
			break
		}
		var tag string
		if json.Unmarshal(members[".tag"], &tag) != nil || tag == "" {
			// The rate limit's body and a flattened upload error have the next
			// union under "reason".
			if union = members["reason"]; union == nil {
				break
			}
			continue
		}
		tags = append(tags, tag)
		next := members[tag]
		if next == nil {
			next = members["reason"]
		}
		if next == nil {
			break
		}
		union = next
	}
	return tags
}
