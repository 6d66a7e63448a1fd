/* Durations summed in the kernel: a histogram as in model/histogram.h, and the newest slow ones
 * one by one, in memory that a program writes and ptop maps. */
#ifndef PTOP_SAMPLE_BPF_TIMES_H
#define PTOP_SAMPLE_BPF_TIMES_H

#include <stdint.h>

#include "model/histogram.h"
#include "sample/bpf.h"

#define BPF_SLOW_KEPT 64u /* a power of two */

struct bpf_slow {
	uint64_t end_ns, took_ns, id, spare;
};

struct bpf_times {
	uint64_t slow_ns;  /* ptop's: from which on they are kept */
	uint64_t slow_n;   /* ever */
	uint64_t marks;	   /* the program's own use: things it met, as bits */
	uint64_t hits;	   /* of probes */
	uint64_t begun;	   /* calls that began */
	uint64_t replaced; /* calls without an end when the same one began anew */
	uint64_t bucket[HISTOGRAM_BUCKETS + 1]; /* an even number */
	struct bpf_slow slow[BPF_SLOW_KEPT];
};

/* A map fd and its memory; -errno. */
int bpf_times_open(struct bpf_times **times, struct error *why);
void bpf_times_close(int fd, struct bpf_times *times);
/* Appends code that adds a duration: r6 is it, r7 when it ended, r8 an id; all three stay.
 * r9 is its bucket afterwards; r0 to r5 are lost. Uses labels from `labels` on, 12 of them. */
void bpf_times_add(struct bpf_code *c, int map_fd, int labels);
/* Takes one away again from the bucket in r9 (checked); r0 to r5 are lost. One label. */
void bpf_times_remove(struct bpf_code *c, int map_fd, int label);

#endif
