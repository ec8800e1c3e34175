package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newBuilder is a builder in an empty folder, whose removals need no root.
func newBuilder(t *testing.T) *builder {
	t.Helper()
	f := folder(t.TempDir())
	b := &builder{folder: f, recipe: recipes[0], say: t.Logf}
	if err := os.MkdirAll(f.version(b.recipe.version), 0o755); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(f.buildLog(b.recipe.version))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	b.log = log
	return b
}

// makes is a step that makes a folder with one file.
func makes(content string) func(context.Context, string) error {
	return func(_ context.Context, stage string) error {
		if err := os.Mkdir(stage, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(stage, "made"), []byte(content), 0o600)
	}
}

func made(t *testing.T, b *builder) string {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(b.place(stepTree), "made"))
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func TestAStepIsThereOnceItIsWhole(t *testing.T) {
	b := newBuilder(t)
	if b.has(stepTree) {
		t.Error("there before it was made")
	}
	if err := b.run(t.Context(), stepTree, makes("whole")); err != nil {
		t.Fatal(err)
	}
	if !b.has(stepTree) || made(t, b) != "whole" {
		t.Error("not there after it was made")
	}
}

func TestWhatAnInterruptedStepLeftIsDoneOver(t *testing.T) {
	b := newBuilder(t)
	if err := makes("half")(t.Context(), b.place(stepTree)+".new"); err != nil {
		t.Fatal(err)
	}
	// Killed between the rename and the stamp: whole, but nobody says so.
	if err := makes("unstamped")(t.Context(), b.place(stepTree)); err != nil {
		t.Fatal(err)
	}
	if b.has(stepTree) {
		t.Error("a step without a stamp counts")
	}
	if err := b.run(t.Context(), stepTree, makes("whole")); err != nil {
		t.Fatal(err)
	}
	if made(t, b) != "whole" {
		t.Errorf("the step gives %q", made(t, b))
	}
}

func TestAnotherRecipeIsBuiltAnew(t *testing.T) {
	b := newBuilder(t)
	if err := b.run(t.Context(), stepTree, makes("old")); err != nil {
		t.Fatal(err)
	}
	b.recipe.packages += ",more"
	if b.has(stepTree) {
		t.Error("the old recipe's tree counts for the new one")
	}
	if err := b.run(t.Context(), stepTree, makes("new")); err != nil {
		t.Fatal(err)
	}
	if made(t, b) != "new" {
		t.Errorf("the step gives %q", made(t, b))
	}
}

func TestAFailedStepSaysWhyAndLeavesNoResult(t *testing.T) {
	b := newBuilder(t)
	err := b.run(t.Context(), stepTree, func(context.Context, string) error {
		_, err := fmt.Fprintln(b.log, "E: Unable to locate package odoo-14")
		return errors.Join(err, errors.New("exit status 100"))
	})
	if err == nil || b.has(stepTree) {
		t.Fatalf("error %v, result there: %v", err, b.has(stepTree))
	}
	for _, want := range []string{"tree of Odoo 14", "exit status 100", "Unable to locate package", b.log.Name(), MirrorVar} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
}

func TestACancelledStepSaysThatItWasStopped(t *testing.T) {
	b := newBuilder(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := b.run(ctx, stepTree, func(context.Context, string) error {
		cancel()
		return errors.New("signal: killed")
	})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "was stopped") {
		t.Errorf("error %v", err)
	}
}

func TestTheTreeOutlivesAChangeOfModules(t *testing.T) {
	a, b := recipes[1], recipes[1]
	b.modules += ",crm"
	if a.stamp(stepTree) != b.stamp(stepTree) {
		t.Error("a new module would cost a new tree")
	}
	if a.stamp(stepTemplate) == b.stamp(stepTemplate) {
		t.Error("a new module would not come into the template")
	}
	if a.stamp(stepTree) == recipes[0].stamp(stepTree) {
		t.Error("two versions have the same tree")
	}
}

func TestAnUnknownVersionIsNamed(t *testing.T) {
	if _, err := Open(t.Context(), Options{Version: 12}); err == nil || !strings.Contains(err.Error(), "Odoo 12") {
		t.Errorf("error %v", err)
	}
}
