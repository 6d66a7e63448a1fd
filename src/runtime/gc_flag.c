#include "runtime/gc_flag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define ENDED_MOST 65536u
#define LOOK_MOST_NS \
	(250 * NS_PER_MSEC) /* two looks further apart say nothing of between */

void gc_flag_init(struct gc_flag *f, const struct gc_flag_config *c, struct pauses *to)
{
	*f = (struct gc_flag){ .config = *c, .to = to };
	snprintf(f->runtime, sizeof(f->runtime), "%s", c->runtime);
}

void gc_flag_done(struct gc_flag *f)
{
	VEC_DONE(&f->ended);
}

static size_t row_of(struct gc_flag *f, bool exact, size_t generation)
{
	static const char *const how[] = { "flag", "watchpoint", "probes" };
	size_t watched = !exact ? 0 : f->probe[1] ? 2 : 1, i;
	char source[64];

	snprintf(source, sizeof(source), "%s, %s", f->config.counters, how[watched]);
	for (i = 0; !f->rows_made[watched] && i < f->config.n_generations; i++) {
		f->row[watched][i] =
		    pauses_row(f->to, f->runtime, source, f->config.generations[i]);
		pauses_exact(f->to, f->row[watched][i], watched ? GC_EXACT : GC_INTERVAL,
			     0);
	}
	f->rows_made[watched] = true;
	return f->row[watched][generation];
}

/* ---- counters ---- */

/* What was counted since the last look, into step; false when it cannot be believed. */
static bool step_of(struct gc_flag *f, const struct gc_flag_counts *now,
		    struct gc_flag_counts *step)
{
	bool ok = f->known;
	size_t i;

	for (i = 0; i < f->config.n_generations; i++) {
		step->collections[i] = now->collections[i] - f->counts.collections[i];
		step->collected[i] = now->collected[i] - f->counts.collected[i];
		ok = ok && step->collections[i] <= GC_STEP_MOST &&
		     step->collected[i] <= (uint64_t)1 << 40;
	}
	f->known = true;
	f->counts = *now;
	return ok;
}

static uint64_t take_counts(struct gc_flag *f, uint64_t now,
			    const struct gc_flag_counts *counts)
{
	struct gc_flag_counts step;
	uint64_t n = 0;
	size_t i;

	if (!step_of(f, counts, &step)) {
		memset(f->owed, 0, sizeof(f->owed));
		return 0;
	}
	for (i = 0; i < f->config.n_generations; i++) {
		size_t row;

		if (step.collections[i] == 0)
			continue;
		row = row_of(f, f->watched, i);
		pauses_count(f->to, row, now, step.collections[i]);
		if (f->config.collected)
			pauses_collected(f->to, row, now, step.collected[i]);
		f->owed[i] += step.collections[i];
		n += step.collections[i];
	}
	return n;
}

static void take_rate(struct gc_flag *f, uint64_t n, uint64_t now)
{
	f->rate_n += n;
	if (now - f->rate_ns < NS_PER_SEC)
		return;
	f->per_s = (double)f->rate_n * (double)NS_PER_SEC / (double)(now - f->rate_ns);
	f->rate_ns = now;
	f->rate_n = 0;
}

/* Number of the oldest generation that is owed a pause, from 1; 0 none. */
static size_t oldest_owed(const struct gc_flag *f)
{
	size_t i = f->config.n_generations;

	while (i > 0 && f->owed[i - 1] == 0)
		i--;
	return i;
}

/* ---- pauses by the looks ---- */

/* A pause that several looks met was long, so it is the oldest generation's; of those that one
 * look met, the generation that collected most often is the likeliest. */
static size_t likeliest_owed(const struct gc_flag *f)
{
	size_t i, best = oldest_owed(f);

	for (i = 0; f->on_looks < 2 && best && i < f->config.n_generations; i++)
		if (f->owed[i] > f->owed[best - 1])
			best = i + 1;
	return best;
}

/* Each look that finds the flag set stands for the time since the look before: right in the
 * sum, ± one distance for each pause. */
static void by_looks(struct gc_flag *f, bool on, uint64_t now)
{
	uint64_t gap = now - f->looked_ns;
	size_t owed = f->config.steps ? (size_t)!on : likeliest_owed(f);

	if (on && f->looked_ns && gap <= LOOK_MOST_NS) {
		f->on_ns += gap;
		f->on_looks++;
	}
	/* A counter moved: the pause that was on is over, be another one on now or not. */
	if (f->on_ns && f->was_on && owed) {
		uint64_t next = on && gap <= f->on_ns ? gap : 0;

		if (f->on_ns > next) {
			size_t row = row_of(f, false, owed - 1);

			pauses_time(f->to, row, now, f->on_ns - next, 1);
			pauses_exact(f->to, row, GC_INTERVAL, gap);
		}
		f->on_ns = next;
		f->on_looks = next > 0;
	} else if (!on && !owed) {
		f->on_ns = f->on_looks =
		    0; /* cannot be: it was on and nothing was counted */
	}
	memset(f->owed, 0, sizeof(f->owed));
	f->was_on = on;
}

/* ---- pauses by the register ---- */

static size_t writer_of(struct gc_flag *f, uint64_t ip)
{
	size_t i;

	for (i = 0; i < f->n_writers; i++)
		if (f->writer[i].ip == ip)
			return i;
	if (f->n_writers < GC_FLAG_WRITERS) {
		f->writer[f->n_writers].ip = ip;
		f->n_writers++;
	}
	return i;
}

static void learn(struct gc_flag *f, uint64_t ip, bool value)
{
	size_t w = writer_of(f, ip);

	if (w < GC_FLAG_WRITERS && f->writer[w].wrote[value] < UINT32_MAX)
		f->writer[w].wrote[value]++;
}

static bool value_written(struct gc_flag *f, uint64_t ip, bool otherwise)
{
	size_t w = writer_of(f, ip);

	if (w == GC_FLAG_WRITERS ||
	    (f->writer[w].wrote[0] == 0) == (f->writer[w].wrote[1] == 0))
		return otherwise;
	return f->writer[w].wrote[1] > 0;
}

static void end_pause(struct gc_flag *f, uint64_t now)
{
	uint64_t took = now - f->began_ns;
	struct gc_flag_pause *e;

	if (f->ended.n >= ENDED_MOST)
		return;
	e = VEC_PUSH(&f->ended);
	e->end_ns = now;
	e->duration_ns = took > f->apart_ns ? took - f->apart_ns : 0;
}

void gc_flag_hit(struct gc_flag *f, const struct gc_hit *h)
{
	bool value;

	if (!f->watched)
		return;
	value = f->probe[1] ? h->ip == f->probe[1] : value_written(f, h->ip, !f->on);
	if (value) {
		f->began_ns =
		    h->time_ns; /* on already: an end was lost, and that pause */
	} else if (!value && f->on && f->began_ns) {
		end_pause(f, h->time_ns);
		f->began_ns = 0;
	}
	f->on = value;
	f->last_hit_ns = h->time_ns;
	f->last_ip = h->ip;
}

static int by_duration(const void *a, const void *b)
{
	const struct gc_flag_pause *x = a, *y = b;

	return x->duration_ns < y->duration_ns	 ? 1
	       : x->duration_ns > y->duration_ns ? -1
						 : 0;
}

/* Pauses that ended before the counters were read have been counted. */
static void tell_ended(struct gc_flag *f, uint64_t now)
{
	size_t i, later = 0, oldest;

	if (f->ended.n)
		qsort(f->ended.v, f->ended.n, sizeof(*f->ended.v), by_duration);
	for (i = 0; i < f->ended.n; i++) {
		const struct gc_flag_pause e = f->ended.v[i];

		if (e.end_ns > now) {
			f->ended.v[later++] = e;
			continue;
		}
		oldest = oldest_owed(f);
		if (oldest)
			f->owed[oldest - 1]--;
		pauses_time(f->to, row_of(f, true, oldest ? oldest - 1 : 0), e.end_ns,
			    e.duration_ns, 1);
	}
	f->ended.n = later;
}

static void by_register(struct gc_flag *f, bool on, uint64_t now)
{
	bool quiet = f->last_hit_ns < now;
	size_t i;

	if (quiet && !f->probe[1]) { /* probes do not stand where the flag is written */
		if (f->last_ip)
			learn(f, f->last_ip, on);
		if (f->on != on)
			f->began_ns = 0; /* a write was missed */
		f->on = on;
	}
	tell_ended(f, now);
	if (!quiet || on)
		return;
	for (i = 0; i < f->config.n_generations; i++)
		f->to->unseen += f->owed[i];
	memset(f->owed, 0, sizeof(f->owed));
}

/* ---- both ---- */

void gc_flag_look(struct gc_flag *f, uint64_t now, bool on,
		  const struct gc_flag_counts *counts)
{
	uint64_t n = take_counts(f, now, counts);

	if (f->watched)
		by_register(f, on, now);
	else
		by_looks(f, on, now);
	f->looked_ns = now;
	take_rate(f, n, now);
}

void gc_flag_armed(struct gc_flag *f, bool on, uint64_t apart_ns)
{
	f->watched = on;
	f->probe[0] = f->probe[1] = 0;
	f->apart_ns = apart_ns;
	f->on = f->was_on = false;
	f->on_looks = 0;
	f->began_ns = f->on_ns = f->last_ip = f->last_hit_ns = 0;
	VEC_CLEAR(&f->ended);
	memset(f->owed, 0, sizeof(f->owed));
}

void gc_flag_probed(struct gc_flag *f, uint64_t begin, uint64_t end)
{
	f->probe[0] = end;
	f->probe[1] = begin;
}
