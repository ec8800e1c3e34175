# box.sh: what happens inside a box. Run by host.go as root, as process 1 of its
# own PID, IPC and mount namespaces (mounts private): when this shell ends, by
# whatever cause, every process it started is killed by the kernel and every
# mount it made is gone. Usage: box.sh WHAT ARGUMENT...
set -eu

die() { echo "box: $*" >&2; exit 1; }

# enter TREE: the tree read-only, with what programs expect of a machine.
# /dev/shm and /tmp are the box's own, so that nothing stays in the host's.
enter() {
	tree=$1
	mount --bind "$tree" "$tree"
	mount -o remount,bind,ro "$tree"
	mount -t proc proc "$tree/proc"
	mount --rbind /dev "$tree/dev"
	mount -t tmpfs -o mode=1777 tmpfs "$tree/dev/shm"
	mount -t tmpfs -o mode=1777 tmpfs "$tree/tmp"
}

# as USER COMMAND...: in the tree, with an environment that holds nothing of
# the host's (an empty TZ breaks babel). Replaces the shell: call it with & or ().
as() {
	user=$1
	shift
	exec chroot "$tree" setpriv --reuid="$user" --regid="$user" --init-groups \
		env -i HOME=/var/lib/odoo LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# start_postgres PORT LOG: from the cluster that is mounted at /lab; sets $pg.
# The descriptors of our locks must not live on in it.
start_postgres() {
	as postgres "$bin/postgres" -D /lab -p "$1" </dev/null >>"$2" 2>&1 6>&- 7>&- 8>&- &
	pg=$!
	until (as postgres "$bin/pg_isready" -q -h /tmp -p "$1") 2>/dev/null; do
		kill -0 "$pg" 2>/dev/null || return 1
		sleep 0.05
	done
}

stop_postgres() {
	kill -INT "$pg"
	wait "$pg" || true
}

# die_with_owner: kill everything here once standard input ends, which the owner
# holds open as long as it lives. Process 1 then fails at its next step.
die_with_owner() {
	exec 3<&0 </dev/null
	(cat <&3 >/dev/null || true; kill -KILL -1) &
}

# tree OUT SUITE MIRROR KEYRING PACKAGES DEB: a Debian tree. DEB may be empty.
# Documentation is left out; install does not wait for the disk.
do_tree() {
	die_with_owner
	out=$1 suite=$2 mirror=$3 keyring=$4 packages=$5
	export DEB=$6 LC_ALL=C.UTF-8
	hook='mkdir -p "$1/lab" && chroot "$1" chown postgres:postgres /lab'
	[ -z "$DEB" ] || hook='cp "$DEB" "$1/opt/odoo.deb" && chroot "$1" dpkg -i /opt/odoo.deb && rm "$1/opt/odoo.deb" && '$hook
	mmdebstrap --mode=root --variant=minbase --keyring="$keyring" \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt=force-unsafe-io --include="$packages" --customize-hook="$hook" \
		"$suite" "$out" "deb $mirror $suite main"
}

# template TREE OUT PGVERSION DATABASE COMMAND...: a cluster with the template
# database, which COMMAND fills, and its files.
do_template() {
	die_with_owner
	out=$2 bin=/usr/lib/postgresql/$3/bin base=$4
	enter "$1"
	shift 4
	mkdir -p "$out/pg" "$out/data"
	mount --bind "$out/pg" "$tree/lab"
	mount --bind "$out/data" "$tree/var/lib/odoo"
	chroot "$tree" chown postgres:postgres /lab
	chroot "$tree" chown odoo:odoo /var/lib/odoo
	(as postgres "$bin/initdb" -D /lab -E UTF8 --locale=C.UTF-8 -A trust --wal-segsize=4)
	cat >>"$out/pg/postgresql.conf" <<-CONF
		listen_addresses = '127.0.0.1'
		unix_socket_directories = '/tmp'
		max_connections = 300
		fsync = off
		synchronous_commit = off
		full_page_writes = off
		wal_level = minimal
		max_wal_senders = 0
		min_wal_size = 32MB
		max_wal_size = 128MB
	CONF
	for port in $(seq 24900 24999); do
		start_postgres "$port" /dev/stderr && break || pg=
	done
	[ -n "$pg" ] || die "PostgreSQL does not start, see above"
	(as postgres psql -q -h /tmp -p "$port" -c 'create role odoo login createdb')
	(as odoo "$@" --db_port="$port")
	(as postgres psql -q -h /tmp -p "$port" -d "$base" -c 'vacuum analyze')
	stop_postgres
	trim_wal
	mv "$out/data/data/filestore/$base" "$out/filestore"
	rm -rf "$out/data"
}

# trim_wal: of a cluster that was shut down in order only the segment with its
# last checkpoint is needed. Every start copies the cluster, and copying the
# recycled segments would be half of that.
trim_wal() {
	keep=$( (as postgres "$bin/pg_controldata" -D /lab) | sed -n "s/^Latest checkpoint's REDO WAL file: *//p")
	[ -f "$tree/lab/pg_wal/$keep" ] || die "no WAL segment '$keep' to keep"
	find "$tree/lab/pg_wal" -maxdepth 1 -type f ! -name "$keep" -delete
}

# postgres TREE CLUSTER RUN PORTS PGVERSION: runs a copy of CLUSTER until nobody
# holds RUN/users.lock any more. RUN/port says where, once it answers. The copy is
# in memory: it is gone with the box, and its 4000 small files take 0.2 s there
# where ext4 takes up to 3 s; so do new databases.
do_postgres() {
	cluster=$2 run=$3 ports=$4 bin=/usr/lib/postgresql/$5/bin
	exec 6>"$run/keeper.lock"
	flock -n 6 || die "another PostgreSQL of this lab is running"
	exec 7<"$run/users.lock"
	rm -f "$run/port" "$run/pg.log"
	enter "$1"
	mount -t tmpfs -o size=75% tmpfs "$tree/lab"
	cp -a "$cluster/." "$tree/lab"
	pg=
	for port in $(seq 24000 24899); do
		exec 8>"$ports/$port.lock"
		flock -n 8 || continue
		start_postgres "$port" "$run/pg.log" && break || pg=
	done
	[ -n "$pg" ] || die "PostgreSQL does not start: $(tail -n 5 "$run/pg.log")"
	echo "$port" >"$run/port.new"
	mv "$run/port.new" "$run/port"
	flock -x 7
	rm -f "$run/port"
	kill -KILL "$pg"
}

# odoo TREE DATA COMMAND...: one server, until it ends, or is told to stop by a
# line on standard input, or standard input ends because its owner is gone.
do_odoo() {
	data=$2
	enter "$1"
	shift 2
	mount --bind "$data" "$tree/var/lib/odoo"
	exec 3<&0
	as odoo "$@" </dev/null 3<&- &
	odoo=$!
	(read -r _ <&3) &
	owner=$!
	wait -n "$odoo" "$owner" || exit
	kill -0 "$odoo" 2>/dev/null || exit 1
	kill -TERM "$odoo"
	wait "$odoo" || true
}

# forget_fuse: a box has copies of the host's mounts. One of a FUSE mount would
# keep it alive after the host unmounted it, as long as the box runs.
forget_fuse() {
	while read -r _ _ _ _ where _ rest; do
		case " ${rest#*- }" in " fuse"*) umount -l "$(printf %b "$where")" || true ;; esac # it may have ended just now
	done </proc/self/mountinfo
}

forget_fuse
what=$1
shift
"do_$what" "$@"
