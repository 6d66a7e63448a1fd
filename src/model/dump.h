/* Every thread's stack once: what `ptop dump` shows. */
#ifndef PTOP_MODEL_DUMP_H
#define PTOP_MODEL_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct dump_local {
	const char *name, *value; /* cleaned; a value as the language writes it, cut */
	bool argument;
};

struct dump_frame {
	const char *name, *module, *file, *runtime; /* never NULL; cleaned */
	int line;				    /* 0 unknown */
	bool inlined;
	struct dump_local *locals; /* asked for, else NULL */
	size_t n_locals;
};

/* A task of an event loop. */
struct dump_task {
	const char *name, *state, *awaits; /* state: "running", "suspended" ... */
	struct dump_frame *frames;	   /* innermost first */
	size_t n_frames;
};

struct dump_thread {
	int32_t pid, tid;
	const char *name;
	char state;	  /* of /proc */
	const char *note; /* why there is no stack, "truncated", "inferred", or "" */
	struct dump_frame *frames; /* innermost first */
	size_t n_frames;
};

struct dump {
	int32_t pid;
	const char *command;
	struct dump_thread *threads; /* main thread first, then by tid */
	size_t n_threads;
	struct dump_task *tasks;
	size_t n_tasks;
	const char *
	    tasks_note; /* NULL: tasks were not asked for; else why none or not all, or "" */
	const char *locals_note; /* NULL, or why there are none */
	struct arena arena;
};

#endif
