/* What the files of the reader share while one recording is read. */
#ifndef PTOP_RECORDING_READING_H
#define PTOP_RECORDING_READING_H

#include <sqlite3.h>

#include "model/callstack.h"
#include "recording/reader.h"

#define DURATION_MOST_MS (10 * 86400ull * 1000)

struct file_frame {
	struct frame frame;
	uint32_t first, n; /* of reading.places */
	bool known;
};

struct file_place {
	uint32_t frame, function;
	uint32_t file;
	int32_t line;
};

struct file_stack {
	uint32_t parent, frame; /* 0: no such stack */
	uint32_t node;		/* of the history; NO_ID not entered yet */
};

struct reading {
	sqlite3 *db;
	const char *path;
	struct recording *r;
	struct error *err;
	bool peek;
	uint32_t steps;
	VEC(uint32_t) functions; /* by the file's id: number + 1 */
	VEC(uint32_t) threads;	 /* by the file's id: number + 1 */
	VEC(struct file_frame) frames;
	VEC(struct file_place) places; /* by frame, innermost first */
	VEC(struct file_stack) stacks;
	struct callstack stack;
};

/* All tables into in->r; in->db is open and restrained. */
int reading_tables(struct reading *in);
/* The session alone. */
int reading_session(struct reading *in);

#endif
