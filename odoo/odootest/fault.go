package odootest

import "fmt"

// fault is an exception of Odoo on its way to the client.
type fault struct {
	class   string // as "odoo.exceptions.AccessError"
	message string
	// expired marks a session that is not there (any more).
	expired bool
}

func (f *fault) Error() string { return f.class + ": " + f.message }

func userError(format string, args ...any) *fault {
	return &fault{class: "odoo.exceptions.UserError", message: fmt.Sprintf(format, args...)}
}

func validationError(format string, args ...any) *fault {
	return &fault{class: "odoo.exceptions.ValidationError", message: fmt.Sprintf(format, args...)}
}

func accessError(format string, args ...any) *fault {
	return &fault{class: "odoo.exceptions.AccessError", message: fmt.Sprintf(format, args...)}
}

func accessDenied() *fault {
	return &fault{class: "odoo.exceptions.AccessDenied", message: "Access Denied"}
}

func missingError(model string, id, uid int64) *fault {
	return &fault{class: "odoo.exceptions.MissingError", message: fmt.Sprintf("Record does not exist or has been deleted.\n(Record: %s(%d,), User: %d)", model, id, uid)}
}

// unforeseen is a Python exception that Odoo does not translate.
func unforeseen(class, format string, args ...any) *fault {
	return &fault{class: class, message: fmt.Sprintf(format, args...)}
}

// code is the faultCode of XML-RPC under /xmlrpc/2.
func (f *fault) code() int {
	switch f.class {
	case "odoo.exceptions.UserError", "odoo.exceptions.ValidationError", "odoo.exceptions.MissingError":
		return 2
	case "odoo.exceptions.AccessDenied":
		return 3
	case "odoo.exceptions.AccessError":
		return 4
	}
	return 1
}

// xmlText is the faultString: the message where Odoo translates it, else a
// traceback whose last line is class and message.
func (f *fault) xmlText() string {
	if f.code() == 1 {
		return "Traceback (most recent call last):\n  File \"odootest\", line 1, in call\n" + f.class + ": " + f.message + "\n"
	}
	return f.message
}

// status is the HTTP status of JSON-2.
func (f *fault) status() int {
	switch f.class {
	case "werkzeug.exceptions.Unauthorized":
		return 401
	case "odoo.exceptions.AccessError", "odoo.exceptions.AccessDenied":
		return 403
	case "odoo.exceptions.MissingError", "werkzeug.exceptions.NotFound":
		return 404
	case "odoo.exceptions.UserError", "odoo.exceptions.ValidationError", "werkzeug.exceptions.UnprocessableEntity":
		return 422
	}
	return 500
}
