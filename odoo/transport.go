package odoo

import (
	"context"
)

// transport is one way of speaking to Odoo, signed in. All methods may be
// called concurrently; errors are *odbxfs.Error.
type transport interface {
	// kind names it.
	kind() Transport
	// call runs a method. The answer is of the seven kinds of value.go.
	call(ctx context.Context, c *call) (any, error)
}

// call is one method call.
type call struct {
	model, method string
	args          []any
	kw            map[string]any
	content       *blob // stands somewhere in args, or nil
}

// op names the call in errors.
func (c *call) op() string { return c.model + "." + c.method }

// account is what signing in told.
type account struct {
	uid     int64
	version version
	limit   int64 // of a request's body, in bytes; 0: unknown or none
}

// version is the server's: major and minor.
type version struct {
	Major, Minor int
	Name         string
}

// parseVersion reads server_version_info, as [19, 0, 0, "final", 0, ""]. On
// Odoo Online the first is text: "saas~18".
func parseVersion(info any, name string) version {
	v := version{Name: name}
	list, ok := info.([]any)
	if !ok || len(list) < 2 {
		return v
	}
	switch major := list[0].(type) {
	case int64:
		v.Major = int(major)
	case string:
		for _, r := range major {
			if r >= '0' && r <= '9' {
				v.Major = v.Major*10 + int(r-'0')
			}
		}
	}
	if minor, ok := list[1].(int64); ok {
		v.Minor = int(minor)
	}
	return v
}
