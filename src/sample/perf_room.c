/* Rings hold at least RING_NS of samples, or RING_SAMPLES of them, so that a sampler that is kept off
 * the CPU loses none; of all CPUs together they take RINGS_BYTES of locked memory. */
#include "sample/perf_room.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/vec.h"

#define RINGS_BYTES (32u << 20) /* of all rings together, within the limits below */
#define RING_MAX (8u << 20)
#define RING_NS (128 * NS_PER_MSEC) /* of samples fit into one, at least */
#define RING_SAMPLES 512u	    /* so many are enough at any rate */
#define WAKE_SAMPLES 128u

/* "0-3,8" -> its numbers. */
void perf_online_cpus(pid_list *out)
{
	char line[1024];
	const char *p = line;

	if (!file_line("/sys/devices/system/cpu/online", line, sizeof(line)))
		snprintf(line, sizeof(line), "0-%ld", sysconf(_SC_NPROCESSORS_ONLN) - 1);
	while (*p && out->n < 8192) {
		char *end;
		long first = strtol(p, &end, 10), last = first;

		if (end == p)
			break;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		for (; first <= last && out->n < 8192; first++)
			*VEC_PUSH(out) = (pid_t)first;
		p = *end == ',' ? end + 1 : end;
	}
}

size_t perf_ring_bytes(size_t cpus)
{
	size_t bytes = RING_MAX;

	while (bytes > PERF_RING_LEAST && bytes * cpus > RINGS_BYTES)
		bytes /= 2;
	return bytes;
}

/* A copy that holds the whole stack costs hardly more than one that cuts it: the kernel copies what
 * is there, and nobody reads what the walk does not reach. What it takes is room in the ring, of
 * which each sample gets all that was asked for. A recursion that is over when its cut samples are
 * looked at cannot be stitched any more. */
uint32_t perf_stack_bytes(size_t ring_bytes, const struct sample_config *c)
{
	uint64_t samples = (uint64_t)(c->rate_hz * (double)RING_NS / (double)NS_PER_SEC);
	uint32_t bytes;

	if (samples > RING_SAMPLES)
		samples = RING_SAMPLES;
	for (bytes = c->stack_wanted; bytes > c->stack_bytes; bytes = bytes / 2 & ~7u)
		if (bytes * samples <= ring_bytes)
			return bytes;
	return c->stack_bytes;
}

uint32_t perf_wake_bytes(size_t ring_bytes, uint32_t stack_bytes)
{
	uint64_t some = (uint64_t)stack_bytes * WAKE_SAMPLES;

	return (uint32_t)(some < ring_bytes / 2 ? some : ring_bytes / 2);
}

/* A program that does the same every two milliseconds would be met in the same two places for ever
 * by a sample in each. This way places move on, by more than a sample itself delays the program, else
 * they come to rest at the ends of its functions. (A tenth of the lesser part of the golden section.) */
#define OUT_OF_STEP (1 - 0.0381966)

uint64_t perf_period_ns(const struct sample_config *c)
{
	return (uint64_t)((double)NS_PER_SEC / c->rate_hz * (c->chain ? OUT_OF_STEP : 1));
}
