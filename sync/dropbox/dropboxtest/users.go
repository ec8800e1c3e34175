package dropboxtest

import "strings"

func (s *Server) rootInfo() map[string]any {
	ns := s.opt.Account.NamespaceID
	kind := "user"
	if s.opt.Account.Kind == Business {
		kind = "team"
	}
	info := map[string]any{".tag": kind, "root_namespace_id": ns, "home_namespace_id": ns}
	if kind == "team" {
		info["home_path"] = ""
	}
	return info
}

func currentAccount(c *call, _ *void) (any, error) {
	a := c.s.opt.Account
	given, surname, _ := strings.Cut(a.Name, " ")
	answer := map[string]any{
		"account_id": a.ID,
		"name": map[string]any{"given_name": given, "surname": surname, "familiar_name": given,
			"display_name": a.Name, "abbreviated_name": initials(a.Name)},
		"email": a.Email, "email_verified": true, "disabled": false, "country": a.Country, "locale": a.Locale,
		"referral_link": "https://www.dropbox.com/referrals/AAAPVkAVLJ_KOkom5veU5p5i20nxosCIg9c?src=app9-1",
		"is_paired":     false, "account_type": tag(string(a.Kind)), "root_info": c.s.rootInfo(),
	}
	if a.Kind == Business {
		answer["is_paired"] = true
		answer["team_member_id"] = "dbmid:AAHhy7WsR0x-u4ZCqiDl5Fz5zvuL3kmspwU"
		answer["team"] = map[string]any{
			"id": "dbtid:AAFdgehTzw7WlXhZJsbGCLePe8RvQGYDr-I", "name": a.TeamName,
			"sharing_policies":    map[string]any{"shared_folder_member_policy": tag("anyone"), "shared_folder_join_policy": tag("from_anyone"), "shared_link_create_policy": tag("default_public"), "group_creation_policy": tag("admins_and_members"), "shared_folder_link_restriction_policy": tag("anyone")},
			"office_addin_policy": tag("disabled"), "top_level_content_policy": tag("everyone"),
		}
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
	used, a := c.s.tree.used, c.s.opt.Account
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
		on, known := map[string]bool{"paper_as_files": true, "file_locking": false,
			"team_shared_dropbox": false, "distinct_member_home": false}[f.Tag]
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
