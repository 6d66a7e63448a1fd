/* What the list is narrowed to. */
#ifndef PTOP_UI_FILTER_H
#define PTOP_UI_FILTER_H

#include <regex.h>
#include <stdbool.h>

#include "model/snapshot.h"

/* Owner: the screen. A zeroed one lets everything through. */
struct filter {
	char text[256]; /* as typed, "" is none; "~" in front: an extended regular
			   expression */
	bool compiled;
	bool invalid; /* a regular expression that does not compile matches nothing */
	regex_t regex;
};

void filter_set(struct filter *f, const char *text);
void filter_done(struct filter *f);
/* A text that is not a function's. */
bool filter_text(const struct filter *f, const char *s);
/* Tries name, module and file; upper and lower case are the same. */
bool filter_match(const struct filter *f, const struct snapshot_function *fn);
/* filter_match() of each function of s; NULL when there is no filter. The caller frees it. */
unsigned char *filter_functions(const struct filter *f, const struct snapshot *s);

#endif
