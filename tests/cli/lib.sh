#!/usr/bin/env bash
# What the tests of the command line share. They run in the build folder.
#
#	ok NAME COMMAND...		one test; what a failed command printed is shown
#	same NAME FILE FILE		one test: both hold the same lines, in any order
#	skip NAME WHY, skip_all WHY, finish
# shellcheck disable=SC2034 # the tests use the variables
set -u

PTOP=$(realpath "${PTOP:-./ptop}")
TOP=$(realpath "${srcdir:-$(dirname "${BASH_SOURCE[0]}")/../..}")
MANUAL=$TOP/man/ptop.1
[ -x "$PTOP" ] || {
	echo "Bail out! nothing to test at $PTOP"
	exit 1
}
TMP=$(mktemp -d "${TMPDIR:-/tmp}/ptop-cli.XXXXXX") || exit 1
COUNT=0 PIDS=()
export LC_ALL=C.UTF-8 TERM=${TERM:-xterm-256color}
unset NO_COLOR DEBUGINFOD_URLS

end_all() {
	local pid
	exec 2>/dev/null
	for pid in "${PIDS[@]}"; do
		kill -9 "$pid"
	done
	wait
	rm -rf "$TMP"
}
trap end_all EXIT
trap 'exit 130' INT TERM HUP

have() { command -v "$1" >/dev/null 2>&1; }

ok() {
	local name=$1
	shift
	COUNT=$((COUNT + 1))
	if "$@" >"$TMP/said" 2>&1; then
		echo "ok $COUNT - $name"
	else
		echo "not ok $COUNT - $name"
		head -n 30 "$TMP/said" | sed 's/^/# /' | cat -v
	fi
}

# In the report lines of the first file only begin with -, of the second with +. Two empty files
# compare nothing, so they are not the same.
lines_are_same() {
	[ -s "$1" ] && diff -U 0 <(sort "$1") <(sort "$2") | sed 1,3d
	[ -s "$1" ] && cmp -s <(sort "$1") <(sort "$2")
}

same() { ok "$1" lines_are_same "$2" "$3"; }

skip() {
	COUNT=$((COUNT + 1))
	echo "ok $COUNT - $1 # SKIP $2"
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

finish() {
	echo "1..$COUNT"
	exit 0
}

# Lines of one section of the manual, or of one subsection of it.
section() { # SECTION [SUBSECTION]
	awk -v section=".Sh $1" -v part="${2:+.Ss $2}" '
		/^\.Sh / { inside = $0 == section; in_part = 0; next }
		/^\.Ss / { in_part = $0 == part; next }
		inside && (part == "" || in_part)' "$MANUAL"
}
