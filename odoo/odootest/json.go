package odootest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// parseJSON gives whole numbers as int64.
func parseJSON(body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return numbers(v), nil
}

func numbers(v any) any {
	switch x := v.(type) {
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return n
		}
		f, err := x.Float64()
		if err != nil {
			return x.String()
		}
		return f
	case []any:
		for i := range x {
			x[i] = numbers(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = numbers(x[k])
		}
	}
	return v
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		html(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(data) //nolint:errcheck // the client is gone when this fails
}

const sessionCookie = "session_id"

// serveJSONRPC answers the web client's calls.
func (s *Server) serveJSONRPC(w http.ResponseWriter, r *http.Request, body []byte) {
	v, err := parseJSON(body)
	request, ok := v.(map[string]any)
	if err != nil || !ok {
		html(w, http.StatusBadRequest, "400 Bad Request")
		return
	}
	params, _ := request["params"].(map[string]any)
	var result any
	var f *fault
	if r.URL.Path == "/web/session/authenticate" {
		result, f = s.authenticate(w, params)
	} else {
		result, f = s.callKW(r, params)
	}
	out := map[string]any{"jsonrpc": "2.0", "id": request["id"]}
	if f != nil {
		out["error"] = s.jsonError(f)
	} else {
		out["result"] = result
	}
	writeJSON(w, http.StatusOK, out)
}

func (s *Server) jsonError(f *fault) map[string]any {
	code := 0
	if s.opt.Version < 17 {
		code = 200
	}
	message := "Odoo Server Error"
	if f.class == "werkzeug.exceptions.NotFound" {
		code, message = 404, "404: Not Found"
	}
	name := f.class
	if !strings.Contains(name, ".") {
		name = "builtins." + name
	}
	if f.expired {
		code, message = 100, "Odoo Session Expired"
	}
	return map[string]any{"code": code, "message": message, "data": map[string]any{
		"name": name, "message": f.message, "debug": f.xmlText(), "arguments": []any{f.message}, "context": map[string]any{}}}
}

func (s *Server) authenticate(w http.ResponseWriter, params map[string]any) (any, *fault) {
	if f := s.checkDatabase(params["db"]); f != nil {
		return nil, f
	}
	uid, ok := s.login(fmt.Sprint(params["login"]), fmt.Sprint(params["password"]), false)
	s.noteSignIn(fmt.Sprint(params["login"]), ok)
	if !ok {
		return nil, accessDenied()
	}
	s.mu.Lock()
	sid := s.token()
	s.sessions[sid] = uid
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: sid, Path: "/", HttpOnly: true})
	info := map[string]any{"uid": uid, "db": s.opt.Database, "server_version": s.versionName(), "server_version_info": s.versionInfo(), "username": params["login"]}
	if s.opt.Version >= 17 {
		info["max_file_upload_size"] = s.opt.MaxBody
	}
	return info, nil
}

// sessionUser gives the uid of a request's session, 0 for none.
func (s *Server) sessionUser(r *http.Request) int64 {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[c.Value]
}

// ForgetSessions makes every session expire.
func (s *Server) ForgetSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.sessions)
}

func (s *Server) callKW(r *http.Request, params map[string]any) (any, *fault) {
	uid := s.sessionUser(r)
	if uid == 0 {
		return nil, &fault{class: "odoo.http.SessionExpiredException", message: "Session expired", expired: true}
	}
	a := args{kw: map[string]any{}}
	a.pos, _ = params["args"].([]any)
	if kw, ok := params["kwargs"].(map[string]any); ok {
		a.kw = kw
	}
	model := fmt.Sprint(params["model"])
	if !s.hasModel(model) {
		return nil, s.noModel(model)
	}
	return s.execute(uid, model, fmt.Sprint(params["method"]), a)
}

func (s *Server) hasModel(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.db.models[name] != nil
}

// noModel is what the web session says to a model that is not there.
func (s *Server) noModel(name string) *fault {
	if s.opt.Version >= 17 {
		return &fault{class: "werkzeug.exceptions.NotFound", message: "404 Not Found: The requested URL was not found on the server."}
	}
	return unforeseen("KeyError", "'%s'", name)
}

func (s *Server) serveVersion(w http.ResponseWriter, path string) {
	if s.opt.Version < 19 {
		html(w, http.StatusNotFound, "404 Not Found")
		return
	}
	_ = path // both routes answer alike
	writeJSON(w, http.StatusOK, map[string]any{"version": s.versionName(), "version_info": s.versionInfo()})
}

// serveJSON2 answers /json/2/<model>/<method>: an API key, named arguments.
func (s *Server) serveJSON2(w http.ResponseWriter, r *http.Request, path string, body []byte) {
	if db := r.Header.Get("X-Odoo-Database"); db != "" && db != s.opt.Database {
		html(w, http.StatusNotFound, "No database is selected")
		return
	}
	model, method, _ := strings.Cut(path, "/")
	key, ok := strings.CutPrefix(strings.ToLower(r.Header.Get("Authorization")), "bearer ")
	s.mu.Lock()
	uid := s.keys[key]
	s.mu.Unlock()
	if !ok || uid == 0 {
		s.json2Fault(w, &fault{class: "werkzeug.exceptions.Unauthorized", message: "Invalid apikey"})
		return
	}
	v, err := parseJSON(body)
	kw, isMap := v.(map[string]any)
	if err != nil || !isMap {
		html(w, http.StatusBadRequest, "400 Bad Request")
		return
	}
	result, f := s.execute(uid, model, method, args{kw: kw})
	if f != nil && f.class == "AttributeError" || f != nil && strings.HasPrefix(f.message, "Object ") {
		f = &fault{class: "werkzeug.exceptions.NotFound", message: strings.Replace(strings.Replace(f.message, "Object ", "the model '", 1), " doesn't exist", "' does not exist", 1)}
	}
	if f != nil {
		s.json2Fault(w, f)
		return
	}
	if id, ok := result.(int64); ok && method == "create" {
		result = []int64{id}
	}
	writeJSON(w, http.StatusOK, result)
}

func (s *Server) json2Fault(w http.ResponseWriter, f *fault) {
	name := f.class
	if !strings.Contains(name, ".") {
		name = "builtins." + name
	}
	writeJSON(w, f.status(), map[string]any{"name": name, "message": f.message, "arguments": []any{f.message}, "context": map[string]any{}, "debug": f.xmlText()})
}
