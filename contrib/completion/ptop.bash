# bash completion for ptop
_ptop()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	case $prev in
	-p|--pid) mapfile -t COMPREPLY < <(compgen -W "$(ps -eo pid=)" -- "$cur"); return ;;
	-n|--name) mapfile -t COMPREPLY < <(compgen -W "$(ps -eo comm=)" -- "$cur"); return ;;
	-m|--mode) mapfile -t COMPREPLY < <(compgen -W "cpu wall" -- "$cur"); return ;;
	--color) mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$cur"); return ;;
	--backend) mapfile -t COMPREPLY < <(compgen -W "perf perf-cpu perf-user ptrace timer" -- "$cur"); return ;;
	-f|--format) mapfile -t COMPREPLY < <(compgen -W "svg html speedscope pprof folded tree json perf-script callgrind pstats prometheus ptop" -- "$cur"); return ;;
	-o|--output) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	completion) mapfile -t COMPREPLY < <(compgen -W "bash zsh fish" -- "$cur"); return ;;
	esac
	local words
	case ${COMP_WORDS[1]} in
	top) words='--pid --name --rate --interval --delay --idle --mode --children --window --threads --batch --iterations --json --quiet --ascii --color --scheme --screen-reader --no-mouse --backend --native --native-only --exact --full-cmdline --no-cmdline --when --when-limit --growers --requests --slow --probe --help --version' ;;
	record) words='--pid --name --rate --interval --duration --idle --mode --children --output --format --force --quiet --backend --native --native-only --exact --full-cmdline --no-cmdline --when --when-limit --requests --slow --probe --max-size --detach --metrics-functions --help --version' ;;
	open) words='--idle --window --threads --ascii --color --scheme --screen-reader --no-mouse --help --version' ;;
	report) words='--rate --idle --json --output --format --force --quiet --ascii --color --no-cmdline --lines --threads --focus --ignore --hide --from --to --show-all --metrics-functions --help --version' ;;
	diff) words='--idle --json --output --format --force --quiet --no-cmdline --lines --threads --focus --ignore --hide --from --to --show-all --fail-above --help --version' ;;
	check) words='--json --quiet --threads --focus --ignore --from --to --max --against --max-ratio --help --version' ;;
	sessions) words='--name --json --output --format --force --quiet --no-cmdline --status --older-than --newer-than --help --version' ;;
	baseline) words='--force --help --version' ;;
	dump) words='--pid --name --json --backend --native --locals --tasks --native-only --help --version' ;;
	doctor) words='--pid --name --json --help --version' ;;
	*) words='--pid --name --rate --interval --delay --idle --mode --children --window --threads --batch --iterations --json --quiet --ascii --color --scheme --screen-reader --no-mouse --backend --native --native-only --exact --full-cmdline --no-cmdline --when --when-limit --growers --requests --slow --probe --help --version' ;;
	esac
	if [ "$COMP_CWORD" -eq 1 ]; then words="$words top record open report diff check sessions baseline dump doctor completion"; fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _ptop ptop
