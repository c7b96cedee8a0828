#!/bin/bash
# What `make run` starts after the build: a private PostgreSQL, the schema, the
# demo catalogue, courier and portal, all on loopback and all below $VAR.  It
# stays in the foreground; Ctrl-C, a closed terminal or the end of any of the
# three stops the others, and a killed run is healed by the next one.
#
#	PORT (8080), GATEWAY_PORT (8081), VAR (var), O (build)
#
# Root hands over to the user postgres at once (as_root below); from there on
# everything runs as one ordinary user.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
port=${PORT:-8080} gateway_port=${GATEWAY_PORT:-8081}
var=${VAR:-$root/var} build=${O:-build}
case $var in /*) ;; *) var=$PWD/$var ;; esac
case $build in /*) ;; *) build=$root/$build ;; esac
# Where the parts that are served lie; as_root may have copied them.
source=${LATCHKEY_RUN_SOURCE:-$root}
fallback=/var/lib/latchkey-dev

say() { echo "run: $*"; }
die() { echo "run: $*" >&2; exit 1; }

check_settings() {
	local v
	for v in PORT:"$port" GATEWAY_PORT:"$gateway_port"; do
		[[ ${v#*:} =~ ^[1-9][0-9]{0,4}$ ]] && ((${v#*:} < 65536)) ||
		    die "${v%%:*} is '${v#*:}' and must be a port from 1 to 65535"
	done
	[ "$port" != "$gateway_port" ] ||
	    die "PORT and GATEWAY_PORT are both $port and must differ"
	[[ $var != *[\'\\$'\n']* ]] ||
	    die "VAR must not hold quotes, backslashes or line breaks: $var"
	[ -x "$build/latchkey" ] || die "no $build/latchkey: run make first"
}

# ---- root: hand over to postgres ------------------------------------------

as_postgres() {
	setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
}

# The nearest folder of a path that exists already.
existing() {
	local p=$1
	while [ ! -e "$p" ]; do p=$(dirname "$p"); done
	echo "$p"
}

can_reach() {	# FILE: may postgres read it (and enter, a folder)?
	(cd / && as_postgres test -r "$1" -a \( ! -d "$1" -o -x "$1" \)) \
	    2>/dev/null
}

as_root() {
	local wish=$var owner
	id postgres >/dev/null 2>&1 || die 'there is no user postgres'
	if ! can_reach "$(existing "$var")"; then
		# A VAR of one's own gets a place of its own.
		[ -z "${VAR:-}" ] ||
		    fallback=$fallback/$(cksum <<<"$var" | cut -d' ' -f1)
		var=$fallback
		say "the user postgres can't reach $wish, so using $var"
		install -d -m 755 "$(dirname "$var")"
	fi
	if [ -e "$var/data" ]; then
		owner=$(stat -c %U "$var/data")
		[ "$owner" = postgres ] || die "$var belongs to $owner:" \
		    "start as $owner, or choose another VAR"
	fi
	install -d -m 755 -o postgres -g postgres "$var"
	local part
	for part in "$build/latchkey" "$root/conf/dev/run.sh" \
	    "$root/migrations/sqitch.plan" "$root/templates" "$build/assets"; do
		can_reach "$part" || { copy_parts; break; }
	done
	if [ "$var" != "$wish" ] && [ ! -e "$wish/data" ]; then
		# So that mail and settings are found where they were asked for.
		mkdir -p "$wish"
		ln -sfn "$var/mail" "$wish/mail"
		ln -sfn "$var/latchkey.env" "$wish/latchkey.env"
	fi
	cd /
	exec setpriv --reuid=postgres --regid=postgres --init-groups \
	    --pdeathsig TERM -- env -i PATH="$PATH" LANG="${LANG:-C.UTF-8}" \
	    HOME="$var" PORT="$port" GATEWAY_PORT="$gateway_port" VAR="$var" \
	    O="$build" LATCHKEY_RUN_SOURCE="$source" PG_OS_USERS=root \
	    ${ASAN_OPTIONS:+"ASAN_OPTIONS=$ASAN_OPTIONS"} \
	    "$source/conf/dev/run.sh"
}

copy_parts() {
	source=$var/program
	say "the user postgres can't read $root, so running a copy in $source;" \
	    "start again after a change"
	rm -rf "$source.new"
	install -d -m 755 "$source.new/build"
	cp -RL "$root/conf" "$root/migrations" "$root/templates" "$source.new/"
	cp -RL "$build/latchkey" "$build/latchkeyctl" "$build/latchkey-courier" \
	    "$build/assets" "$source.new/build/"
	chmod -R a+rX "$source.new"
	rm -rf "$source"
	mv "$source.new" "$source"
	build=$source/build
}

# ---- children: started in order, stopped in reverse -----------------------

names=() pids=() signals=()
stopping=

# Each in a session of its own, so that the terminal's Ctrl-C reaches only this
# script; --pdeathsig is the net under a SIGKILL of it.  The lock (9) is ours.
spawn() {	# NAME SIGNAL COMMAND...
	local n=$1 s=$2
	shift 2
	[ ! -e "$var/log/$n.log" ] || mv "$var/log/$n.log" "$var/log/$n.log.1"
	setsid setpriv --pdeathsig "$s" -- "$@" </dev/null 9>&- \
	    >"$var/log/$n.log" 2>&1 &
	names+=("$n") pids+=($!) signals+=("$s")
}

alive() { kill -0 "$1" 2>/dev/null; }

stop_all() {
	[ -z "$stopping" ] || return 0
	stopping=yes
	trap '' INT TERM HUP
	local i t p
	for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
		p=${pids[i]}
		if kill -s "${signals[i]}" "$p" 2>/dev/null; then
			# 10 s, for a request that is being answered.
			for ((t = 0; t < 100; t++)); do
				alive "$p" || break
				sleep 0.1
			done
		fi
		# Workers whose leader is gone or deaf.  The server's are left
		# to the server: killing them makes it recover at next start.
		[ "${names[i]}" = postgres ] || kill -KILL -- "-$p" 2>/dev/null ||
		    true
		alive "$p" && kill -KILL "$p" 2>/dev/null
		wait "$p" 2>/dev/null || true
	done
	[ ! -e "$var/socket-dir" ] || rm -rf "$(cat "$var/socket-dir")"
	rm -f "$var/run.pid"
}

fail() {	# NAME WHY: with the end of its log
	echo "run: $2; the end of $var/log/$1.log:" >&2
	tail -n 15 "$var/log/$1.log" >&2
	exit 1
}

# 300 × 0.1 s, for slow machines; COMMAND is tried until it succeeds or NAME's process ends.
wait_for() {	# NAME COMMAND...
	local n=$1 t
	shift
	for ((t = 0; t < 300; t++)); do
		"$@" 2>/dev/null && return 0
		alive "${pids[-1]}" || fail "$n" "$n ended at its start"
		sleep 0.1
	done
	fail "$n" "$n is not ready after 30 s"
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

ready() {
	local line
	exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
	printf 'GET /readyz HTTP/1.1\r\nHost: localhost:%s\r\nConnection: close\r\n\r\n' \
	    "$port" >&3
	IFS= read -r -t 5 line <&3 || line=
	exec 3>&-
	[[ $line == HTTP/1.1\ 200* ]]
}

# ---- preparation ----------------------------------------------------------

# One run a VAR; what a killed run left is ended or cleaned away.
take_var() {
	mkdir -p "$var" 2>/dev/null && [ -w "$var" ] ||
	    die "can't write to $var: choose another VAR"
	[ ! -e "$var/data" ] || [ -O "$var/data" ] || die "$var belongs to" \
	    "$(stat -c %U "$var/data"): start as that user, or choose another VAR"
	exec 9>>"$var/run.lock"
	flock -n 9 || die "already running with VAR=$var" \
	    "(process $(cat "$var/run.pid" 2>/dev/null || echo unknown))"
	local killed=
	[ ! -e "$var/run.pid" ] || killed=yes
	echo $$ >"$var/run.pid"
	mkdir -p -m 700 "$var/log" "$var/mail"
	if [ -s "$var/socket-dir" ]; then
		"$source/conf/dev/pgctl.sh" heal "$var"
	fi
	# A killed run's portal is ending just now: 3 s for it.
	local p t
	for p in PORT:$port GATEWAY_PORT:$gateway_port; do
		for ((t = 0; t < 30; t++)); do
			[ -n "$killed" ] && listening "${p#*:}" || break
			sleep 0.1
		done
		! listening "${p#*:}" || die "port ${p#*:} on 127.0.0.1 is taken:" \
		    "stop what listens there, or choose another ${p%%:*}," \
		    "as in: make run ${p%%:*}=$((${p#*:} < 65435 ? ${p#*:} + 100 : ${p#*:} - 100))"
	done
}

setting() {	# NAME VALUE: plain where no shell would mind
	if [[ $2 =~ ^[A-Za-z0-9_./:@?=,+%-]*$ ]]; then
		echo "LATCHKEY_$1=$2"
	else
		echo "LATCHKEY_$1='$2'"
	fi
}

database_url() { echo "postgresql://$1@/latchkey?host=$(cat "$var/socket-dir")"; }

write_settings() {
	umask 077
	{
		echo "# Made by make run.  In another terminal:"
		echo "#   set -a; . $var/latchkey.env; $build/latchkeyctl doctor"
		setting MODE development
		setting DATABASE_URL "$(database_url latchkey_app)"
		setting PUBLIC_URL "http://localhost:$port"
		setting LISTEN "127.0.0.1:$port"
		setting GATEWAY_LISTEN "127.0.0.1:$gateway_port"
		setting SMTP_URL "maildir:$var/mail"
		setting MAIL_FROM latchkey@localhost
		setting SUPPORT_EMAIL support@localhost
		setting SITE_NAME Latchkey
		setting MASTER_KEY_FILE "$var/master.key"
		setting TEMPLATES "$source/templates"
		setting ASSETS "$build/assets"
	} >"$var/latchkey.env.new"
	mv "$var/latchkey.env.new" "$var/latchkey.env"
	umask 022
	set -a
	# shellcheck disable=SC1091
	. "$var/latchkey.env"
	set +a
}

main() {
	local ctl=$source/conf/dev/pgctl.sh link
	check_settings
	[ "$(id -u)" != 0 ] || as_root
	take_var
	trap 'stop_all; exit 130' INT
	trap 'stop_all; exit 143' TERM HUP
	trap stop_all EXIT
	"$ctl" init "$var"
	write_settings
	spawn postgres INT /usr/lib/postgresql/15/bin/postgres -D "$var/data"
	wait_for postgres pg_isready -q -h "$(cat "$var/socket-dir")" \
	    -U postgres -d postgres
	"$ctl" database "$var"
	"$ctl" migrate "$var" || die 'the schema could not be brought up to date'
	"$build/latchkeyctl" init || die 'latchkeyctl init failed'
	"$build/latchkeyctl" demo || die 'latchkeyctl demo failed'
	spawn courier TERM env \
	    LATCHKEY_DATABASE_URL="$(database_url latchkey_courier)" \
	    "$build/latchkey-courier"
	spawn portal TERM "$build/latchkey"
	wait_for portal ready
	link=$("$build/latchkeyctl" staff link-first-admin) ||
	    die 'latchkeyctl staff link-first-admin failed'
	cat <<-TEXT

	Latchkey is ready.
	  Portal         http://localhost:$port/
	  Gateway check  http://127.0.0.1:$gateway_port/check
	  Mail           $var/mail/
	  Settings       $var/latchkey.env
	  Logs           $var/log/
	TEXT
	[ -z "$link" ] || printf '  First admin    %s   (works once)\n' "$link"
	printf '\nCtrl-C stops everything.\n'
	# The first child that ends, ends all.
	local rc=0 i
	wait -n "${pids[@]}" || rc=$?
	for i in "${!pids[@]}"; do
		alive "${pids[i]}" || fail "${names[i]}" \
		    "${names[i]} ended (status $rc), stopping the rest"
	done
	exit 1
}

main
