/* One perf ring buffer: records in place, and what they say. */
#ifndef PTOP_SAMPLE_PERF_RING_H
#define PTOP_SAMPLE_PERF_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "sample/backend.h"

struct perf_ring {
	void *map; /* control page and data, mmap'ed */
	size_t page_bytes, data_bytes;
	uint64_t tail;	       /* read up to here; given back at the next record */
	unsigned char *joined; /* a record that wraps, put together; 64 KiB */
};

/* Gives the last record's room back to the kernel: it is not needed any more. */
void perf_ring_release(struct perf_ring *r);
/* Maps a ring of data_bytes (power of two) over a perf event; -errno. */
int perf_ring_open(struct perf_ring *r, int fd, size_t data_bytes);
void perf_ring_close(struct perf_ring *r);
/* The next record, header included, or false. Valid until the next call. A ring whose
 * sizes cannot be is emptied and *broken set. */
bool perf_ring_next(struct perf_ring *r, struct bytes *record, bool *broken);
/* The time of the next record, not read yet; false when there is none. Needs
 * sample_id_all. */
bool perf_ring_peek(const struct perf_ring *r, uint64_t *time_ns);
/* Calls seen(arg, tid) for every PERF_RECORD_FORK not read yet, without reading them. */
void perf_ring_forks(const struct perf_ring *r, void (*seen)(void *arg, uint32_t tid),
		     void *arg);

/* What the events were opened with; the records are laid out by it. */
struct perf_layout {
	bool callchain; /* PERF_SAMPLE_CALLCHAIN */
	bool address;	/* PERF_SAMPLE_ADDR, and no PERF_SAMPLE_PERIOD */
	bool stack;	/* REGS_USER and STACK_USER */
	bool chain;	/* records of CHAIN_SAMPLE_TYPE come besides: EVENT_CHAIN */
	uint64_t stack_asked;
};

/* PERF_SAMPLE_ bits always there, for samples and, by sample_id_all, behind other
 * records. */
#define PERF_SAMPLE_ALWAYS \
	(PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_PERIOD)
/* The registers of SAMPLE_REGISTERS as a sample_regs_user mask. */
extern const uint64_t perf_register_mask;

/* Decodes one record. False when it is of no interest; EVENT_BAD when it does not parse.
 */
bool perf_record_parse(const struct perf_layout *l, struct bytes record, struct event *e);

#endif
