package odoo

import (
	"context"
	"errors"
	"strconv"

	"odbxfs"
)

// NewAPIKey makes an API key for the signed-in user, who proves himself by his
// password. It is valid for that many days; 0 is for ever, which 18 and later
// allow to administrators only. Odoo shows it once: keep it. On 19 it works
// over the session only (KindInvalid elsewhere).
func (c *Client) NewAPIKey(ctx context.Context, name, password string, days int) (string, error) {
	const wizard, check = "res.users.apikeys.description", "res.users.identitycheck"
	fields, err := c.FieldsGet(ctx, wizard, "duration")
	if err != nil {
		return "", err
	}
	values := map[string]any{"name": name}
	if _, has := fields["duration"]; has { // from 18 on
		values["duration"] = strconv.Itoa(days)
	}
	id, err := c.Create(ctx, wizard, values)
	if err != nil {
		return "", err
	}
	var asked struct {
		ID      int64          `odoo:"res_id"`
		Context map[string]any `odoo:"context"`
	}
	if err := c.Call(ctx, wizard, "make_key", []any{[]int64{id}}, nil, &asked); err != nil {
		return "", err
	}
	if key, ok := asked.Context["default_key"].(string); ok { // identity checked a moment ago
		return key, nil
	}
	// 14 reads the password from a field of the wizard, 19 from the context.
	fields, err = c.FieldsGet(ctx, check, "password")
	if err != nil {
		return "", err
	}
	if f, has := fields["password"]; has && f.Store {
		if err := c.Write(ctx, check, []int64{asked.ID}, map[string]any{"password": password}); err != nil {
			return "", err
		}
	}
	var made struct {
		Context map[string]any `odoo:"context"`
	}
	if err := c.Call(ctx, check, "run_check", []any{[]int64{asked.ID}}, withContext(nil, "password", password), &made); err != nil {
		return "", err
	}
	key, ok := made.Context["default_key"].(string)
	if !ok || key == "" {
		return "", &odbxfs.Error{Op: "make API key", Kind: odbxfs.KindUnsupported, Err: errors.New("no key in the answer")}
	}
	return key, nil
}
