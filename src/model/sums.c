/* Nodes stand parents first, so one walk over the touched bits from the last node to the
 * first carries every weight to the root. */
#include "model/sums.h"

#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64u

void sums_done(struct sums *s)
{
	VEC_DONE(&s->node_self);
	VEC_DONE(&s->places);
	VEC_DONE(&s->delta);
	VEC_DONE(&s->touched);
	s->weight_ns = s->samples = 0;
}

/* An array of at least n elements, the new ones zero. */
#define FIT(vec, count)                                                                \
	do {                                                                           \
		size_t want = (count);                                                 \
		if (want > (vec)->cap) {                                               \
			(vec)->cap = want + want / 2;                                  \
			(vec)->v = xrealloc((vec)->v, (vec)->cap * sizeof(*(vec)->v)); \
		}                                                                      \
		if (want > (vec)->n) {                                                 \
			memset((vec)->v + (vec)->n, 0,                                 \
			       (want - (vec)->n) * sizeof(*(vec)->v));                 \
			(vec)->n = want;                                               \
		}                                                                      \
	} while (0)

static void fit(struct sums *s, const struct history *h)
{
	FIT(&s->node_self, h->nodes.n);
	FIT(&s->delta, h->nodes.n);
	FIT(&s->touched, h->nodes.n / WORD_BITS + 1);
	FIT(&s->places, h->places.n);
}

void sums_clear(struct sums *s, const struct history *h)
{
	VEC_CLEAR(&s->node_self);
	VEC_CLEAR(&s->delta);
	VEC_CLEAR(&s->touched);
	VEC_CLEAR(&s->places);
	s->weight_ns = s->samples = 0;
	fit(s, h);
}

void sums_add(struct sums *s, const struct history *h, uint32_t stack, uint64_t ns,
	      uint64_t samples)
{
	uint32_t n = stack;

	if (s->node_self.n < h->nodes.n || s->places.n < h->places.n)
		fit(s, h);
	s->weight_ns += ns;
	s->samples += samples;
	s->node_self.v[stack] += ns;
	s->delta.v[stack] += ns;
	for (; n; n = h->nodes.v[n].parent) {
		uint64_t *word = &s->touched.v[n / WORD_BITS];

		if (*word >> (n % WORD_BITS) & 1)
			break;
		*word |= 1ull << (n % WORD_BITS);
	}
}

/* One node: its own weight stands in node_self already, so only what changed in it. */
static void spread_node(struct sums *s, const struct history *h, uint32_t node)
{
	const struct history_node *n = &h->nodes.v[node];
	const struct history_frame *f = &h->frames.v[n->frame];
	uint64_t ns = s->delta.v[node];
	size_t i;

	s->delta.v[node] = 0;
	if (!ns)
		return;
	s->delta.v[n->parent] += ns;
	for (i = 0; i < f->n_places; i++)
		if (!(n->repeated >> i & 1))
			s->places.v[f->places + i].total += ns;
}

/* The part of a node's delta that is its own must be told from what came from below, so
 * it is added to the innermost place before anything is spread. */
static void spread_self(struct sums *s, const struct history *h, uint32_t node)
{
	const struct history_frame *f = &h->frames.v[h->nodes.v[node].frame];

	if (s->delta.v[node] && f->n_places)
		s->places.v[f->places].self += s->delta.v[node];
}

static void each_touched(struct sums *s, const struct history *h, bool last,
			 void (*visit)(struct sums *s, const struct history *h,
				       uint32_t node))
{
	size_t w;

	for (w = s->touched.n; w-- > 0;) {
		uint64_t bits = s->touched.v[w];

		while (bits) {
			unsigned bit = WORD_BITS - 1 - (unsigned)__builtin_clzll(bits);

			bits &= ~(1ull << bit);
			visit(s, h, (uint32_t)(w * WORD_BITS + bit));
		}
		if (last)
			s->touched.v[w] = 0;
	}
}

void sums_spread(struct sums *s, const struct history *h)
{
	each_touched(s, h, false, spread_self);
	each_touched(s, h, true, spread_node);
	if (s->delta.n)
		s->delta.v[0] = 0; /* the root has no frame */
}
