/* Stacks from copies that the kernel made at the instant of a sample (model/chain.h): nothing moved
 * meanwhile, so what does not hold together is no stack. What a frame ran is known by words of its
 * code object that were copied with it: the code itself is read later, when another one may stand
 * there.
 *
 * Where a copy ends, in a very deep stack, the rest is read live: those frames wait for all that
 * was copied. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "runtime/python/look.h"

struct proof {
	uint64_t frame;
	size_t at; /* in the buffer */
};

struct captured {
	struct chain_record head;
	VEC(struct proof) proofs; /* innermost frame first */
	size_t next;		  /* the one expected */
	uint32_t proof_bytes;
	/* Where pieces lie in the record. */
	struct {
		struct chain_piece piece;
		size_t at;
	} v[CHAIN_BYTES_MAX / (sizeof(struct chain_piece) + 8)];
	size_t n;
};

/* ---- What is to be copied ------------------------------------------------------------ */

static void plan_extras(const struct python_reader *r, const struct python_interpreter *p,
			struct chain_state *out)
{
	uint32_t ahead = python_gc_ahead(r);

	out->extra[0] = python_lock(r, p, &out->extra_bytes[0]);
	out->extra[1] = python_gc_flag(r, p) - ahead;
	out->extra_bytes[1] = ahead + 4;
}

static void plan_state(const struct python_reader *r, uint64_t state,
		       uint32_t interpreter, struct chain_state *out)
{
	const struct python_layout *l = &r->layout;
	uint32_t from = r->state_from;

	out->state = state + from;
	out->state_bytes = r->state_bytes;
	/* Threads number themselves as their own namespace does, and the kernel as the first. */
	out->tid = l->thread_tid && r->same_namespace ? 1 + l->thread_tid - from : 0;
	out->head = l->thread_frame - from;
	out->indirect = l->minor == 11 || l->minor == 12 ? 1 + l->cframe_frame : 0;
	out->base = l->thread_base ? 1 + l->thread_base - from : 0;
	out->region = l->thread_chunk ? 1 + l->thread_chunk - from : 0;
	out->frame_bytes = l->frame_bytes;
	out->previous = l->frame_previous;
	out->code = l->frame_code;
	out->proof = python_code_proof(r, &out->proof_bytes);
	plan_extras(r, &r->interpreters.v[interpreter], out);
}

/* Sizes are those of a known version, or of what the target says of itself. */
static bool has_room(const struct chain_state *s)
{
	return s->state_bytes <= CHAIN_STATE_MAX && s->frame_bytes <= CHAIN_FRAME_MAX &&
	       s->indirect + 7 <= CHAIN_EXTRA_MAX && s->proof_bytes <= CHAIN_PROOF_MAX;
}

bool python_chain_plan(const struct python_reader *r, pid_t tid, struct chain_plan *out)
{
	size_t i = python_thread_find(r, tid), n;

	*out = (struct chain_plan){ 0 };
	for (n = 0; i + n < r->threads.n && r->threads.v[i + n]->info.tid == tid; n++) {
		if (n == CHAIN_STATES)
			return false;
		plan_state(r, r->threads.v[i + n]->state,
			   r->threads.v[i + n]->interpreter, &out->of[n]);
		if (!has_room(&out->of[n]))
			return false;
	}
	return n > 0;
}

static size_t main_interpreter(const struct python_reader *r)
{
	size_t i = 0;

	while (i < r->interpreters.n && r->interpreters.v[i].id != 0)
		i++;
	return i;
}

bool python_chain_births(const struct python_reader *r, struct chain_births *out)
{
	const struct python_layout *l = &r->layout;
	size_t main = main_interpreter(r);

	*out = (struct chain_births){ 0 };
	if (main == r->interpreters.n || !r->same_namespace ||
	    (!l->thread_tid && !r->tid_offset))
		return false;
	out->list = r->interpreters.v[main].address + l->interp_threads;
	out->next = l->thread_next;
	out->tid = l->thread_tid ? l->thread_tid : l->thread_ident;
	out->descriptor = l->thread_tid ? 0 : 1 + r->tid_offset;
	out->state = r->state_from;
	plan_state(r, 0, (uint32_t)main, &out->plan.of[0]);
	out->plan.of[0].state = 0;
	return has_room(&out->plan.of[0]);
}

/* Code that was the same for so long is a function's as a rule, and stays; it is compared now and
 * then, as that of live looks is. */
#define KNOWN_LONG_NS 1000000000ull

void python_chain_known(const struct python_reader *r,
			uint64_t bits[CHAIN_KNOWN_BITS / 64])
{
	size_t i;

	for (i = 0; i < r->codes.n; i++) {
		const struct python_code *code = &r->codes.v[i];
		uint32_t bit = chain_known_bit(code->address);

		if (!code->brief && code->same_ns > code->known_ns + KNOWN_LONG_NS)
			bits[bit / 64] |= 1ull << bit % 64;
	}
}

/* ---- Reading the copy ---------------------------------------------------------------- */

static bool parse(struct captured *c, struct bytes record)
{
	size_t at = sizeof(c->head);

	c->n = 0;
	c->next = 0;
	VEC_CLEAR(&c->proofs);
	if (record.n < at || record.n > BATCH_BYTES)
		return false;
	memcpy(&c->head, record.p, at);
	if (c->head.bytes < at || c->head.bytes > record.n ||
	    c->head.bytes > CHAIN_BYTES_MAX)
		return false;
	while (c->head.bytes - at >= sizeof(struct chain_piece)) {
		struct chain_piece p;

		memcpy(&p, record.p + at, sizeof(p));
		at += sizeof(p);
		if (p.bytes == 0 || p.bytes > c->head.bytes - at ||
		    c->n == sizeof(c->v) / sizeof(c->v[0]))
			return false;
		c->v[c->n].piece = p;
		c->v[c->n++].at = at;
		at += (p.bytes + 7) & ~(size_t)7;
		if (at > c->head.bytes)
			return false;
	}
	return true;
}

static struct piece *add(struct python_reader *r, const struct captured *c, size_t i)
{
	const struct chain_piece *p = &c->v[i].piece;
	struct piece *to = VEC_PUSH(&r->batch.pieces);

	*to = (struct piece){ p->address, p->bytes, (uint32_t)c->v[i].at, true };
	return to;
}

static void add_kind(struct python_reader *r, const struct captured *c, size_t of,
		     enum chain_kind kind)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->v[i].piece.of == of && c->v[i].piece.kind == kind)
			add(r, c, i);
}

static int by_address(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/* The rest of a deep stack, live. */
static void add_older(struct batch *b, const struct python_thread *t, size_t from)
{
	size_t first = b->pieces.n, i;

	for (i = from; i < t->n_chunks && i <= t->reach; i++)
		batch_add(b, t->chunk[i].address, t->chunk[i].bytes);
	if (t->cut && look_root_chunk(t))
		batch_add(b, look_root_chunk(t), LOOK_ROOT_BYTES);
	batch_run(b, first);
}

/* In the order that look_find() wants. */
static void add_walk(struct python_reader *r, struct captured *c, size_t of,
		     struct walk *w, struct python_thread *t)
{
	struct batch *b = &r->batch;
	size_t regions;

	w->t = t;
	t->looks++;
	w->first = b->pieces.n;
	add_kind(r, c, of, CHAIN_STATE);
	add_kind(r, c, of, CHAIN_INDIRECT);
	w->chunks = b->pieces.n;
	add_kind(r, c, of, CHAIN_REGION);
	w->outside = b->pieces.n;
	regions = w->outside - w->chunks;
	if (regions > CHAIN_REGIONS)
		regions = CHAIN_REGIONS;
	while (regions && b->pieces.v[w->chunks + regions - 1].bytes < LOOK_CHUNK_HEAD)
		regions--;
	if (regions)
		look_adopt_chunks(r, t, &b->pieces.v[w->chunks], regions);
	if (c->head.full)
		add_older(b, t, regions);
	w->outside = b->pieces.n;
	add_kind(r, c, of, CHAIN_FRAME);
	w->end = w->briefs = w->briefs_end = b->pieces.n;
	if (w->end > w->outside)
		qsort(&b->pieces.v[w->outside], w->end - w->outside, sizeof(*b->pieces.v),
		      by_address);
	w->again = 0;
}

static void add_proofs(struct captured *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->v[i].piece.kind == CHAIN_PROOF &&
		    c->v[i].piece.bytes >= c->proof_bytes)
			*VEC_PUSH(&c->proofs) =
			    (struct proof){ c->v[i].piece.address, c->v[i].at };
}

/* The lock and the collector's flag, as a look finds them. */
static void read_extras(struct python_reader *r, const struct captured *c, size_t of,
			struct python_interpreter *p)
{
	uint32_t lock_bytes;
	size_t i;

	(void)python_lock(r, p, &lock_bytes);
	p->gil_piece = p->gc_piece = 0;
	p->collecting = false;
	p->holder = 0;
	for (i = 0; i < c->n; i++) {
		const struct chain_piece *piece = &c->v[i].piece;

		if (piece->of != of || piece->kind != CHAIN_EXTRA)
			continue;
		add(r, c, i);
		if (piece->address == python_gc_flag(r, p) - python_gc_ahead(r) &&
		    piece->bytes >= python_gc_ahead(r) + 4)
			p->gc_piece = r->batch.pieces.n;
		else if (piece->bytes >= lock_bytes)
			p->gil_piece = r->batch.pieces.n;
	}
	/* Looks at the collector go forwards only, and a live one may have been later. */
	if (p->gc_piece && c->head.began_ns <= p->gc_ns) {
		const struct piece *flag = &r->batch.pieces.v[p->gc_piece - 1];

		p->collecting =
		    python_i32(batch_bytes(&r->batch, flag) + python_gc_ahead(r)) != 0;
		p->gc_piece = 0;
	}
	look_read_interpreter(r, p);
}

#define PROOFS_AHEAD \
	16u /* they come in the chain's order; entry frames' are not asked for */

/* Without a proof it is code known for long (or code whose bit is another's, or that the kernel could
 * not read): it is compared when that is due, as in live looks. Frames behind a full copy are read
 * live, like their code. */
bool look_proves(struct look *k, uint64_t frame, struct python_code *code)
{
	struct captured *c = k->r->captured;
	uint32_t index = (uint32_t)(code - k->r->codes.v);
	const unsigned char *words;
	size_t at = c->next, end = at + PROOFS_AHEAD;

	if (end > c->proofs.n)
		end = c->proofs.n;
	while (at < end && c->proofs.v[at].frame != frame)
		at++;
	if (at == end)
		return c->head.full || !python_code_due(k->r, code, true) ||
		       !python_code_check(k->r, &index, 1);
	c->next = at + 1;
	words = k->r->batch.buffer + c->proofs.v[at].at;
	if (!python_code_proved(k->r, code, words) &&
	    (!python_code_check(k->r, &index, 1) ||
	     !python_code_proved(k->r, &k->r->codes.v[index], words)))
		return false;
	if (c->head.began_ns > k->r->codes.v[index].same_ns)
		k->r->codes.v[index].same_ns = c->head.began_ns;
	return true;
}

/* A thread as its copied state describes it. */
static bool meet_young(struct python_reader *r, pid_t tid, const struct captured *c,
		       struct bytes record)
{
	const struct python_layout *l = &r->layout;
	struct python_thread *t = &r->young;
	size_t main = main_interpreter(r), i;

	for (i = 0; i < c->n; i++)
		if (c->v[i].piece.kind == CHAIN_STATE &&
		    c->v[i].piece.bytes >= r->state_bytes)
			break;
	if (i == c->n || main == r->interpreters.n)
		return false;
	if (l->thread_tid && r->same_namespace &&
	    python_u64(record.p + c->v[i].at + l->thread_tid - r->state_from) !=
		(uint64_t)tid)
		return false;
	VEC_CLEAR(&t->outside);
	VEC_CLEAR(&t->line);
	VEC_CLEAR(&t->survey);
	t->n_chunks = t->n_briefs = t->reach = 0;
	t->beyond = 0;
	t->cut = false;
	memset(t->cframe, 0, sizeof(t->cframe));
	t->state = c->v[i].piece.address - r->state_from;
	t->ident = python_u64(record.p + c->v[i].at + l->thread_ident - r->state_from);
	if (l->thread_tid)
		t->native = (uint32_t)python_u64(record.p + c->v[i].at + l->thread_tid -
						 r->state_from);
	t->interpreter = (uint32_t)main;
	t->info = (struct runtime_thread){ .tid = tid };
	return true;
}

/* Threads with more states than are copied, or with new ones, are not read from the copy. */
static bool is_of_state(const struct python_reader *r, const struct captured *c,
			const struct python_thread *t)
{
	size_t i = 0;

	while (i < c->n && c->v[i].piece.kind != CHAIN_STATE)
		i++;
	return i < c->n && c->v[i].piece.address == t->state + r->state_from;
}

bool python_chain_walk(struct python_reader *r, pid_t tid, struct bytes record,
		       runtime_got *got, void *arg)
{
	size_t first = python_thread_find(r, tid), n;
	bool young = first == r->threads.n;
	struct walk walks[CHAIN_STATES];
	struct captured *c;
	uint64_t start;

	if (!r->captured)
		r->captured = xcalloc(1, sizeof(*r->captured));
	c = r->captured;
	if (!parse(c, record) || (young ? !meet_young(r, tid, c, record)
					: !is_of_state(r, c, r->threads.v[first])))
		return false;
	if (c->head.full && !r->layout.thread_chunk)
		return false; /* hundreds of frames more, each for itself */
	r->now_ns = c->head.began_ns;
	batch_clear(&r->batch);
	memcpy(r->batch.buffer, record.p, c->head.bytes);
	r->batch.used = (c->head.bytes + 7) & ~(size_t)7;
	(void)python_code_proof(r, &c->proof_bytes);
	add_proofs(c);
	for (n = 0; n < CHAIN_STATES; n++) {
		struct python_thread *t = &r->young;

		if (young ? n > 0
			  : first + n == r->threads.n ||
				r->threads.v[first + n]->info.tid != tid)
			break;
		if (!young)
			t = r->threads.v[first + n];
		read_extras(r, c, n, &r->interpreters.v[t->interpreter]);
		add_walk(r, c, n, &walks[n], t);
	}
	start = look_depth_start(walks, n);
	look_give(r, walks, n, ++r->readings, true, got, arg);
	batch_clear(&r->batch);
	look_depth_spent(r, start);
	return true;
}

void python_captured_done(struct python_reader *r)
{
	if (r->captured)
		VEC_DONE(&r->captured->proofs);
	VEC_DONE(&r->young.outside);
	VEC_DONE(&r->young.line);
	VEC_DONE(&r->young.survey);
	free(r->captured);
	r->captured = NULL;
}
