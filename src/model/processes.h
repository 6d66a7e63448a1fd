/* The processes of this machine, for choosing one. */
#ifndef PTOP_MODEL_PROCESSES_H
#define PTOP_MODEL_PROCESSES_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* Strings are cleaned and never NULL. */
struct process_row {
	int32_t pid, parent;
	const char *user, *command, *cmdline, *directory;
	const char *runtime; /* "CPython 3.11", "Node.js", "native" */
	const char *attach;  /* "ok", "part" (shallow stacks), "sudo", "no" */
	const char *why;     /* what stands in the way, "" */
	double cpu_pct;	     /* of one core since the last list; -1: not known yet */
	uint64_t rss_bytes, start_wall_ns;
	int threads;
};

/* One block; whoever holds it frees it. */
struct processes {
	struct process_row *rows; /* by pid */
	size_t n;
	struct arena arena;
};

#endif
