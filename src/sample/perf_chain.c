#include "sample/perf_chain.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

#define RAW_MAX 65536u		   /* a record's size has 16 bits */
#define APART_NS (1 * NS_PER_MSEC) /* one interrupt writes both */

int perf_chain_open(struct perf_chain *k, int cpu, int ring_fd)
{
	*k = (struct perf_chain){ .fd = chain_output(cpu, ring_fd) };
	return k->fd < 0 ? k->fd : 0;
}

void perf_chain_close(struct perf_chain *k)
{
	if (k->fd >= 0)
		close(k->fd);
	free(k->kept);
	*k = (struct perf_chain){ .fd = -1 };
}

static void become_sample(struct event *e)
{
	struct chain_record head = { 0 };

	if (e->chain.n >= sizeof(head))
		memcpy(&head, e->chain.p, sizeof(head));
	e->weight_ns = head.period_ns;
	e->kind = head.period_ns ? EVENT_SAMPLE : EVENT_BAD;
}

static void keep(struct perf_chain *k, const struct event *e)
{
	if (!k->kept)
		k->kept = xmalloc(RAW_MAX);
	k->bytes = e->chain.n <= RAW_MAX ? e->chain.n : 0;
	memcpy(k->kept, e->chain.p, k->bytes);
	k->tid = e->tid;
	k->time_ns = e->time_ns;
}

/* Which of the two times is earlier differs from kernel to kernel. */
static void join(struct perf_chain *k, struct event *e)
{
	uint64_t apart =
	    e->time_ns > k->time_ns ? e->time_ns - k->time_ns : k->time_ns - e->time_ns;

	if (k->bytes && k->tid == e->tid && apart < APART_NS)
		e->chain = (struct bytes){ k->kept, k->bytes };
	k->bytes = 0;
}

bool perf_chain_event(struct perf_chain *k, const struct chain *c, struct event *e)
{
	if (e->kind == EVENT_CHAIN && chain_is_alone(c)) {
		become_sample(e);
	} else if (e->kind == EVENT_CHAIN) {
		keep(k, e);
		return false;
	} else if (e->kind == EVENT_SAMPLE) {
		join(k, e);
	}
	return true;
}
