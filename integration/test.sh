#!/usr/bin/env bash
# Runs every check and every test, then fails if any of them failed, so that
# one run shows all. Called by `make test`, after the machine and the lab are ready.
set -u
cd "$(dirname "$0")/.."
failed=()

step() { # step NAME COMMAND...
  local name=$1 start=$SECONDS
  shift
  printf '\n== %s\n' "$name"
  if "$@"; then printf '== %s: passed in %d s\n' "$name" $((SECONDS - start))
  else printf '== %s: FAILED after %d s\n' "$name" $((SECONDS - start)); failed+=("$name"); fi
}

no_leftovers() { # a mount or an Odoo server that a test left behind
  local mounts servers
  mounts=$(grep -E ' fuse[. ].*odbxfs' /proc/self/mounts)
  servers=$(pgrep -fa "$(pwd)/.lab/.*(odoo|postgres)")
  [ -z "$mounts$servers" ] || { printf 'left behind:\n%s\n%s\n' "$mounts" "$servers"; return 1; }
}

step lint make --no-print-directory lint
step tests go test -timeout 40m -shuffle=on -count=1 ./...
step leftovers no_leftovers

if [ ${#failed[@]} -gt 0 ]; then printf '\nFAILED: %s\n' "${failed[*]}"; exit 1; fi
printf '\nall passed in %d s\n' $SECONDS
