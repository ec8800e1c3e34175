package odoo

import (
	"context"

	"odbxfs"
)

// looksLikeKey reports whether a secret has the form of Odoo's API keys: 40 hex
// digits. A session refuses keys, and each refusal counts towards the login
// cooldown, so it is not asked to try one.
func looksLikeKey(secret string) bool {
	if len(secret) != 40 {
		return false
	}
	for _, r := range secret {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') {
			return false
		}
	}
	return true
}

// signIn opens the configured transport. lastUID is that of an earlier login, or
// 0.
func signIn(ctx context.Context, e *endpoint, c Config, secret string, lastUID int64) (transport, account, error) {
	switch c.Transport {
	case Session:
		return asTransport(signInSession(ctx, e, c.Login, secret, lastUID))
	case JSON2:
		return signInJSON2(ctx, e, secret)
	case XMLRPC:
		return signInXML(ctx, e, c.Login, secret, lastUID)
	default:
		return signInAuto(ctx, e, c, secret, lastUID)
	}
}

// signInAuto asks for the best transport that works.
func signInAuto(ctx context.Context, e *endpoint, c Config, secret string, lastUID int64) (transport, account, error) {
	if looksLikeKey(secret) {
		t, acc, err := signInJSON2(ctx, e, secret)
		if err == nil {
			return t, acc, nil
		}
		// A password may look like a key, and 14 has no JSON-2.
		if !isUnsupported(err) && !odbxfs.IsKind(err, odbxfs.KindCredentials) {
			return nil, acc, err
		}
		return signInXML(ctx, e, c.Login, secret, lastUID)
	}
	t, acc, err := signInSession(ctx, e, c.Login, secret, lastUID)
	if err == nil {
		return t, acc, nil
	}
	if k := odbxfs.KindOf(err); k == odbxfs.KindRateLimited || k == odbxfs.KindForeign || k == odbxfs.KindCredentials || isCanceled(err) || isNetwork(err) {
		return nil, acc, err
	}
	// A proxy may keep the web client's routes shut and let XML-RPC through.
	return signInXML(ctx, e, c.Login, secret, lastUID)
}

// asTransport keeps a nil *sessionTransport from becoming a non-nil transport.
func asTransport(t *sessionTransport, acc account, err error) (transport, account, error) {
	if err != nil {
		return nil, acc, err
	}
	return t, acc, nil
}
