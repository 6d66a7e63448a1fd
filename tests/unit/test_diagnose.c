/* Each rule on facts that should make it speak, and on those of the others, where it should
 * not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/diagnose.h"

/* A service that is fine: what each seed is made of. */
static struct diagnose_facts fine(void)
{
	struct diagnose_facts f;

	diagnose_nothing(&f);
	f.seconds = 15;
	f.samples = 300;
	f.cores = 0.2;
	f.cpus = 4;
	f.working = 2;
	f.waits_known = true;
	f.run_pct = 20;
	f.queue_pct = 1;
	f.wait_pct[WAIT_POLL] = 79;
	f.hot = "render";
	f.hot_pct = 12;
	f.slow = "handle";
	f.slow_n = 400;
	f.slow_p50_s = 0.010;
	f.slow_p95_s = 0.018;
	f.gc_time_pct = 0.5;
	f.gc_count = 30;
	f.age_s = 7200;
	f.import_pct = 0;
	f.major_per_s = 0;
	f.throttled_pct = 0;
	return f;
}

static void seed_cpu(struct diagnose_facts *f)
{
	f->run_pct = 92;
	f->queue_pct = 4;
	f->hot_pct = 55;
	f->cores = 1;
}

static void seed_wait(struct diagnose_facts *f, enum wait_reason r, double pct,
		      double per_s)
{
	f->run_pct = 90 - pct;
	f->wait_pct[WAIT_POLL] = 5;
	f->wait_pct[r] = pct;
	f->waits_per_s[r] = per_s;
}

static void seed_lock(struct diagnose_facts *f)
{
	seed_wait(f, WAIT_LOCK, 60, 40);
}

static void seed_gil(struct diagnose_facts *f)
{
	seed_wait(f, WAIT_GIL, 70, 180);
	f->hot_pct = 90;
}

static void seed_disk(struct diagnose_facts *f)
{
	seed_wait(f, WAIT_DISK, 80, 30);
}

static void seed_socket(struct diagnose_facts *f)
{
	seed_wait(f, WAIT_SOCKET, 85, 12);
}

static void seed_child(struct diagnose_facts *f)
{
	seed_wait(f, WAIT_CHILD, 88, 0.5);
}

static void seed_throttled(struct diagnose_facts *f)
{
	f->throttled_pct = 40;
	f->throttled_s = 0.5;
	f->queue_pct = 45; /* the kernel counts it there, too */
	f->group = "/x";
}

static void seed_queue(struct diagnose_facts *f)
{
	f->run_pct = 40;
	f->queue_pct = 45;
	f->wait_pct[WAIT_POLL] = 15;
	f->others_cores = 3.5;
	f->cores = 0.5;
}

static void seed_gc_pauses(struct diagnose_facts *f)
{
	f->slow_p95_s = 0.2;
	f->slow_gc_pct = 82;
	f->slow_lock_pct = 3;
	f->gc_time_pct = 4;
}

static void seed_lock_waits(struct diagnose_facts *f)
{
	f->slow_p95_s = 0.2;
	f->slow_gc_pct = 0;
	f->slow_lock_pct = 77;
}

static void seed_slower(struct diagnose_facts *f)
{
	f->changed = "handle";
	f->changed_times = 2.2;
	f->changed_p95_s = 0.03;
}

static void seed_memory(struct diagnose_facts *f)
{
	f->growing = true;
	f->growth_per_s = 1e5;
	f->grower = "Order";
	f->grower_how = "hold it";
}

static void seed_gc_time(struct diagnose_facts *f)
{
	f->gc_time_pct = 14;
	f->gc_max_s = 0.05;
}

static void seed_cold(struct diagnose_facts *f)
{
	f->age_s = 4;
	f->import_pct = 60;
}

static void seed_nothing(struct diagnose_facts *f)
{
	(void)f;
}

static const struct {
	const char *rule;
	void (*seed)(struct diagnose_facts *f);
	const char *word;
} seeds[] = {
	{ "cpu", seed_cpu, "render" },
	{ "lock", seed_lock, "60%" },
	{ "gil", seed_gil, "GIL" },
	{ "disk", seed_disk, "disk" },
	{ "socket", seed_socket, "network" },
	{ "child", seed_child, "child" },
	{ "throttled", seed_throttled, "40%" },
	{ "run-queue", seed_queue, "45%" },
	{ "gc-pauses", seed_gc_pauses, "82%" },
	{ "lock-waits", seed_lock_waits, "77%" },
	{ "slower", seed_slower, "2.2 times" },
	{ "memory", seed_memory, "Order" },
	{ "gc-time", seed_gc_time, "14.0%" },
	{ "cold-start", seed_cold, "imports" },
	{ "nothing", seed_nothing, "nothing stands out" },
};

static void each_rule_alone(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		struct diagnose_facts f = fine();
		struct snapshot_diagnosis d;
		struct arena arena = { 0 };

		seeds[i].seed(&f);
		diagnose(&f, &arena, &d);
		if (d.n != 1 || strcmp(d.findings[0].rule, seeds[i].rule) != 0)
			fail_msg("%s: %zu findings, first %s", seeds[i].rule, d.n,
				 d.n ? d.findings[0].rule : "-");
		assert_non_null(strstr(d.findings[0].text, seeds[i].word));
		assert_true(d.findings[0].evidence[0]);
		assert_true(d.findings[0].confidence >= 0.6 &&
			    d.findings[0].confidence <= 1);
		arena_done(&arena);
	}
}

/* Facts half as strong are no finding; and then nothing is claimed to be all right. */
static void unsure_is_silent(void **state)
{
	struct diagnose_facts f = fine();
	struct snapshot_diagnosis d;
	struct arena arena = { 0 };

	(void)state;
	f.wait_pct[WAIT_LOCK] = 20;
	f.waits_per_s[WAIT_LOCK] = 30;
	diagnose(&f, &arena, &d);
	assert_int_equal(d.n, 0);
	f = fine();
	f.slow_p95_s = 0.2;
	f.slow_gc_pct = f.slow_lock_pct = 20;
	diagnose(&f, &arena, &d);
	assert_int_equal(d.n, 0);
	f = fine();
	f.waits_known = false;
	diagnose(&f, &arena, &d);
	assert_int_equal(d.n, 0);
	f = fine();
	f.rising = true;
	diagnose(&f, &arena, &d);
	assert_int_equal(d.n, 0);
	f = fine();
	f.seconds = 3;
	diagnose(&f, &arena, &d);
	assert_int_equal(d.n, 0);
	diagnose_nothing(&f);
	diagnose(&f, &arena, &d);
	assert_int_equal(d.n, 0);
	arena_done(&arena);
}

/* What each row changes of the fine service, and what is then said, in this order. */
static const struct {
	const char *what;
	double run, queue, others, cores;
	enum wait_reason reason;
	double wait, gc_share, lock_share, hot, imports;
	const char *said;
} tables[] = {
	{ "the CPUs are others'", 40, 45, 3.5, 0.5, WAIT_POLL, 15, -1, -1, 12, 0,
	  "run-queue " },
	{ "ready, but CPUs are free", 40, 45, 0.5, 0.5, WAIT_POLL, 15, -1, -1, 12, 0,
	  "" },
	{ "its own threads are too many", 45, 50, 0.1, 3.8, WAIT_POLL, 5, -1, -1, 12, 0,
	  "run-queue " },
	{ "a lock costs more than the queue", 10, 30, 3.8, 0.2, WAIT_LOCK, 60, -1, -1, 12,
	  0, "lock " },
	{ "the queue is less than half of what is lost", 20, 30, 3.8, 0.2, WAIT_SLEEP, 50,
	  -1, -1, 12, 0, "" },
	{ "computes, on a full machine", 30, 65, 3.6, 0.4, WAIT_POLL, 5, -1, -1, 60, 0,
	  "run-queue cpu " },
	{ "computes, hardly hindered", 88, 8, 3.0, 1, WAIT_POLL, 4, -1, -1, 60, 0,
	  "cpu " },
	{ "pauses make it slow, on a full machine", 40, 50, 3.6, 0.4, WAIT_POLL, 10, 70,
	  0, 12, 0, "gc-pauses run-queue " },
	{ "imports make it compute", 90, 5, 1, 1, WAIT_POLL, 5, -1, -1, 30, 60,
	  "cold-start cpu " },
	{ "waits for a child beside a lock's", 5, 1, 1, 0.1, WAIT_CHILD, 90, -1, -1, 12,
	  0, "child " },
};

static void causes_compete(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		struct diagnose_facts f = fine();
		struct snapshot_diagnosis d;
		struct arena arena = { 0 };
		char said[200] = "";

		f.run_pct = tables[i].run;
		f.queue_pct = tables[i].queue;
		f.others_cores = tables[i].others;
		f.cores = tables[i].cores;
		f.wait_pct[WAIT_POLL] = 0;
		f.wait_pct[tables[i].reason] = tables[i].wait;
		f.waits_per_s[tables[i].reason] = 20;
		if (tables[i].gc_share >= 0) {
			f.slow_p95_s = 0.2;
			f.slow_gc_pct = tables[i].gc_share;
			f.slow_lock_pct = tables[i].lock_share;
		}
		f.hot_pct = tables[i].hot;
		f.import_pct = tables[i].imports;
		f.age_s = tables[i].imports > 0 ? 5 : f.age_s;
		diagnose(&f, &arena, &d);
		for (k = 0; k < d.n; k++)
			snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s ",
				 d.findings[k].rule);
		if (strcmp(said, tables[i].said) != 0)
			fail_msg("%s: '%s', not '%s'", tables[i].what, said,
				 tables[i].said);
		arena_done(&arena);
	}
}

/* One wait that never ends is idleness, not contention. */
static void seldom_woken_is_idle(void **state)
{
	struct diagnose_facts f = fine();
	struct snapshot_diagnosis d;
	struct arena arena = { 0 };

	(void)state;
	seed_wait(&f, WAIT_LOCK, 90, 0.2);
	diagnose(&f, &arena, &d);
	assert_int_equal(d.n, 0);
	arena_done(&arena);
}

static void names_of_any_length(void **state)
{
	static char name[3000];
	struct diagnose_facts f = fine();
	struct snapshot_diagnosis d;
	struct arena arena = { 0 };

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	seed_cpu(&f);
	f.hot = f.slow = f.grower = f.changed = f.group = name;
	seed_gc_pauses(&f);
	seed_memory(&f);
	f.grower = f.changed = name;
	f.throttled_pct = 30;
	diagnose(&f, &arena, &d);
	assert_true(d.n >= 4);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_alone),
		cmocka_unit_test(causes_compete),
		cmocka_unit_test(unsure_is_silent),
		cmocka_unit_test(seldom_woken_is_idle),
		cmocka_unit_test(names_of_any_length),
	};

	return cmocka_run_group_tests_name("diagnose", tests, NULL, NULL);
}
