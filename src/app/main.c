/* The program's first and last words: parse, run one command, say what went wrong. */
#include <errno.h>
#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "app/options.h"
#include "base/rights.h"
#include "base/text.h"

#ifdef __SANITIZE_ADDRESS__
/* libproc2 keeps buffers for each thread that used it and does not free them with the
 * thread. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libproc2";
}

const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}
#endif

/* A path or a name the user gave may hold anything; a terminal gets none of it raw. */
static void say(const char *before, const char *text)
{
	char clean[400];

	clean_copy(clean, sizeof(clean), text, strlen(text));
	if (clean[0])
		fprintf(stderr, "%s: %s\n", before, clean);
}

static int report(const struct error *err)
{
	say("ptop", err->cause);
	say("hint", err->hint);
	return err->exit;
}

/* What the terminal library, sqlite and the command lay on the first thread's stack, with a
 * long environment. Below that they end by a signal. */
#define STACK_LEAST ((rlim_t)256 << 10)

static int check_stack(struct error *err)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_STACK, &r) == -1 || r.rlim_cur >= STACK_LEAST)
		return 0;
	error_set(err, EXIT_FAILED,
		  "the stack is limited to %llu kB, too little for ptop",
		  (unsigned long long)r.rlim_cur >> 10);
	error_hint(err, "ulimit -s 8192, or start it where nothing lowers that limit");
	return -ENOMEM;
}

int main(int argc, char **argv)
{
	const struct command_row *row;
	struct error err = { 0 };
	struct options o;
	int ret;

	if (check_stack(&err))
		return report(&err);
	rights_begin();
	/* Symbol tables come and go: large blocks are mapped one by one and given back
	 * when freed, instead of growing the heap to the largest mixture there ever was.
	 */
	mallopt(M_MMAP_THRESHOLD, 64 << 10);
	mallopt(M_ARENA_MAX, 2);
#ifdef __SANITIZE_ADDRESS__
	/* On TERM=linux ncurses loads libgpm, which leaks and is gone when leaks are told. */
	setenv("NCURSES_GPM_TERMS", "none", 0);
#endif
	setlocale(LC_CTYPE, "");
	ret = options_parse(argc, argv, &o, &row, &err);
	if (ret == 1)
		return EXIT_DONE;
	if (ret)
		return report(&err);
	if (!(row->bit & FOR_TARGET))
		rights_give_up();
	ret = row->run(&o, &err);
	if ((fflush(stdout) == EOF || ferror(stdout)) && errno != EPIPE &&
	    !err.cause[0]) {
		error_errno(&err, "standard output");
		ret = EXIT_FAILED;
	}
	if (err.cause[0])
		report(&err);
	return ret;
}
