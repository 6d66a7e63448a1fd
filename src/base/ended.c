#include "base/ended.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

const char *ended_text(int status, char *to, size_t size)
{
	const char *name;

	if (status == -1)
		snprintf(to, size, "ended");
	else if (!WIFSIGNALED(status))
		snprintf(to, size, "ended (exit %d)", WEXITSTATUS(status));
	else if ((name = sigabbrev_np(WTERMSIG(status))))
		snprintf(to, size, "ended by signal %d (%s)", WTERMSIG(status), name);
	else
		snprintf(to, size, "ended by signal %d", WTERMSIG(status));
	return to;
}
