package config

import (
	"fmt"
	"slices"
	"strings"
)

const envPrefix = "ODBXFS_"

// notSettings are variables of this name that are no settings: the config
// file's own path, and what the tests and the lab take.
var notSettings = []string{"CONFIG", "LAB_DIR", "LAB_MIRROR", "SOAK"}

// envKey gives the key that an environment variable sets, and false when it
// sets none. Keys have underscores too, so it is looked up and not computed.
func envKey(name string) (string, bool) {
	name = strings.TrimPrefix(name, envPrefix)
	for _, key := range Keys() {
		before, after, isMap := strings.Cut(envName(key), "*")
		switch {
		case !isMap && name == envName(key):
			return key, true
		case isMap && strings.HasPrefix(name, before) && strings.HasSuffix(name, after) && len(name) > len(before)+len(after):
			client := strings.ToLower(name[len(before) : len(name)-len(after)])
			return strings.Replace(key, "*", client, 1), true
		}
	}
	return "", false
}

func envName(key string) string { return strings.ToUpper(strings.ReplaceAll(key, ".", "_")) }

func fromEnv(name, value string) (string, any) {
	key, ok := envKey(name)
	if !ok {
		return "", nil
	}
	if key == "mount.models" {
		return key, strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
	}
	return key, value
}

func checkEnv(environ []string) error {
	for _, line := range environ {
		name, _, _ := strings.Cut(line, "=")
		rest, ours := strings.CutPrefix(name, envPrefix)
		if !ours || slices.Contains(notSettings, rest) {
			continue
		}
		if _, ok := envKey(name); !ok {
			known := Keys()
			for i := range known {
				known[i] = envPrefix + envName(known[i])
			}
			return fmt.Errorf("environment: there is no setting %s; the nearest is %s", name, nearest(name, known))
		}
	}
	return nil
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
