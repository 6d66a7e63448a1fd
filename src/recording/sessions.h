/* The folder of recordings that were given no name, and what stands in it. */
#ifndef PTOP_RECORDING_SESSIONS_H
#define PTOP_RECORDING_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"

#define SESSIONS_MOST 10000u

/* $XDG_STATE_HOME/ptop, or ~/.local/state/ptop, + "/" + `below` ("" or "baselines").
 * Made when missing if `make`. */
int sessions_folder(const char *below, bool make, char *to, size_t size,
		    struct error *err);
/* The file of a session by its id, whole or the beginning of just one; "last" is the
 * newest. A path of an existing file is that file. */
int sessions_path(const char *word, char *to, size_t size, struct error *err);

/* A baseline by its name, else as sessions_path(). */
int sessions_base(const char *word, char *to, size_t size, struct error *err);
/* May this be the name of a baseline? Letters, digits, - _ and dots inside. */
bool sessions_name_ok(const char *name);

struct session_entry {
	char id[64], path[4096];
	uint64_t bytes;
};

typedef VEC(struct session_entry) session_list;

/* Oldest first; of the folder `below` (see above). */
int sessions_list(const char *below, session_list *out, struct error *err);

#endif
