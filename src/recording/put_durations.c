/* The rows of a second that say how long things took. */
#include "recording/put_durations.h"

#include "base/clock.h"
#include "recording/bind.h"

bool durations_put_pauses(sqlite3_stmt *q, const struct batch *b)
{
	bool ok = true;
	size_t i, k;

	for (i = 0; ok && i < b->pauses.n; i++) {
		const struct batch_pause *p = &b->pauses.v[i];
		const uint64_t numbers[] = { p->interval_ns, p->count,	p->timed,
					     p->total_ns,    p->p50_ns, p->p95_ns,
					     p->p99_ns,	     p->max_ns, p->collected };

		bind_int(q, 1, b->time_ns / NS_PER_MSEC);
		bind_text(q, 2, p->runtime);
		bind_text(q, 3, p->source);
		bind_text(q, 4, p->generation);
		bind_text(q, 5, p->cause);
		for (k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++)
			bind_int(q, 6 + (int)k, numbers[k]);
		ok = bind_done(q);
	}
	return ok;
}

bool durations_put_latencies(sqlite3_stmt *q, const struct batch *b)
{
	bool ok = true;
	size_t i;
	int k;

	for (i = 0; ok && i < b->latencies.n; i++) {
		const struct batch_latency *l = &b->latencies.v[i];

		bind_int(q, 1, b->time_ns / NS_PER_MSEC);
		bind_text(q, 2, l->name);
		bind_text(q, 3, l->source);
		bind_text(q, 4, l->exactness);
		bind_int(q, 5, l->count);
		for (k = 0; k < LATENCY_FIGURES; k++)
			if (l->figure[k].known == LATENCY_KNOWN)
				bind_int(q, 6 + k, l->figure[k].ns);
			else
				sqlite3_bind_null(q, 6 + k);
		ok = bind_done(q);
	}
	return ok;
}

bool durations_put_slow(sqlite3_stmt *q, const struct batch *b)
{
	bool ok = true;
	size_t i;

	for (i = 0; ok && i < b->slow.n; i++) {
		const struct batch_slow *c = &b->slow.v[i];

		sqlite3_bind_int64(q, 1, c->start_us);
		sqlite3_bind_int64(q, 2, c->tid);
		bind_text(q, 3, c->name);
		bind_int(q, 4, c->took_ns);
		bind_text(q, 5, c->thread);
		bind_text(q, 6, c->stack);
		sqlite3_bind_double(q, 7, c->stack_pct);
		ok = bind_done(q);
	}
	return ok;
}
