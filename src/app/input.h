/* What report, diff and check read: recordings, folded stacks, perf script text. */
#ifndef PTOP_APP_INPUT_H
#define PTOP_APP_INPUT_H

#include "app/options.h"
#include "model/snapshot.h"
#include "recording/reader.h"

/* Reads `words` (files, sessions, "-" for standard input, up to a NULL), merges and
 * filters as the options say. Warnings go to standard error. The caller frees *out. */
int profile_read(const struct options *o, char *const *words, unsigned wants,
		 struct snapshot **out, struct error *err);

/* The same as one recording, merged and filtered. The caller frees *out. */
int profile_recording(const struct options *o, char *const *words, struct recording **out,
		      struct error *err);

#endif
