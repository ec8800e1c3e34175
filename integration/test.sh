#!/usr/bin/env bash
# Runs every check and every test, then fails if any of them failed, so that one
# run shows all. Called by `make test` when the machine is ready. The lints run
# beside the tests, with what these leave of the machine. It ends with the
# matrix of scenarios, a table of the packages' times, a digest of what failed and
# one line that says how it went.
set -u
cd "$(dirname "$0")/.."

# scratch: where the tests' files go. Every store waits for the disk after each
# commit, as it must, and all packages share one disk (docs/measured.md says what
# that costs). So they go into memory where there is room for them, of which they
# take some hundred MB, and where programs may run, since go test builds them
# there; else to /tmp. What a test claims of fsync it shows by the order of calls,
# on any disk.
scratch() {
  local room
  if room=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1) && [ "$room" -ge $((3 << 20)) ] &&
    [ "$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)" -ge $((5 << 20)) ] &&
    [ "$(stat -f -c %T /dev/shm)" = tmpfs ] && ! findmnt -no OPTIONS --target /dev/shm | grep -qw noexec; then
    echo /dev/shm
  else echo /tmp; fi
}
out=$(mktemp -d "$(scratch)/odbxfs-test.XXXXXX")
trap 'rm -rf --one-file-system "$out"' EXIT
export TMPDIR=$out/tmp # so that what tests mount can be told from what others do
mkdir "$TMPDIR"
lab=$(realpath -m "${ODBXFS_LAB_DIR:-.lab}")
failed=()

# What starts and waits for servers, the longest first; go starts packages in
# this order. The others compute.
servers=(./integration/scenario ./odoo ./odoo/provision ./integration/lab)
mapfile -t others < <(go list ./... | grep -vxF "$(go list "${servers[@]}")")
flags=(-timeout 50m -shuffle=on -count=1 -vet=off) # the lints vet

# step NAME COMMAND...: run it here and now.
step() {
  local name=$1 start=$SECONDS
  shift
  printf '\n== %s\n' "$name"
  verdict "$name" "$start" "$@"
}

verdict() { # NAME START COMMAND...: say how the command ended
  local name=$1 start=$2
  shift 2
  if "$@"; then printf '== %s: passed in %d s\n' "$name" $((SECONDS - start))
  else printf '== %s: FAILED after %d s\n' "$name" $((SECONDS - start)); failed+=("$name"); fi
}

# follow PID FILE: show what a command in the background says until it ends; its
# status.
follow() {
  tail -n +1 -f --pid="$1" "$2"
  wait "$1"
}

# together: the tests in two groups side by side, since those with servers wait
# more than they compute. Each of them has its output in one piece.
together() {
  local pid status=0
  go test "${flags[@]}" -p 2 -parallel 4 "${servers[@]}" >"$out/servers" 2>&1 &
  pid=$!
  go test "${flags[@]}" -p 1 "${others[@]}" 2>&1 | tee "$out/others"
  [ "${PIPESTATUS[0]}" = 0 ] || status=1
  follow $pid "$out/servers" || status=1
  return $status
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

# running: the tests' mounts, and processes in the lab's trees (as seen from
# outside their chroot).
running() {
  grep -F " $TMPDIR/" /proc/self/mounts
  as_root find /proc -maxdepth 2 -path '/proc/[0-9]*/root' -lname "$lab/*" -printf '%h %l\n' 2>/dev/null
}

# no_leftovers: what runs now and did not before the tests. PostgreSQL ends a
# moment after its last user.
no_leftovers() {
  local left i
  for i in $(seq 50); do
    left=$(comm -13 "$out/before" <(running | sort))
    [ -n "$left" ] || return 0
    sleep 0.2
  done
  printf 'left behind (or of another run that shares %s):\n%s\n' "$lab" "$left"
  return 1
}

# digest: what failed, so that the end of a long output tells it.
digest() {
  printf '\n== what failed\n'
  awk -f integration/digest.awk "$out/others" "$out/servers" "$out/lint" | head -60
}

# table: packages by time, then how many passed and failed.
table() {
  printf '\n== packages by seconds\n'
  sed -nE 's/\[(build|setup) failed\]/unbuilt/; s/^(ok  |FAIL)\t([^[:space:]]+)[[:space:]]+([^[:space:]]+).*/\3 \1 \2/p' "$out/others" "$out/servers" |
    sort -k1,1rn | awk '{ printf "%10s  %-4s  %s\n", $1, $2, $3; n[$2 == "ok"]++ }
      END { printf "%d packages passed, %d failed\n", n[1], n[0] }'
}

# matrix: the scenarios' cells, in seconds; "whole": by MATRIX=whole, or in a soak.
matrix() {
  printf '\n== scenarios by seconds\n'
  if [ -s "$MATRIX_FILE" ]; then cat "$MATRIX_FILE"
  else printf 'there is no matrix\n'; failed+=(matrix); fi
}

export MATRIX_FILE=$out/matrix
running | sort >"$out/before"
nice make --no-print-directory lint >"$out/lint" 2>&1 &
lint=$! lint_start=$SECONDS
step lab make --no-print-directory lab
step tests together
step leftovers no_leftovers
printf '\n== lint\n'
verdict lint $lint_start follow $lint "$out/lint"
matrix
table

if [ ${#failed[@]} -gt 0 ]; then digest; printf 'FAILED in %d s: %s\n' $SECONDS "${failed[*]}"; exit 1; fi
printf 'all passed in %d s\n' $SECONDS
