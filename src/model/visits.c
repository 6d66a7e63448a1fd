/* Open calls of each thread are kept root first; what a look has in common with them from the
 * root on goes on, the rest has ended.
 *
 * A thread that did not run since its last look is not looked at: it stands where it stood. So
 * when a look finds a call gone, it was there until one period before, at least. */
#include "model/visits.h"

#define CALLS_LEAST 30u
#define CALLS_LEAST_P99 100u
#define TWICE_SHARE 0.75
#define THREADS_MOST 65536u

void visits_init(struct visits *v, uint64_t period_ns)
{
	*v = (struct visits){ .period_ns = period_ns };
}

void visits_done(struct visits *v)
{
	size_t i;

	for (i = 0; i < v->threads.n; i++)
		VEC_DONE(&v->threads.v[i].open);
	VEC_DONE(&v->threads);
}

static struct visits_thread *thread_of(struct visits *v, uint32_t thread)
{
	if (thread >= THREADS_MOST)
		return NULL;
	while (v->threads.n <= thread)
		(void)VEC_PUSH(&v->threads);
	return &v->threads.v[thread];
}

void visits_forget(struct visits *v, uint32_t thread)
{
	if (thread >= v->threads.n)
		return;
	VEC_DONE(&v->threads.v[thread].open);
	v->threads.v[thread].looked_ns = 0;
}

/* Only the outermost of a function that calls itself is a call of it. */
static bool repeats(const struct visits_thread *t, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (t->open.v[k].function == t->open.v[i].function)
			return true;
	return false;
}

static void end_one(struct visits *v, uint32_t thread, size_t i, uint64_t last_ns,
		    uint64_t now_ns, visits_ended *ended, void *arg)
{
	const struct visits_thread *t = &v->threads.v[thread];
	const struct visits_frame *f = &t->open.v[i];
	uint64_t edges;

	if (!f->call || repeats(t, i))
		return;
	v->ended++;
	edges = f->first_ns - f->before_ns + (now_ns - last_ns);
	if (!f->before_ns || edges > 5 * v->period_ns) {
		v->unsure++;
		return;
	}
	ended(arg,
	      &(struct visit){
		  .end_ns = last_ns + (now_ns - last_ns) / 2,
		  .took_ns = last_ns - f->first_ns + edges / 2,
		  .function = f->function,
		  .thread = thread,
		  .looks = 1 + (uint32_t)((last_ns - f->first_ns + v->period_ns / 2) /
					  v->period_ns),
	      });
}

static size_t common(const struct visits_thread *t, const struct callstack *cs,
		     const uint64_t *calls)
{
	size_t i, n = t->open.n < cs->depth ? t->open.n : cs->depth;

	for (i = 0; i < n; i++) {
		uint32_t at = cs->depth - 1 - (uint32_t)i;

		if (t->open.v[i].call != calls[at] ||
		    t->open.v[i].function != cs->frame[at].object)
			break;
	}
	return i;
}

void visits_look(struct visits *v, uint32_t thread, uint64_t now_ns,
		 const struct callstack *cs, const uint64_t *calls, visits_ended *ended,
		 void *arg)
{
	struct visits_thread *t = thread_of(v, thread);
	uint64_t before, last;
	size_t same, i;

	if (!t)
		return;
	if (!calls || now_ns <= t->looked_ns) {
		visits_forget(v, thread);
		return;
	}
	before = last = t->looked_ns;
	if (last && now_ns - last > v->period_ns * 3 / 2)
		before = last = now_ns - v->period_ns;
	same = common(t, cs, calls);
	for (i = t->open.n; i-- > same;)
		end_one(v, thread, i, last, now_ns, ended, arg);
	t->open.n = same;
	for (i = same; i < cs->depth; i++) {
		uint32_t at = cs->depth - 1 - (uint32_t)i;
		bool counts = cs->frame[at].kind == FRAME_PYTHON;

		*VEC_PUSH(&t->open) =
		    (struct visits_frame){ .call = counts ? calls[at] : 0,
					   .function = cs->frame[at].object,
					   .before_ns = before,
					   .first_ns = now_ns };
	}
	t->looked_ns = now_ns;
}

void visits_figures(uint64_t n, uint64_t twice, uint64_t period_ns,
		    struct latency_figure figure[LATENCY_FIGURES])
{
	bool enough = n >= CALLS_LEAST, most = (double)twice >= TWICE_SHARE * (double)n;
	int i;

	for (i = 0; i < LATENCY_FIGURES; i++)
		figure[i] = (struct latency_figure){ LATENCY_UNKNOWN, 0 };
	if (enough && most) {
		figure[LATENCY_P50].known = figure[LATENCY_P95].known = LATENCY_KNOWN;
		figure[LATENCY_MAX].known = LATENCY_KNOWN;
		if (n >= CALLS_LEAST_P99)
			figure[LATENCY_P99].known = LATENCY_KNOWN;
	} else if (enough && twice * 2 < n) {
		figure[LATENCY_P50] =
		    (struct latency_figure){ LATENCY_BELOW, 2 * period_ns };
	}
}
