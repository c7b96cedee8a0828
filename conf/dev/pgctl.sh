#!/bin/bash
# pgctl.sh VERB DIR [DATABASE]: a private PostgreSQL cluster below DIR, which
# `make run` and the tests use.  It listens on a Unix socket only and lets in
# by operating-system user (peer), so there are no passwords to keep.
#
#	init DIR		makes the cluster if there is none, and its settings
#	start DIR, stop DIR	in the background, waits until it is done
#	heal DIR		ends what a killed run left, before a start
#	database DIR NAME	the three roles, the database, who may connect
#	migrate DIR NAME	sqitch deploy
#	socket DIR		prints the folder of the socket
#
# Started by root, the server runs as the user postgres, the rest as root.
# DIR/data belongs to the server.  The socket's folder is a short one under
# /tmp, since a socket's path may have 107 bytes and DIR may be deep.
#
# PG_OS_USERS		further system users who may take the cluster's roles
# PG_EXTRA		further lines for postgresql.conf
set -euo pipefail

verb=${1:?verb} dir=${2:?dir} name=${3:-latchkey}
bin=/usr/lib/postgresql/15/bin
root=$(cd "$(dirname "$0")/../.." && pwd)
roles='latchkey_owner latchkey_app latchkey_courier'
me=$(id -un)
server=$me
[ "$(id -u)" = 0 ] && server=postgres

die() { echo "pgctl.sh: $*" >&2; exit 1; }

as_server() {
	if [ "$server" = "$me" ]; then
		"$@"
	else
		setpriv --reuid="$server" --regid="$server" --init-groups -- "$@"
	fi
}

# The server is never in a folder that it may not read.
in_root() { (cd / && "$@"); }

socket() { cat "$dir/socket-dir"; }

# Remembered between runs, so that settings which name it stay true; made anew
# when it is gone or is no longer a folder of the server's own.
socket_make() {
	local s
	s=$(cat "$dir/socket-dir" 2>/dev/null || true)
	if [ -z "$s" ] || [ -L "$s" ] ||
	    [ "$(stat -c %U "$s" 2>/dev/null)" != "$server" ]; then
		s=$(as_server mktemp -d /tmp/latchkey-XXXXXXXX)
		echo "$s" >"$dir/socket-dir"
	fi
}

settings() {
	local s user role
	s=$(socket)
	echo 'local all all peer map=latchkey' >"$dir/pg_hba.conf"
	for user in $(printf '%s\n' "$server" "$me" ${PG_OS_USERS:-} | sort -u); do
		for role in postgres $roles; do
			echo "latchkey $user $role"
		done
	done >"$dir/pg_ident.conf"
	cat >"$dir/cluster.conf" <<-CONF
	listen_addresses = ''
	unix_socket_directories = '$s'
	hba_file = '$dir/pg_hba.conf'
	ident_file = '$dir/pg_ident.conf'
	max_connections = 100
	shared_buffers = 64MB
	password_encryption = scram-sha-256
	timezone = 'UTC'
	log_timezone = 'UTC'
	log_line_prefix = '%m [%p] %q%u@%d '
	${PG_EXTRA:-}
	CONF
	chmod 644 "$dir"/pg_hba.conf "$dir"/pg_ident.conf "$dir"/cluster.conf
}

init() {
	mkdir -p "$dir"
	[ "$server" = "$me" ] || chown "$server" "$dir"
	if [ -s "$dir/data/PG_VERSION" ]; then
		local owner
		owner=$(stat -c %U "$dir/data")
		[ "$owner" = "$server" ] ||
		    die "$dir/data belongs to $owner, not to $server"
	else
		# Built beside and moved: a killed initdb leaves no half of one.
		as_server rm -rf "$dir/data.new"
		in_root as_server "$bin/initdb" -D "$dir/data.new" -U postgres \
		    -E UTF8 --locale=C.UTF-8 --auth=peer --no-sync >/dev/null
		# Relative to the file that it stands in: the folder may move.
		as_server sh -c "echo \"include '../cluster.conf'\" \
		    >>'$dir/data.new/postgresql.conf'"
		as_server mv "$dir/data.new" "$dir/data"
	fi
	socket_make
	settings
}

# The pid of the server that has this folder open, if there is one.
server_pid() {
	local pid
	pid=$(as_server head -n 1 "$dir/data/postmaster.pid" 2>/dev/null) || return 1
	[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ] &&
	    [ "$(as_server readlink "/proc/$pid/cwd")" = \
	    "$(as_server readlink -f "$dir/data")" ] && echo "$pid"
}

start() {
	in_root as_server "$bin/pg_ctl" -D "$dir/data" -w -s -t 60 \
	    -l "$dir/data/server.log" start || {
		as_server tail -n 5 "$dir/data/server.log" >&2
		die "the server does not start, see $dir/data/server.log"
	}
}

stop() {
	if server_pid >/dev/null; then
		in_root as_server "$bin/pg_ctl" -D "$dir/data" -w -s -t 60 \
		    -m fast stop
	fi
	as_server rm -rf "$(socket)"
}

heal() {
	local pid i
	[ -e "$dir/data/postmaster.pid" ] || return 0
	if pid=$(server_pid); then
		echo "pgctl.sh: stopping the server $pid of an earlier run" >&2
		in_root as_server "$bin/pg_ctl" -D "$dir/data" -w -s -t 30 \
		    -m fast stop ||
		    in_root as_server "$bin/pg_ctl" -D "$dir/data" -w -s \
		    -t 30 -m immediate stop
		return
	fi
	# Its process is gone, and the number may be another program's by now
	# (or a zombie's): the server would believe that one to be itself.
	# Children of a killed server see its death and leave within a second.
	for ((i = 0; i < 50; i++)); do
		someone_in_data || break
		sleep 0.1
	done
	as_server rm -f "$dir/data/postmaster.pid" \
	    "$(socket)/.s.PGSQL.5432" "$(socket)/.s.PGSQL.5432.lock"
}

# Every process of a server has the data folder as its working folder.
someone_in_data() {
	# shellcheck disable=SC2016
	as_server bash -c 'for p in /proc/[0-9]*; do
		[ "$(readlink "$p/cwd" 2>/dev/null)" = "$1" ] && exit 0
	    done; exit 1' - "$(as_server readlink -f "$dir/data")"
}

database() {
	local role
	{
		for role in $roles; do
			cat <<-SQL
			SELECT 'CREATE ROLE $role LOGIN NOINHERIT'
			    WHERE NOT EXISTS (SELECT FROM pg_roles
			    WHERE rolname = '$role') \gexec
			SQL
		done
		cat <<-SQL
		SELECT 'CREATE DATABASE $name OWNER latchkey_owner'
		    WHERE NOT EXISTS (SELECT FROM pg_database
		    WHERE datname = '$name') \gexec
		REVOKE ALL ON DATABASE $name FROM PUBLIC;
		GRANT CONNECT ON DATABASE $name TO latchkey_app, latchkey_courier;
		SQL
	} | psql -h "$(socket)" -U postgres -d postgres -qXAt -v ON_ERROR_STOP=1 \
	    >/dev/null
	# Nobody but the owner makes tables, not even in the schema public.
	psql -h "$(socket)" -U postgres -d "$name" -qX -v ON_ERROR_STOP=1 \
	    -c 'REVOKE ALL ON SCHEMA public FROM PUBLIC' \
	    -c 'ALTER SCHEMA public OWNER TO latchkey_owner'
}

migrate() {
	cd "${MIGRATIONS:-$root/migrations}"
	# The settings of whoever runs this must not change what it does.
	env PGHOST="$(socket)" SQITCH_USER_CONFIG=/dev/null \
	    SQITCH_SYSTEM_CONFIG=/dev/null SQITCH_FULLNAME=latchkey \
	    SQITCH_EMAIL=latchkey@localhost \
	    sqitch --quiet deploy "db:pg://latchkey_owner@/$name"
}

case $dir in
/*) ;;
*) dir=$PWD/$dir ;;
esac
case $dir in
*\'*|*\\*|*$'\n'*) die "the path $dir must not hold quotes or backslashes" ;;
esac
case $verb in
init|start|stop|heal|database|migrate|socket) "$verb" ;;
*) die "no verb $verb" ;;
esac
