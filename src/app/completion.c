/* `ptop completion SHELL`: made from the option table, so it cannot differ from what ptop
 * takes. */
#include <stdio.h>
#include <string.h>

#include "app/options.h"
#include "export/exporter.h"

static void words_of(unsigned bit, const char *between)
{
	const struct option_row *r;

	for (r = option_rows; r->long_name; r++)
		if (!bit || (r->commands & bit))
			printf("--%s%s", r->long_name, between);
	printf("--help%s--version", between);
}

static void bash(void)
{
	const struct command_row *c;
	size_t i;

	fputs(
	    "# bash completion for ptop\n_ptop()\n{\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	    "\tcase $prev in\n"
	    "\t-p|--pid) mapfile -t COMPREPLY < <(compgen -W \"$(ps -eo pid=)\" -- "
	    "\"$cur\"); return ;;\n"
	    "\t-n|--name) mapfile -t COMPREPLY < <(compgen -W \"$(ps -eo comm=)\" -- "
	    "\"$cur\"); return ;;\n"
	    "\t-m|--mode) mapfile -t COMPREPLY < <(compgen -W \"cpu wall\" -- \"$cur\"); "
	    "return ;;\n"
	    "\t--color) mapfile -t COMPREPLY < <(compgen -W \"auto always never\" -- "
	    "\"$cur\"); return ;;\n"
	    "\t--backend) mapfile -t COMPREPLY < <(compgen -W \"perf perf-cpu perf-user "
	    "ptrace timer\" -- \"$cur\"); return ;;\n"
	    "\t-f|--format) mapfile -t COMPREPLY < <(compgen -W \"",
	    stdout);
	for (i = 0; exporters[i]; i++)
		printf("%s ", exporters[i]->name);
	puts(
	    "ptop\" -- \"$cur\"); return ;;\n"
	    "\t-o|--output) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;\n"
	    "\tcompletion) mapfile -t COMPREPLY < <(compgen -W \"bash zsh fish\" -- "
	    "\"$cur\"); return ;;\n"
	    "\tesac\n\tlocal words\n\tcase ${COMP_WORDS[1]} in");
	for (c = command_rows; c->name; c++) {
		if (!c->bit)
			continue;
		printf("\t%s) words='", c->name);
		words_of(c->bit, " ");
		puts("' ;;");
	}
	fputs("\t*) words='", stdout);
	words_of(FOR_TOP, " ");
	puts("' ;;\n\tesac");
	fputs("\tif [ \"$COMP_CWORD\" -eq 1 ]; then words=\"$words", stdout);
	for (c = command_rows; c->name; c++)
		printf(" %s", c->name);
	puts("\"; fi\n\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n"
	     "complete -F _ptop ptop");
}

/* In zsh and fish words a quote, a bracket or a colon in a help text would end it early.
 */
static void put_plain(const char *help)
{
	for (; *help; help++)
		putchar(strchr("'[]:\"\\", *help) ? ' ' : *help);
}

static void zsh(void)
{
	const struct option_row *r;
	const struct command_row *c;

	puts("#compdef ptop\n_ptop() {\n\tlocal -a commands\n\tcommands=(");
	for (c = command_rows; c->name; c++) {
		printf("\t\t'%s:", c->name);
		put_plain(c->help);
		puts("'");
	}
	puts("\t)\n\t_arguments -s \\");
	for (r = option_rows; r->long_name; r++) {
		printf("\t\t'--%s%s[", r->long_name, r->argument ? "=" : "");
		put_plain(r->help);
		printf("]%s%s%s' \\\n", r->argument ? ":" : "",
		       r->argument ? r->argument : "",
		       !r->argument			  ? ""
		       : strcmp(r->long_name, "pid") == 0 ? ":_pids"
		       : strcmp(r->argument, "FILE") == 0 ? ":_files"
							  : ":");
	}
	puts("\t\t'--help[show help]' '--version[show the version]' \\\n"
	     "\t\t'1:command:{_describe command commands}' '*:file:_files'\n}\n_ptop "
	     "\"$@\"");
}

static void fish(void)
{
	const struct option_row *r;
	const struct command_row *c;

	puts("# fish completion for ptop");
	for (c = command_rows; c->name; c++) {
		printf("complete -c ptop -n __fish_use_subcommand -f -a %s -d '",
		       c->name);
		put_plain(c->help);
		puts("'");
	}
	for (r = option_rows; r->long_name; r++) {
		fputs("complete -c ptop ", stdout);
		if (r->short_name < 256)
			printf("-s %c ", r->short_name);
		printf("-l %s %s-d '", r->long_name, r->argument ? "-r " : "");
		put_plain(r->help);
		fputs("'", stdout);
		if (strcmp(r->long_name, "pid") == 0)
			fputs(" -f -a '(__fish_complete_pids)'", stdout);
		putchar('\n');
	}
	puts("complete -c ptop -l help -d 'show help'\n"
	     "complete -c ptop -l version -d 'show the version'");
}

int completion_run(const struct options *o, struct error *err)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };
	size_t i;

	for (i = 0; o->words && o->words[0] && i < sizeof(shells) / sizeof(shells[0]);
	     i++) {
		if (strcmp(shells[i].name, o->words[0]) != 0)
			continue;
		shells[i].print();
		return EXIT_DONE;
	}
	error_set(err, EXIT_USAGE, "completion: name a shell");
	error_hint(err, "ptop completion bash, zsh or fish");
	return err->exit;
}
