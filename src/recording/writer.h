/* Writes a recording: one transaction a batch, in write-ahead mode and synced, so that
 * whatever happens to ptop or the machine costs what came after the last batch. Closed,
 * it is one file.
 *
 * Any thread, one at a time; each call takes as long as the disk does. */
#ifndef PTOP_RECORDING_WRITER_H
#define PTOP_RECORDING_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "recording/batch.h"

struct writer;

struct writer_options {
	const char *id;	     /* of recording_id() */
	const char *creator; /* "ptop 0.1.0" */
	bool replace;	     /* an existing file */
	bool show_cmdline;
	unsigned cpus;
};

/* Creates the file; refuses one that another ptop is writing. The session's status is
 * "running" from here on. */
int writer_open(const char *path, const struct writer_options *o, struct writer **out,
		struct error *err);
/* Adds a batch; it stays the caller's. On failure the file holds all before it. */
int writer_put(struct writer *w, const struct batch *b, struct error *err);
/* Adds a row to the messages. */
int writer_say(struct writer *w, uint64_t wall_ns, bool warning, const char *text,
	       struct error *err);
/* A whole recording at once, in place when it is complete; *bytes: its size. */
int writer_save(const char *path, const struct writer_options *o, const struct batch *b,
		size_t *bytes, struct error *err);
/* From here on nothing waits for the disk, if it was slow: true then. What follows is in the file
 * for all who read it, but not yet where a power cut would leave it. */
bool writer_hurry(struct writer *w);
/* "completed", or "failed" with why, and one file. NULL is allowed. The file stays
 * readable even if this fails. */
int writer_close(struct writer *w, const char *failure, struct error *err);
enum writer_place {
	WRITER_HERE,
	WRITER_MOVED, /* it has another name, or another file has its name */
	WRITER_GONE   /* deleted: it is lost with its recorder's end */
};

/* Whether the file still has the name it was given. */
enum writer_place writer_place(const struct writer *w);
/* Its path now, as far as that is known. */
void writer_where(const struct writer *w, char *to, size_t size);
/* Its size now. */
uint64_t writer_bytes(const struct writer *w);
/* "20261120-140228-7f3a": sorts by time, tells two of one second apart. */
void recording_id(char *to, size_t size);

#endif
