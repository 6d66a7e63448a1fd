/* bench-memory PID: what watching the memory of a process costs, as the memory part does it.
 *
 * Prints one line a figure: a word, CPU microseconds of a call (the median of many), calls a
 * second. Then the censuses: a word, CPU milliseconds, things counted, bytes, torn. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "model/trend.h"
#include "runtime/malloc/glibc.h"
#include "runtime/runtime.h"
#include "target/cgroup.h"
#include "target/memory.h"
#include "target/regions.h"
#include "target/resident.h"

#define CALLS 101
#define CENSUS_NS (30 * NS_PER_SEC)

struct all {
	pid_t pid;
	struct resident_reader *reader;
	struct cgroup_mounts mounts;
	struct cgroup_memory group;
	struct series series;
	struct trend trend;
	struct regions regions;
};

static void rss(struct all *a)
{
	uint64_t bytes;

	if (!resident_rss(a->reader, &bytes))
		exit(1);
	series_add(&a->series, clock_now_ns(), (double)bytes);
	trend_add(&a->trend, clock_now_ns(), (double)bytes);
}

static void kinds(struct all *a)
{
	struct resident r;

	if (!resident_read(a->reader, &r))
		exit(1);
}

static void limits(struct all *a)
{
	uint64_t total, available;
	struct pressure p;

	cgroup_memory(&a->mounts, "", a->pid, &a->group);
	pressure_read("", a->group.pressure_path, &p);
	resident_machine(a->reader, &total, &available);
}

static void regions(struct all *a)
{
	if (regions_read(&a->regions, a->pid))
		exit(1);
}

static void picture(struct all *a)
{
	struct arena arena = { 0 };
	struct trend_answer answer;
	int i;

	trend_read(&a->trend, &answer);
	for (i = 0; i < 3; i++)
		series_look(&a->series, &arena, clock_now_ns() - 60 * NS_PER_SEC,
			    clock_now_ns(), true, MEMORY_CELLS);
	arena_done(&arena);
}

static int rising(const void *x, const void *y)
{
	const double *a = x, *b = y;

	return *a < *b ? -1 : *a > *b;
}

static void call(const char *name, void (*f)(struct all *), struct all *a, double per_s)
{
	double us[CALLS];
	int i;

	for (i = 0; i < CALLS; i++) {
		uint64_t before = clock_thread_cpu_ns();

		f(a);
		us[i] = (double)(clock_thread_cpu_ns() - before) / 1e3;
	}
	qsort(us, CALLS, sizeof(us[0]), rising);
	printf("%s %.2f %.2f\n", name, us[CALLS / 2], per_s);
}

static void tell(const char *name, const struct census *c, uint64_t cpu_ns)
{
	printf("%s %.1f %llu %llu %llu\n", name, (double)cpu_ns / 1e6,
	       (unsigned long long)c->things, (unsigned long long)c->bytes,
	       (unsigned long long)c->torn);
}

static void heap(pid_t pid, const struct mem *mem)
{
	heap_regions list = { 0 };
	struct census c;
	struct bytes maps;
	uint64_t before;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	if (file_read(path, 64u << 20, &maps, NULL))
		exit(1);
	heap_regions_parse(&list, maps);
	census_init(&c);
	before = clock_thread_cpu_ns();
	heap_census(&list, mem, clock_now_ns() + CENSUS_NS, &c);
	tell("heap", &c, clock_thread_cpu_ns() - before);
	census_done(&c);
	VEC_DONE(&list);
	free((void *)(uintptr_t)maps.p);
}

static void objects(pid_t pid, const struct mem *mem)
{
	struct objects *files = objects_new();
	runtime_thread_list threads = { 0 };
	struct runtime_site site;
	struct census c;
	struct maps maps;
	uint64_t before;
	void *reader, *plan;

	maps_init(&maps);
	if (maps_read(&maps, files, pid))
		exit(1);
	python_runtime.detect(pid, &maps, &site);
	reader =
	    site.state == RUNTIME_READY ? python_runtime.attach(pid, &site, NULL) : NULL;
	if (reader && python_runtime.threads(reader, false, &threads)) {
		plan = python_runtime.census_new(reader);
		census_init(&c);
		before = clock_thread_cpu_ns();
		if (plan &&
		    python_runtime.census_run(plan, mem, clock_now_ns() + CENSUS_NS, &c))
			tell("objects", &c, clock_thread_cpu_ns() - before);
		census_done(&c);
		free(plan);
	}
	if (reader)
		python_runtime.detach(reader);
	VEC_DONE(&threads);
	maps_done(&maps);
	objects_free(files);
}

int main(int argc, char **argv)
{
	struct all *a = calloc(1, sizeof(*a));
	struct mem_present mem;

	if (argc != 2 || !a) {
		fprintf(stderr, "usage: bench-memory PID\n");
		return 2;
	}
	a->pid = (pid_t)strtol(argv[1], NULL, 10);
	a->reader = resident_new(a->pid);
	if (!a->reader || mem_present_open(&mem, a->pid)) {
		fprintf(stderr, "no such process, or not readable\n");
		return 1;
	}
	cgroup_mounts_read(&a->mounts, "");
	series_init(&a->series);
	call("rss", rss, a, 4);
	call("kinds", kinds, a, 1);
	call("limits", limits, a, 0.5);
	call("mappings", regions, a, 0.1);
	call("picture", picture, a, 1);
	heap(a->pid, &mem.mem);
	objects(a->pid, &mem.mem);
	mem_present_close(&mem);
	resident_free(a->reader);
	free(a);
	return 0;
}
