/* What of a thread is read, and finding it again among the pieces.
 *
 * Where things stand is known from the looks before: the chunks of the data stack, how
 * much of the newest is used, the frames outside of it. All of that goes into the one call
 * that reads the thread; what turns out to stand elsewhere is noted for the next. */
#include <string.h>

#include "runtime/python/look.h"

#define CHUNK_BYTES_MAX (256u << 10)
#define LATE_MAX 256u /* calls; what is then not known is cut off */
#define PAGE 4096u
#define OUTSIDE_MAX 4096u
#define OUTSIDE_LOOKS 64u /* after so many without it, an address is forgotten */
#define MERGE_GAP 1024u	  /* bytes not worth a piece of their own */
#define MERGE_BYTES_MAX (64u << 10)
#define CHUNK_AHEAD 768u /* above the last used part: some frames more */
#define CHUNK_SIZE_MAX (1u << 30)

/* ---- What to read ------------------------------------------------------------------ */

static void plan_chunks(struct batch *b, struct python_thread *t)
{
	uint32_t i;

	for (i = 0; i < t->n_chunks && i <= t->reach; i++)
		batch_add(b, t->chunk[i].address, t->chunk[i].bytes);
	if (t->cut && look_root_chunk(t))
		batch_add(b, look_root_chunk(t), LOOK_ROOT_BYTES);
}

/* Neighbours share a piece: between two frames less than a page apart there is no page
 * that neither touches, so the piece is there if both are. */
static void plan_outside(struct python_reader *r, struct python_thread *t)
{
	uint32_t bytes = r->layout.frame_bytes;
	uint64_t start = 0, end = 0;
	size_t i, kept = 0;

	for (i = 0; i < t->outside.n; i++) {
		struct python_outside *o = &t->outside.v[i];

		if (t->looks - o->seen > OUTSIDE_LOOKS)
			continue;
		t->outside.v[kept++] = *o;
		if (end && o->address - end < MERGE_GAP &&
		    o->address + bytes - start < MERGE_BYTES_MAX) {
			end = o->address + bytes;
			continue;
		}
		if (end)
			batch_add(&r->batch, start, end - start);
		start = o->address;
		end = start + bytes;
	}
	if (end)
		batch_add(&r->batch, start, end - start);
	t->outside.n = kept;
}

static void plan_briefs(struct python_reader *r, struct python_thread *t)
{
	size_t head = python_code_head_bytes(r), file = python_code_file_bytes(r), i;
	size_t kept = 0;

	for (i = 0; i < t->n_briefs; i++) {
		if (t->looks - t->brief[i].seen > OUTSIDE_LOOKS)
			continue;
		t->brief[kept++] = t->brief[i];
		if (batch_add(&r->batch, t->brief[i].address, head) && file)
			batch_add(&r->batch, t->brief[i].file, file);
	}
	t->n_briefs = (uint32_t)kept;
}

static void note_brief(struct python_thread *t, const struct python_code *code)
{
	size_t i = 0, k;

	while (i < t->n_briefs && t->brief[i].address != code->address)
		i++;
	if (i == t->n_briefs && i < PYTHON_BRIEFS)
		t->n_briefs++;
	else if (i == t->n_briefs)
		for (i = 0, k = 1; k < PYTHON_BRIEFS; k++)
			if (t->looks - t->brief[k].seen > t->looks - t->brief[i].seen)
				i = k;
	t->brief[i] = (struct python_brief){ code->address, code->file, t->looks };
}

bool look_compare_brief(struct look *k, struct python_code *code)
{
	const struct batch *b = &k->r->batch;
	size_t i, files = python_code_file_bytes(k->r) ? 1 : 0;

	note_brief(k->walk->t, code);
	for (i = k->walk->briefs; i + files < k->walk->briefs_end; i++) {
		const struct piece *p = &b->pieces.v[i];

		if (p->address != code->address || !p->ok ||
		    (files && (p[1].address != code->file || !p[1].ok)))
			continue;
		if (!python_code_compare(k->r, code, b, p))
			code->compared = k->reading;
		return true;
	}
	return false;
}

void look_plan(struct python_reader *r, struct walk *w)
{
	struct python_thread *t = w->t;
	struct batch *b = &r->batch;
	size_t i;

	t->looks++;
	w->first = b->pieces.n;
	batch_add(b, t->state + r->state_from, r->state_bytes);
	for (i = 0; i < PYTHON_CFRAMES && t->cframe[i]; i++)
		batch_add(b, t->cframe[i], r->layout.cframe_frame + 8);
	w->chunks = b->pieces.n;
	plan_chunks(b, t);
	w->outside = b->pieces.n;
	plan_outside(r, t);
	w->end = b->pieces.n;
	w->briefs = b->pieces.n;
	plan_briefs(r, t);
	w->briefs_end = b->pieces.n;
	w->again = 0;
	if (r->layout.minor >= 13 && t->outside.n &&
	    batch_add(b, t->state + r->layout.thread_frame, 8))
		w->again = b->pieces.n;
}

void look_plan_interpreter(struct python_reader *r, struct python_interpreter *p)
{
	uint32_t ahead = python_gc_ahead(r), bytes;
	uint64_t lock = python_lock(r, p, &bytes);
	struct batch *b = &r->batch;

	p->asked = true;
	p->collecting = false;
	p->holder = 0;
	p->gil_piece = batch_add(b, lock, bytes) ? b->pieces.n : 0;
	p->gc_piece =
	    batch_add(b, python_gc_flag(r, p) - ahead, ahead + 4) ? b->pieces.n : 0;
}

/* gil_piece and gc_piece are numbers from 1. */
void look_read_interpreter(struct python_reader *r, struct python_interpreter *p)
{
	const struct python_layout *l = &r->layout;
	const struct piece *gil =
	    p->gil_piece ? &r->batch.pieces.v[p->gil_piece - 1] : NULL;
	const struct piece *gc = p->gc_piece ? &r->batch.pieces.v[p->gc_piece - 1] : NULL;

	p->asked = false;
	if (gc && gc->ok) {
		memcpy(p->gc, batch_bytes(&r->batch, gc), python_gc_ahead(r));
		p->collecting =
		    python_i32(batch_bytes(&r->batch, gc) + python_gc_ahead(r)) != 0;
		p->gc_ns = r->now_ns;
	}
	if (!gil || !gil->ok)
		return;
	if (l->runtime_current)
		p->holder = python_u64(batch_bytes(&r->batch, gil));
	else if (l->gil_locked <= 28 && l->gil_holder <= 24 &&
		 python_i32(batch_bytes(&r->batch, gil) + l->gil_locked) == 1)
		p->holder = python_u64(batch_bytes(&r->batch, gil) + l->gil_holder);
}

/* ---- Finding what was read --------------------------------------------------------- */

static const unsigned char *in_piece(const struct batch *b, size_t i, uint64_t address,
				     uint32_t bytes)
{
	const struct piece *p = &b->pieces.v[i];

	if (!p->ok || address < p->address || address - p->address > p->bytes ||
	    bytes > p->bytes - (address - p->address))
		return NULL;
	return batch_bytes(b, p) + (address - p->address);
}

const unsigned char *look_find(struct look *k, uint64_t address, uint32_t bytes)
{
	const struct batch *b = &k->r->batch;
	size_t low = k->walk->outside, high = k->walk->end, i;
	const unsigned char *p;

	if (k->hit < b->pieces.n && (p = in_piece(b, k->hit, address, bytes)))
		return p;
	for (i = k->walk->first; i < k->walk->outside; i++)
		if ((p = in_piece(b, i, address, bytes))) {
			k->hit = i;
			return p;
		}
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (b->pieces.v[mid].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (low > k->walk->outside && (p = in_piece(b, low - 1, address, bytes)))
		return p;
	for (i = b->pieces.n; i > k->late; i--)
		if ((p = in_piece(b, i - 1, address, bytes)))
			return p;
	return NULL;
}

const unsigned char *look_fetch(struct look *k, uint64_t address, uint32_t bytes)
{
	struct batch *b = &k->r->batch;
	size_t i = b->pieces.n;

	if (i - k->late >= LATE_MAX || b->used + bytes > BATCH_BYTES) {
		k->late_full = true;
		return NULL;
	}
	if (!batch_add(b, address, bytes))
		return NULL;
	batch_run(b, i);
	k->hit = i;
	return in_piece(b, i, address, bytes);
}

/* Frames have neighbours: those of the data stack fill its chunks, others lie together in the
 * allocator's pages or on the C stack. A page is there when a byte of it is. */
const unsigned char *look_fetch_frame(struct look *k, uint64_t address)
{
	const struct python_thread *t = k->walk->t;
	uint32_t bytes = k->r->layout.frame_bytes, i = look_chunk_of(t, 0, address);
	uint64_t start = address & ~(uint64_t)(PAGE - 1);
	uint64_t end = (address + bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);

	if (i < t->n_chunks &&
	    address + bytes <= t->chunk[i].address + t->chunk[i].bytes) {
		start = t->chunk[i].address;
		end = start + t->chunk[i].bytes;
	}
	if (look_fetch(k, start, (uint32_t)(end - start)))
		return look_find(k, address, bytes);
	return look_fetch(k, address, bytes);
}

/* Where it stands, or would. Mostly it is a neighbour of the last one. */
static size_t place_outside(const struct python_thread *t, uint64_t address)
{
	size_t low = 0, high = t->outside.n, i = t->outside_at ? t->outside_at - 1 : 0;

	for (; i < high && i <= t->outside_at + 1; i++)
		if (t->outside.v[i].address == address)
			return i;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->outside.v[mid].address < address)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t look_outside_of(const struct python_thread *t, uint64_t address)
{
	size_t i = place_outside(t, address);

	return i < t->outside.n && t->outside.v[i].address == address ? i : t->outside.n;
}

void look_note_outside(struct python_thread *t, uint64_t address)
{
	size_t at = place_outside(t, address);

	t->outside_at = at;
	if (at < t->outside.n && t->outside.v[at].address == address) {
		t->outside.v[at].seen = t->looks;
		return;
	}
	if (t->outside.n >= OUTSIDE_MAX)
		return;
	VEC_GROW(&t->outside);
	memmove(&t->outside.v[at + 1], &t->outside.v[at],
		(t->outside.n - at) * sizeof(*t->outside.v));
	t->outside.v[at] =
	    (struct python_outside){ .address = address, .seen = t->looks };
	t->outside.n++;
}

/* ---- The data stack ---------------------------------------------------------------- */

/* Used bytes of a chunk, from its `top`, which the newest chunk keeps in the thread. */
static void size_chunk(struct python_chunk *c, const unsigned char *head, uint64_t used)
{
	uint64_t size = python_u64(head + 8), bytes;

	if (size < LOOK_CHUNK_HEAD || size > CHUNK_SIZE_MAX)
		size = LOOK_CHUNK_HEAD;
	bytes = used > size ? size : used;
	c->size = (uint32_t)size;
	c->bytes = (uint32_t)(bytes > CHUNK_BYTES_MAX ? CHUNK_BYTES_MAX : bytes);
	if (c->bytes < LOOK_CHUNK_HEAD)
		c->bytes = LOOK_CHUNK_HEAD;
}

static uint64_t used_of_top(const unsigned char *head)
{
	uint64_t top = python_u64(head + 16);

	return top < CHUNK_SIZE_MAX / 8 ? LOOK_CHUNK_HEAD + top * 8 : CHUNK_SIZE_MAX;
}

/* Reads the heads of this chunk, of which so much is used, and of older ones. */
static void list_more(struct python_reader *r, struct python_thread *t, uint64_t chunk,
		      uint64_t used)
{
	unsigned char head[LOOK_CHUNK_HEAD];

	while (chunk && t->n_chunks < PYTHON_CHUNKS_MAX &&
	       batch_read(&r->batch, chunk, head, sizeof(head))) {
		struct python_chunk *c = &t->chunk[t->n_chunks];

		c->address = chunk;
		size_chunk(c, head,
			   t->n_chunks++ ? used_of_top(head) : used + CHUNK_AHEAD);
		chunk = python_u64(head);
	}
	t->beyond = chunk;
}

static void list_chunks(struct python_reader *r, struct python_thread *t, uint64_t chunk,
			uint64_t used)
{
	t->n_chunks = 0;
	list_more(r, t, chunk, used);
}

/* Of older chunks than those the list is kept when they are in it, as they rarely come and go. */
void look_adopt_chunks(struct python_reader *r, struct python_thread *t,
		       const struct piece *chunk, size_t n)
{
	const unsigned char *last = batch_bytes(&r->batch, &chunk[n - 1]);
	uint64_t older = python_u64(last);
	size_t i, kept;

	for (i = 0; i < t->n_chunks && t->chunk[i].address != older; i++)
		;
	kept = older && i < t->n_chunks ? t->n_chunks - i : 0;
	if (kept > PYTHON_CHUNKS_MAX - n) {
		kept = PYTHON_CHUNKS_MAX - n;
		t->beyond = t->chunk[i + kept].address;
	}
	memmove(&t->chunk[n], &t->chunk[i], kept * sizeof(*t->chunk));
	for (i = 0; i < n; i++) {
		t->chunk[i].address = chunk[i].address;
		size_chunk(&t->chunk[i], batch_bytes(&r->batch, &chunk[i]),
			   chunk[i].bytes);
	}
	t->n_chunks = (uint32_t)(n + kept);
	if (!kept)
		list_more(r, t, older, CHUNK_SIZE_MAX);
}

bool look_update_chunks(struct look *k, uint64_t chunk, uint64_t top)
{
	struct python_thread *t = k->walk->t;
	uint64_t used = top - chunk;
	const unsigned char *head;

	if (used < LOOK_CHUNK_HEAD || used > CHUNK_SIZE_MAX)
		used = LOOK_CHUNK_HEAD;
	if (t->n_chunks && t->chunk[0].address == chunk) {
		head = look_find(k, chunk, LOOK_CHUNK_HEAD);
		if (head)
			size_chunk(&t->chunk[0], head, used + CHUNK_AHEAD);
		return true;
	}
	if (t->n_chunks > 1 && t->chunk[1].address == chunk) {
		t->n_chunks--;
		memmove(t->chunk, t->chunk + 1, t->n_chunks * sizeof(*t->chunk));
		return true;
	}
	list_chunks(k->r, t, chunk, used);
	return false;
}

uint32_t look_chunk_of(const struct python_thread *t, uint32_t from, uint64_t address)
{
	uint32_t i;

	for (i = from; i < t->n_chunks; i++)
		if (address >= t->chunk[i].address + LOOK_CHUNK_HEAD &&
		    address - t->chunk[i].address < t->chunk[i].size)
			break;
	return i;
}
