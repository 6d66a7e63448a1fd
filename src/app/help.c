/* What --help says: of ptop, and of each command, whose options come from the table. */
#include <stdio.h>
#include <string.h>

#include "app/options.h"

void help_print(void)
{
	puts(
	    "usage: ptop [top] [-p PID | -n NAME | -- CMD ARGS]  live: what is it "
	    "doing?\n"
	    "       ptop record -p PID [-d TIME] [-o FILE]    a recording, SVG and "
	    "others\n"
	    "       ptop open FILE                            the screen on a recording\n"
	    "       ptop report FILE... [-f FORMAT]           a recording in any format\n"
	    "       ptop diff OLD NEW                         what changed between two\n"
	    "       ptop check FILE --max LIMIT               is it within its limits?\n"
	    "       ptop sessions                             recordings without a name\n"
	    "       ptop baseline save NAME                   recordings to compare "
	    "with\n"
	    "       ptop dump -p PID                          every thread's stack, "
	    "once\n"
	    "       ptop doctor [PID]                         what may be seen, what "
	    "not\n"
	    "       ptop completion bash|zsh|fish             print a completion script\n"
	    "\n"
	    "  -p, --pid PID         process to look at (`ptop PID` does too)\n"
	    "  -n, --name NAME       the process with this name\n"
	    "  -r, --rate HZ         samples per second, 1 to 20k (default 99)\n"
	    "  -m, --mode MODE       cpu (default), wall: also time off the CPU, or gil\n"
	    "  -d, --delay TIME      top: refresh, seconds (record: --duration 10, 2m, "
	    "1h)\n"
	    "  -w, --window TIME     seconds the figures cover (default 60; 0 is all)\n"
	    "  -C, --children        follow processes it starts\n"
	    "  -b, -N N, -j          tables on standard output, N of them, as JSON\n"
	    "      --help, --version; each command has its own: ptop record --help\n"
	    "  ptop -p 4242                           then ? lists the keys, w saves an "
	    "SVG\n"
	    "  ptop record -p 4242 -d 10 -o app.svg   ten seconds into a flame graph");
}

/* To the right of an option, in lines of 80 columns. */
static void print_wrapped(const char *help)
{
	while (strlen(help) > 52) {
		size_t n = 52;

		while (n && help[n] != ' ')
			n--;
		printf("%.*s\n%27s", (int)n, help, "");
		help += n + 1;
	}
	puts(help);
}

void help_of_command(const struct command_row *row)
{
	const struct option_row *r;

	printf("usage: ptop %s %s\n%s; man ptop says more\n\n", row->name, row->usage,
	       row->help);
	for (r = option_rows; r->long_name && row->bit; r++) {
		char left[64];

		if (!(r->commands & row->bit))
			continue;
		if (r->short_name < 256)
			snprintf(left, sizeof(left), "-%c, --%s %s", r->short_name,
				 r->long_name, r->argument ? r->argument : "");
		else
			snprintf(left, sizeof(left), "    --%s %s", r->long_name,
				 r->argument ? r->argument : "");
		printf("  %-24s ", left);
		print_wrapped(r->help);
	}
}
