/* bench-python PID [SECONDS] [HZ]: what it costs to read the stacks of a Python process.
 *
 * Reads all its threads HZ times a second (0, the default: without a pause between) and
 * prints the CPU time of a stack that is known (system call, check, lines and functions
 * from the caches), system calls a stack, the share of stacks given whole and the reasons
 * of the others. The first 100 looks warm the caches and do not count. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "runtime/runtime.h"

#define TIDS_MAX 4096u
#define WARM 100u

struct sums {
	uint64_t frames, stacks;
};

static void got(void *arg, const struct runtime_look *look, const struct callstack *cs)
{
	struct sums *s = arg;

	s->stacks += !look->rejected;
	s->frames += cs->depth;
}

static void print(const struct runtime_counters *a, const struct runtime_counters *b,
		  const struct sums *sums, uint64_t cpu_ns)
{
	double asked = (double)(b->asked - a->asked);
	int i;

	printf("%.2f us a stack, %.2f calls a stack, depth %.1f, %.0f stacks\n",
	       (double)cpu_ns / 1e3 / asked, (double)(b->calls - a->calls) / asked,
	       sums->stacks ? (double)sums->frames / (double)sums->stacks : 0, asked);
	printf("%.3f %% complete", 100.0 * (double)(b->complete - a->complete) / asked);
	for (i = 0; i < REJECT_REASONS; i++)
		if (b->rejected[i] > a->rejected[i])
			printf(", %.4f %% %s",
			       100.0 * (double)(b->rejected[i] - a->rejected[i]) / asked,
			       runtime_reject_name((enum runtime_reject)i));
	printf("\n");
}

static void run(void *reader, const pid_t *tids, size_t n, double seconds, double hz)
{
	struct runtime_counters before, after;
	struct sums sums = { 0 };
	uint64_t start, cpu;
	unsigned i;

	for (i = 0; i < WARM; i++)
		python_runtime.walk(reader, tids, n, got, &sums);
	sums = (struct sums){ 0 };
	python_runtime.counters(reader, &before);
	start = clock_now_ns();
	cpu = clock_thread_cpu_ns();
	while ((double)(clock_now_ns() - start) < seconds * 1e9) {
		if (hz > 0)
			nanosleep(&(struct timespec){ 0, (long)(1e9 / hz) }, NULL);
		python_runtime.walk(reader, tids, n, got, &sums);
	}
	cpu = clock_thread_cpu_ns() - cpu;
	python_runtime.counters(reader, &after);
	print(&before, &after, &sums, cpu);
}

int main(int argc, char **argv)
{
	runtime_thread_list threads = { 0 };
	struct objects *objects = objects_new();
	struct runtime_site site;
	struct error err = { 0 };
	pid_t tids[TIDS_MAX], pid;
	struct maps maps;
	void *reader;
	size_t i;

	if (argc < 2) {
		fprintf(stderr, "usage: bench-python PID [SECONDS] [HZ]\n");
		return 2;
	}
	pid = (pid_t)strtol(argv[1], NULL, 10);
	maps_init(&maps);
	maps_read(&maps, objects, pid);
	python_runtime.detect(pid, &maps, &site);
	reader = python_runtime.attach(pid, &site, &err);
	if (!reader || !python_runtime.threads(reader, true, &threads)) {
		fprintf(stderr, "bench-python: %s\n", err.cause);
		return 1;
	}
	for (i = 0; i < threads.n && i < TIDS_MAX; i++)
		tids[i] = threads.v[i].tid;
	printf("%s, %zu threads: ", site.version, i);
	run(reader, tids, i, argc > 2 ? strtod(argv[2], NULL) : 2,
	    argc > 3 ? strtod(argv[3], NULL) : 0);
	python_runtime.detach(reader);
	VEC_DONE(&threads);
	maps_done(&maps);
	objects_free(objects);
	return 0;
}
