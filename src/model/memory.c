/* Words for the enums, which are the same in JSON and on the screen, how much RSS grew, and
 * when its limit is reached. */
#include "model/memory.h"

#include "model/trend.h"

void memory_init(struct snapshot_memory *m)
{
	*m = (struct snapshot_memory){
		.pss_problem = "",
		.limit_name = "",
		.limit_s = -1,
		.limit_soonest_s = -1,
		.limit_latest_s = -1,
		.pressure_some_pct = -1,
		.pressure_full_pct = -1,
		.faults_look.problem = "",
		.heap_look.problem = "",
		.objects_look.problem = "",
	};
}

bool memory_grown(const struct snapshot_memory *m, int64_t *bytes, uint64_t *span_ns)
{
	const struct series_view *v = &m->rss;
	size_t first = 0, last = v->n;

	while (first < v->n && !v->cells[first].n)
		first++;
	while (last > first && !v->cells[last - 1].n)
		last--;
	if (last <= first + 1)
		return false;
	*bytes = (int64_t)(v->cells[last - 1].last - v->cells[first].last);
	*span_ns = (v->to_ns - v->from_ns) / v->n * (last - 1 - first);
	return *span_ns >= 1000000000u;
}

/* A steady process has no date on which it hits its limit, whatever its slope's noise. */
void memory_time_left(struct snapshot_memory *out)
{
	double room = (double)out->headroom_bytes;

	if (out->limit == LIMIT_NONE || !out->slope.known ||
	    out->verdict == VERDICT_STEADY || out->slope.low <= 0)
		return;
	out->limit_s = trend_seconds(room, out->slope.per_s);
	out->limit_soonest_s = trend_seconds(room, out->slope.high);
	out->limit_latest_s = trend_seconds(room, out->slope.low);
}

const char *memory_verdict_name(enum memory_verdict v)
{
	static const char *const names[] = { [VERDICT_UNKNOWN] = "unknown",
					     [VERDICT_STEADY] = "steady",
					     [VERDICT_GROWING] = "growing" };

	return v <= VERDICT_GROWING ? names[v] : "unknown";
}

const char *memory_grower_kind_name(enum grower_kind k)
{
	static const char *const names[GROWER_KINDS] = {
		[GROWER_MAPPING] = "mapping",
		[GROWER_FAULTS] = "faults",
		[GROWER_CHUNKS] = "chunks",
		[GROWER_OBJECTS] = "objects",
	};

	return k < GROWER_KINDS ? names[k] : "unknown";
}
