/* How large an hour's recording grows: 3,600 seconds of eight threads at 100 Hz go through
 * the gatherer and the writer as in `ptop record`, second by second, into a real file. Every
 * thread moves between a few hundred stacks, favourites first, stays where it is for a
 * sample or more, and now and then is where nothing was seen before: what a server does.
 *
 *	bench-recording FILE.ptop [SECONDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "recording/batch.h"
#include "recording/writer.h"

#define THREADS 8u
#define HZ 100u
#define HOUR 3600u
#define KNOWN 400u  /* stacks a thread returns to */
#define NEW_IN 200u /* every 200th sample is in a stack never seen before */
#define DEPTH 30u
#define SHARED 24u /* frames that a new stack has in common with a known one */
#define ADDRESSES 5000u
#define START_NS (1000 * NS_PER_SEC)
/* As app/recorder.c has it. */
#define ROWS_A_SECOND 400u

struct made {
	struct history history;
	struct functions functions;
	struct gatherer *gatherer;
	struct writer *writer;
	struct callstack cs;
	uint64_t seed, samples, fresh;
	uint32_t at[THREADS];
};

static uint64_t below(struct made *m, uint64_t n)
{
	m->seed ^= m->seed << 13; /* xorshift64 (Marsaglia 2003) */
	m->seed ^= m->seed >> 7;
	m->seed ^= m->seed << 17;
	return m->seed % n;
}

static void name(void *arg, uint32_t frame)
{
	struct made *m = arg;
	uint64_t a = m->history.frames.v[frame].frame.address;
	struct place p = { .line = (int32_t)(a % 900) };
	char text[64];

	snprintf(text, sizeof(text), "module_%d.function_%d", (int)(a % 97),
		 (int)(a / 8));
	p.function = functions_intern(&m->functions, text, "libservice.so.1",
				      CODE_LIBRARY, "native");
	p.file = intern_add(&m->functions.strings, "src/service/handlers.c");
	history_name(&m->history, frame, &p, 1);
}

/* The known stack `k`: its frames follow from its number. `turn` 0: exactly that. */
static uint32_t stack(struct made *m, uint32_t k, uint64_t turn)
{
	uint32_t i;

	m->cs.depth = DEPTH;
	for (i = 0; i < DEPTH; i++) { /* outermost first */
		uint64_t a = i < 6 ? i
				   : (k >> (i < 14   ? 5
					    : i < 22 ? 2
						     : 0)) *
					     31u +
					 i * 101u;

		if (turn && i >= SHARED)
			a = turn * 7919u + i;
		m->cs.frame[DEPTH - 1 - i] =
		    (struct frame){ 0x400000 + a % ADDRESSES * 8, 1, FRAME_NATIVE };
	}
	return history_stack(&m->history, &m->cs, name, m);
}

static void sample(struct made *m, uint32_t thread, uint64_t now)
{
	uint32_t node;

	if (below(m, NEW_IN) == 0) {
		node = stack(m, thread * KNOWN + m->at[thread], ++m->fresh);
	} else {
		/* Half of the samples are where the one before was; the rest are drawn with
		 * the small numbers far ahead. */
		if (below(m, 2))
			m->at[thread] = (uint32_t)(below(m, KNOWN) * below(m, KNOWN) *
						   below(m, KNOWN) / (KNOWN * KNOWN));
		node = stack(m, thread * KNOWN + m->at[thread], 0);
	}
	history_add(&m->history, now, thread, node, NS_PER_SEC / HZ, 1, false);
	m->samples++;
}

static void put(struct made *m, uint64_t second)
{
	struct gather_thread threads[THREADS];
	struct gather_from from = { &m->history,
				    &m->functions,
				    threads,
				    THREADS,
				    START_NS + second * NS_PER_SEC,
				    1700000000 * NS_PER_SEC + second * NS_PER_SEC,
				    0 };
	struct error err = { 0 };
	struct snapshot *s;
	struct batch *b;
	uint32_t i;

	for (i = 0; i < THREADS; i++)
		threads[i] = (struct gather_thread){ 7, 7 + (int)i, "worker", "service" };
	b = gather(m->gatherer, &from);
	s = snapshot_new();
	s->pid = 7;
	s->command = "service";
	s->rate_hz = HZ;
	s->samples_ever = m->samples;
	s->target_rss_bytes = (300u << 20) + (second % 60 << 12);
	s->target_cpu_pct = 780 + (double)(second % 7);
	batch_facts(b, s);
	batch_squeeze(b, ROWS_A_SECOND);
	if (writer_put(m->writer, b, &err)) {
		fprintf(stderr, "%s\n", err.cause);
		exit(1);
	}
	snapshot_free(s);
	batch_free(b);
}

static void report(const struct made *m, const char *path, uint64_t seconds,
		   uint64_t cpu_ns)
{
	struct stat st;

	if (stat(path, &st) == -1) {
		perror(path);
		exit(1);
	}
	printf("%llu s of %u threads at %u Hz: %llu samples, %llu new stacks, %zu "
	       "functions; "
	       "%.1f MB, %.3f ms CPU a second\n",
	       (unsigned long long)seconds, THREADS, HZ, (unsigned long long)m->samples,
	       (unsigned long long)m->fresh, m->functions.list.n,
	       (double)st.st_size / 1e6, (double)cpu_ns / 1e6 / (double)seconds);
}

int main(int argc, char **argv)
{
	struct writer_options o = { .id = "bench",
				    .creator = "bench-recording",
				    .replace = true };
	struct made *m = xcalloc(1, sizeof(*m));
	uint64_t seconds = argc > 2 ? strtoull(argv[2], NULL, 10) : HOUR, s, tick, cpu;
	struct error err = { 0 };
	uint32_t thread;

	if (argc < 2 || seconds == 0) {
		fputs("usage: bench-recording FILE.ptop [SECONDS]\n", stderr);
		return 2;
	}
	m->seed = 0x9e3779b97f4a7c15ull;
	history_init(&m->history, (size_t)16 << 20);
	functions_init(&m->functions);
	m->gatherer = gatherer_new(START_NS);
	if (writer_open(argv[1], &o, &m->writer, &err)) {
		fprintf(stderr, "%s\n", err.cause);
		return 1;
	}
	cpu = clock_own_cpu_ns();
	for (s = 1; s <= seconds; s++) {
		for (tick = 0; tick < HZ; tick++)
			for (thread = 0; thread < THREADS; thread++)
				sample(m, thread,
				       START_NS + (s - 1) * NS_PER_SEC +
					   (tick + 1) * NS_PER_SEC / HZ - 1);
		put(m, s);
	}
	cpu = clock_own_cpu_ns() - cpu;
	if (writer_close(m->writer, NULL, &err)) {
		fprintf(stderr, "%s\n", err.cause);
		return 1;
	}
	report(m, argv[1], seconds, cpu);
	gatherer_free(m->gatherer);
	history_done(&m->history);
	functions_done(&m->functions);
	free(m);
	return 0;
}
