# Tells, of the output of `go test` and of `make lint`, what failed and little
# else: each failing test with the first lines of its own failures
# ("file_test.go:12: ..."), panics, and what did not build. What a test prints
# to explain itself has no place in the source in front, so it stays out.

function indent(s) { match(s, /[^ ]/); return RSTART - 1 }

# The results of subtests stand below their parent's, farther in.
/^ *--- (FAIL|PASS|SKIP): / {
  at[indent($0)] = ""
  if ($2 != "FAIL:") next
  at[indent($0)] = $3
  order[++n] = $3; took[$3] = $4
  above = $3
  while (sub(/\/[^\/]*$/, "", above)) parent[above]
  next
}
# A test's own lines stand one step farther in than its result.
/^ +[^ ]+_test\.go:[0-9]+: / {
  test = at[indent($0) - 4]
  if (test != "" && lines[test]++ < 4) own[test] = own[test] "    " substr($0, indent($0) + 1, 300) "\n"
  next
}
/^FAIL\t.*\[(build|setup) failed\]/ { order[++n] = $2; took[$2] = "does not build"; next }
/^panic: |^fatal error: |^WARNING: DATA RACE|^[^ ]+\.go:[0-9]+:[0-9]+: |^not formatted|^make.* Error [0-9]+$/ {
  if (others++ < 15) order[++n] = substr($0, 1, 300)
}
END {
  for (i = 1; i <= n; i++) {
    test = order[i]
    if (test in parent && !(test in own)) continue
    printf "%s %s\n%s", test, took[test], own[test]
  }
}
