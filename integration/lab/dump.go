package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// structure are the queries of a dump that tell how the database is built.
var structure = map[string]string{
	"column":     "SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default) FROM information_schema.columns WHERE table_schema = 'public'",
	"index":      "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
	"constraint": "SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
	"trigger":    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
	"sequence":   "SELECT sequence_name FROM information_schema.sequences",
}

// described are the tables that say what Odoo is made of.
const described = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
	AND (table_name LIKE 'ir\_model%' OR table_name LIKE 'ir\_ui\_%' OR table_name LIKE 'ir\_act\_%' OR table_name LIKE 'rule\_group%' OR table_name LIKE 'res\_groups%'
	OR table_name IN ('ir_rule', 'base_automation', 'ir_config_parameter', 'ir_default', 'ir_filters', 'ir_actions'))`

// Dump gives, sorted, what a change of Odoo's make-up would change: every
// column, index, constraint, trigger and sequence, and the rows that describe
// models, pages, actions, rights and parameters, with all their columns.
// stamped says whether who wrote a row last and when counts too: Odoo 14
// itself writes its page of users' groups anew whenever a group comes or goes,
// with the same content, and keeps the last one in arch_prev. Left out is
// Odoo's cron of automations, whose interval Odoo sets when one comes or goes
// (4 hours became 240 minutes).
func (s *Server) Dump(ctx context.Context, stamped bool) ([]string, error) {
	db, err := pgx.Connect(ctx, s.DSN())
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	all, err := dump(ctx, db, stamped)
	return all, errors.Join(err, db.Close(ctx))
}

func dump(ctx context.Context, db *pgx.Conn, stamped bool) ([]string, error) {
	tables, err := texts(ctx, db, described)
	if err != nil {
		return nil, err
	}
	var all []string
	add := func(kind, sql string) error {
		lines, err := texts(ctx, db, sql)
		for _, l := range lines {
			all = append(all, kind+": "+l)
		}
		return err
	}
	for kind, sql := range structure {
		if err := add(kind, sql); err != nil {
			return nil, err
		}
	}
	stamps := " - 'write_date' - 'write_uid' - 'arch_prev'"
	if stamped {
		stamps = ""
	}
	for _, table := range tables {
		if err := add("row of "+table, fmt.Sprintf("SELECT (to_jsonb(r)%s)::text FROM %s r", stamps, pgx.Identifier{table}.Sanitize())); err != nil {
			return nil, err
		}
	}
	if len(all) < 1000 {
		return nil, fmt.Errorf("lab: a dump of %d lines sees nothing", len(all))
	}
	slices.Sort(all)
	return all, nil
}

func texts(ctx context.Context, db *pgx.Conn, sql string) ([]string, error) {
	rows, err := db.Query(ctx, sql)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("lab: %s: %w", sql, err)
	}
	return lines, nil
}
