/* Why the target grows: its gauges, its limits, the verdict, and who was seen growing.
 *
 * RSS is read four times a second (one pread), its kinds and the faults once, limits and
 * pressure every two seconds, the address space every ten. All of it together costs less
 * than a tenth of a per cent of a core. What costs more is done when asked for, by the
 * namer's thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/census.h"
#include "app/faults.h"
#include "base/clock.h"
#include "model/trend.h"
#include "target/cgroup.h"
#include "target/regions.h"
#include "target/resident.h"

#define RSS_NS (250 * NS_PER_MSEC)
#define KINDS_NS (1 * NS_PER_SEC)
#define LIMITS_NS (2 * NS_PER_SEC)
#define REGIONS_NS (10 * NS_PER_SEC)
#define REGIONS_SHARE 2000u /* of the time, at most one part in so many */
#define SMALL_BYTES (100ull << 20)
#define PSS_AGAIN_NS (10 * NS_PER_SEC)
#define MAPPINGS_LISTED 16u
#define KINDS_LISTED 12u
#define FEW_FAULTS 200 /* a second */
#define FAULT_PERIOD 16u
#define CENSUS_LEAST_NS (5 * NS_PER_SEC) /* between two that nobody asked for */

struct memory {
	struct engine *e;
	pid_t pid;
	struct resident_reader *reader;
	uint64_t rss_due_ns, kinds_due_ns, limits_due_ns, regions_due_ns;

	struct resident now;
	bool known;
	uint64_t now_ns; /* of now's faults */
	double minor_per_s, major_per_s;
	struct series rss, anon, faults;
	struct trend trend;

	struct cgroup_mounts mounts;
	struct cgroup_memory group;
	struct pressure pressure;
	uint64_t total_bytes, available_bytes;

	struct regions regions, first_regions;
	uint64_t first_regions_ns, regions_ns;

	struct censuses censuses;
	uint64_t census_due_ns;

	struct fault_watch *faults_watch; /* NULL: not asked for, or refused */
	char faults_problem[200];

	bool pss_wanted, pss_busy, pss_known, pss_failed;
	uint64_t pss_bytes, uss_bytes, pss_took_ns, pss_ns;
};

static void forget(struct memory *m)
{
	series_init(&m->rss);
	series_init(&m->anon);
	series_init(&m->faults);
	m->trend = (struct trend){ 0 };
	m->first_regions.n = 0;
	m->regions_due_ns = 0;
	m->census_due_ns = 0;
	censuses_forget(&m->censuses);
}

/* ---- reading ---- */

static void read_rss(struct memory *m, uint64_t now)
{
	uint64_t rss;

	m->rss_due_ns = now + RSS_NS;
	if (!resident_rss(m->reader, &rss) || rss == 0)
		return;
	m->now.rss_bytes = rss;
	series_add(&m->rss, now, (double)rss);
	trend_add(&m->trend, now, (double)rss);
}

static double per_s(uint64_t now, uint64_t before, uint64_t span_ns)
{
	return now > before && span_ns ? (double)(now - before) * 1e9 / (double)span_ns
				       : 0;
}

static void read_kinds(struct memory *m, uint64_t now)
{
	struct resident r;

	m->kinds_due_ns = now + KINDS_NS;
	if (!resident_read(m->reader, &r) || r.rss_bytes == 0)
		return;
	if (m->known) {
		uint64_t span = now - m->now_ns;

		m->minor_per_s = per_s(r.minor_faults, m->now.minor_faults, span);
		m->major_per_s = per_s(r.major_faults, m->now.major_faults, span);
		series_add(&m->faults, now, m->minor_per_s + m->major_per_s);
	}
	m->now = r;
	m->now_ns = now;
	m->known = true;
	series_add(&m->anon, now, (double)(r.anon_bytes + r.shmem_bytes));
}

static void read_limits(struct memory *m, uint64_t now)
{
	m->limits_due_ns = now + LIMITS_NS;
	cgroup_memory(&m->mounts, "", m->pid, &m->group);
	pressure_read("", m->group.pressure_path, &m->pressure);
	if (!resident_machine(m->reader, &m->total_bytes, &m->available_bytes))
		m->total_bytes = m->available_bytes = 0;
}

static void read_regions(struct memory *m, uint64_t now)
{
	uint64_t began = clock_thread_cpu_ns(), cost;

	if (regions_read(&m->regions, m->pid) == 0) {
		m->regions_ns = now;
		if (m->first_regions.n == 0) {
			m->first_regions = m->regions;
			m->first_regions_ns = now;
		}
	}
	cost = (clock_thread_cpu_ns() - began) * REGIONS_SHARE;
	m->regions_due_ns = now + (cost > REGIONS_NS ? cost : REGIONS_NS);
}

/* ---- PSS and USS ---- */

struct pss_work {
	struct work work;
	struct memory *m;
	pid_t pid;
	bool ok;
	uint64_t pss_bytes, uss_bytes, took_ns;
};

static void pss_run(struct work *work)
{
	struct pss_work *w = (struct pss_work *)work;
	uint64_t began = clock_now_ns();

	w->ok = resident_proportional(w->pid, &w->pss_bytes, &w->uss_bytes);
	w->took_ns = clock_now_ns() - began;
}

static void pss_done(struct work *work)
{
	struct pss_work *w = (struct pss_work *)work;
	struct memory *m = w->m;

	m->pss_busy = false;
	m->pss_known = w->ok;
	m->pss_failed = !w->ok;
	m->pss_bytes = w->pss_bytes;
	m->uss_bytes = w->uss_bytes;
	m->pss_took_ns = w->took_ns;
	m->pss_ns = clock_now_ns();
}

static void pss_drop(struct work *work)
{
	free(work);
}

static void read_pss(struct memory *m)
{
	struct pss_work *w = xcalloc(1, sizeof(*w));

	w->work = (struct work){ pss_run, pss_done, pss_drop };
	w->m = m;
	w->pid = m->pid;
	m->pss_busy = true;
	engine_work(m->e, &w->work);
}

/* Of a small target again and again; of a big one only when asked. */
static void repeat_pss(struct memory *m, uint64_t now)
{
	if (m->pss_wanted && !m->pss_busy && !m->pss_failed &&
	    m->now.rss_bytes < SMALL_BYTES && now - m->pss_ns > PSS_AGAIN_NS)
		read_pss(m);
}

/* ---- who ---- */

/* Every fault where they are few, else every 16th: a sample costs the target some
 * microseconds. */
static void watch_faults(struct memory *m, bool on)
{
	uint32_t period = m->known && m->minor_per_s < FEW_FAULTS ? 1 : FAULT_PERIOD;
	struct error err = { 0 };

	m->faults_problem[0] = '\0';
	faults_close(m->faults_watch);
	m->faults_watch = NULL;
	if (on && !m->e->exited &&
	    faults_open(m->e, period, m->now.rss_bytes, &m->faults_watch, &err))
		snprintf(m->faults_problem, sizeof(m->faults_problem), "%.190s",
			 err.cause);
}

static void take_census(struct memory *m, uint64_t now)
{
	uint64_t gap =
	    m->e->delay_ns > CENSUS_LEAST_NS ? m->e->delay_ns : CENSUS_LEAST_NS;

	censuses_take(&m->censuses, m->e);
	m->census_due_ns = now + gap;
}

/* ---- the part ---- */

static void *memory_open(struct engine *e)
{
	struct resident_reader *reader = resident_new(e->process.pid);
	struct memory *m;

	if (!reader)
		return NULL;
	m = xcalloc(1, sizeof(*m));
	m->e = e;
	m->pid = e->process.pid;
	m->reader = reader;
	cgroup_mounts_read(&m->mounts, "");
	m->pressure = (struct pressure){ -1, -1 };
	forget(m);
	read_rss(m, clock_now_ns());
	if (e->config.growers)
		watch_faults(m, true);
	return m;
}

static void memory_close(void *state)
{
	struct memory *m = state;

	censuses_done(&m->censuses);
	faults_close(m->faults_watch);
	resident_free(m->reader);
	free(m);
}

static void memory_turn(void *state, uint64_t now)
{
	struct memory *m = state;

	if (now >= m->rss_due_ns)
		read_rss(m, now);
	if (now >= m->kinds_due_ns)
		read_kinds(m, now);
	if (now >= m->limits_due_ns)
		read_limits(m, now);
	if (now >= m->regions_due_ns)
		read_regions(m, now);
	repeat_pss(m, now);
	if (m->e->config.growers && now >= m->census_due_ns)
		take_census(m, now);
	faults_turn(m->faults_watch, now);
}

static uint64_t memory_due_ns(const void *state)
{
	const struct memory *m = state;
	uint64_t faults = faults_due_ns(m->faults_watch);

	return engine_lazily(m->e, faults < m->rss_due_ns ? faults : m->rss_due_ns);
}

static bool memory_command(void *state, const struct command *c)
{
	struct memory *m = state;

	if (c->kind == COMMAND_FAULTS) {
		watch_faults(m, c->value != 0);
		return true;
	}
	if (c->kind == COMMAND_CENSUS) {
		censuses_take(&m->censuses, m->e);
		return true;
	}
	if (c->kind != COMMAND_PSS)
		return false;
	m->pss_wanted = c->value != 0;
	if (m->pss_wanted && !m->pss_busy && !m->e->exited)
		read_pss(m);
	return true;
}

static void memory_reset(void *state)
{
	struct memory *m = state;

	forget(m);
	if (m->faults_watch)
		watch_faults(m, true);
}

static size_t memory_fds(void *state, struct pollfd *fds, size_t max)
{
	return faults_fds(((struct memory *)state)->faults_watch, fds, max);
}

static void memory_ended(void *state)
{
	faults_ended(((struct memory *)state)->faults_watch);
}

/* ---- the snapshot ---- */

static void put_limit(const struct memory *m, struct snapshot_memory *out)
{
	const struct cgroup_memory *g = &m->group;
	uint64_t room =
	    g->limit_bytes > g->used_bytes ? g->limit_bytes - g->used_bytes : 0;

	out->available_bytes = m->available_bytes;
	out->limit_hits = g->hits;
	if (g->limited && (!m->available_bytes || room <= m->available_bytes)) {
		out->limit = LIMIT_CGROUP;
		out->limit_bytes = g->limit_bytes;
		out->limit_used_bytes = g->used_bytes;
		out->headroom_bytes = room;
	} else if (m->available_bytes) {
		out->limit = LIMIT_MACHINE;
		out->limit_bytes = m->total_bytes;
		out->limit_used_bytes = m->total_bytes - m->available_bytes;
		out->headroom_bytes = m->available_bytes;
	}
}

static int by_growth(const void *a, const void *b)
{
	const struct memory_grower *x = a, *y = b;

	if (x->bytes_more != y->bytes_more)
		return x->bytes_more < y->bytes_more ? 1 : -1;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* Address space by use. Returns how many. */
static size_t put_regions(const struct memory *m, struct snapshot *s,
			  struct memory_grower *out)
{
	struct memory_grower all[REGION_GROUPS_MOST];
	size_t i, n;

	for (i = 0; i < m->regions.n; i++) {
		const struct region_group *g = &m->regions.groups[i];
		const struct region_group *first = regions_find(&m->first_regions, g);

		all[i] = (struct memory_grower){
			.kind = GROWER_MAPPING,
			.name = g->name,
			.stack = "",
			.bytes = g->bytes,
			.count = g->mappings,
			.bytes_more = (int64_t)(g->bytes - (first ? first->bytes : 0)),
			.count_more =
			    (int64_t)(g->mappings - (first ? first->mappings : 0)),
			.span_ns = m->regions_ns - m->first_regions_ns,
		};
	}
	if (i)
		qsort(all, i, sizeof(all[0]), by_growth);
	n = i < MAPPINGS_LISTED ? i : MAPPINGS_LISTED;
	for (i = 0; i < n; i++) {
		out[i] = all[i];
		out[i].name = arena_str(&s->arena, all[i].name);
	}
	return n;
}

static void put_growers(const struct memory *m, struct snapshot *s)
{
	struct snapshot_memory *out = &s->memory;
	size_t most = MAPPINGS_LISTED + (CENSUSES + 1) * KINDS_LISTED;

	out->growers = arena_alloc(&s->arena, most * sizeof(*out->growers));
	out->n_growers = censuses_put(&m->censuses, s, out->growers, KINDS_LISTED);
	out->n_growers +=
	    faults_put(m->faults_watch, s, out->growers + out->n_growers, KINDS_LISTED);
	if (m->faults_problem[0]) {
		out->faults_look.on = true;
		out->faults_look.problem = arena_str(&s->arena, m->faults_problem);
	}
	out->n_growers += put_regions(m, s, out->growers + out->n_growers);
}

static void put_series(const struct memory *m, struct snapshot *s)
{
	struct snapshot_memory *out = &s->memory;
	uint64_t to = s->time_ns + 1;
	uint64_t from = s->window_ns && s->window_ns < to ? to - s->window_ns : 0;
	size_t i;

	out->rss = series_look(&m->rss, &s->arena, from, to, true, MEMORY_CELLS);
	out->anon = series_look(&m->anon, &s->arena, from, to, true, MEMORY_CELLS);
	out->faults = series_look(&m->faults, &s->arena, from, to, true, MEMORY_CELLS);
	out->least_bytes = out->rss_bytes;
	for (i = 0; i < out->rss.n; i++)
		if (out->rss.cells[i].n &&
		    out->rss.cells[i].min < (float)out->least_bytes)
			out->least_bytes = (uint64_t)out->rss.cells[i].min;
}

static void put_gauges(const struct memory *m, struct snapshot *s)
{
	struct snapshot_memory *out = &s->memory;

	out->known = true;
	out->time_ns = m->now_ns;
	out->rss_bytes = m->now.rss_bytes;
	out->peak_bytes = m->now.peak_bytes;
	if (out->peak_bytes < out->rss_bytes)
		out->peak_bytes = out->rss_bytes;
	out->anon_bytes = m->now.anon_bytes;
	out->file_bytes = m->now.file_bytes;
	out->shmem_bytes = m->now.shmem_bytes;
	out->swap_bytes = m->now.swap_bytes;
	out->minor_per_s = m->minor_per_s;
	out->major_per_s = m->major_per_s;
	out->pressure_some_pct = m->pressure.some_pct;
	out->pressure_full_pct = m->pressure.full_pct;
	out->pressure_of_group = m->group.pressure_path[0] != '\0';
	out->pss_known = m->pss_wanted && m->pss_known;
	out->pss_bytes = m->pss_bytes;
	out->uss_bytes = m->uss_bytes;
	out->pss_read_ns = m->pss_took_ns;
	if (m->pss_wanted && m->pss_failed)
		out->pss_problem = "not readable: needs the right to trace the process";
}

static void memory_put(void *state, struct snapshot *s)
{
	const struct memory *m = state;
	struct snapshot_memory *out = &s->memory;
	struct trend_answer answer;

	if (!m->known)
		return;
	put_gauges(m, s);
	out->alone = m->e->config.children;
	trend_read(&m->trend, &answer);
	out->verdict = answer.verdict;
	out->verdict_in_ns = answer.verdict_in_ns;
	out->slope = answer.slope;
	put_limit(m, out);
	if (out->limit != LIMIT_NONE)
		out->limit_name = out->limit == LIMIT_CGROUP
				      ? arena_str(&s->arena, m->group.name)
				      : "the machine";
	memory_time_left(out);
	put_series(m, s);
	put_growers(m, s);
	/* With children the header's RSS is of all of them, and this slope is not. */
	if (out->slope.known && !m->e->config.children)
		s->target_rss_slope = out->slope.per_s;
}

const struct part memory_part = {
	.name = "memory",
	.open = memory_open,
	.close = memory_close,
	.turn = memory_turn,
	.due_ns = memory_due_ns,
	.fds = memory_fds,
	.command = memory_command,
	.reset = memory_reset,
	.ended = memory_ended,
	.put = memory_put,
};
