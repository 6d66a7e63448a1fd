/* The memory and CPU of a recorded process: what each second said of it, put into the same
 * series and the same test for growth that the sampler has, so that the view looks as it
 * did live. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/trend.h"
#include "recording/reader.h"

struct course {
	struct series rss, anon, faults, cpu;
	struct trend trend;
	bool own; /* RSS without that of children */
};

static bool is(const struct recording_point *p, const char *name)
{
	return strcmp(p->name, name) == 0;
}

/* Children are in rss_bytes; the file may say what the process alone has. */
static bool has_own(const struct recording *r)
{
	size_t i;

	for (i = 0; i < r->points.n; i++)
		if (is(&r->points.v[i], "process_rss_bytes"))
			return true;
	return false;
}

/* The limit that is nearest may change from a group's to the machine's. */
static void add_limit(const struct recording *r, const struct recording_point *p,
		      uint64_t bytes, struct snapshot_memory *m)
{
	bool group = is(p, "cgroup_limit_bytes");

	if (group || is(p, "machine_limit_bytes")) {
		m->limit = group ? LIMIT_CGROUP : LIMIT_MACHINE;
		m->limit_name = group ? r->cgroup : "the machine";
		m->limit_bytes = bytes;
	} else if (is(p, "cgroup_left_bytes") || is(p, "machine_left_bytes")) {
		m->headroom_bytes = bytes;
		m->limit_used_bytes = m->limit_bytes > bytes ? m->limit_bytes - bytes : 0;
	} else if (is(p, "cgroup_limit_hits")) {
		m->limit_hits = bytes;
	}
}

/* Points of one second have its time. Anonymous memory comes before shared, minor faults
 * before major ones: the sums are added when their last part is there. */
static void add_point(struct course *c, const struct recording *r,
		      const struct recording_point *p, struct snapshot_memory *m)
{
	uint64_t bytes = p->value > 0 && p->value < 0x1p63 ? (uint64_t)p->value : 0;

	if (is(p, "cpu_pct")) { /* of the second before */
		series_add(&c->cpu, p->time_ns > NS_PER_SEC ? p->time_ns - NS_PER_SEC : 0,
			   p->value);
	} else if (is(p, c->own ? "process_rss_bytes" : "rss_bytes")) {
		series_add(&c->rss, p->time_ns, p->value);
		trend_add(&c->trend, p->time_ns, p->value);
		m->rss_bytes = bytes;
		m->peak_bytes = bytes > m->peak_bytes ? bytes : m->peak_bytes;
	} else if (is(p, "anon_bytes")) {
		m->known = true;
		m->anon_bytes = bytes;
	} else if (is(p, "file_bytes")) {
		m->file_bytes = bytes;
	} else if (is(p, "shmem_bytes")) {
		m->shmem_bytes = bytes;
		series_add(&c->anon, p->time_ns, (double)m->anon_bytes + p->value);
	} else if (is(p, "swap_bytes")) {
		m->swap_bytes = bytes;
	} else if (is(p, "minor_faults_per_s")) {
		m->minor_per_s = p->value;
	} else if (is(p, "major_faults_per_s")) {
		m->major_per_s = p->value;
		series_add(&c->faults, p->time_ns, m->minor_per_s + p->value);
	} else {
		add_limit(r, p, bytes, m);
	}
}

static uint64_t begin(uint64_t end_ns, const struct snapshot *s)
{
	return s->window_ns && s->window_ns < end_ns ? end_ns - s->window_ns : 0;
}

static void put_course(const struct course *c, uint64_t end_ns, struct snapshot *s)
{
	struct snapshot_memory *m = &s->memory;
	uint64_t to = end_ns + 1, from = begin(to, s);
	struct arena *a = &s->arena;
	size_t i;

	m->rss = series_look(&c->rss, a, from, to, true, MEMORY_CELLS);
	m->anon = series_look(&c->anon, a, from, to, true, MEMORY_CELLS);
	m->faults = series_look(&c->faults, a, from, to, true, MEMORY_CELLS);
	m->least_bytes = m->rss_bytes;
	for (i = 0; i < m->rss.n; i++)
		if (m->rss.cells[i].n && m->rss.cells[i].min < (float)m->least_bytes)
			m->least_bytes = (uint64_t)m->rss.cells[i].min;
}

/* With children the header's RSS is of all of them, and this slope is not. */
static bool alone(const struct recording *r)
{
	size_t i;

	for (i = 0; i < r->threads.n; i++)
		if (r->threads.v[i].pid != r->pid)
			return false;
	return true;
}

/* A verdict that would come after the recording's end never comes: 0. */
static void put_verdict(const struct recording *r, const struct course *c,
			uint64_t end_ns, struct snapshot *s)
{
	struct snapshot_memory *m = &s->memory;
	struct trend_answer answer;

	trend_read(&c->trend, &answer);
	m->verdict = answer.verdict;
	m->slope = answer.slope;
	if (end_ns + answer.verdict_in_ns <= r->duration_ns)
		m->verdict_in_ns = answer.verdict_in_ns;
	memory_time_left(m);
	if (m->slope.known && alone(r))
		s->target_rss_slope = m->slope.per_s;
}

void recording_memory(const struct recording *r, uint64_t end_ns, struct snapshot *s)
{
	struct course *c = xcalloc(1, sizeof(*c));
	struct snapshot_memory m = s->memory;
	size_t i;

	series_init(&c->rss);
	series_init(&c->anon);
	series_init(&c->faults);
	series_init(&c->cpu);
	c->own = has_own(r);
	for (i = 0; i < r->points.n && r->points.v[i].time_ns <= end_ns; i++)
		add_point(c, r, &r->points.v[i], &m);
	s->cpu = series_look(&c->cpu, &s->arena, begin(end_ns + 1, s), end_ns + 1, true,
			     MEMORY_CELLS);
	if (m.known) {
		m.time_ns = end_ns;
		m.limit_name = arena_str(&s->arena, m.limit_name);
		s->memory = m;
		put_course(c, end_ns, s);
		put_verdict(r, c, end_ns, s);
	}
	free(c);
}
