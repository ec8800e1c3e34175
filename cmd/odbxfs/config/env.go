package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/knadh/koanf/v2"
)

const envPrefix = "ODBXFS_"

// notSettings are variables of this name that are no settings: the config
// file's own path, and what the tests and the lab take.
var notSettings = []string{"CONFIG", "LAB_DIR", "LAB_MIRROR", "SOAK"}

// loadEnv puts the environment's settings over the file's. An empty variable
// sets a text to nothing, and nothing else.
func loadEnv(k *koanf.Koanf, environ []string) error {
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		rest, ours := strings.CutPrefix(name, envPrefix)
		if !ours || slices.Contains(notSettings, rest) {
			continue
		}
		s, key, ok := envSetting(name)
		if !ok {
			return unknownEnv(name)
		}
		if value == "" && s.typ.Kind() != reflect.String {
			continue
		}
		if err := s.judge(value); err != nil {
			return fmt.Errorf("environment: %s is %q; %w", name, value, err)
		}
		var err error
		if s.typ.Kind() == reflect.Slice {
			err = k.Set(key, strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }))
		} else {
			err = k.Set(key, value)
		}
		if err != nil {
			return fmt.Errorf("environment: %s: %w", name, err)
		}
	}
	return nil
}

// envSetting gives the setting of an environment variable and its key, and
// false when it sets none. Keys have underscores too, so it is looked up and not
// computed.
func envSetting(name string) (s Setting, key string, ok bool) {
	for _, s := range Settings() {
		before, after, isMap := strings.Cut(s.Env, "*")
		switch {
		case !isMap && name == s.Env:
			return s, s.Key, true
		case isMap && strings.HasPrefix(name, before) && strings.HasSuffix(name, after) && len(name) > len(before)+len(after):
			client := strings.ToLower(name[len(before) : len(name)-len(after)])
			return s, strings.Replace(s.Key, "*", client, 1), true
		}
	}
	return Setting{}, "", false
}

func envName(key string) string { return strings.ToUpper(strings.ReplaceAll(key, ".", "_")) }

func unknownEnv(name string) error {
	var known []string
	for _, s := range Settings() {
		known = append(known, s.Env)
	}
	return fmt.Errorf("environment: there is no setting %s; the nearest is %s", name, nearest(name, known))
}

// nearest gives the candidate with the smallest edit distance to s.
func nearest(s string, candidates []string) string {
	return slices.MinFunc(candidates, func(a, b string) int { return distance(s, a) - distance(s, b) })
}

// distance is Levenshtein's: how many letters must be put in, taken out or changed.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
