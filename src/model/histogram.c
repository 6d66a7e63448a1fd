/* A bucket is found by the value's highest bit and the five bits below it. */
#include "model/histogram.h"

#include <string.h>

#include "base/clock.h"

#define SUB_BITS 5
#define SUBS (1u << SUB_BITS)

static unsigned highest_bit(uint64_t v)
{
	return 63u - (unsigned)__builtin_clzll(v);
}

static unsigned bucket_of(uint64_t v)
{
	unsigned shift;

	if (v > HISTOGRAM_MOST_NS)
		v = HISTOGRAM_MOST_NS;
	if (v < SUBS)
		return (unsigned)v;
	shift = highest_bit(v) - SUB_BITS;
	return shift * SUBS + (unsigned)(v >> shift);
}

uint64_t histogram_middle(unsigned bucket)
{
	unsigned shift;

	if (bucket < 2 * SUBS)
		return bucket;
	shift = bucket / SUBS - 1;
	return ((uint64_t)(SUBS + bucket % SUBS) << shift) + ((uint64_t)1 << shift) / 2;
}

/* A counter that is full stays full. */
static void count(uint32_t *to, uint64_t n)
{
	*to = n > UINT32_MAX - *to ? UINT32_MAX : *to + (uint32_t)n;
}

static void add_edges(struct histogram *h, uint64_t n, uint64_t sum, uint64_t least,
		      uint64_t most)
{
	if (n == 0)
		return;
	if (h->count == 0 || least < h->least_ns)
		h->least_ns = least;
	if (most > h->most_ns)
		h->most_ns = most;
	h->count += n;
	if (__builtin_add_overflow(h->sum_ns, sum, &h->sum_ns))
		h->sum_ns = UINT64_MAX;
}

void histogram_clear(struct histogram *h)
{
	memset(h, 0, sizeof(*h));
}

void histogram_add(struct histogram *h, uint64_t v, uint64_t n)
{
	uint64_t sum;

	if (n == 0)
		return;
	if (__builtin_mul_overflow(v, n, &sum))
		sum = UINT64_MAX;
	add_edges(h, n, sum, v, v);
	count(&h->bucket[bucket_of(v)], n);
}

void histogram_merge(struct histogram *h, const struct histogram *o)
{
	unsigned i;

	add_edges(h, o->count, o->sum_ns, o->least_ns, o->most_ns);
	for (i = 0; i < HISTOGRAM_BUCKETS; i++)
		count(&h->bucket[i], o->bucket[i]);
}

uint64_t histogram_quantile(const struct histogram *h, double part)
{
	uint64_t kept = 0, seen = 0, v; /* kept: less than count once a bucket was full */
	double rank;
	unsigned i;

	if (h->count == 0)
		return 0;
	for (i = 0; i < HISTOGRAM_BUCKETS; i++)
		kept += h->bucket[i];
	rank = part * (double)kept;
	for (i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		seen += h->bucket[i];
		if (seen && (double)seen >= rank)
			break;
	}
	v = histogram_middle(i);
	if (v < h->least_ns || part <= 0)
		return h->least_ns;
	return v > h->most_ns || part >= 1 ? h->most_ns : v;
}

/* ---- by the second ---- */

void histogram_window_init(struct histogram_window *w)
{
	memset(w, 0, sizeof(*w));
}

void histogram_window_done(struct histogram_window *w)
{
	VEC_DONE(&w->seconds);
	VEC_DONE(&w->hits);
}

void histogram_window_clear(struct histogram_window *w)
{
	histogram_clear(&w->all);
	histogram_clear(&w->now);
	VEC_CLEAR(&w->seconds);
	VEC_CLEAR(&w->hits);
}

/* Drops the seconds that are too old, and, of a series that hits very many buckets, the
 * oldest sixteenth at a time. */
static void forget(struct histogram_window *w, uint64_t now)
{
	size_t i = 0, hits = 0;
	size_t over = w->hits.n > HISTOGRAM_HITS_MOST ? HISTOGRAM_HITS_MOST / 16 : 0;

	while (i < w->seconds.n &&
	       (hits < over || w->seconds.v[i].second + HISTOGRAM_SECONDS < now))
		hits += w->seconds.v[i++].hits;
	if (i == 0)
		return;
	w->seconds.n -= i;
	memmove(w->seconds.v, w->seconds.v + i, w->seconds.n * sizeof(*w->seconds.v));
	w->hits.n -= hits;
	memmove(w->hits.v, w->hits.v + hits, w->hits.n * sizeof(*w->hits.v));
}

static void close_second(struct histogram_window *w, uint64_t now)
{
	struct histogram_second *s;
	unsigned i;

	if (w->now.count == 0)
		return;
	s = VEC_PUSH(&w->seconds);
	*s = (struct histogram_second){ .second = w->second,
					.count = w->now.count,
					.sum_ns = w->now.sum_ns,
					.least_ns = w->now.least_ns,
					.most_ns = w->now.most_ns };
	for (i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (w->now.bucket[i]) {
			struct histogram_hit *hit = VEC_PUSH(&w->hits);

			hit->bucket = (uint16_t)i;
			hit->n = w->now.bucket[i];
			s->hits++;
		}
	histogram_clear(&w->now);
	forget(w, now);
}

void histogram_window_add(struct histogram_window *w, uint64_t time_ns, uint64_t v,
			  uint64_t n)
{
	uint64_t second = time_ns / NS_PER_SEC;

	if (second > w->second) {
		close_second(w, second);
		w->second = second;
	}
	histogram_add(&w->now, v, n);
	histogram_add(&w->all, v, n);
}

void histogram_window_sum(const struct histogram_window *w, uint64_t from_ns,
			  struct histogram *out)
{
	uint64_t from = from_ns / NS_PER_SEC;
	size_t i = w->seconds.n, at = w->hits.n, k;

	if (from_ns == 0) {
		*out = w->all;
		return;
	}
	histogram_clear(out);
	if (w->second >= from)
		histogram_merge(out, &w->now);
	while (i > 0 && w->seconds.v[i - 1].second >= from) {
		const struct histogram_second *s = &w->seconds.v[--i];

		add_edges(out, s->count, s->sum_ns, s->least_ns, s->most_ns);
		at -= s->hits;
		for (k = at; k < at + s->hits; k++)
			count(&out->bucket[w->hits.v[k].bucket], w->hits.v[k].n);
	}
}
