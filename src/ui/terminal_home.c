#include "ui/terminal_home.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/timed.h"

struct asking {
	char path[4096];
};

static void ask(void *arg)
{
	struct asking *a = arg;
	struct stat st;

	(void)!stat(a->path, &st); /* whether it is there is no matter */
}

char *terminal_home_hide(void)
{
	const char *home = getenv("HOME");
	struct asking a;
	char *kept;

	if (!home || (size_t)snprintf(a.path, sizeof(a.path), "%s/.terminfo", home) >=
			 sizeof(a.path))
		return NULL;
	if (timed_call(TIMED_WAIT_NS, ask, &a, sizeof(a), NULL) == 0)
		return NULL;
	kept = xstrdup(home);
	unsetenv("HOME");
	return kept;
}

void terminal_home_show(char *home)
{
	if (home)
		setenv("HOME", home, 1);
	free(home);
}
