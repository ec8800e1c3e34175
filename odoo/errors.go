package odoo

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"odbxfs"
)

// This file is the only one that looks at what a server says in an error, and
// the only one that makes an *odbxfs.Error of it. Every form has a fixture in
// testdata/faults, taken from real servers.
//
// Texts are translated to the user's language; classes, codes and PostgreSQL's
// states are not. Where a text must decide, it is one that Odoo leaves in
// English (tracebacks, werkzeug's pages).

// Fault is what Odoo said: the cause inside an *odbxfs.Error.
type Fault struct { //nolint:errname // Odoo's own word for it
	// Name is the Python class, as "odoo.exceptions.UserError". Over XML-RPC
	// it is made up from the fault's code, where that is all there is.
	Name string
	// Message is Odoo's text, in the user's language, without traceback and
	// without any code of a server action.
	Message string
}

// Error gives the message.
func (f *Fault) Error() string {
	if f.Message == "" {
		return f.Name
	}
	return f.Message
}

// The classes that decide.
const (
	classAccessDenied   = "odoo.exceptions.AccessDenied"
	classAccess         = "odoo.exceptions.AccessError"
	classMissing        = "odoo.exceptions.MissingError"
	classUser           = "odoo.exceptions.UserError"
	classSessionExpired = "odoo.http.SessionExpiredException"
	classNotFound       = "werkzeug.exceptions.NotFound"
	classNoAnswer       = "TypeError: answer"
)

// kindsByClass holds the classes that mean one thing whatever their text.
var kindsByClass = map[string]odbxfs.ErrorKind{
	classMissing:                                   odbxfs.KindMissing,
	classSessionExpired:                            odbxfs.KindReset,
	classNoAnswer:                                  odbxfs.KindUnsupported,
	"odoo.exceptions.RedirectWarning":              odbxfs.KindInvalid,
	"odoo.exceptions.CacheMiss":                    odbxfs.KindMissing,
	"odoo.exceptions.ConcurrencyError":             odbxfs.KindChanged,
	"odoo.exceptions.LockError":                    odbxfs.KindChanged,
	"psycopg2.errors.SerializationFailure":         odbxfs.KindChanged,
	"psycopg2.errors.DeadlockDetected":             odbxfs.KindChanged,
	"psycopg2.errors.LockNotAvailable":             odbxfs.KindChanged,
	"psycopg2.extensions.TransactionRollbackError": odbxfs.KindChanged,
	"psycopg2.errors.UniqueViolation":              odbxfs.KindExists,
	"psycopg2.errors.DiskFull":                     odbxfs.KindFull,
	"psycopg2.errors.AdminShutdown":                odbxfs.KindUnavailable,
	"psycopg2.errors.CannotConnectNow":             odbxfs.KindUnavailable,
	"psycopg2.InterfaceError":                      odbxfs.KindUnavailable,
	"psycopg2.pool.PoolError":                      odbxfs.KindUnavailable,
	"odoo.sql_db.PoolError":                        odbxfs.KindUnavailable,
	"psycopg2.errors.QueryCanceled":                odbxfs.KindUnavailable,
	"MemoryError":                                  odbxfs.KindTooLarge,
	"OSError":                                      odbxfs.KindUnavailable,
	"werkzeug.exceptions.Unauthorized":             odbxfs.KindCredentials,
	"werkzeug.exceptions.Forbidden":                odbxfs.KindAccess,
	"werkzeug.exceptions.UnprocessableEntity":      odbxfs.KindInvalid,
	"werkzeug.exceptions.BadRequest":               odbxfs.KindInvalid,
	"werkzeug.exceptions.RequestEntityTooLarge":    odbxfs.KindTooLarge,
	"werkzeug.exceptions.TooManyRequests":          odbxfs.KindRateLimited,
	"werkzeug.exceptions.ServiceUnavailable":       odbxfs.KindUnavailable,
	"odoo.exceptions.except_orm":                   odbxfs.KindInvalid,
	"odoo.exceptions.Warning":                      odbxfs.KindInvalid,
	"psycopg2.errors.NotNullViolation":             odbxfs.KindInvalid,
	"psycopg2.errors.ForeignKeyViolation":          odbxfs.KindInvalid,
	"psycopg2.errors.CheckViolation":               odbxfs.KindInvalid,
	"psycopg2.errors.NumericValueOutOfRange":       odbxfs.KindInvalid,
	"psycopg2.errors.StringDataRightTruncation":    odbxfs.KindInvalid,
	"psycopg2.errors.InvalidTextRepresentation":    odbxfs.KindInvalid,
	"psycopg2.errors.UntranslatableCharacter":      odbxfs.KindName,
	"psycopg2.errors.CharacterNotInRepertoire":     odbxfs.KindName,
	"UnicodeEncodeError":                           odbxfs.KindName,
}

// loginCooldown is how long Odoo ignores logins after ten failures
// (base.login_cooldown_duration).
const loginCooldown = time.Minute

// classify gives the kind of a fault in the answer to a call on model.
func classify(f *Fault, model string) (odbxfs.ErrorKind, time.Duration) {
	if k, ok := kindsByClass[f.Name]; ok {
		return k, 0
	}
	switch f.Name {
	case classAccessDenied:
		if strings.Contains(f.Message, "Too many login failures") {
			return odbxfs.KindRateLimited, loginCooldown
		}
		return odbxfs.KindCredentials, 0
	case classAccess:
		// 19 says so when the database does not exist; left in English.
		if f.Message == "Database not found." {
			return odbxfs.KindForeign, 0
		}
		return odbxfs.KindAccess, 0
	case classNotFound: // 19's answer to an unknown model, and in JSON-2 to an unknown method
		if strings.HasPrefix(f.Message, "The method ") {
			return odbxfs.KindUnsupported, 0
		}
		return odbxfs.KindUnknownModel, 0
	case classUser, "odoo.exceptions.ValidationError":
		if strings.Contains(f.Message, "violates unique constraint") { // PostgreSQL's own words
			return odbxfs.KindExists, 0
		}
		return odbxfs.KindInvalid, 0
	case "psycopg2.OperationalError":
		if strings.Contains(f.Message, "FATAL:") && strings.Contains(f.Message, "does not exist") {
			return odbxfs.KindForeign, 0
		}
		return odbxfs.KindUnavailable, 0
	}
	return classifyBuiltin(f, model), 0
}

// classifyBuiltin decides on Python's own exceptions, which Odoo lets through.
func classifyBuiltin(f *Fault, model string) odbxfs.ErrorKind {
	switch f.Name {
	case "KeyError":
		if strings.Trim(f.Message, "'") == model { // 14's registry
			return odbxfs.KindUnknownModel
		}
		return odbxfs.KindInvalid // an unknown field in write
	case "ValueError":
		if strings.Contains(f.Message, "NUL (0x00)") {
			return odbxfs.KindName
		}
		if strings.HasPrefix(f.Message, "Invalid field") || strings.HasPrefix(f.Message, "Wrong value") || strings.HasPrefix(f.Message, "Invalid leaf") {
			return odbxfs.KindInvalid
		}
	case "TypeError":
		if strings.Contains(f.Message, "argument") {
			return odbxfs.KindInvalid
		}
	case "AttributeError":
		if strings.Contains(f.Message, "'"+model) {
			return odbxfs.KindUnsupported // no such method
		}
	}
	return odbxfs.KindUnknown
}

// faultError makes the error of one fault.
func faultError(op string, f *Fault) error {
	f.Message = tidy(f.Message)
	model := op[:max(strings.LastIndexByte(op, '.'), 0)]
	kind, wait := classify(f, model)
	return &odbxfs.Error{Op: op, Kind: kind, RetryAfter: wait, Err: f}
}

// missingRow is how a MissingError names its rows, in every language: the
// record set as Python prints it.
var missingRow = regexp.MustCompile(`: [a-z][a-z0-9_.]*\((\d+, ?)+(\d+)?\),`)

// xmlFault makes an error of an XML-RPC fault, which has a number for a class.
func xmlFault(op string, code int, text string) error {
	switch code {
	case 2:
		if missingRow.MatchString(text) {
			return faultError(op, &Fault{Name: classMissing, Message: text})
		}
		return faultError(op, &Fault{Name: classUser, Message: text})
	case 3:
		return faultError(op, &Fault{Name: classAccessDenied, Message: text})
	case 4:
		return faultError(op, &Fault{Name: classAccess, Message: text})
	}
	f := lastOfTraceback(text)
	if strings.HasPrefix(f.Message, "cannot marshal ") || f.Message == "int exceeds XML-RPC limits" {
		// Odoo commits before it writes the answer.
		f = &Fault{Name: classNoAnswer, Message: "carried out, but XML-RPC cannot bring the answer (" + f.Message + ")"}
	}
	return faultError(op, f)
}

// isNoAnswer reports whether a call was carried out without an answer.
func isNoAnswer(err error) bool {
	f, ok := errors.AsType[*Fault](err)
	return ok && f.Name == classNoAnswer
}

// pythonClass is the start of a traceback's last part.
var pythonClass = regexp.MustCompile(`(?m)^([A-Za-z_][\w.]*(?:Error|Exception|Failure|Violation|Full|Detected|Available|Warning|Denied|Shutdown|Canceled|Miss))(?:: |$)`)

// lastOfTraceback reads class and message at the end of a Python traceback.
func lastOfTraceback(text string) *Fault {
	at := pythonClass.FindAllStringSubmatchIndex(text, -1)
	if len(at) == 0 {
		lines := strings.Split(strings.TrimSpace(text), "\n")
		return &Fault{Name: "traceback", Message: lines[len(lines)-1]}
	}
	last := at[len(at)-1]
	return &Fault{Name: bareClass(text[last[2]:last[3]]), Message: strings.TrimSpace(text[last[1]:])}
}

func bareClass(name string) string { return strings.TrimPrefix(name, "builtins.") }

// mayBeUnknownModel reports whether err is a UserError that names the model.
func mayBeUnknownModel(err error, model string) bool {
	f, ok := errors.AsType[*Fault](err)
	return ok && f.Name == classUser && strings.Contains(f.Message, model)
}

// asUnknownModel gives err that kind.
func asUnknownModel(err error) error {
	e, ok := errors.AsType[*odbxfs.Error](err)
	if !ok {
		return err
	}
	c := *e
	c.Kind = odbxfs.KindUnknownModel
	return &c
}

// jsonFault makes an error of the "error" member of a JSON-RPC answer.
func jsonFault(op string, fault map[string]any) error {
	data, _ := fault["data"].(map[string]any) // absent: the fallbacks below
	f := &Fault{}
	f.Name, _ = data["name"].(string)
	f.Message, _ = data["message"].(string)
	f.Name = bareClass(f.Name)
	if f.Message == "" {
		f.Message, _ = fault["message"].(string)
	}
	if code, ok := fault["code"].(int64); ok && code == 100 {
		f.Name = classSessionExpired
	}
	return faultError(op, f)
}

// json2Fault makes an error of a JSON-2 answer with another status than 200.
func json2Fault(op string, status int, header http.Header, v any) error {
	m, _ := v.(map[string]any) // no mapping: the status alone speaks
	f := &Fault{}
	f.Name, _ = m["name"].(string)
	f.Message, _ = m["message"].(string)
	f.Name = bareClass(f.Name)
	if f.Name == "" {
		return statusError(op, status, header, "")
	}
	return faultError(op, f)
}

// errNoSuchRoute marks a 404 that is not Odoo's answer to a call.
var errNoSuchRoute = errors.New("no such page")

// errInternal marks HTTP 500 with a page: all that 14's session login says to a
// wrong password, or a wrong database.
var errInternal = errors.New("HTTP 500, an internal error of the server")

// httpError makes an error of an answer that is none of Odoo's RPC.
func httpError(op string, a *answer) error {
	return statusError(op, a.status, a.header, string(a.body))
}

func statusError(op string, status int, header http.Header, body string) error {
	fail := func(k odbxfs.ErrorKind, err error) error { return &odbxfs.Error{Op: op, Kind: k, Err: err} }
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return fail(odbxfs.KindTooLarge, errors.New("the server's limit for a request (system parameter web.max_file_upload_size, or the proxy's)"))
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && header.Get("Retry-After") != "":
		return &odbxfs.Error{Op: op, Kind: odbxfs.KindRateLimited, RetryAfter: retryAfter(header), Err: fmt.Errorf("HTTP %d", status)}
	case status == http.StatusNotFound && strings.Contains(body, "No database is selected"):
		return fail(odbxfs.KindForeign, fmt.Errorf("the server does not serve this database: %w", errNoSuchRoute))
	case status == http.StatusNotFound:
		return fail(odbxfs.KindUnavailable, fmt.Errorf("HTTP 404: %w; is this the URL of Odoo?", errNoSuchRoute))
	case status >= 300 && status < 400:
		return fail(odbxfs.KindUnavailable, fmt.Errorf("the server redirects to %q: give that URL if it is right", header.Get("Location")))
	case status == http.StatusBadRequest:
		return fail(odbxfs.KindUnavailable, errors.New("HTTP 400: is the address right? A port that speaks https answers so to http://"))
	case status == http.StatusOK:
		return fail(odbxfs.KindUnavailable, fmt.Errorf("answered with a page of type %q, not with Odoo's RPC", header.Get("Content-Type")))
	case status == http.StatusInternalServerError:
		return fail(odbxfs.KindUnavailable, errInternal)
	default:
		return fail(odbxfs.KindUnavailable, fmt.Errorf("HTTP %d", status))
	}
}

// retryAfter reads the seconds of Retry-After; a date, or none, is 30 s.
func retryAfter(h http.Header) time.Duration {
	if s, err := strconv.Atoi(h.Get("Retry-After")); err == nil && s >= 0 && s < 1<<20 {
		return time.Duration(s) * time.Second
	}
	return 30 * time.Second
}

var (
	errEmptyAnswer = errors.New("empty answer")
	errHugeAnswer  = errors.New("answer too large")
)

// transportError makes an error of a request that got no whole answer.
func transportError(op string, err error) error {
	if e, ok := errors.AsType[*odbxfs.Error](err); ok {
		return &odbxfs.Error{Op: op, Kind: e.Kind, RetryAfter: e.RetryAfter, Err: err} // the content's own source
	}
	kind := odbxfs.KindUnavailable
	switch {
	case errors.Is(err, errContent):
		kind = odbxfs.KindCorrupt
	case errors.Is(err, errHugeAnswer):
		kind = odbxfs.KindTooLarge
	case errors.Is(err, http.ErrSchemeMismatch):
		kind, err = odbxfs.KindSettings, fmt.Errorf("%w: this port speaks http: write http:// in odoo.url, or the port that speaks https", err)
	case isUntrusted(err):
		// It may pass by itself: a network that asks to sign in first answers so.
		err = fmt.Errorf("%w: is it the right address? A private authority's certificate belongs into this machine's trust (update-ca-certificates)", err)
	}
	return &odbxfs.Error{Op: op, Kind: kind, Err: err}
}

// isUntrusted reports whether the server's certificate was not taken.
func isUntrusted(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

// answerError makes an error of an answer that cannot be read: cut off or
// garbled on the way, so the call may have been carried out.
func answerError(op string, err error) error {
	return &odbxfs.Error{Op: op, Kind: odbxfs.KindUnavailable, Err: fmt.Errorf("unreadable answer: %w", err)}
}

// argumentError makes an error of arguments that cannot be sent.
func argumentError(op string, err error) error {
	kind := odbxfs.KindInvalid
	if errors.Is(err, errNUL) || errors.Is(err, errUTF8) || errors.Is(err, errXMLText) {
		kind = odbxfs.KindName
	}
	return &odbxfs.Error{Op: op, Kind: kind, Err: err}
}

func credentialsError(op string, err error) error {
	return &odbxfs.Error{Op: op, Kind: odbxfs.KindCredentials, Err: err}
}

func unsupported(op, why string) error {
	return &odbxfs.Error{Op: op, Kind: odbxfs.KindUnsupported, Err: errors.New(why)}
}

// isNetwork reports whether no answer came at all.
func isNetwork(err error) bool {
	_, isNet := errors.AsType[net.Error](err)
	return isNet || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// isCanceled reports whether the caller gave up.
func isCanceled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// maxMessage bounds a message in bytes: some hold whole views.
const maxMessage = 1000

// tidy cuts what is no message: the code of a server action that 14 and 19
// append to an unforeseen error inside one, and any excess.
func tidy(text string) string {
	text, _, _ = strings.Cut(text, " while evaluating")
	text = strings.TrimSpace(text)
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "..."
	}
	return text
}

// isMissing reports whether a record is not there.
func isMissing(err error) bool { return odbxfs.IsKind(err, odbxfs.KindMissing) }
