/* The reader's life and the table of functions that the world sees. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/python/census.h"
#include "runtime/python/locate.h"
#include "runtime/python/objects.h"
#include "runtime/python/reader.h"
#include "target/memory.h"
#include "target/process.h"

/* The part of a thread state that holds every field a look needs. */
static void span_of_state(struct python_reader *r)
{
	const struct python_layout *l = &r->layout;
	const uint32_t fields[] = { l->thread_frame, l->thread_ident, l->thread_tid,
				    l->thread_base,
				    l->thread_chunk ? l->thread_chunk + 8 : 0 };
	uint32_t low = l->thread_frame, high = 0;
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fields[i] && fields[i] < low)
			low = fields[i];
		if (fields[i] > high)
			high = fields[i];
	}
	r->state_from = low;
	r->state_bytes = high + 8 - low;
}

struct python_reader *python_reader_new(pid_t pid, const struct mem *mem,
					const struct python_layout *layout,
					uint64_t runtime)
{
	struct python_reader *r = xcalloc(1, sizeof(*r));

	r->pid = pid;
	r->runtime = runtime;
	r->layout = *layout;
	r->whole = PYTHON_WHOLE_FIRST;
	batch_init(&r->batch, pid, mem);
	batch_init(&r->side, pid, mem);
	intern_init(&r->strings);
	span_of_state(r);
	return r;
}

void python_reader_free(struct python_reader *r)
{
	if (!r)
		return;
	python_threads_done(r);
	python_codes_done(r);
	python_captured_done(r);
	VEC_DONE(&r->interpreters);
	VEC_DONE(&r->functions);
	VEC_DONE(&r->active);
	VEC_DONE(&r->entries);
	VEC_DONE(&r->ranges);
	free(r->function_slots);
	intern_done(&r->strings);
	batch_done(&r->batch);
	batch_done(&r->side);
	free(r);
}

static bool namespace_of(const char *who, char *to, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/ns/pid", who);
	n = readlink(path, to, size - 1);
	if (n <= 0)
		return false;
	to[n] = '\0';
	return true;
}

/* Where it cannot be told, the process's own number decides. */
static bool same_namespace(pid_t pid, pid_t ns_pid)
{
	char who[16], ours[64], theirs[64];

	snprintf(who, sizeof(who), "%d", (int)pid);
	if (namespace_of("self", ours, sizeof(ours)) &&
	    namespace_of(who, theirs, sizeof(theirs)))
		return strcmp(ours, theirs) == 0;
	return pid == ns_pid;
}

static bool may_read(pid_t pid, uint64_t address, struct error *err)
{
	char byte;
	ssize_t n = mem_live_read_some(pid, address, &byte, 1);

	if (n == 1)
		return true;
	errno = n < 0 ? (int)-n : EFAULT;
	error_errno(err, "reading the memory of the Python process");
	return false;
}

static void *attach(pid_t pid, const struct runtime_site *site, struct error *err)
{
	struct runtime_site now = *site;
	struct python_layout layout;
	struct python_reader *r;
	struct mem_live mem;

	if (site->state == RUNTIME_ABSENT) {
		error_set(err, EXIT_UNSUPPORTED, "this is no Python process");
		return NULL;
	}
	if (!may_read(pid, site->address, err))
		return NULL;
	mem_live_init(&mem, pid);
	if (!python_identify(&mem.mem, &now, &layout)) {
		error_set(err, EXIT_UNSUPPORTED, "%s: %s", now.version, now.reason);
		return NULL;
	}
	r = python_reader_new(pid, NULL, &layout, site->address);
	r->ns_pid = process_ns_pid(pid);
	r->same_namespace = same_namespace(pid, r->ns_pid);
	return r;
}

static void detach(void *reader)
{
	python_reader_free(reader);
}

static bool threads(void *reader, bool names, runtime_thread_list *out)
{
	return python_threads(reader, names, out);
}

static size_t walk(void *reader, const pid_t *tids, size_t n, runtime_got *got, void *arg)
{
	return python_walk(reader, tids, n, got, arg);
}

static bool chain_plan(const void *reader, pid_t tid, struct chain_plan *out)
{
	return python_chain_plan(reader, tid, out);
}

static bool chain_births(const void *reader, struct chain_births *out)
{
	return python_chain_births(reader, out);
}

static void chain_known(void *reader, uint64_t bits[CHAIN_KNOWN_BITS / 64])
{
	python_chain_known(reader, bits);
}

static bool chain_walk(void *reader, pid_t tid, struct bytes record, runtime_got *got,
		       void *arg)
{
	return python_chain_walk(reader, tid, record, got, arg);
}

static const struct runtime_function *function(const void *reader, uint32_t id)
{
	const struct python_reader *r = reader;

	return id < r->functions.n ? &r->functions.v[id] : NULL;
}

/* The lock is a mutex, two condition variables and what they guard, in one struct: a
 * thread that waits for it waits on a word in there. */
static bool is_gil(const void *reader, uint64_t futex)
{
	const struct python_reader *r = reader;
	size_t i;

	for (i = 0; i < r->interpreters.n; i++) {
		uint64_t gil = r->interpreters.v[i].gil;

		if (gil && futex >= gil && futex - gil < r->layout.gil_bytes)
			return true;
	}
	return false;
}

static bool is_instruction(void *reader, uint64_t address)
{
	return python_is_instruction(reader, address);
}

static bool locals(void *reader, uint64_t frame, runtime_got_local *got, void *arg)
{
	return python_locals(reader, frame, got, arg);
}

static bool tasks(void *reader, runtime_got_task *got, void *arg, bool *whole)
{
	return python_tasks(reader, got, arg, whole);
}

static size_t gil(void *reader, struct runtime_gil *out, size_t max)
{
	return python_gil(reader, out, max);
}

static void counters(const void *reader, struct runtime_counters *out)
{
	const struct python_reader *r = reader;

	*out = r->counters;
	out->calls = r->batch.calls + r->side.calls;
	out->functions = r->functions.n;
}

static bool past(void *reader, pid_t tid, const uint64_t *words, size_t n,
		 runtime_got *got, void *arg)
{
	struct python_reader *r = reader;
	const struct runtime_look look = { .tid = tid };

	if (!python_past(r, tid, words, n))
		return false;
	got(arg, &look, &r->stack);
	return true;
}

static void *census_new(const void *reader)
{
	struct python_census *p = xcalloc(1, sizeof(*p));

	if (python_census_plan(reader, p))
		return p;
	free(p);
	return NULL;
}

static bool census_run(const void *census, const struct mem *mem, uint64_t until_ns,
		       struct census *out)
{
	return python_census_run(census, mem, until_ns, out);
}

static bool exits(void *reader, const char *name, struct runtime_exits *out)
{
	return python_exits(reader, name, out);
}

const struct runtime python_runtime = {
	.name = "python",
	.detect = python_detect,
	.attach = attach,
	.detach = detach,
	.threads = threads,
	.walk = walk,
	.chain_plan = chain_plan,
	.chain_births = chain_births,
	.chain_known = chain_known,
	.chain_walk = chain_walk,
	.loops = python_loops,
	.is_instruction = is_instruction,
	.function = function,
	.locals = locals,
	.tasks = tasks,
	.gil = gil,
	.is_gil = is_gil,
	.exits = exits,
	.counters = counters,
	.past = past,
	.census_new = census_new,
	.census_run = census_run,
};
