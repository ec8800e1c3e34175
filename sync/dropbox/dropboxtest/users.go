package dropboxtest

import (
	"maps"
	"strings"
)

// rootInfo tells where the caller's paths can begin.
func (v *view) rootInfo() map[string]any {
	_, home := v.home(v.who)
	info := map[string]any{".tag": "user", "root_namespace_id": v.tree.namespace, "home_namespace_id": home}
	if v.opt.Team != nil {
		n, _ := v.home(v.who)
		info[".tag"], info["home_path"] = "team", n.display()
	}
	return info
}

// person is what everybody may know of an account.
func (m *member) person() map[string]any {
	given, surname, _ := strings.Cut(m.Name, " ")
	return map[string]any{"account_id": m.ID,
		"name": map[string]any{"given_name": given, "surname": surname, "familiar_name": given,
			"display_name": m.Name, "abbreviated_name": initials(m.Name)},
		"email": m.Email, "email_verified": true, "disabled": false}
}

func currentAccount(c *call, _ *void) (any, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	a, answer := c.v.who, c.v.who.person()
	maps.Copy(answer, map[string]any{"country": a.Country, "locale": a.Locale,
		"referral_link": "https://www.dropbox.com/referrals/AAAPVkAVLJ_KOkom5veU5p5i20nxosCIg9c?src=app9-1",
		"is_paired":     false, "account_type": tag(string(a.Kind)), "root_info": c.v.rootInfo(),
	})
	if a.Kind == Business {
		answer["is_paired"] = true
		answer["team_member_id"] = a.memberID
		answer["team"] = map[string]any{
			"id": "dbtid:AAFdgehTzw7WlXhZJsbGCLePe8RvQGYDr-I", "name": a.TeamName,
			"sharing_policies": map[string]any{"shared_folder_member_policy": tag("anyone"), "shared_folder_join_policy": tag("from_anyone"),
				"shared_link_create_policy": tag("default_public"), "group_creation_policy": tag("admins_and_members"),
				"shared_folder_link_restriction_policy": tag("anyone"), "enforce_link_password_policy": tag("optional"),
				"default_link_expiration_days_policy": tag("none"), "shared_link_default_permissions_policy": tag("default")},
			"office_addin_policy": tag("disabled"), "top_level_content_policy": tag("everyone"),
		}
	}
	return answer, nil
}

type accountArg struct {
	AccountID string `json:"account_id" stone:"required"`
}

// basic is BasicAccount, as another account sees it.
func (v *view) basic(id string) (map[string]any, bool) {
	m := v.member(id)
	if m == nil {
		return nil, false
	}
	answer := m.person()
	answer["is_teammate"] = m == v.who || v.opt.Team != nil
	if m.Kind == Business {
		answer["team_member_id"] = m.memberID
	}
	return answer, true
}

func getAccount(c *call, arg *accountArg) (any, error) {
	c.item = arg.AccountID
	answer, known := c.v.basic(arg.AccountID)
	if !known {
		return nil, fail("no_account")
	}
	return answer, nil
}

type accountBatchArg struct {
	AccountIDs []string `json:"account_ids" stone:"required"`
}

func getAccountBatch(c *call, arg *accountBatchArg) (any, error) {
	c.item = items(len(arg.AccountIDs))
	if n := len(arg.AccountIDs); n < 1 || n > 300 {
		return nil, badCall("request body: account_ids: %d is not between 1 and 300 items", n)
	}
	answer := []any{}
	for _, id := range arg.AccountIDs {
		a, known := c.v.basic(id)
		if !known {
			e := fail("no_account")
			e.extra = map[string]any{"no_account": id}
			return nil, e
		}
		answer = append(answer, a)
	}
	return answer, nil
}

func initials(name string) string {
	var b strings.Builder
	for word := range strings.FieldsSeq(name) {
		for _, r := range word {
			b.WriteRune(r)
			break
		}
	}
	return b.String()
}

func spaceUsage(c *call, _ *void) (any, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	used, a := c.s.tree.used, c.v.who
	if a.Kind == Business {
		return map[string]any{"used": used, "allocation": map[string]any{".tag": "team", "used": used, "allocated": a.Allocated,
			"user_within_team_space_allocated": 0, "user_within_team_space_limit_type": tag("off"), "user_within_team_space_used_cached": used}}, nil
	}
	return map[string]any{"used": used, "allocation": map[string]any{".tag": "individual", "allocated": a.Allocated}}, nil
}

type featuresArg struct {
	Features []tagged `json:"features" stone:"required"`
}

// featureValues knows what Dropbox documents; everything unknown is other.
func featureValues(c *call, arg *featuresArg) (any, error) {
	if len(arg.Features) == 0 {
		return nil, fail("empty_features_list")
	}
	values := []any{}
	for _, f := range arg.Features {
		team := c.s.opt.Team != nil
		on, known := map[string]bool{"paper_as_files": true, "file_locking": c.v.who.Kind == Business,
			"team_shared_dropbox": team, "distinct_member_home": team}[f.Tag]
		if !known {
			values = append(values, tag("other"))
			continue
		}
		values = append(values, map[string]any{".tag": f.Tag, f.Tag: map[string]any{".tag": "enabled", "enabled": on}})
	}
	return map[string]any{"values": values}, nil
}

type echoArg struct {
	Query string `json:"query"`
}

func checkUser(_ *call, arg *echoArg) (any, error) {
	return map[string]any{"result": arg.Query}, nil
}
