/* HotSpot without performance counters (-XX:-UsePerfData): the counter of safepoints is odd
 * while all threads are stopped. It does not say why they are, so the row is of all
 * safepoints, not of collections alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "runtime/gc_flag.h"
#include "target/memory.h"
#include "target/process.h"

#define LOOK_NS (10 * NS_PER_MSEC)
#define ARMED_LOOK_NS (100 * NS_PER_MSEC)

struct source {
	pid_t pid, thread; /* the one that writes it; 0 not known */
	uint64_t address;
	struct gc_flag flag;
};

/* Only the virtual machine's own thread stops the others. */
static pid_t find_thread(pid_t pid)
{
	char path[64], name[32];
	pid_list tids = { 0 };
	pid_t found = 0;
	size_t i;

	if (process_threads(pid, &tids))
		for (i = 0; i < tids.n && !found; i++) {
			snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", (int)pid,
				 (int)tids.v[i]);
			if (file_line(path, name, sizeof(name)) &&
			    strcmp(name, "VM Thread") == 0)
				found = tids.v[i];
		}
	VEC_DONE(&tids);
	return found;
}

static void *open_source(const struct gc_place *place, struct pauses *to)
{
	static const char *const names[2] = {
		"_ZN20SafepointSynchronize18_safepoint_counterE",
		"_ZN10PerfMemory6_startE",
	};
	size_t libjvm = gc_mapping(place->maps, "libjvm.so");
	uint64_t address[2], start;
	struct source *s;

	if (libjvm == place->maps->list.n)
		return NULL;
	gc_symbols(place->maps, libjvm, names, address, 2);
	/* With counters there is a better source. */
	if (!address[0] || !address[1] ||
	    mem_live_read_some(place->pid, address[1], &start, 8) != 8 || start)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->pid = place->pid;
	s->address = address[0];
	s->thread = find_thread(place->pid);
	gc_flag_init(&s->flag,
		     &(struct gc_flag_config){ .runtime = "HotSpot",
					       .counters = "safepoint counter",
					       .generations = { "safepoints" },
					       .n_generations = 1 },
		     to);
	return s;
}

static void close_source(void *source)
{
	struct source *s = source;

	gc_flag_done(&s->flag);
	free(s);
}

static bool look(void *source, uint64_t now)
{
	struct source *s = source;
	struct gc_flag_counts counts = { { 0 }, { 0 } };
	uint64_t n;

	now = clock_now_ns();
	if (mem_live_read_some(s->pid, s->address, &n, 8) != 8)
		return false;
	counts.collections[0] = n / 2; /* counted when it ends */
	gc_flag_look(&s->flag, now, n & 1, &counts);
	return true;
}

static size_t points(void *source, struct gc_point out[GC_POINTS_MAX])
{
	const struct source *s = source;

	out[0] = (struct gc_point){ s->address, false, 8, 0 };
	return s->thread ? 1 : 0;
}

static pid_t thread(void *source)
{
	const struct source *s = source;

	return s->thread;
}

static void armed(void *source, bool on, uint64_t apart_ns)
{
	struct source *s = source;

	gc_flag_armed(&s->flag, on, apart_ns);
}

static void hit(void *source, const struct gc_hit *h)
{
	struct source *s = source;

	gc_flag_hit(&s->flag, h);
}

static double hits_per_s(void *source)
{
	const struct source *s = source;

	return 2 * s->flag.per_s;
}

const struct gc_source safepoints_gc_source = {
	.name = "HotSpot",
	.open = open_source,
	.close = close_source,
	.period_ns = LOOK_NS,
	.armed_period_ns = ARMED_LOOK_NS,
	.look = look,
	.points = points,
	.thread = thread,
	.armed = armed,
	.hit = hit,
	.hits_per_s = hits_per_s,
};
