/* A run enters the sums twice: while it is young, as a copy that is taken away at the
 * next step, because it may still grow and others may still come before it; and for good
 * when it has settled. Then it is marked, and leaves when it is older than the window or
 * is dropped. All else (another mode, other names, other hidden threads) starts anew. */
#include "model/sums.h"

#include <stdlib.h>
#include <string.h>

#include "model/picture.h"

#define SETTLE_NS 1000000000ull
#define LATE_NS 2000000000ull /* a run that comes later makes the sums start anew */

void follow_done(struct follow *f)
{
	sums_done(&f->sums);
	VEC_DONE(&f->young);
	VEC_DONE(&f->in);
	VEC_DONE(&f->out);
	free(f->threads);
	*f = (struct follow){ 0 };
}

static struct run_share share_of(const struct run *r)
{
	return (struct run_share){ .weight_ns = run_weight(r),
				   .stack = r->stack,
				   .thread = r->thread,
				   .count = r->count,
				   .off_cpu = r->off_cpu };
}

static void start_anew(struct follow *f, struct history *h)
{
	size_t i;

	for (i = 0; i < h->n_runs; i++)
		h->runs[(h->first + i) % h->cap_runs].counted = false;
	VEC_CLEAR(&h->gone);
	VEC_CLEAR(&f->young);
	if (f->n_threads)
		memset(f->threads, 0, f->n_threads * sizeof(*f->threads));
	sums_clear(&f->sums, h);
	f->from_ns = f->settled_ns = h->looked_until_ns = 0;
	f->valid = true;
}

static bool still_fits(const struct follow *f, const struct history *h,
		       const struct picture_query *q)
{
	return f->valid && f->numbering == h->numbering &&
	       f->names_version == h->names_version && f->mode == q->mode &&
	       f->window_ns == q->window_ns && f->end_ns <= q->end_ns;
}

static void take_leaving(struct follow *f, struct history *h, uint64_t from)
{
	size_t i;

	for (i = 0; i < h->gone.n; i++)
		*VEC_PUSH(&f->out) = share_of(&h->gone.v[i]);
	VEC_CLEAR(&h->gone);
	for (i = history_since(h, f->from_ns); i < h->n_runs; i++) {
		struct run *r = &h->runs[(h->first + i) % h->cap_runs];

		if (r->time_ns > from + SETTLE_NS)
			break;
		if (!r->counted || r->time_ns > from)
			continue;
		r->counted = false;
		*VEC_PUSH(&f->out) = share_of(r);
	}
}

static void take_entering(struct follow *f, struct history *h, uint64_t from,
			  uint64_t settled, uint64_t end)
{
	uint64_t since = f->settled_ns > LATE_NS ? f->settled_ns - LATE_NS : 0;
	size_t i;

	if (since < from)
		since = from;
	for (i = history_since(h, since); i < h->n_runs; i++) {
		struct run *r = &h->runs[(h->first + i) % h->cap_runs];

		if (r->counted || r->time_ns <= from || r->time_ns > end)
			continue;
		*VEC_PUSH(&f->in) = share_of(r);
		if (r->time_ns <= settled)
			r->counted = true;
		else
			*VEC_PUSH(&f->young) = share_of(r);
	}
}

static void fit_threads(struct follow *f, size_t n)
{
	if (n <= f->n_threads)
		return;
	f->threads = xrealloc(f->threads, n * sizeof(*f->threads));
	memset(f->threads + f->n_threads, 0, (n - f->n_threads) * sizeof(*f->threads));
	f->n_threads = n;
}

static void add_thread(struct follow *f, const struct run_share *r, bool in)
{
	uint64_t ns = in ? r->weight_ns : -r->weight_ns;

	if (r->thread >= f->n_threads)
		return;
	if (r->off_cpu)
		f->threads[r->thread].off_ns += ns;
	else
		f->threads[r->thread].on_ns += ns;
}

/* Who is hidden now; true when that is not what the sums were made with. */
static bool hide(struct follow *f, const struct picture_query *q,
		 struct picture_thread *threads, size_t n)
{
	bool changed = false;
	size_t i;

	for (i = 0; i < n; i++) {
		struct picture_thread *t = &threads[i];

		t->on_ns = f->threads[i].on_ns;
		t->off_ns = f->threads[i].off_ns;
		t->hidden = picture_hides(q, t, i);
		changed |= t->hidden != f->threads[i].hidden;
		f->threads[i].hidden = t->hidden;
	}
	return changed;
}

static void add_share(struct follow *f, const struct history *h,
		      const struct run_share *r, bool in)
{
	if ((f->mode != MODE_WALL && r->off_cpu) ||
	    (r->thread < f->n_threads && f->threads[r->thread].hidden))
		return;
	sums_add(&f->sums, h, r->stack, in ? r->weight_ns : -r->weight_ns,
		 in ? r->count : -(uint64_t)r->count);
}

/* All that counts, as the threads hidden now are others. */
static void sum_anew(struct follow *f, const struct history *h)
{
	size_t i;

	sums_clear(&f->sums, h);
	for (i = 0; i < h->n_runs; i++) {
		const struct run *r = history_run(h, i);
		struct run_share share = share_of(r);

		if (r->counted)
			add_share(f, h, &share, true);
	}
	for (i = 0; i < f->young.n; i++)
		add_share(f, h, &f->young.v[i], true);
}

static void step(struct follow *f, struct history *h, const struct picture_query *q)
{
	uint64_t end = q->end_ns, settled = end > SETTLE_NS ? end - SETTLE_NS : 0;
	uint64_t from = q->window_ns && q->window_ns < end ? end - q->window_ns : 0;
	size_t i;

	VEC_CLEAR(&f->in);
	VEC_CLEAR(&f->out);
	for (i = 0; i < f->young.n; i++)
		*VEC_PUSH(&f->out) = f->young.v[i];
	VEC_CLEAR(&f->young);
	take_leaving(f, h, from);
	take_entering(f, h, from, settled, end);
	f->from_ns = from;
	f->settled_ns = settled;
	f->end_ns = end;
	h->looked_until_ns = settled > LATE_NS ? settled - LATE_NS : 0;
}

void follow_update(struct follow *f, struct history *h, const struct picture_query *q,
		   struct picture_thread *threads, size_t n_threads)
{
	size_t i;

	if (!still_fits(f, h, q))
		start_anew(f, h);
	f->numbering = h->numbering;
	f->names_version = h->names_version;
	f->mode = q->mode;
	f->window_ns = q->window_ns;
	fit_threads(f, n_threads);
	step(f, h, q);
	for (i = 0; i < f->out.n; i++)
		add_thread(f, &f->out.v[i], false);
	for (i = 0; i < f->in.n; i++)
		add_thread(f, &f->in.v[i], true);
	if (hide(f, q, threads, n_threads)) {
		sum_anew(f, h);
	} else {
		for (i = 0; i < f->out.n; i++)
			add_share(f, h, &f->out.v[i], false);
		for (i = 0; i < f->in.n; i++)
			add_share(f, h, &f->in.v[i], true);
	}
	sums_spread(&f->sums, h);
}
