/* Starting the target ourselves: `ptop -- CMD ARGS`. */
#ifndef PTOP_APP_LAUNCH_H
#define PTOP_APP_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "app/child_output.h"
#include "base/error.h"

struct launch {
	pid_t pid;
	int go_fd;		     /* -1 once it was let go */
	struct child_output *output; /* what it prints meanwhile (quiet), else NULL */
};

/* Forks a child that waits to exec argv. With `quiet` its input is empty and its output
 * goes to a pipe: launch_end() shows the end of it; else it shares ours. */
int launch_prepare(char **argv, bool quiet, struct launch *l, struct error *err);
/* Lets it exec. An exec that fails is reported here. */
int launch_go(struct launch *l, const char *command, struct error *err);
/* Ends the child if it still runs (TERM, after two seconds KILL), reaps it, prints the
 * end of what it printed. Returns its wait status, or -1. */
int launch_end(struct launch *l);

#endif
