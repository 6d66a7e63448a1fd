#!/usr/bin/env bash
# What the live tests share: they build small programs, start them, look at them with ptop, and
# judge what it says. Whatever a test started is ended by its process id when the test ends.
#
#	build NAME [SOURCE] [FLAG...]	compiles targets/SOURCE (or NAME.c) to $TMP/NAME
#	start COMMAND...		starts it, waits for its "ready": $PID, standard output in $SAID
#	look ARG...			runs ptop: $STATUS, files $OUT and $ERR, $TOOK_MS
#	ok NAME COMMAND...		one test; what failed is shown with the last look
#	skip NAME WHY, note TEXT, finish
# shellcheck disable=SC2016,SC2034 # filters of jq; the tests use the variables
set -u

PTOP=$(realpath "${PTOP:-./ptop}")
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TARGETS=$HERE/targets
CC=${CC:-cc}
CXX=${CXX:-c++}
TMP=$(mktemp -d "${TMPDIR:-/tmp}/ptop-live.XXXXXX") || exit 1
# A look as another user has to get there.
chmod 755 "$TMP"
OUT=$TMP/out ERR=$TMP/err SAID=$TMP/said
STATUS=0 TOOK_MS=0 PID=0 COUNT=0 PIDS=()
# ptop's own words, whatever the tester's settings.
export LC_ALL=C.UTF-8 TERM=${TERM:-xterm-256color}
unset PTOP_OPTS NO_COLOR DEBUGINFOD_URLS

end_all() {
	local pid
	exec 2>/dev/null
	for pid in "${PIDS[@]}"; do
		kill -9 "$pid"
	done
	wait
	for pid in "${PIDS[@]}"; do
		rm -f "/tmp/perf-$pid.map"
	done
	rm -rf "$TMP"
}
trap end_all EXIT
trap 'exit 130' INT TERM HUP

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

note() { printf '%s\n' "$*" | sed 's/^/# /' | cat -v; }

have() { command -v "$1" >/dev/null 2>&1; }

ok() {
	local name=$1
	shift
	COUNT=$((COUNT + 1))
	if "$@" >"$TMP/check" 2>&1; then
		echo "ok $COUNT - $name"
		return 0
	fi
	echo "not ok $COUNT - $name"
	note "failed: $(printf '%q ' "$@" | cut -c 1-400)"
	note "it said: $(head -c 600 "$TMP/check")"
	note "last look: ptop ${LOOK-} (status $STATUS, $TOOK_MS ms)"
	note "$(head -c 800 "$ERR" 2>/dev/null)"
	note "$(head -c 1200 "$OUT" 2>/dev/null)"
	return 1
}

skip() {
	COUNT=$((COUNT + 1))
	echo "ok $COUNT - $1 # SKIP $2"
}

# ptop must take every row that ptop wrote.
nothing_refused() {
	local f
	for f in "$TMP"/*.ptop "$TMP"/state/ptop/*.ptop; do
		[ -s "$f" ] || continue
		"$PTOP" report -f folded "$f" 2>&1 >/dev/null | grep 'make no sense' && return 1
	done
	return 0
}

finish() {
	if compgen -G "$TMP/*.ptop" >/dev/null; then
		ok "of all recordings no row is refused" nothing_refused
	fi
	echo "1..$COUNT"
	exit 0
}

# ---- Targets ----------------------------------------------------------------------------------

build() {
	local name=$1 source=$1.c compiler=$CC
	shift
	case ${1-} in
	*.c | *.cc)
		source=$1
		shift
		;;
	esac
	[ "$source" = "${source%.cc}" ] || compiler=$CXX
	# CC may be several words; equal functions must stay two
	# shellcheck disable=SC2086
	$compiler -D_GNU_SOURCE -O2 -g -fno-ipa-icf "$TARGETS/$source" -o "$TMP/$name" -pthread "$@" \
		>"$TMP/build.log" 2>&1 || {
		note "build $name: $(head -n 3 "$TMP/build.log")"
		return 1
	}
}

start() {
	local i
	: >"$SAID"
	"$@" >"$SAID" 2>&1 </dev/null &
	PID=$!
	PIDS+=("$PID")
	for ((i = 0; i < 200; i++)); do
		grep -q '^ready' "$SAID" && return 0
		kill -0 "$PID" 2>/dev/null || break
		sleep 0.05
	done
	note "not ready: $*: $(head -c 300 "$SAID")"
	return 1
}

stop() {
	local pid
	for pid in "${@:-$PID}"; do
		kill -9 "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	return 0
}

alive() { kill -0 "$1" 2>/dev/null; }

# Signals that a background job of a shell ignores must work in ptop.
start_ptop() {
	env --default-signal=INT,QUIT "$PTOP" "$@" >"$OUT" 2>"$ERR" </dev/null &
	PTOP_PID=$!
	LOOK="$* &"
	PIDS+=("$PTOP_PID")
}

# Waits for that ptop, not longer than SECONDS (default 10): $STATUS, 99 when it had to be ended.
wait_ptop() {
	local i
	for ((i = 0; i < ${1:-10} * 20; i++)); do
		running "$PTOP_PID" || break
		sleep 0.05
	done
	if running "$PTOP_PID"; then
		kill -9 "$PTOP_PID" 2>/dev/null
		wait "$PTOP_PID" 2>/dev/null
		STATUS=99
		return 1
	fi
	wait "$PTOP_PID" 2>/dev/null
	STATUS=$?
	return 0
}

# The shell may reap it, and its folder may be gone, at any moment.
running() { case $(state_of "$1") in '' | Z) false ;; esac; }

state_of() { awk '$1 == "State:" { print $2 }' "/proc/$1/status" 2>/dev/null; }

nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; }

is_root() { [ "$(id -u)" -eq 0 ]; }

# ---- Looks ------------------------------------------------------------------------------------

# With RUN set, a function or program that runs ptop (e.g. nobody).
look() {
	local began
	LOOK=$*
	began=$(date +%s%N)
	${RUN-} timeout -k 2 "${LIMIT_S:-20}" "$PTOP" "$@" >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
	TOOK_MS=$((($(date +%s%N) - began) / 1000000))
}

# A look whose result is the table of its last picture as JSON.
table() { look top -b -N "${TABLES:-1}" -d 1 -w 0 -r 997 -j "$@"; }

# The last table, through a filter of jq.
last() { tail -n 1 "$OUT" | jq -r "$@"; }

is() { [ "$1" = "$2" ] || { echo "is '$1', should be '$2'" && return 1; }; }

status() { is "$STATUS" "$1"; }

between() { # VALUE LOW HIGH
	awk -v v="$1" -v l="$2" -v h="$3" 'BEGIN { exit !(v != "" && v + 0 >= l && v + 0 <= h) }' ||
		{ echo "is '$1', should be in $2..$3" && return 1; }
}

# self or total percent of all rows whose name matches: share self_pct '^hot60$'
share() { last --arg f "$2" "[.functions[] | select(.name | test(\$f)) | .$1] | add // 0"; }
self_in() { between "$(share self_pct "$1")" "$2" "$3"; }
# the highest total of them, for totals of callers and callees do not add up
total_in() { between "$(last --arg f "$1" '[.functions[] | select(.name | test($f)) |
	.total_pct] | max // 0')" "$2" "$3"; }
# That a share of the samples is WANT percent, but for POINTS and three standard deviations of as
# few samples as a busy machine leaves.
near() { # VALUE WANT SAMPLES [POINTS]
	awk -v v="$1" -v w="$2" -v n="$3" -v p="${4:-3}" 'BEGIN {
		if (n > 0) p += 3 * sqrt(w * (100 - w) / n)
		exit !(v != "" && n > 30 && v - w <= p && w - v <= p) }' ||
		{ echo "is '$1' of $3 samples, should be about $2" && return 1; }
}
# The shares of targets/shares.c, of its own time, or of all when the machine's other work is in it.
shares_right() { # [POINTS]
	local n all which
	n=$(last .samples)
	all=$(share self_pct '^hot[136]0$')
	for which in 60 30 10; do
		near "$(awk -v p="$(share self_pct "^hot$which\$")" -v a="$all" \
			'BEGIN { print a ? 100 * p / a : 0 }')" $which "$n" "${1:-3}" || return 1
	done
}
lost_sum() { last '[.lost | to_entries[] | .value] | add // 0'; }

all_tables() { jq -es "all(.[]; $1)" "$OUT"; }

# No row is above 100 %, all self together are not either, but for rounding by up to 0.005 a row.
within_hundred() {
	all_tables '([.functions[].total_pct] | max // 0) <= 100.0 and
		([.functions[].self_pct] | add // 0) <= 100.1 + 0.005 * (.functions | length) and
		([.functions[] | select(.self_pct > .total_pct + 0.01)] | length) == 0'
}

# Folded text: the share of samples (percent) in stacks that match.
folded_share() { # FILE REGEX
	awk -v r="$2" '{ n = $NF; sub(/ [0-9]+$/, ""); all += n; if ($0 ~ r) some += n }
		END { print all ? 100 * some / all : 0 }' "$1"
}
# Stacks with so many frames of this name in a row (mawk knows no {n}).
folded_depth() { # FILE NAME LEAST
	awk -v r=";$2" -v least="$3" '{ n = $NF; all += n; if (gsub(r, "&") >= least) some += n }
		END { print all ? 100 * some / all : 0 }' "$1"
}
folded_count() { awk '{ n += $NF } END { print n + 0 }' "$1"; }
folded_near() { # FILE REGEX WANT
	near "$(folded_share "$1" "$2")" "$3" "$(folded_count "$1")" 4
}
COMPLETE='^(_start|__clone3|clone3|__clone|clone|_dl_start_user)(;|$)'
# At least LOW percent end where a thread begins; two more may not, on a machine that leaves few.
complete_in() { # FILE LOW
	between "$(folded_share "$1" "$COMPLETE")" \
		"$(awk -v l="$2" -v n="$(folded_count "$1")" 'BEGIN { print l - 200 / (n + 1) }')" 100
}

record() { # FILE SECONDS ARGS...: folded text
	look record -F -q -r "${RATE:-997}" -d "$2" -f folded -o "$1" "${@:3}"
}

# The only line of standard error beside a hint, and its words.
says() { grep -qiE -- "$1" "$ERR" || { echo "no '$1' in: $(cat "$ERR")" && return 1; }; }
one_cause() {
	[ "$(grep -c '^ptop: ' "$ERR")" -eq 1 ] && ! grep -qvE '^(ptop|hint): ' "$ERR"
}

no_escapes() { ! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$@"; }

command -v jq >/dev/null || skip_all 'no jq'
[ "$(uname -m)" = x86_64 ] || skip_all 'written for x86-64'
have "${CC%% *}" || skip_all "no $CC"
# Whoever runs this must be able to sample an own process; with all rights a refusal is a failure.
build probe shares.c || skip_all "$CC does not compile"
start "$TMP/probe" 20000 || skip_all 'cannot start a target'
look record -q -p "$PID" -d 0.3 -f folded -o "$TMP/probe.folded"
stop "$PID"
if [ "$STATUS" -eq 4 ] && ! grep -qi 'capeff:.*ffffffff' /proc/self/status; then
	skip_all "no right to sample an own process: $(head -n 1 "$ERR")"
fi
