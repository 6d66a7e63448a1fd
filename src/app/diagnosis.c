/* Gathers the facts the rules of model/diagnose.h are applied to, from what the other parts
 * have put into the snapshot and from the accounts of threads. The last part in the table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/latency.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/file.h"
#include "base/text.h"
#include "model/pauses.h"

#define CGROUP_NS (1 * NS_PER_SEC)
#define CGROUP_KEPT 12u /* seconds that throttling is judged by */
#define IDLE_SHARE 0.8
#define SLEEPY_WAITS_PER_S 1.0
#define SLOW_TIMES 2.0
#define HOT_ROWS 8u	     /* of lines; one of them is the hottest function's */
#define RISING_A_MINUTE 0.01 /* of RSS */

struct throttle {
	uint64_t time_ns, periods, throttled, taken_ns;
};

struct busy {
	uint64_t time_ns, ns;
	uint64_t target_ns; /* of that the target and its children */
};

struct diagnosis {
	struct engine *e;
	struct busy busy[CGROUP_KEPT]; /* of the machine's CPUs */
	size_t n_busy;
	char group_file[512], group[200];
	struct throttle ring[CGROUP_KEPT];
	size_t n;
	uint64_t next_ns;
};

/* ---- The control group's CPU limit ---------------------------------------------------- */

/* "12:cpu,cpuacct:/x" or "0::/x": the file with the counters, "" when there is none. */
static void try_group(struct diagnosis *d, const char *controllers, const char *path)
{
	static const char *const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/cpu",
					     "/sys/fs/cgroup/cpu,cpuacct",
					     "/sys/fs/cgroup/unified" };
	size_t i;

	if (*controllers && !strstr(controllers, "cpu"))
		return;
	for (i = 0; i < sizeof(roots) / sizeof(roots[0]) && !d->group_file[0]; i++) {
		snprintf(d->group_file, sizeof(d->group_file), "%s%s/cpu.stat", roots[i],
			 strcmp(path, "/") == 0 ? "" : path);
		if (access(d->group_file, R_OK) == -1)
			d->group_file[0] = '\0';
	}
	clean_copy(d->group, sizeof(d->group), path, strlen(path));
}

static void find_group(struct diagnosis *d)
{
	char file[64], line[400];
	struct bytes in, l;
	struct cursor c;

	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)d->e->process.pid);
	if (file_read(file, 65536, &in, NULL))
		return;
	c = cursor_over(in);
	while (!d->group_file[0] && cursor_line(&c, &l)) {
		char *first, *second;

		snprintf(line, sizeof(line), "%.*s", (int)(l.n < 390 ? l.n : 390),
			 (const char *)l.p);
		first = strchr(line, ':');
		second = first ? strchr(first + 1, ':') : NULL;
		if (!second || strstr(second, ".."))
			continue;
		*second = '\0';
		try_group(d, first + 1, second + 1);
	}
	free((void *)(uintptr_t)in.p);
}

static uint64_t field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	while (at && at != text && at[-1] != '\n')
		at = strstr(at + 1, name);
	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static bool read_throttle(const struct diagnosis *d, struct throttle *out)
{
	struct bytes in;
	char text[4096];
	size_t n;

	if (!d->group_file[0] || file_read(d->group_file, sizeof(text) - 1, &in, NULL))
		return false;
	n = in.n < sizeof(text) - 1 ? in.n : sizeof(text) - 1;
	memcpy(text, in.p, n);
	text[n] = '\0';
	free((void *)(uintptr_t)in.p);
	*out = (struct throttle){ .time_ns = clock_now_ns(),
				  .periods = field(text, "nr_periods "),
				  .throttled = field(text, "nr_throttled "),
				  .taken_ns = field(text, "throttled_usec ") * 1000 };
	if (!out->taken_ns)
		out->taken_ns = field(text, "throttled_time ");
	return out->periods > 0;
}

static void put_throttle(const struct diagnosis *d, struct diagnose_facts *f)
{
	const struct throttle *a, *b;
	size_t kept = d->n < CGROUP_KEPT ? d->n : CGROUP_KEPT;

	if (kept < 2)
		return;
	b = &d->ring[(d->n - 1) % CGROUP_KEPT];
	a = &d->ring[(d->n - kept) % CGROUP_KEPT];
	f->group = d->group;
	if (b->periods <= a->periods || b->time_ns <= a->time_ns)
		return;
	f->throttled_pct = 100.0 * (double)(b->throttled - a->throttled) /
			   (double)(b->periods - a->periods);
	f->throttled_s =
	    (double)(b->taken_ns - a->taken_ns) / (double)(b->time_ns - a->time_ns);
}

/* ---- The machine ------------------------------------------------------------------------ */

/* "cpu  user nice system idle iowait irq softirq steal": all but idle and iowait. */
static bool read_busy(struct busy *out)
{
	struct bytes in;
	char line[512], *at;
	uint64_t ticks = 0;
	size_t n;
	int i;

	if (file_read("/proc/stat", 1u << 20, &in, NULL))
		return false;
	n = in.n < sizeof(line) - 1 ? in.n : sizeof(line) - 1;
	memcpy(line, in.p, n);
	line[n] = '\0';
	free((void *)(uintptr_t)in.p);
	if (strncmp(line, "cpu ", 4) != 0)
		return false;
	at = line + 4;
	for (i = 0; i < 8; i++) {
		uint64_t v = strtoull(at, &at, 10);

		ticks += i == 3 || i == 4 ? 0 : v;
	}
	out->time_ns = clock_now_ns();
	out->ns = ticks * (NS_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
	return true;
}

/* Cores that the target used, threads that have ended too, and those that others used; over about
 * the time of the other facts. */
static void put_cores(const struct diagnosis *d, struct diagnose_facts *f)
{
	size_t kept = d->n_busy < CGROUP_KEPT ? d->n_busy : CGROUP_KEPT;
	const struct busy *a, *b;
	double cores, span;

	if (kept < 3)
		return;
	b = &d->busy[(d->n_busy - 1) % CGROUP_KEPT];
	a = &d->busy[(d->n_busy - kept) % CGROUP_KEPT];
	if (b->time_ns <= a->time_ns || b->ns < a->ns)
		return;
	span = (double)(b->time_ns - a->time_ns);
	if (b->target_ns >= a->target_ns)
		f->cores = (double)(b->target_ns - a->target_ns) / span;
	cores = (double)(b->ns - a->ns) / span - f->cores;
	f->others_cores = cores > 0 ? cores : 0;
}

/* ---- Threads ------------------------------------------------------------------------- */

static uint64_t seen_ns(const struct thread_account *a)
{
	uint64_t sum = a->run_ns + a->queued_ns;
	int i;

	for (i = 0; i < WAIT_REASONS; i++)
		sum += a->reason_ns[i];
	return sum;
}

/* Waiting for something to do is no problem: for events, in a pause of its own, or, seldom
 * woken, for a lock or a line of input. */
static bool works(const struct thread_account *a, double seconds)
{
	uint64_t all = seen_ns(a),
		 idle = a->reason_ns[WAIT_POLL] + a->reason_ns[WAIT_SLEEP] +
			a->reason_ns[WAIT_STOPPED] + a->reason_ns[WAIT_OTHER];

	if (!all)
		return false;
	if ((double)a->waits / seconds < SLEEPY_WAITS_PER_S)
		idle += a->reason_ns[WAIT_LOCK] + a->reason_ns[WAIT_READ];
	return (double)idle < IDLE_SHARE * (double)all;
}

/* "handle" of "main.<locals>.handle": a line has not much room. */
static const char *short_name(const char *name)
{
	const char *at = strstr(name, "<locals>."), *last = name;

	for (; at; at = strstr(last, "<locals>."))
		last = at + strlen("<locals>.");
	return last;
}

static void put_threads(const struct latency *l, struct diagnose_facts *f)
{
	double all = 0, run = 0, queued = 0, reason[WAIT_REASONS] = { 0 };
	double waits[WAIT_REASONS] = { 0 }, everyone = 0;
	bool *working = xcalloc(l->e->threads.n + 1, sizeof(*working));
	size_t i;
	int r;

	for (i = 0; i < l->e->threads.n; i++) {
		struct thread_account a;

		if (l->e->threads.v[i].gone || !latency_account(l, (uint32_t)i, &a))
			continue;
		everyone += (double)a.run_ns;
		if (!works(&a, f->seconds))
			continue;
		working[i] = true;
		f->working++;
		all += (double)seen_ns(&a);
		run += (double)a.run_ns;
		queued += (double)a.queued_ns;
		for (r = 0; r < WAIT_REASONS; r++) {
			reason[r] += (double)a.reason_ns[r];
			if (a.reason_ns[r] * 4 > a.wait_ns)
				waits[r] += (double)a.waits;
		}
	}
	f->cores = everyone / (f->seconds * 1e9);
	f->run_pct = all > 0 ? 100 * run / all : 0;
	f->queue_pct = all > 0 ? 100 * queued / all : 0;
	for (r = 0; r < WAIT_REASONS && all > 0; r++) {
		const char *where = waited_most(l, (enum wait_reason)r, working);

		f->wait_pct[r] = 100 * reason[r] / all;
		f->waits_per_s[r] = waits[r] / f->seconds;
		f->wait_where[r] = where ? short_name(where) : NULL;
	}
	free(working);
}

/* ---- Functions ------------------------------------------------------------------------ */

/* A function's own time where rows are lines, too. */
static uint64_t self_of(const struct snapshot *s, const struct snapshot_function *fn)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < s->n_functions; i++)
		if (s->functions[i].kind == fn->kind &&
		    strcmp(s->functions[i].name, fn->name) == 0 &&
		    strcmp(s->functions[i].module, fn->module) == 0)
			sum += s->functions[i].self_ns;
	return sum;
}

static void put_hot(const struct snapshot *s, struct diagnose_facts *f)
{
	uint64_t most_ns = 0;
	size_t i, asked = 0;

	for (i = 0; i < s->n_functions && asked < HOT_ROWS; i++) {
		uint64_t self_ns;

		if (s->functions[i].kind == CODE_MARK)
			continue;
		asked++;
		self_ns = self_of(s, &s->functions[i]);
		if (f->hot && self_ns <= most_ns)
			continue;
		most_ns = self_ns;
		f->hot = short_name(s->functions[i].name);
		f->hot_pct = snapshot_pct(s, self_ns);
	}
}

static void put_functions(const struct snapshot *s, struct diagnose_facts *f)
{
	uint64_t caller_ns = 0;
	size_t i;

	f->samples = s->samples;
	put_hot(s, f);
	for (i = 0; i < s->n_functions; i++) {
		const struct snapshot_function *fn = &s->functions[i];

		if (strstr(fn->name, "_find_and_load") && fn->total_ns)
			f->import_pct = snapshot_pct(s, fn->total_ns) > f->import_pct
					    ? snapshot_pct(s, fn->total_ns)
					    : f->import_pct;
		if (fn->kind == CODE_MARK)
			continue;
		if (fn->library || fn->total_ns * 10 > s->weight_ns * 9 ||
		    fn->total_ns <= caller_ns)
			continue;
		caller_ns = fn->total_ns;
		f->caller = short_name(fn->name);
		f->caller_pct = snapshot_pct(s, fn->total_ns);
	}
}

/* ---- Slow calls against pauses and locks ---------------------------------------------------- */

struct cause {
	double beyond_ns, gc_ns, lock_ns;
};

static uint64_t within(uint64_t end_a, uint64_t took_a, uint64_t end_b, uint64_t took_b)
{
	uint64_t from = end_a - took_a > end_b - took_b ? end_a - took_a : end_b - took_b;
	uint64_t to = end_a < end_b ? end_a : end_b;

	return to > from ? to - from : 0;
}

static uint64_t gc_within(const struct engine *e, const struct latency_event *ev)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; e->pauses && i < PAUSES_RECENT && i < e->pauses->n_recent; i++)
		sum += within(ev->end_ns, ev->took_ns, e->pauses->recent[i].end_ns,
			      e->pauses->recent[i].took_ns);
	return sum < ev->took_ns ? sum : ev->took_ns;
}

static uint64_t locks_within(const struct latency *l, const struct latency_event *ev)
{
	uint64_t sum = 0;
	size_t i;

	for (i = l->log.ring.n; i-- > 0;) {
		const struct latency_event *o = latency_log_event(&l->log, i);
		const struct latency_thing *t = &l->things.v[o->thing];

		if (o->end_ns + 10 * NS_PER_SEC < ev->end_ns)
			break;
		if (o->thread == ev->thread && t->source == LATENCY_WAIT &&
		    (t->id == WAIT_LOCK || t->id == WAIT_GIL))
			sum += within(ev->end_ns, ev->took_ns, o->end_ns, o->took_ns);
	}
	return sum < ev->took_ns ? sum : ev->took_ns;
}

#define SLOW_EVENTS_MOST 200u

static struct cause cause_of(const struct latency *l, uint32_t thing, uint64_t from,
			     uint64_t p50)
{
	struct cause c = { 0, 0, 0 };
	size_t i, n = 0;

	for (i = l->log.ring.n; i-- > 0 && n < SLOW_EVENTS_MOST;) {
		const struct latency_event *ev = latency_log_event(&l->log, i);
		double beyond = (double)ev->took_ns - (double)p50, part;

		if (ev->end_ns <= from)
			break;
		if (ev->thing != thing || (double)ev->took_ns < SLOW_TIMES * (double)p50)
			continue;
		n++;
		c.beyond_ns += beyond;
		part = (double)gc_within(l->e, ev);
		c.gc_ns += part < beyond ? part : beyond;
		part = (double)locks_within(l, ev);
		c.lock_ns += part < beyond ? part : beyond;
	}
	return c;
}

static double seconds_of(const struct snapshot_latency_row *r, enum latency_figures i)
{
	return r->figure[i].known == LATENCY_KNOWN ? (double)r->figure[i].ns / 1e9 : 0;
}

static void put_slow(const struct latency *l, const struct snapshot *s,
		     struct diagnose_facts *f)
{
	uint64_t from = s->time_ns > s->covered_ns ? s->time_ns - s->covered_ns : 0;
	double worst = 0;
	size_t i;

	for (i = 0; i < s->latency.n_rows; i++) {
		const struct snapshot_latency_row *r = &s->latency.rows[i];
		double p50 = seconds_of(r, LATENCY_P50), p95 = seconds_of(r, LATENCY_P95);
		struct cause c;

		if (r->level && (!f->changed || p95 > f->changed_p95_s)) {
			f->changed = short_name(r->name);
			f->changed_p95_s = p95;
			f->changed_times = p95 * 1e9 / (double)r->base_p95.ns;
		}
		if (r->source > LATENCY_REQUESTS || r->count < 50 || p50 <= 0 ||
		    p95 < 3 * p50 || p95 <= worst)
			continue;
		worst = p95;
		c = cause_of(l, (uint32_t)r->id, from, r->figure[LATENCY_P50].ns);
		f->slow = short_name(r->name);
		f->slow_n = r->count;
		f->slow_p50_s = p50;
		f->slow_p95_s = p95;
		f->slow_gc_pct = c.beyond_ns > 0 ? 100 * c.gc_ns / c.beyond_ns : -1;
		f->slow_lock_pct = c.beyond_ns > 0 ? 100 * c.lock_ns / c.beyond_ns : -1;
	}
}

static void put_memory(const struct snapshot *s, struct diagnose_facts *f)
{
	const struct snapshot_memory *m = &s->memory;

	if (!m->known)
		return;
	f->major_per_s = m->major_per_s;
	f->growing = m->verdict == VERDICT_GROWING;
	f->rising = m->verdict == VERDICT_UNKNOWN && m->slope.known &&
		    m->slope.low * 60 > RISING_A_MINUTE * (double)m->rss_bytes;
	f->growth_per_s = m->slope.per_s;
	f->full_in_s = m->limit_s;
	if (!m->n_growers)
		return;
	f->grower = m->growers[0].name;
	f->grower_how = m->growers[0].kind >= GROWER_CHUNKS ? "hold it"
			: m->growers[0].kind == GROWER_FAULTS
			    ? "pushes the high-water mark"
			    : "is the mapping that grows";
}

/* ---- The part ------------------------------------------------------------------------ */

static void diagnosis_put(void *state, struct snapshot *s)
{
	const struct diagnosis *d = state;
	const struct latency *l = d->e->latency;
	struct diagnose_facts f;
	uint64_t now = clock_now_ns();

	if (!l || s->past)
		return;
	diagnose_nothing(&f);
	f.seconds = (double)(now - l->waits.account_began_ns + l->waits.account_ns) / 1e9;
	if (f.seconds < 1)
		return;
	f.cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	f.waits_known = l->waits.processes.n > 0;
	f.age_s = s->start_wall_ns && s->wall_ns > s->start_wall_ns
		      ? (double)(s->wall_ns - s->start_wall_ns) / 1e9
		      : -1;
	put_throttle(d, &f);
	put_threads(l, &f);
	put_cores(d, &f);
	put_functions(s, &f);
	put_slow(l, s, &f);
	put_memory(s, &f);
	if (s->gc.n_rows) {
		f.gc_time_pct = s->gc.all.time_pct;
		f.gc_max_s = (double)s->gc.all.max_ns / 1e9;
		f.gc_count = s->gc.all.count;
	}
	diagnose(&f, &s->arena, &s->diagnosis);
}

static void *diagnosis_open(struct engine *e)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));

	d->e = e;
	find_group(d);
	return d;
}

static void diagnosis_close(void *state)
{
	free(state);
}

static void diagnosis_turn(void *state, uint64_t now)
{
	struct diagnosis *d = state;
	struct usage usage;

	if (now < d->next_ns)
		return;
	d->next_ns = now + CGROUP_NS;
	if (read_throttle(d, &d->ring[d->n % CGROUP_KEPT]))
		d->n++;
	if (engine_usage(d->e, &usage) && read_busy(&d->busy[d->n_busy % CGROUP_KEPT]))
		d->busy[d->n_busy++ % CGROUP_KEPT].target_ns = usage.cpu_ns;
}

const struct part diagnosis_part = {
	.name = "diagnosis",
	.open = diagnosis_open,
	.close = diagnosis_close,
	.turn = diagnosis_turn,
	.put = diagnosis_put,
};
