# Which CPythons the tests of single features run: PTOP_TEST_PYTHONS (paths, separated by spaces),
# else the oldest and the newest of pyenv's and Debian's own. Needs lib.sh.
#
#	each_python FUNCTION		calls FUNCTION VERSION PYTHON
#	each_in_root FUNCTION		the same with those of a root of their own ($PTOP_TEST_ROOT,
#					see contrib/setup --sid), run there as in a container
# shellcheck shell=bash

export PYTHONDONTWRITEBYTECODE=1
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONMALLOC PYTHONINSPECT

python_version() { "$1" -SE -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

each_python() {
	local candidate version pick=${PTOP_TEST_PYTHONS-}
	local -A path=()
	for candidate in ${pick:-"${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3 \
		/usr/bin/python3}; do
		version=$(python_version "$candidate")
		case $version in
		3.[89] | 3.1[0-3]) : "${path[$version]:=$candidate}" ;;
		esac
	done
	[ ${#path[@]} -gt 0 ] || skip_all "no Python interpreter, see PTOP_TEST_PYTHONS"
	for version in $(printf '%s\n' "${!path[@]}" | sort -V |
		if [ -n "$pick" ]; then cat; else sed -n '1p;$p'; fi); do
		"$1" "$version" "${path[$version]}"
	done
}

# Another mount namespace and another root, the same process: it replaces itself.
ROOT=${PTOP_TEST_ROOT:-/var/lib/ptop-sid}
# shellcheck disable=SC2016 # of the script it writes
list_in_root() {
	local name
	[ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null && [ -d "$ROOT/proc" ] || return
	mkdir -p "$TMP/sid" "$ROOT$TARGETS" && cp "$TARGETS"/*.py "$ROOT$TARGETS" || return
	for name in "$ROOT"/usr/bin/python3.*[0-9]; do
		[ -x "$name" ] || continue
		printf '#!/bin/sh\nexec unshare -m sh -c '\''mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'\'' %s %s "$@"\n' \
			"$ROOT" "/usr/bin/${name##*/}" >"$TMP/sid/${name##*/}"
		chmod +x "$TMP/sid/${name##*/}"
		echo "$TMP/sid/${name##*/}"
	done
}

each_in_root() {
	local candidate version any=
	[ -z "${PTOP_TEST_PYTHONS-}" ] || return
	for candidate in $(list_in_root); do
		version=$(python_version "$candidate")
		case $version in
		3.1[4-9])
			any=1
			"$1" "$version" "$candidate"
			;;
		esac
	done
	[ -n "$any" ] || skip "3.14 and later" "none in $ROOT, see contrib/setup --sid; needs root"
}
