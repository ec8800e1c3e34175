package lab

import (
	"context"
	"fmt"
	"strings"
)

// The external ids of crons that tests most often want to run at once.
const (
	CronAutovacuum = "base.autovacuum_job"                // removes files that no attachment refers to, among others
	CronMailQueue  = "mail.ir_cron_mail_scheduler_action" // sends the mails that wait
)

// RunCron runs a cron, named by its external id, at once, and waits for its end.
func (s *Server) RunCron(ctx context.Context, xmlID string) error {
	module, name, ok := strings.Cut(xmlID, ".")
	if !ok {
		return fmt.Errorf("lab: %q is no external id", xmlID)
	}
	domain := []any{[]any{"module", "=", module}, []any{"name", "=", name}, []any{"model", "=", "ir.cron"}}
	var rows []struct {
		ResID int `json:"res_id"`
	}
	err := s.Admin(ctx, "ir.model.data", "search_read", []any{domain, []string{"res_id"}}, nil, &rows)
	if err != nil {
		return err
	}
	if len(rows) != 1 {
		return fmt.Errorf("lab: Odoo %d has no cron %s", s.Version, xmlID)
	}
	return s.Admin(ctx, "ir.cron", "method_direct_trigger", []any{[]int{rows[0].ResID}}, nil, nil)
}
