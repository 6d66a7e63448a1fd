/* Writes a recording whose every figure is known: demo_recording FILE.ptop
 *
 * Two minutes of a made-up shop service in Python, 2026-11-20 14:00:31 to 14:02:31 UTC,
 * twelve threads of which two never run. The same bytes of content whenever and wherever
 * it is run, so screens and reports of it can be compared as text. Shares (self) of all
 * CPU time: raw_decode 30 %, parse_order 12 %, SSL_read 10 %, execute 6 %... see rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/vec.h"
#include "recording/batch.h"
#include "recording/writer.h"

#define SECONDS 120u
#define STARTED_NS 1000000000000ull /* of the monotonic clock */
#define STARTED_WALL_NS 1795183231000000000ull
#define TICK_NS (10 * NS_PER_MSEC)
#define TARGET 4242

struct row {
	unsigned percent; /* of the ticks of busy threads */
	const char *stack;
};

/* "function|module or -|file|line", root first; kinds by module. */
static const struct row rows[] = {
	{ 30, "main|app|/srv/app/main.py|12;handle_request|app|/srv/app/server.py|88;"
	      "dispatch|app|/srv/app/server.py|61;parse_order|app|/srv/app/orders.py|88;"
	      "loads|json|/opt/py/lib/python3.11/json/__init__.py|299;"
	      "decode|json|/opt/py/lib/python3.11/json/decoder.py|337;"
	      "raw_decode|json|/opt/py/lib/python3.11/json/decoder.py|353" },
	{ 12, "main|app|/srv/app/main.py|12;handle_request|app|/srv/app/server.py|88;"
	      "dispatch|app|/srv/app/server.py|61;parse_order|app|/srv/app/orders.py|"
	      "89" },
	{ 10, "main|app|/srv/app/main.py|12;handle_request|app|/srv/app/server.py|88;"
	      "dispatch|app|/srv/app/server.py|61;fetch_user|app|/srv/app/users.py|17;"
	      "read|ssl|/opt/py/lib/python3.11/ssl.py|1106;SSL_read|libssl.so.3||0" },
	{ 16, "main|app|/srv/app/main.py|12;handle_request|app|/srv/app/server.py|88;"
	      "execute|app|/srv/app/db.py|210;"
	      "_execute_context|sqlalchemy|/srv/venv/sqlalchemy/engine/base.py|1412;"
	      "do_execute|sqlalchemy|/srv/venv/sqlalchemy/engine/default.py|736" },
	{ 6, "main|app|/srv/app/main.py|12;handle_request|app|/srv/app/server.py|88;"
	     "execute|app|/srv/app/db.py|212" },
	{ 8, "main|app|/srv/app/main.py|12;handle_request|app|/srv/app/server.py|90;"
	     "render|app|/srv/app/tmpl.py|40;walk|app|/srv/app/tmpl.py|55;"
	     "walk|app|/srv/app/tmpl.py|57" },
	{ 7, "run|threading|/opt/py/lib/python3.11/threading.py|975;"
	     "worker_loop|app|/srv/app/jobs.py|31;retry_order|app|/srv/app/jobs.py|77;"
	     "parse_order|app|/srv/app/orders.py|88" },
	{ 5, "run|threading|/opt/py/lib/python3.11/threading.py|975;"
	     "worker_loop|app|/srv/app/"
	     "jobs.py|31;compress|zlib.so||0;deflate|libz.so.1||0" },
	{ 4, "main|app|/srv/app/main.py|12;handle_request|app|/srv/app/server.py|88;"
	     "[gc]|-||0" },
	{ 2, "main|app|/srv/app/main.py|12;poll_kafka|app|/srv/app/kafka.py|9;"
	     "do_syscall_64|[kernel]||0;tcp_recvmsg|[kernel]||0" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define DEPTH_LONGEST 16u

static const struct gather_thread threads[] = {
	{ TARGET, 4242, "MainThread", "main.py" },
	{ TARGET, 4250, "worker-0", "main.py" },
	{ TARGET, 4251, "worker-1", "main.py" },
	{ TARGET, 4252, "worker-2", "main.py" },
	{ TARGET, 4260, "kafka-poll", "main.py" },
};

#define THREADS (sizeof(threads) / sizeof(threads[0]))

static enum code_kind kind_of(const char *module, const char *file)
{
	if (strcmp(module, "-") == 0)
		return CODE_MARK;
	if (strcmp(module, "[kernel]") == 0)
		return CODE_KERNEL;
	return file[0] ? CODE_PYTHON : CODE_LIBRARY;
}

struct demo {
	struct history history;
	struct functions functions;
	struct place places[256]; /* by frame.address */
	size_t n_places;
	struct callstack stacks[ROWS];
};

static void name(void *arg, uint32_t frame)
{
	struct demo *d = arg;
	uint64_t i = d->history.frames.v[frame].frame.address;

	history_name(&d->history, frame, &d->places[i], 1);
}

/* One "function|module|file|line"; returns the place's number. */
static size_t add_place(struct demo *d, char *word)
{
	char *function = word, *module = strchr(function, '|'), *file, *line;
	struct place p;
	enum code_kind kind;
	size_t i;

	*module++ = '\0';
	file = strchr(module, '|');
	*file++ = '\0';
	line = strchr(file, '|');
	*line++ = '\0';
	kind = kind_of(module, file);
	p.function = functions_intern(&d->functions, function,
				      kind == CODE_MARK ? "" : module, kind,
				      kind == CODE_PYTHON   ? "python"
				      : kind == CODE_KERNEL ? "kernel"
							    : "native");
	d->functions.list.v[p.function].library =
	    strcmp(module, "app") != 0 && kind != CODE_MARK;
	p.file = file[0] ? intern_add(&d->functions.strings, file) : NO_ID;
	p.line = (int32_t)strtol(line, NULL, 10);
	for (i = 0; i < d->n_places; i++)
		if (d->places[i].function == p.function && d->places[i].line == p.line)
			return i;
	d->places[d->n_places] = p;
	return d->n_places++;
}

static void add_stack(struct demo *d, size_t row)
{
	char *copy = xstrdup(rows[row].stack), *rest = copy, *word;
	struct callstack *cs = &d->stacks[row];
	struct frame root_first[DEPTH_LONGEST];
	uint32_t n = 0, i;

	while ((word = strsep(&rest, ";")) && n < DEPTH_LONGEST) {
		size_t place = add_place(d, word);

		root_first[n++] = (struct frame){ place, 1, FRAME_PYTHON };
	}
	cs->depth = n;
	for (i = 0; i < n; i++)
		cs->frame[i] = root_first[n - 1 - i];
	free(copy);
}

/* The tick's row: spread evenly, the same in every run. */
static size_t row_at(uint64_t tick)
{
	unsigned at = (unsigned)(tick * 37 % 100), sum = 0;
	size_t i;

	for (i = 0; i < ROWS; i++) {
		sum += rows[i].percent;
		if (at < sum)
			return i;
	}
	return ROWS - 1;
}

/* Two cores busy: the main thread always, the workers in turn; the poller now and then. */
static void add_second(struct demo *d, unsigned second)
{
	uint64_t tick;

	for (tick = 0; tick < 100; tick++) {
		uint64_t now = STARTED_NS + second * NS_PER_SEC + (tick + 1) * TICK_NS;
		uint32_t stack, thread;

		stack = history_stack(&d->history, &d->stacks[row_at(tick)], name, d);
		history_add(&d->history, now, 0, stack, TICK_NS, 1, false);
		thread = 1 + (uint32_t)(tick / 5 % 3);
		stack =
		    history_stack(&d->history, &d->stacks[row_at(tick + 50)], name, d);
		history_add(&d->history, now, tick % 50 == 49 ? 4 : thread, stack,
			    TICK_NS, 1, false);
	}
}

static void memory(struct snapshot *s)
{
	struct snapshot_memory *m = &s->memory;

	m->known = true;
	m->rss_bytes = s->target_rss_bytes;
	m->file_bytes = 130ull << 20;
	m->shmem_bytes = 4ull << 20;
	m->anon_bytes = m->rss_bytes - m->file_bytes - m->shmem_bytes;
	m->minor_per_s = 312;
}

/* A young collection of 0.2 ms ten times a second, an old one of 14 ms each ten seconds. */
static void pauses(struct snapshot *s, unsigned second)
{
	static const struct {
		const char *generation;
		uint64_t count, each_ns;
	} kinds[] = { { "gen0", 10, 200000 }, { "gen2", 1, 14000000 } };
	size_t i;

	s->gc.n_rows = second % 10 == 9 ? 2 : 1;
	s->gc.rows = arena_alloc(&s->arena, 2 * sizeof(*s->gc.rows));
	for (i = 0; i < s->gc.n_rows; i++) {
		uint64_t ns = kinds[i].each_ns;

		s->gc.rows[i] = (struct gc_row){ .runtime = "CPython 3.11.2",
						 .source = "counters, watchpoint",
						 .generation = kinds[i].generation,
						 .cause = "",
						 .count = kinds[i].count,
						 .timed = kinds[i].count,
						 .p50_ns = ns,
						 .p95_ns = ns,
						 .p99_ns = ns,
						 .max_ns = ns,
						 .total_ns = ns * kinds[i].count,
						 .collected_known = true,
						 .collected = 70 * kinds[i].count };
	}
}

/* 148 requests a second, of 12 ms at the start and twice that at the end. */
static void calls(struct snapshot *s, unsigned second)
{
	uint64_t ns = (12 + second / 10) * NS_PER_MSEC;
	struct snapshot_latency_row *row = arena_alloc(&s->arena, sizeof(*row));

	*row = (struct snapshot_latency_row){
		.name = "handle_request",
		.source = LATENCY_PROBE,
		.exactness = "exact",
		.note = "",
		.count = 148,
		.figure = { { LATENCY_KNOWN, ns },
			    { LATENCY_KNOWN, 2 * ns },
			    { LATENCY_KNOWN, 3 * ns },
			    { LATENCY_KNOWN, 5 * ns } },
	};
	s->latency.rows = row;
	s->latency.n_rows = 1;
}

static void facts(struct snapshot *s, unsigned second)
{
	s->pid = TARGET;
	s->command = "main.py";
	s->cmdline = "python3 /srv/app/main.py --port 8000";
	s->runtime = "CPython 3.11.2";
	s->host = "web-3";
	s->backend = "perf";
	s->rate_hz = 100;
	s->start_wall_ns = STARTED_WALL_NS - 3 * 3600 * NS_PER_SEC;
	s->samples_ever = s->samples_due = 200ull * (second + 1);
	s->effective_pct = 100;
	s->own_cpu_pct = 0.7;
	s->own_rss_bytes = 11 << 20;
	s->taken_pct = 0.3;
	s->target_cpu_pct = second % 4 == 0 ? 160 : second % 4 == 2 ? 240 : 200;
	s->target_user_pct = 188;
	s->target_system_pct = 12;
	s->target_rss_bytes = (1400ull << 20) + second * (35ull << 10);
	memory(s);
	pauses(s, second);
	calls(s, second);
}

int main(int argc, char **argv)
{
	const struct writer_options o = { .id = "20261120-140031-d390",
					  .creator = "ptop demo",
					  .replace = true,
					  .show_cmdline = true,
					  .cpus = 4 };
	struct gatherer *g = gatherer_new(STARTED_NS);
	struct demo *d = xcalloc(1, sizeof(*d));
	struct error err = { 0 };
	struct writer *w;
	unsigned second;
	size_t i;
	int ret;

	if (argc != 2)
		return 2;
	history_init(&d->history, 64 << 20);
	functions_init(&d->functions);
	for (i = 0; i < ROWS; i++)
		add_stack(d, i);
	ret = writer_open(argv[1], &o, &w, &err);
	for (second = 0; !ret && second < SECONDS; second++) {
		uint64_t end = (second + 1) * NS_PER_SEC;
		struct gather_from from = {
			&d->history,	  &d->functions,	 threads, THREADS,
			STARTED_NS + end, STARTED_WALL_NS + end, 0
		};
		struct snapshot *s = snapshot_new();
		struct batch *b;

		add_second(d, second);
		facts(s, second);
		b = gather(g, &from);
		batch_facts(b, s);
		ret = writer_put(w, b, &err);
		batch_free(b);
		snapshot_free(s);
	}
	if (!ret)
		ret = writer_close(w, NULL, &err);
	if (ret)
		fprintf(stderr, "%s\n", err.cause);
	gatherer_free(g);
	history_done(&d->history);
	functions_done(&d->functions);
	free(d);
	return ret ? 1 : 0;
}
