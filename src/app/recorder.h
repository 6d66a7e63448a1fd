/* A recording on its way to the disk: the sampler hands over what a second brought, a
 * thread of its own writes it. However slow that disk is, no sample waits for it; when it
 * is too slow for too long, what does not fit in memory is left out and counted. */
#ifndef PTOP_APP_RECORDER_H
#define PTOP_APP_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "recording/batch.h"
#include "recording/writer.h"

struct engine;
struct recorder;

/* Creates the file and starts the thread. */
int recorder_open(const char *path, const struct writer_options *o, struct recorder **out,
		  struct error *err);
/* Takes b over; any one thread. */
void recorder_put(struct recorder *r, struct batch *b);
/* True once the file could not be written: recording on makes no sense. */
bool recorder_failed(const struct recorder *r);
/* Whether the file still has its name, as of the last batch. */
enum writer_place recorder_place(const struct recorder *r);
/* Bytes of the file, and rows that were left out because the disk did not keep up. */
uint64_t recorder_bytes(const struct recorder *r);
uint64_t recorder_dropped(const struct recorder *r);
/* From the next second on everything goes into another file, which is whole by itself; the
 * one so far is finished. -errno when it cannot be made: then nothing has changed. */
int recorder_rotate(struct recorder *r, const char *path, const struct writer_options *o,
		    struct error *err);
/* Writes all that was put, finishes the file, ends the thread. `failure`: why the
 * recording is not what was asked for, or NULL. `where`, which may be NULL: where the file is
 * now, if it was moved. `hurried`, which may be NULL: see writer_hurry(). -errno when the file
 * is incomplete or was deleted. */
int recorder_close(struct recorder *r, const char *failure, char *where, size_t size,
		   bool *hurried, struct error *err);

/* A thread that could not be ended may still put batches: recorder_close() leaves the memory
 * to it. */
void recorder_keep(struct recorder *r);

/* The last `window_ns` up to end_ns (0: everything) of the engine's history as a batch
 * that is a whole recording. */
struct batch *recorder_take(struct engine *e, uint64_t end_ns, uint64_t window_ns,
			    const struct snapshot *facts);

#endif
