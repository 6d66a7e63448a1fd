/* Each rule is a function that either says nothing or fills a finding. Those that name a cause
 * come first; what only says where the time goes follows, by the share of it. Limits are those of the runbooks people use (GC above 5 % of the time, throttled in a
 * tenth of the periods) or were chosen so that programs made to show one thing do not trip over
 * the others. Confidence grows from its least at the limit to 1 well above it. */
#include "model/diagnose.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SAMPLES_LEAST 50u
#define SECONDS_LEAST 2.0
#define SECONDS_CALM 10.0
#define CPU_PCT 60.0
#define CPU_RUN_PCT 10.0 /* the rest of it ready, without a CPU */
#define HOT_PCT 15.0
#define WAIT_PCT 50.0
#define LOCK_PCT 25.0
#define LOCKS_PER_S 2.0
#define GIL_PCT 25.0
#define QUEUE_PCT 25.0
#define LOST_SHARE 0.5 /* of the time not run */
#define CPUS_TAKEN 0.9
#define THROTTLED_PCT 10.0
#define GC_PCT 5.0
#define TAIL_TIMES 3.0
#define TAIL_LEAST 50u
#define TAIL_LEAST_S 0.005
#define TAIL_SHARE 40.0
#define YOUNG_S 120.0
#define IMPORT_PCT 15.0
#define MAJOR_PER_S 50.0
#define CALM_CPU 70.0

struct words {
	char text[240], evidence[400];
	double confidence;
};

__attribute__((format(printf, 2, 3))) static void say(struct words *w, const char *fmt,
						      ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
}

__attribute__((format(printf, 2, 3))) static void prove(struct words *w, const char *fmt,
							...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->evidence, sizeof(w->evidence), fmt, ap);
	va_end(ap);
}

/* 0.6 at the limit, 1 at `sure` and above. */
static double confidence(double value, double limit, double sure)
{
	double c = 0.6 + 0.4 * (value - limit) / (sure - limit);

	return c < 0.6 ? 0.6 : c > 1 ? 1 : c;
}

static const char *span(double s, char buf[24])
{
	if (s >= 1)
		snprintf(buf, 24, "%.3g s", s);
	else if (s >= 1e-3)
		snprintf(buf, 24, "%.3g ms", s * 1e3);
	else
		snprintf(buf, 24, "%.3g us", s * 1e6);
	return buf;
}

/* ---- Taken away from outside ----------------------------------------------------------- */

static bool throttled(const struct diagnose_facts *f, struct words *w)
{
	if (f->throttled_pct < THROTTLED_PCT)
		return false;
	say(w, "throttled by its control group: stopped in %.0f%% of the periods",
	    f->throttled_pct);
	prove(w,
	      "cpu.stat of %s: throttled in %.1f%% of the periods, %.2f s a second taken "
	      "away; it used %.2f cores",
	      f->group ? f->group : "its group", f->throttled_pct, f->throttled_s,
	      f->cores);
	w->confidence = confidence(f->throttled_pct, THROTTLED_PCT, 30);
	return true;
}

/* The share of the most important wait that is somebody's fault. */
static double worst_wait(const struct diagnose_facts *f)
{
	static const enum wait_reason causes[] = { WAIT_LOCK, WAIT_GIL, WAIT_DISK,
						   WAIT_SOCKET, WAIT_CHILD };
	double most = 0;
	size_t i;

	for (i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (f->wait_pct[causes[i]] > most)
			most = f->wait_pct[causes[i]];
	return most;
}

/* A ready thread without a CPU is the machine's fault only when its CPUs are taken: by others,
 * or by more threads of the target than there are. */
static bool cpus_taken(const struct diagnose_facts *f)
{
	return f->others_cores < 0 ||
	       f->others_cores + f->cores >= CPUS_TAKEN * (double)f->cpus;
}

/* It has to explain most of the time in which working threads do not run, and more than any
 * other cause. */
static bool starved(const struct diagnose_facts *f, struct words *w)
{
	char others[64] = "";

	if (f->queue_pct < QUEUE_PCT || f->run_pct < 5 || f->seconds < SECONDS_LEAST ||
	    f->throttled_pct >= THROTTLED_PCT || !cpus_taken(f) ||
	    f->queue_pct < LOST_SHARE * (100 - f->run_pct) ||
	    f->queue_pct <= worst_wait(f))
		return false;
	if (f->others_cores >= 0)
		snprintf(others, sizeof(others), ", others use %.1f of them",
			 f->others_cores);
	say(w, "too few CPUs: ready threads waited %.0f%% of their time for one",
	    f->queue_pct);
	prove(w,
	      "of the time of %u working threads %.1f%% on a CPU, %.1f%% ready without "
	      "one (schedstat), over %.0f s; %u CPUs%s",
	      f->working, f->run_pct, f->queue_pct, f->seconds, f->cpus, others);
	w->confidence = confidence(f->queue_pct, QUEUE_PCT, 50);
	return true;
}

/* ---- Slow calls ------------------------------------------------------------------------ */

static bool has_tail(const struct diagnose_facts *f)
{
	return f->slow && f->slow_n >= TAIL_LEAST && f->slow_p50_s > 0 &&
	       f->slow_p95_s >= TAIL_LEAST_S &&
	       f->slow_p95_s >= TAIL_TIMES * f->slow_p50_s;
}

static bool tail(const struct diagnose_facts *f, double share, const char *cause,
		 struct words *w)
{
	char p50[24], p95[24];

	if (!has_tail(f) || share < TAIL_SHARE)
		return false;
	say(w, "%.80s: p95 %s, p50 %s: %.0f%% of what slow ones take more is %s", f->slow,
	    span(f->slow_p95_s, p95), span(f->slow_p50_s, p50), share, cause);
	prove(w,
	      "%llu of %.80s, p50 %s, p95 %s; of the time its slow ones took beyond the "
	      "median %.0f%% lay in GC pauses, %.0f%% in lock waits",
	      (unsigned long long)f->slow_n, f->slow, p50, p95,
	      f->slow_gc_pct > 0 ? f->slow_gc_pct : 0,
	      f->slow_lock_pct > 0 ? f->slow_lock_pct : 0);
	w->confidence = confidence(share, TAIL_SHARE, 75);
	return true;
}

static bool slow_by_gc(const struct diagnose_facts *f, struct words *w)
{
	return f->slow_gc_pct >= f->slow_lock_pct &&
	       tail(f, f->slow_gc_pct, "GC pauses", w);
}

static bool slow_by_locks(const struct diagnose_facts *f, struct words *w)
{
	return f->slow_lock_pct > f->slow_gc_pct &&
	       tail(f, f->slow_lock_pct, "waiting for locks", w);
}

static bool slower(const struct diagnose_facts *f, struct words *w)
{
	char p95[24];

	if (!f->changed)
		return false;
	say(w, "%.80s: p95 %s is %.1f times its baseline", f->changed,
	    span(f->changed_p95_s, p95), f->changed_times);
	prove(w, "limits: 1.5 times (noticeable), 3 times (bad); b sets a new baseline");
	w->confidence = f->changed_times >= 3 ? 0.95 : 0.8;
	return true;
}

/* ---- Where the time goes ----------------------------------------------------------------- */

/* Who is hot by itself; a caller only where no one is. */
static bool cpu_bound(const struct diagnose_facts *f, struct words *w)
{
	bool own = f->hot && f->hot_pct >= HOT_PCT;
	const char *who = own ? f->hot : f->caller;
	double pct = own ? f->hot_pct : f->caller_pct;

	if (f->samples < SAMPLES_LEAST || f->run_pct + f->queue_pct < CPU_PCT ||
	    f->run_pct < CPU_RUN_PCT || !who || pct < HOT_PCT ||
	    f->wait_pct[WAIT_GIL] >= GIL_PCT)
		return false;
	say(w, "CPU-bound in %.100s (%.0f%% of the samples%s)", who, pct,
	    own ? "" : ", with what it calls");
	prove(w,
	      "working threads ran %.0f%% of their time (%.0f%% more they were ready); "
	      "%.100s %.1f%% %s of %llu samples; %.2f cores used",
	      f->run_pct, f->queue_pct, who, pct, own ? "self" : "total",
	      (unsigned long long)f->samples, f->cores);
	w->confidence = confidence(f->run_pct + f->queue_pct, CPU_PCT, 85);
	return true;
}

static const struct wait_rule {
	enum wait_reason reason;
	const char *rule, *what;
	double limit;
	double per_s; /* so often at least: a wait that never ends is idleness */
} wait_rules[] = {
	{ WAIT_GIL, "gil", "the interpreter's lock (GIL)", GIL_PCT, LOCKS_PER_S },
	{ WAIT_LOCK, "lock", "locks", LOCK_PCT, LOCKS_PER_S },
	{ WAIT_DISK, "disk", "the disk", WAIT_PCT, 0 },
	{ WAIT_SOCKET, "socket", "the network", WAIT_PCT, 0 },
	{ WAIT_CHILD, "child", "child processes", WAIT_PCT, 0 },
};

static bool waiting(const struct diagnose_facts *f, const struct wait_rule *r,
		    struct words *w)
{
	double pct = f->wait_pct[r->reason];
	const char *where = f->wait_where[r->reason];

	if (!f->waits_known || pct < r->limit || f->seconds < SECONDS_LEAST ||
	    f->waits_per_s[r->reason] < r->per_s)
		return false;
	say(w, "waiting for %s: %.0f%% of the working threads' time%s%.80s", r->what, pct,
	    where ? ", most in " : "", where ? where : "");
	prove(w,
	      "%u working threads over %.0f s: %.0f%% on a CPU, %.0f%% ready, %.0f%% "
	      "waiting "
	      "for %s, %.1f waits a second seen",
	      f->working, f->seconds, f->run_pct, f->queue_pct, pct, r->what,
	      f->waits_per_s[r->reason]);
	w->confidence = confidence(pct, r->limit, r->limit + 30);
	return true;
}

/* ---- Memory, collection, start ------------------------------------------------------------- */

static bool growing(const struct diagnose_facts *f, struct words *w)
{
	char full[32] = "";

	if (!f->growing)
		return false;
	if (f->full_in_s > 0 && f->full_in_s < 7 * 86400)
		snprintf(full, sizeof(full), ", full in %.0f min", f->full_in_s / 60);
	say(w, "memory grows without end, %+.1f MiB a minute%s%s%.80s%s%s",
	    f->growth_per_s * 60 / 1048576, full, f->grower ? ": " : "",
	    f->grower ? f->grower : "", f->grower ? " " : "",
	    f->grower && f->grower_how ? f->grower_how : "");
	prove(w,
	      "the floor of RSS rises by %.0f bytes a second (Theil-Sen), in both halves "
	      "of "
	      "the time watched",
	      f->growth_per_s);
	w->confidence = 0.9;
	return true;
}

static bool collects(const struct diagnose_facts *f, struct words *w)
{
	char max[24];

	if (f->gc_time_pct < GC_PCT || f->gc_count < 3)
		return false;
	say(w, "garbage collection takes %.1f%% of the time", f->gc_time_pct);
	prove(w, "%llu collections, %.2f%% of the time, longest %s; limit 5%%",
	      (unsigned long long)f->gc_count, f->gc_time_pct, span(f->gc_max_s, max));
	w->confidence = confidence(f->gc_time_pct, GC_PCT, 15);
	return true;
}

static bool cold(const struct diagnose_facts *f, struct words *w)
{
	bool imports = f->import_pct >= IMPORT_PCT && f->samples >= SAMPLES_LEAST;
	bool faults = f->major_per_s >= MAJOR_PER_S;

	if (f->age_s < 0 || f->age_s > YOUNG_S || (!imports && !faults))
		return false;
	if (imports)
		say(w, "still starting: imports take %.0f%% of the samples",
		    f->import_pct);
	else
		say(w, "still starting: %.0f pages a second come from the disk",
		    f->major_per_s);
	prove(w,
	      "the process is %.0f s old; imports on %.1f%% of %llu stacks, %.0f major "
	      "page "
	      "faults a second",
	      f->age_s, f->import_pct > 0 ? f->import_pct : 0,
	      (unsigned long long)f->samples, f->major_per_s > 0 ? f->major_per_s : 0);
	w->confidence = imports ? confidence(f->import_pct, IMPORT_PCT, 40) : 0.7;
	return true;
}

static bool calm(const struct diagnose_facts *f, struct words *w)
{
	if (!f->waits_known || f->seconds < SECONDS_CALM || f->run_pct >= CALM_CPU ||
	    f->rising || f->queue_pct >= QUEUE_PCT / 2 ||
	    f->wait_pct[WAIT_LOCK] >= LOCK_PCT / 2 ||
	    f->wait_pct[WAIT_DISK] >= WAIT_PCT / 2 || f->gc_time_pct >= GC_PCT / 2 ||
	    f->wait_pct[WAIT_SOCKET] >= WAIT_PCT / 2 || has_tail(f) ||
	    f->wait_pct[WAIT_GIL] >= GIL_PCT / 2 ||
	    f->wait_pct[WAIT_CHILD] >= WAIT_PCT / 2)
		return false;
	say(w, "nothing stands out: %.2f cores used, no waits for locks, disk or network",
	    f->cores);
	prove(
	    w,
	    "%u working threads over %.0f s ran %.0f%% of their time, were ready %.0f%%; "
	    "locks %.0f%%, disk %.0f%%, network %.0f%%; GC %.1f%%",
	    f->working, f->seconds, f->run_pct, f->queue_pct, f->wait_pct[WAIT_LOCK],
	    f->wait_pct[WAIT_DISK], f->wait_pct[WAIT_SOCKET],
	    f->gc_time_pct > 0 ? f->gc_time_pct : 0);
	w->confidence = 0.8;
	return true;
}

/* ---- All of them ----------------------------------------------------------------------------- */

#define FINDINGS_MOST 20u

static void keep(struct snapshot_diagnosis *out, const char *rule, const struct words *w,
		 struct arena *arena)
{
	if (out->n == FINDINGS_MOST)
		return;
	out->findings[out->n++] = (struct snapshot_finding){
		.rule = rule,
		.text = arena_str(arena, w->text),
		.evidence = arena_str(arena, w->evidence),
		.confidence = w->confidence,
	};
}

/* One that says where time goes: moved up before those of a smaller share. */
struct shares {
	size_t first;
	double pct[FINDINGS_MOST];
};

static void keep_share(struct snapshot_diagnosis *out, struct shares *s, double pct,
		       const char *rule, const struct words *w, struct arena *arena)
{
	size_t i = out->n;
	struct snapshot_finding f;

	keep(out, rule, w, arena);
	if (out->n == i)
		return;
	f = out->findings[i];
	for (; i > s->first && s->pct[i - 1] < pct; i--) {
		out->findings[i] = out->findings[i - 1];
		s->pct[i] = s->pct[i - 1];
	}
	out->findings[i] = f;
	s->pct[i] = pct;
}

void diagnose_nothing(struct diagnose_facts *f)
{
	*f = (struct diagnose_facts){ .others_cores = -1,
				      .slow_gc_pct = -1,
				      .slow_lock_pct = -1,
				      .slow_queue_pct = -1,
				      .gc_time_pct = -1,
				      .full_in_s = -1,
				      .age_s = -1,
				      .import_pct = -1,
				      .major_per_s = -1,
				      .throttled_pct = -1 };
}

void diagnose(const struct diagnose_facts *f, struct arena *arena,
	      struct snapshot_diagnosis *out)
{
	static const struct {
		const char *name;
		bool (*apply)(const struct diagnose_facts *f, struct words *w);
	} causes[] = { { "throttled", throttled },  { "slower", slower },
		       { "gc-pauses", slow_by_gc }, { "lock-waits", slow_by_locks },
		       { "cold-start", cold },	    { "memory", growing },
		       { "gc-time", collects } };
	struct shares shares;
	struct words w;
	size_t i;

	out->n = 0;
	out->findings = arena_alloc(arena, FINDINGS_MOST * sizeof(*out->findings));
	for (i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].apply(f, &w))
			keep(out, causes[i].name, &w, arena);
	shares.first = out->n;
	for (i = 0; i < sizeof(wait_rules) / sizeof(wait_rules[0]); i++)
		if (waiting(f, &wait_rules[i], &w))
			keep_share(out, &shares, f->wait_pct[wait_rules[i].reason],
				   wait_rules[i].rule, &w, arena);
	if (cpu_bound(f, &w))
		keep_share(out, &shares, f->run_pct, "cpu", &w, arena);
	if (starved(f, &w))
		keep_share(out, &shares, f->queue_pct, "run-queue", &w, arena);
	if (out->n == 0 && calm(f, &w))
		keep(out, "nothing", &w, arena);
}
