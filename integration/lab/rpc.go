package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// An RPCError is Odoo's answer that a call failed.
type RPCError struct {
	Name    string // Odoo's exception, as odoo.exceptions.AccessError
	Message string // in the user's language
}

// Error implements error.
func (e *RPCError) Error() string { return "odoo: " + e.Name + ": " + e.Message }

// Execute calls a model's method as a user, over JSON-RPC, which 14 to 19 have,
// and decodes its result into result (which may be nil). kwargs may be nil. It
// is for setting scenes and judging, with no code of the product's client. Each is
// one HTTP request; a user's first has a login before it (0.3 s on 19). Safe for
// concurrent use.
func (s *Server) Execute(ctx context.Context, login, password, model, method string, args []any, kwargs map[string]any, result any) error {
	uid, err := s.uid(ctx, login, password)
	if err != nil {
		return err
	}
	if args == nil {
		args = []any{}
	}
	if kwargs == nil {
		kwargs = map[string]any{}
	}
	return s.jsonRPC(ctx, "object", "execute_kw", []any{s.Database, uid, password, model, method, args, kwargs}, result)
}

// uid asks for a user's number, once: numbers do not change, and every call
// sends the password anyway.
func (s *Server) uid(ctx context.Context, login, password string) (any, error) {
	if uid, ok := s.users.Load(login); ok {
		return uid, nil
	}
	var uid any // false when refused
	if err := s.jsonRPC(ctx, "common", "authenticate", []any{s.Database, login, password, struct{}{}}, &uid); err != nil {
		return nil, err
	}
	if n, ok := uid.(float64); !ok || n == 0 {
		return nil, fmt.Errorf("lab: Odoo refused the login %s", login)
	}
	s.users.Store(login, uid)
	return uid, nil
}

// Admin is [Server.Execute] as the administrator.
func (s *Server) Admin(ctx context.Context, model, method string, args []any, kwargs map[string]any, result any) error {
	return s.Execute(ctx, s.AdminLogin, s.AdminPassword, model, method, args, kwargs, result)
}

func (s *Server) jsonRPC(ctx context.Context, service, method string, args []any, result any) (err error) {
	body, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "method": "call", "id": 1,
		"params": map[string]any{"service": service, "method": method, "args": args},
	})
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/jsonrpc", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.http.Do(req)
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("lab: %s.%s: %w", service, method, err)
	}
	return decodeRPC(resp.StatusCode, answer, result)
}

func decodeRPC(status int, answer []byte, result any) error {
	var reply struct {
		Result json.RawMessage
		Error  *struct {
			Message string
			Data    struct{ Name, Message string }
		}
	}
	if err := json.Unmarshal(answer, &reply); err != nil {
		return fmt.Errorf("lab: HTTP %d and no JSON: %.200s", status, answer)
	}
	if e := reply.Error; e != nil {
		return &RPCError{Name: e.Data.Name, Message: e.Data.Message}
	}
	if result == nil || reply.Result == nil {
		return nil
	}
	if err := json.Unmarshal(reply.Result, result); err != nil {
		return fmt.Errorf("lab: result: %w", err)
	}
	return nil
}
