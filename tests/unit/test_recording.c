/* What is recorded comes back; what a stranger wrote is taken for what it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "recording/batch.h"
#include "recording/reader.h"
#include "recording/sift.h"
#include "recording/writer.h"

#define START_NS (5000 * NS_PER_SEC)
#define WALL_NS (1700000000 * NS_PER_SEC)

struct made {
	char path[64];
	struct history history;
	struct functions functions;
	struct gatherer *gatherer;
	struct writer *writer;
	struct callstack cs;
	const char *names[8]; /* by frame address */
};

static const struct gather_thread threads[] = { { 7, 7, "main", "app" },
						{ 7, 8, "worker", "app" } };

static int setup(void **state)
{
	struct made *m = xcalloc(1, sizeof(*m));
	struct writer_options o = { .id = "id-1", .creator = "test", .replace = true };
	int fd;

	snprintf(m->path, sizeof(m->path), "/tmp/ptop-rec.XXXXXX");
	fd = mkstemp(m->path);
	close(fd);
	history_init(&m->history, 1 << 20);
	functions_init(&m->functions);
	m->gatherer = gatherer_new(START_NS);
	*state = m;
	return writer_open(m->path, &o, &m->writer, NULL);
}

static int teardown(void **state)
{
	struct made *m = *state;

	gatherer_free(m->gatherer);
	history_done(&m->history);
	functions_done(&m->functions);
	unlink(m->path);
	free(m);
	return 0;
}

static void name(void *arg, uint32_t frame)
{
	struct made *m = arg;
	uint64_t a = m->history.frames.v[frame].frame.address;
	char text[32];
	struct place p = { .file = NO_ID, .line = (int32_t)a };

	snprintf(text, sizeof(text), "f%d", (int)a);
	p.function =
	    functions_intern(&m->functions, a < 8 && m->names[a] ? m->names[a] : text,
			     "libx.so", CODE_LIBRARY, "native");
	history_name(&m->history, frame, &p, 1);
}

/* Addresses of the frames, innermost first; they end with 0. */
static uint32_t stack(struct made *m, const int *addresses)
{
	for (m->cs.depth = 0; addresses[m->cs.depth]; m->cs.depth++)
		m->cs.frame[m->cs.depth] =
		    (struct frame){ (uint64_t)addresses[m->cs.depth], 1, FRAME_NATIVE };
	return history_stack(&m->history, &m->cs, name, m);
}

static void put(struct made *m, uint64_t second)
{
	struct gather_from from = { &m->history,
				    &m->functions,
				    threads,
				    2,
				    START_NS + second * NS_PER_SEC,
				    WALL_NS + second * NS_PER_SEC,
				    0 };
	struct batch *b = gather(m->gatherer, &from);
	struct snapshot *s = snapshot_new();

	s->pid = 7;
	s->command = "app";
	s->rate_hz = 100;
	s->samples_ever = 10 * second;
	s->target_rss_bytes = second << 20;
	s->lost[LOSS_LATE] = second;
	batch_facts(b, s);
	assert_int_equal(writer_put(m->writer, b, NULL), 0);
	snapshot_free(s);
	batch_free(b);
}

static struct recording *reopened(struct made *m)
{
	struct recording *r = NULL;
	struct error err = { 0 };

	if (recording_open(m->path, &r, &err) != 0)
		fail_msg("%s", err.cause);
	return r;
}

static const struct snapshot_function *row(const struct snapshot *s, const char *fn)
{
	size_t i;

	for (i = 0; i < s->n_functions; i++)
		if (strcmp(s->functions[i].name, fn) == 0)
			return &s->functions[i];
	fail_msg("no %s", fn);
	return NULL;
}

static void add(struct made *m, uint64_t ms, uint32_t thread, const int *addresses)
{
	history_add(&m->history, START_NS + ms * NS_PER_MSEC, thread, stack(m, addresses),
		    10 * NS_PER_MSEC, 1, false);
}

static const int in_f3[] = { 3, 2, 1, 0 }, in_f2[] = { 2, 1, 0 }, in_f4[] = { 4, 0 };

static void it_comes_back(void **state)
{
	struct made *m = *state;
	struct picture_query q = { .merged = true };
	struct recording *r;
	struct snapshot *s;

	add(m, 100, 0, in_f3);
	add(m, 105, 0, in_f3); /* one run... */
	put(m, 1);
	add(m, 110, 0, in_f3); /* ...that grows after it was taken */
	add(m, 1200, 1, in_f2);
	add(m, 1300, 0, in_f4);
	put(m, 2);
	assert_int_equal(writer_close(m->writer, NULL, NULL), 0);
	r = reopened(m);
	assert_string_equal(r->status, "completed");
	assert_false(r->interrupted);
	assert_int_equal(r->refused, 0);
	assert_int_equal(r->duration_ns, 2 * NS_PER_SEC);
	assert_int_equal(r->lost[LOSS_LATE], 2);
	s = recording_picture(r, &q, WANT_TREE, false);
	assert_int_equal(s->samples, 5);
	assert_int_equal(s->weight_ns, 50 * NS_PER_MSEC);
	assert_int_equal(row(s, "f3")->self_ns, 30 * NS_PER_MSEC);
	assert_int_equal(row(s, "f1")->total_ns, 40 * NS_PER_MSEC);
	assert_int_equal(row(s, "f2")->line, 2);
	assert_int_equal(s->n_threads, 2);
	assert_string_equal(s->threads[0].name, "main");
	assert_int_equal(s->target_rss_bytes, 2 << 20);
	snapshot_free(s);
	q.end_ns = NS_PER_SEC;
	q.window_ns = NS_PER_SEC;
	s = recording_picture(r, &q, WANT_TREE, false);
	assert_int_equal(s->samples, 3);
	snapshot_free(s);
	recording_free(r);
}

static void late_names_win(void **state)
{
	struct made *m = *state;
	struct picture_query q = { .merged = true };
	struct recording *r;
	struct snapshot *s;

	add(m, 100, 0, in_f4);
	put(m, 1);
	m->names[4] = "parse_order";
	name(m, history_find(&m->history, &(struct frame){ 4, 1, FRAME_NATIVE }));
	put(m, 2);
	assert_int_equal(writer_close(m->writer, NULL, NULL), 0);
	r = reopened(m);
	s = recording_picture(r, &q, WANT_TREE, false);
	assert_int_equal(s->n_functions, 1);
	assert_string_equal(s->functions[0].name, "parse_order");
	snapshot_free(s);
	recording_free(r);
}

/* The numbers of stacks change when the history makes room; the recording does not. */
static void renumbering_loses_nothing(void **state)
{
	struct made *m = *state;
	struct picture_query q = { .merged = true };
	struct recording *r;
	struct snapshot *s;
	uint64_t ms;

	m->history.max_nodes = 64;
	for (ms = 1; ms <= 3000; ms++) {
		const int path[] = { (int)(ms % 977) + 8, (int)(ms % 31) + 1000, 1, 0 };

		memset(m->names, 0, sizeof(m->names));
		m->cs.depth = 3;
		m->cs.frame[0] = (struct frame){ (uint64_t)path[0], 1, FRAME_NATIVE };
		m->cs.frame[1] = (struct frame){ (uint64_t)path[1], 1, FRAME_NATIVE };
		m->cs.frame[2] = (struct frame){ 7, 1, FRAME_NATIVE };
		m->names[7] = "root";
		history_add(&m->history, START_NS + ms * NS_PER_MSEC, 0,
			    history_stack(&m->history, &m->cs, name, m), NS_PER_MSEC, 1,
			    false);
		if (ms % 10 == 0)
			put(m, (ms + 999) / 1000);
	}
	assert_true(m->history.renumbered > 0);
	assert_int_equal(gatherer_missed(m->gatherer), 0);
	assert_int_equal(writer_close(m->writer, NULL, NULL), 0);
	r = reopened(m);
	s = recording_picture(r, &q, WANT_TREE, false);
	assert_int_equal(s->samples, 3000);
	assert_int_equal(row(s, "root")->total_ns, 3000 * NS_PER_MSEC);
	snapshot_free(s);
	recording_free(r);
}

static void squeezing_keeps_sums(void **state)
{
	struct batch *b = batch_new();
	uint64_t weight = 0;
	size_t i, samples = 0;

	(void)state;
	for (i = 0; i < 1000; i++)
		*VEC_PUSH(&b->runs) = (struct batch_run){ .time_ns = i,
							  .weight_ns = i,
							  .thread = 1,
							  .stack = i % 7,
							  .samples = 2 };
	batch_squeeze(b, 100);
	assert_int_equal(b->runs.n, 7);
	for (i = 0; i < b->runs.n; i++) {
		weight += b->runs.v[i].weight_ns;
		samples += b->runs.v[i].samples;
		assert_true(i == 0 || b->runs.v[i].time_ns > b->runs.v[i - 1].time_ns);
	}
	assert_int_equal(weight, 999 * 1000 / 2);
	assert_int_equal(samples, 2000);
	batch_free(b);
}

static void a_second_recorder_is_refused(void **state)
{
	struct made *m = *state;
	struct writer_options o = { .id = "id-2", .creator = "test", .replace = true };
	struct error err = { 0 };
	struct recording *r;
	struct writer *w;

	put(m, 1);
	assert_int_not_equal(writer_open(m->path, &o, &w, &err), 0);
	assert_non_null(strstr(err.cause, "another ptop"));
	r = reopened(m);
	assert_true(r->running);
	assert_false(r->interrupted);
	recording_free(r);
	assert_int_equal(writer_close(m->writer, NULL, NULL), 0);
}

/* ---- gauges, pauses, latencies ---- */

#define MINUTES 6
#define MIB ((uint64_t)1 << 20)

static struct gc_row pause_of(const char *generation, uint64_t ns)
{
	return (struct gc_row){ .runtime = "R",
				.source = "counters",
				.generation = generation,
				.cause = "",
				.count = 2,
				.timed = 1,
				.p50_ns = ns,
				.p95_ns = ns,
				.p99_ns = ns,
				.max_ns = ns,
				.total_ns = ns };
}

/* In the 20th and 40th second two slow calls, of which one is kept; that of the 40th is told
 * again in the 41st, longer, with the same start. */
static void put_slow(struct snapshot *s, uint64_t n)
{
	struct snapshot_slow *c = arena_alloc(&s->arena, sizeof(*c));

	s->latency.slow_ns = 100 * NS_PER_MSEC;
	if (n != 20 && n != 40 && n != 41)
		return;
	*c = (struct snapshot_slow){ .time_ns = s->time_ns - NS_PER_SEC / 4,
				     .took_ns = 300 * NS_PER_MSEC,
				     .name = "handle",
				     .thread = "worker",
				     .tid = 8,
				     .stack = "main;handle;read",
				     .stack_pct = 75 };
	c->took_ns += n == 41 ? NS_PER_SEC : 0;
	s->latency.slow = c;
	s->latency.n_slow = 1;
	s->latency.slow_count = n == 41 ? 0 : 2;
}

/* Of second n: RSS as told, half of it anonymous; a young pause of 3 ms in each, an old one
 * of 50 ms in the 30th; calls that take n ms. */
static void put_gauges(struct made *m, uint64_t n, uint64_t rss)
{
	struct batch *b = batch_new();
	struct snapshot *s = snapshot_new();
	struct gc_row rows[2] = { pause_of("young", 3 * NS_PER_MSEC),
				  pause_of("old", 50 * NS_PER_MSEC) };
	struct snapshot_latency_row call = { .name = "handle",
					     .source = LATENCY_PROBE,
					     .exactness = "exact",
					     .count = 4 };
	int i;

	for (i = 0; i < LATENCY_FIGURES; i++)
		call.figure[i] =
		    (struct latency_figure){ LATENCY_KNOWN, n * NS_PER_MSEC };
	b->start_wall_ns = WALL_NS;
	b->time_ns = n * NS_PER_SEC;
	b->clock_ns = START_NS + b->time_ns;
	s->pid = 7;
	s->rate_hz = 100;
	s->target_rss_bytes = rss;
	s->target_cpu_pct = (double)n;
	s->memory.known = true;
	s->memory.rss_bytes = rss;
	s->memory.anon_bytes = rss / 2;
	s->memory.shmem_bytes = MIB;
	s->memory.minor_per_s = 10;
	s->memory.major_per_s = 1;
	s->memory.limit = LIMIT_CGROUP;
	s->memory.limit_name = "/a.service";
	s->memory.limit_bytes = 4096 * MIB;
	s->memory.headroom_bytes = 4096 * MIB - rss;
	s->memory.limit_hits = n;
	s->gc.rows = rows;
	s->gc.n_rows = n == 30 ? 2 : 1;
	s->latency.rows = &call;
	s->latency.n_rows = 1;
	s->time_ns = START_NS + n * NS_PER_SEC;
	put_slow(s, n);
	batch_facts(b, s);
	assert_int_equal(writer_put(m->writer, b, NULL), 0);
	snapshot_free(s);
	batch_free(b);
}

static struct recording *made_gauges(struct made *m, uint64_t a_second)
{
	uint64_t n;

	for (n = 1; n <= MINUTES * 60; n++)
		put_gauges(m, n, 100 * MIB + n * a_second);
	assert_int_equal(writer_close(m->writer, NULL, NULL), 0);
	return reopened(m);
}

static void near(double is, double wanted)
{
	if (is < wanted * 0.999 || is > wanted * 1.001)
		fail_msg("%g is not %g", is, wanted);
}

static void memory_is_drawn_and_judged(void **state)
{
	struct picture_query q = { .merged = true, .window_ns = 60 * NS_PER_SEC };
	struct recording *r = made_gauges(*state, MIB);
	struct snapshot *s = recording_picture(r, &q, 0, true);
	const struct snapshot_memory *m = &s->memory;
	uint64_t span_ns;
	int64_t grown;

	assert_true(m->known);
	assert_int_equal(m->verdict, VERDICT_GROWING);
	assert_true(m->slope.known);
	near(m->slope.per_s, (double)MIB);
	near(s->target_rss_slope, (double)MIB);
	assert_int_equal(m->rss_bytes, 460 * MIB);
	assert_int_equal(m->peak_bytes, 460 * MIB);
	assert_int_equal(m->rss.n, MEMORY_CELLS);
	assert_int_equal(m->rss.to_ns - m->rss.from_ns, 60 * NS_PER_SEC);
	near(m->rss.cells[MEMORY_CELLS - 1].last, (double)(460 * MIB));
	near(m->rss.cells[0].min, (double)(400 * MIB));
	near((double)m->least_bytes, (double)(400 * MIB));
	assert_true(memory_grown(m, &grown, &span_ns));
	assert_in_range(grown, 58 * MIB, 60 * MIB);
	assert_in_range(span_ns, 59 * NS_PER_SEC, 60 * NS_PER_SEC);
	near(m->anon.cells[MEMORY_CELLS - 1].last, (double)(231 * MIB));
	near(m->faults.cells[MEMORY_CELLS - 1].last, 11);
	assert_int_equal(s->cpu.n, MEMORY_CELLS);
	near(s->cpu.cells[0].min, MINUTES * 60 - 59); /* from the start of its second */
	near(s->cpu.cells[MEMORY_CELLS - 2].last, MINUTES * 60);
	assert_int_equal(m->limit, LIMIT_CGROUP);
	assert_string_equal(m->limit_name, "/a.service");
	assert_int_equal(m->limit_bytes, 4096 * MIB);
	assert_int_equal(m->headroom_bytes, (4096 - 460) * MIB);
	assert_int_equal(m->limit_hits, MINUTES * 60);
	near(m->limit_s, 4096 - 460); /* at a MiB a second */
	snapshot_free(s);
	q.end_ns = 120 * NS_PER_SEC; /* the cursor, where nobody knew yet */
	s = recording_picture(r, &q, 0, true);
	assert_false(memory_grown(&(struct snapshot_memory){ 0 }, &grown, &span_ns));
	assert_int_equal(s->memory.verdict, VERDICT_UNKNOWN);
	near((double)s->memory.verdict_in_ns, 180 * 1e9);
	near((double)s->memory.rss_bytes, (double)(220 * MIB));
	near(s->memory.rss.cells[MEMORY_CELLS - 1].last, (double)(220 * MIB));
	snapshot_free(s);
	recording_free(r);
}

static void what_does_not_grow_is_steady(void **state)
{
	struct picture_query q = { .merged = true };
	struct recording *r = made_gauges(*state, 0);
	struct snapshot *s = recording_picture(r, &q, 0, true);

	assert_int_equal(s->memory.verdict, VERDICT_STEADY);
	assert_true(s->memory.slope.known);
	assert_true(s->memory.slope.per_s == 0);
	snapshot_free(s);
	recording_free(r);
}

static void a_short_recording_promises_no_verdict(void **state)
{
	struct made *m = *state;
	struct picture_query q = { .merged = true };
	struct recording *r;
	struct snapshot *s;

	put_gauges(m, 1, MIB);
	put_gauges(m, 2, MIB);
	assert_int_equal(writer_close(m->writer, NULL, NULL), 0);
	r = reopened(m);
	s = recording_picture(r, &q, 0, true);
	assert_true(s->memory.known);
	assert_int_equal(s->memory.verdict, VERDICT_UNKNOWN);
	assert_int_equal(s->memory.verdict_in_ns, 0);
	snapshot_free(s);
	recording_free(r);
}

static void pauses_stand_where_they_were(void **state)
{
	struct picture_query q = { .merged = true,
				   .end_ns = 60 * NS_PER_SEC,
				   .window_ns = 60 * NS_PER_SEC };
	struct recording *r = made_gauges(*state, 0);
	struct snapshot *s = recording_picture(r, &q, 0, true);
	const struct snapshot_gc *g = &s->gc;
	uint64_t sum = 0, old = 0;
	int i;

	assert_non_null(g->timeline);
	assert_int_equal(g->timeline_ns, 60 * NS_PER_SEC);
	for (i = 0; i < GC_CELLS; i++) {
		sum += g->timeline[i].count;
		if (g->timeline[i].longest_ns == 50 * NS_PER_MSEC) {
			old++;
			assert_int_equal(i, 30 * GC_CELLS / 60 - 1);
			assert_string_equal(g->rows[g->timeline[i].row].generation,
					    "old");
		}
	}
	assert_int_equal(old, 1);
	assert_int_equal(sum, 61); /* those timed */
	assert_int_equal(g->all.count, 122);
	snapshot_free(s);
	recording_free(r);
}

static void slow_calls_are_kept(void **state)
{
	struct picture_query q = { .merged = true };
	struct recording *r = made_gauges(*state, 0), *part;
	struct snapshot *s = recording_picture(r, &q, 0, false);
	const struct snapshot_slow *c = s->latency.slow;
	const struct sift how = { .from_ns = 30 * NS_PER_SEC, .to_ns = 50 * NS_PER_SEC };

	assert_int_equal(s->latency.slow_ns, 100 * NS_PER_MSEC);
	assert_int_equal(s->latency.slow_count, 4);
	assert_int_equal(s->latency.n_slow, 2); /* newest first */
	assert_int_equal(c[0].took_ns, 1300 * NS_PER_MSEC);
	assert_int_equal(c[0].time_ns, 40750 * NS_PER_MSEC);
	assert_int_equal(c[0].wall_ns, WALL_NS + 40750 * NS_PER_MSEC);
	assert_int_equal(c[1].took_ns, 300 * NS_PER_MSEC);
	assert_int_equal(c[1].time_ns, 19750 * NS_PER_MSEC);
	assert_string_equal(c[1].name, "handle");
	assert_string_equal(c[1].thread, "worker");
	assert_int_equal(c[1].tid, 8);
	assert_string_equal(c[1].stack, "main;handle;read");
	near(c[1].stack_pct, 75);
	snapshot_free(s);
	part = recording_sift(&r, 1, &how);
	s = recording_picture(part, &q, 0, false);
	assert_int_equal(s->latency.slow_ns, 100 * NS_PER_MSEC);
	assert_int_equal(s->latency.slow_count, 2);
	assert_int_equal(s->latency.n_slow, 1);
	assert_int_equal(s->latency.slow[0].time_ns, 10750 * NS_PER_MSEC);
	snapshot_free(s);
	recording_free(part);
	recording_free(r);
}

/* What was recorded before these tables were there can be read, and a view of such a name
 * is not run. */
static void later_tables_may_be_missing(void **state)
{
	struct made *m = *state;
	struct picture_query q = { .merged = true };
	struct recording *r = made_gauges(m, 0);
	struct snapshot *s;
	sqlite3 *db;

	recording_free(r);
	assert_int_equal(sqlite3_open(m->path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db,
			 "DROP TABLE fact; DROP TABLE slow; CREATE VIEW slow AS "
			 "SELECT 1000000 AS start_us, 1 AS tid, 'x' AS name, "
			 "1000 AS took_ns, '' AS thread, '' AS stack, "
			 "1.0 AS stack_pct",
			 NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	r = reopened(m);
	s = recording_picture(r, &q, 0, false);
	assert_int_equal(s->latency.n_rows, 1);
	assert_int_equal(s->latency.n_slow, 0);
	assert_int_equal(s->latency.slow_ns, 0);
	assert_int_equal(s->memory.limit, LIMIT_CGROUP);
	assert_string_equal(s->memory.limit_name, "");
	snapshot_free(s);
	recording_free(r);
}

static void latencies_have_a_trend(void **state)
{
	struct picture_query q = { .merged = true,
				   .end_ns = 100 * NS_PER_SEC,
				   .window_ns = 100 * NS_PER_SEC };
	struct recording *r = made_gauges(*state, 0);
	struct snapshot *s = recording_picture(r, &q, 0, true);
	uint64_t id, i;

	assert_int_equal(s->latency.n_rows, 1);
	assert_int_equal(s->latency.rows[0].count, 400);
	for (i = 0; i < LATENCY_TREND_CELLS; i++) {
		uint64_t ns = s->latency.rows[0].trend_ns[i];

		assert_in_range(ns, (10 * i + 9) * NS_PER_MSEC,
				(10 * i + 10) * NS_PER_MSEC);
	}
	id = s->latency.rows[0].id;
	snapshot_free(s);
	q.end_ns = 300 * NS_PER_SEC;
	s = recording_picture(r, &q, 0, true);
	assert_int_equal(s->latency.rows[0].id, id);
	snapshot_free(s);
	recording_free(r);
}

/* ---- strangers ---- */

static void sql(struct made *m, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(m->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void refused(struct made *m, const char *with)
{
	struct error err = { 0 };
	struct recording *r = NULL;

	assert_int_not_equal(recording_open(m->path, &r, &err), 0);
	if (!strstr(err.cause, with))
		fail_msg("'%s' does not say '%s'", err.cause, with);
	assert_true(err.hint[0] != '\0');
}

static void strangers_are_refused(void **state)
{
	struct made *m = *state;

	add(m, 100, 0, in_f3);
	put(m, 1);
	assert_int_equal(writer_close(m->writer, NULL, NULL), 0);
	sql(m, "PRAGMA user_version=2");
	refused(m, "newer ptop");
	sql(m, "PRAGMA user_version=1; ALTER TABLE run RENAME TO ran; CREATE VIEW run AS "
	       "WITH RECURSIVE e(a) AS (SELECT 1 UNION ALL SELECT a FROM e) SELECT a AS "
	       "time_ms, 1 AS thread, 1 AS stack, 1 AS weight_us, 1 AS samples, 0 AS "
	       "off_cpu FROM e");
	refused(m, "not a recording as ptop writes it");
	sql(m, "DROP VIEW run; CREATE TABLE run(time_ms INTEGER, thread INTEGER, stack "
	       "INTEGER, weight_us AS (zeroblob(1000000000)))");
	refused(m, "not a recording as ptop writes it");
	sql(m, "PRAGMA application_id=0");
	refused(m, "not of ptop");
}

static void rows_without_sense_are_left_out(void **state)
{
	struct made *m = *state;
	struct picture_query q = { .merged = true };
	struct recording *r;
	struct snapshot *s;

	add(m, 100, 0, in_f3);
	put(m, 1);
	assert_int_equal(writer_close(m->writer, NULL, NULL), 0);
	sql(m, "INSERT INTO stack VALUES(50,50,1),(51,60,1),(52,0,999),(-1,0,1);"
	       "INSERT INTO run VALUES('x',1,1,1,1,0),(5,99,1,1,1,0),(5,1,50,1,1,0),"
	       "(5,1,1,-7,1,0),(-5,1,1,1,1,0),(5,1,1,1,1e30,0);"
	       "INSERT INTO function VALUES(-4,'a','b','app','native',0),"
	       "(99,char(27)||'[2J',x'00ff','nonsense',NULL,7);"
	       "INSERT INTO thread VALUES(9,'p','t',3,NULL);"
	       "INSERT INTO place VALUES(1,7,12345,'',1),(777,0,1,'',1)");
	r = reopened(m);
	assert_int_equal(r->refused, 4 + 6 + 1 + 1 + 2);
	s = recording_picture(r, &q, WANT_TREE, false);
	assert_int_equal(s->samples, 1);
	snapshot_free(s);
	recording_free(r);
}

/* Cut anywhere it is refused or read, never more than that. */
static void cut_files_do_no_harm(void **state)
{
	struct made *m = *state;
	struct bytes all;
	size_t n;

	add(m, 100, 0, in_f3);
	put(m, 1);
	assert_int_equal(writer_close(m->writer, NULL, NULL), 0);
	assert_int_equal(file_read(m->path, 1 << 24, &all, NULL), 0);
	for (n = 0; n < all.n; n += n < 200 ? 7 : 1021) {
		struct recording *r = NULL;

		if (recording_read((struct bytes){ all.p, n }, &r, NULL) == 0)
			recording_free(r);
	}
	free((void *)(uintptr_t)all.p);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(it_comes_back),
		TEST(late_names_win),
		TEST(renumbering_loses_nothing),
		cmocka_unit_test(squeezing_keeps_sums),
		TEST(a_second_recorder_is_refused),
		TEST(memory_is_drawn_and_judged),
		TEST(what_does_not_grow_is_steady),
		TEST(a_short_recording_promises_no_verdict),
		TEST(pauses_stand_where_they_were),
		TEST(latencies_have_a_trend),
		TEST(slow_calls_are_kept),
		TEST(later_tables_may_be_missing),
		TEST(strangers_are_refused),
		TEST(rows_without_sense_are_left_out),
		TEST(cut_files_do_no_harm),
	};

	return cmocka_run_group_tests_name("recording", tests, NULL, NULL);
}
