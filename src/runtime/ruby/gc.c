/* Ruby's (MRI's) collections: a bit that is set while it collects, and a count. A collection marks
 * and sweeps in steps, each a pause of its own: too many for a debug register. */
#include <stdlib.h>

#include "base/clock.h"
#include "runtime/gc_flag.h"
#include "runtime/ruby/gc_code.h"
#include "target/memory.h"

#define LOOK_NS (10 * NS_PER_MSEC)

struct source {
	pid_t pid;
	struct ruby_gc_code code;
	struct gc_flag flag;
};

static size_t find_library(const struct maps *maps)
{
	size_t at = gc_mapping(maps, "libruby");

	return at < maps->list.n ? at : gc_mapping(maps, "ruby");
}

static void *open_source(const struct gc_place *place, struct pauses *to)
{
	static const char *const names[2] = { "rb_gc_count", "rb_during_gc" };
	size_t at = find_library(place->maps);
	uint64_t function[2];
	struct mem_live mem;
	struct source *s;

	if (at == place->maps->list.n ||
	    gc_symbols(place->maps, at, names, function, 2) < 2)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->pid = place->pid;
	mem_live_init(&mem, s->pid);
	if (!ruby_gc_code_read(&mem.mem, function[0], function[1], &s->code)) {
		free(s);
		return NULL;
	}
	gc_flag_init(&s->flag,
		     &(struct gc_flag_config){ .runtime = "Ruby",
					       .counters = "counter",
					       .generations = { "gc" },
					       .n_generations = 1,
					       .steps = true },
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
	uint8_t flag;

	now = clock_now_ns();
	if (mem_live_read_some(s->pid, s->code.space + s->code.flag_at, &flag, 1) != 1 ||
	    mem_live_read_some(s->pid, s->code.space + s->code.count_at,
			       counts.collections, 8) != 8)
		return false;
	gc_flag_look(&s->flag, now, flag >> s->code.shift & 1, &counts);
	return true;
}

const struct gc_source ruby_gc_source = {
	.name = "Ruby",
	.open = open_source,
	.close = close_source,
	.period_ns = LOOK_NS,
	.look = look,
};
