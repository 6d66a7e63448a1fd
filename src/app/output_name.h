/* Names of files made of what is recorded: "%h-%n-%p-%t.ptop". */
#ifndef PTOP_APP_OUTPUT_NAME_H
#define PTOP_APP_OUTPUT_NAME_H

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "app/options.h"
#include "base/error.h"

struct output_words {
	pid_t pid;	  /* 0: not known yet */
	const char *name; /* of the process; may be a path */
	const char *host;
	time_t time;
};

/* Puts %p pid, %n name, %h host, %t local date and time, %% a per cent sign into `out`. A
 * process cannot name another folder: what has a slash or begins with a dot is changed.
 * 0 or -errno with cause and cure. */
int output_name(const char *pattern, const struct output_words *w, char *out, size_t size,
		struct error *err);
/* The same with the words of the process that the command line asks for, which is looked
 * for only where the pattern needs it. */
int output_name_for(const struct options *o, char *out, size_t size, struct error *err);

#endif
