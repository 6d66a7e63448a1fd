/* Interning is two open-addressing tables over the arrays (frames, nodes). A node is found
 * by the hash of all frames from the root to it, which needs no look at its ancestors: of
 * a stack the leaf is looked for first, then its callers, and where one is found all
 * beyond are there too. 50 bits of hash and the leaf's frame are trusted; a collision
 * would only mislabel.
 *
 * Compaction renumbers nodes and frames, oldest runs having been dropped first, so ids of
 * nodes and frames are valid until the next history_stack or history_add only. Function
 * ids are not touched. */
#include "model/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define SLOTS_FIRST 4096u

static void tables_init(struct history *h)
{
	h->n_frame_slots = h->n_node_slots = SLOTS_FIRST;
	h->frame_slots = xcalloc(h->n_frame_slots, sizeof(*h->frame_slots));
	h->node_slots = xcalloc(h->n_node_slots, sizeof(*h->node_slots));
	h->hashes = xmalloc(DEPTH_MAX * sizeof(*h->hashes));
	h->flagged = 1;
	VEC_PUSH(&h->nodes)->frame = NO_ID;
}

static void tables_done(struct history *h)
{
	VEC_DONE(&h->frames);
	VEC_DONE(&h->nodes);
	VEC_DONE(&h->places);
	free(h->frame_slots);
	free(h->node_slots);
	free(h->hashes);
}

void history_init(struct history *h, size_t max_bytes)
{
	*h = (struct history){ 0 };
	/* Half for the runs; a node costs its 12 bytes, two slots, and twice 8 in a
	 * snapshot. */
	h->max_runs = max_bytes / 2 / sizeof(struct run);
	h->max_nodes = max_bytes / 2 / (sizeof(struct history_node) + 8 + 16);
	tables_init(h);
}

void history_done(struct history *h)
{
	tables_done(h);
	VEC_DONE(&h->last_run);
	VEC_DONE(&h->gone);
	free(h->runs);
	*h = (struct history){ 0 };
}

void history_clear(struct history *h)
{
	size_t max_runs = h->max_runs, max_nodes = h->max_nodes;
	uint32_t numbering = h->numbering + 1, renumbered = h->renumbered + 1;

	history_done(h);
	h->numbering = numbering;
	h->renumbered = renumbered;
	h->max_runs = max_runs;
	h->max_nodes = max_nodes;
	tables_init(h);
}

/* ---- frames ---- */

static uint64_t frame_hash(const struct frame *f)
{
	return hash_pair(f->address, (uint64_t)f->object << 32 | f->kind);
}

static size_t frame_slot(const struct history *h, const struct frame *f)
{
	size_t i = frame_hash(f) & (h->n_frame_slots - 1);

	while (h->frame_slots[i]) {
		const struct frame *g = &h->frames.v[h->frame_slots[i] - 1].frame;

		if (g->address == f->address && g->object == f->object &&
		    g->kind == f->kind)
			break;
		i = (i + 1) & (h->n_frame_slots - 1);
	}
	return i;
}

static void grow_frames(struct history *h)
{
	size_t i;

	free(h->frame_slots);
	h->n_frame_slots *= 2;
	h->frame_slots = xcalloc(h->n_frame_slots, sizeof(*h->frame_slots));
	for (i = 0; i < h->frames.n; i++)
		h->frame_slots[frame_slot(h, &h->frames.v[i].frame)] = (uint32_t)i + 1;
}

static uint32_t frame_id(struct history *h, const struct frame *f,
			 void (*named)(void *arg, uint32_t frame), void *arg)
{
	size_t slot = frame_slot(h, f);
	struct history_frame *new;
	uint32_t id;

	if (h->frame_slots[slot])
		return h->frame_slots[slot] - 1;
	if (h->frames.n * 2 >= h->n_frame_slots) {
		grow_frames(h);
		slot = frame_slot(h, f);
	}
	new = VEC_PUSH(&h->frames);
	new->frame = *f;
	id = (uint32_t)(h->frames.n - 1);
	h->frame_slots[slot] = id + 1;
	named(arg, id);
	return id;
}

uint32_t history_find(const struct history *h, const struct frame *f)
{
	size_t slot = frame_slot(h, f);

	return h->frame_slots[slot] ? h->frame_slots[slot] - 1 : NO_ID;
}

void history_name(struct history *h, uint32_t frame, const struct place *places, size_t n)
{
	struct history_frame *f = &h->frames.v[frame];
	size_t i;

	h->namings++;
	if (n > INLINE_DEPTH_MAX)
		n = INLINE_DEPTH_MAX;
	if (n > f->n_places) {
		f->places = (uint32_t)h->places.n;
		for (i = 0; i < n; i++)
			(void)VEC_PUSH(&h->places);
	}
	/* A frame named for the first time is in no node yet. */
	if (f->n_places && n != f->n_places)
		h->names_changed = true;
	for (i = 0; i < n; i++) {
		struct place *to = &h->places.v[f->places + i];

		h->names_changed |= f->n_places && to->function != places[i].function;
		*to = places[i];
	}
	f->n_places = (uint8_t)n;
}

/* ---- nodes ---- */

static bool on_path(const struct path *p, uint32_t function)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->function[i] == function)
			return true;
	return false;
}

/* Beyond PATH_MOST functions repetitions are not seen: such a stack recurses, and did before. */
static void path_add(struct path *p, const struct history *h, uint32_t frame)
{
	const struct history_frame *f = &h->frames.v[frame];
	size_t i;

	for (i = 0; i < f->n_places && p->n < PATH_MOST; i++)
		p->function[p->n++] = h->places.v[f->places + i].function;
}

static uint32_t repeated_in(const struct history *h, uint32_t frame,
			    const struct path *path)
{
	const struct history_frame *f = &h->frames.v[frame];
	const struct place *list = h->places.v + f->places;
	uint32_t bits = 0;
	size_t i, outer;

	for (i = 0; i < f->n_places; i++) {
		bool again = on_path(path, list[i].function);

		for (outer = i + 1; outer < f->n_places && !again; outer++)
			again = list[outer].function == list[i].function;
		bits |= (uint32_t)again << i;
	}
	return bits;
}

static void path_to(struct path *p, const struct history *h, uint32_t node)
{
	p->n = 0;
	for (; node; node = h->nodes.v[node].parent)
		path_add(p, h, h->nodes.v[node].frame);
}

void history_refresh(struct history *h)
{
	size_t from = h->names_changed ? 1 : h->flagged, i;

	for (i = from; i < h->nodes.n; i++) {
		struct history_node *n = &h->nodes.v[i];

		/* Mostly the child of the one before, or of its parent. */
		if (i > from && n->parent == i - 1)
			path_add(&h->path, h, h->nodes.v[i - 1].frame);
		else if (i == from || n->parent != h->nodes.v[i - 1].parent)
			path_to(&h->path, h, n->parent);
		n->repeated = repeated_in(h, n->frame, &h->path);
	}
	h->flagged = h->nodes.n;
	if (h->names_changed)
		h->names_version++;
	h->names_changed = false;
}

/* The hash of a path from that of its parent's. */
static uint64_t path_hash(uint64_t parent, const struct frame *f)
{
	uint64_t x =
	    parent ^ f->address ^ (uint64_t)f->object << 40 ^ (uint64_t)f->kind << 60;

	x *= 0x9e3779b97f4a7c15ull;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	return x ^ x >> 32;
}

/* Where that path stands in the table, or would. */
static struct node_slot *node_slot(const struct history *h, uint64_t hash)
{
	size_t i = hash & (h->n_node_slots - 1);

	while (h->node_slots[i].node && h->node_slots[i].tag != (uint32_t)(hash >> 32))
		i = (i + 1) & (h->n_node_slots - 1);
	return &h->node_slots[i];
}

static void grow_nodes(struct history *h)
{
	uint64_t *hash = xmalloc(h->nodes.n * sizeof(*hash));
	size_t i;

	free(h->node_slots);
	h->n_node_slots *= 2;
	h->node_slots = xcalloc(h->n_node_slots, sizeof(*h->node_slots));
	hash[0] = 0;
	for (i = 1; i < h->nodes.n; i++) {
		const struct history_node *n = &h->nodes.v[i];

		hash[i] = path_hash(hash[n->parent], &h->frames.v[n->frame].frame);
		*node_slot(h, hash[i]) =
		    (struct node_slot){ (uint32_t)(hash[i] >> 32), (uint32_t)i };
	}
	free(hash);
}

static uint32_t new_node(struct history *h, uint32_t parent, uint32_t frame,
			 uint64_t hash)
{
	struct history_node *n;
	uint32_t id;

	if (h->nodes.n * 2 >= h->n_node_slots)
		grow_nodes(h);
	n = VEC_PUSH(&h->nodes);
	n->parent = parent;
	n->frame = frame;
	id = (uint32_t)(h->nodes.n - 1);
	*node_slot(h, hash) = (struct node_slot){ (uint32_t)(hash >> 32), id };
	return id;
}

/* ---- compaction ---- */

/* Marks the nodes the runs still need; counts them. */
static size_t mark(const struct history *h, uint32_t *new_id)
{
	size_t i, kept = 0;

	for (i = 0; i < h->n_runs; i++) {
		uint32_t n = history_run(h, i)->stack;

		for (; n && !new_id[n]; n = h->nodes.v[n].parent) {
			new_id[n] = 1;
			kept++;
		}
	}
	return kept;
}

/* Moves one frame to the new tables, with its functions. */
static uint32_t keep_frame(struct history *h, struct history *old, uint32_t frame,
			   uint32_t *moved)
{
	struct history_frame *f;
	size_t i;

	if (moved[frame])
		return moved[frame] - 1;
	if (h->frames.n * 2 >= h->n_frame_slots)
		grow_frames(h);
	f = VEC_PUSH(&h->frames);
	*f = old->frames.v[frame];
	h->frame_slots[frame_slot(h, &f->frame)] = (uint32_t)h->frames.n;
	f->places = (uint32_t)h->places.n;
	for (i = 0; i < f->n_places; i++)
		*VEC_PUSH(&h->places) = old->places.v[old->frames.v[frame].places + i];
	moved[frame] = (uint32_t)h->frames.n;
	return moved[frame] - 1;
}

/* Empties the tables, keeping the arrays for whoever copies from them. */
static struct history take_tables(struct history *h)
{
	struct history old = *h;
	uint64_t *hashes = h->hashes;

	h->frames.v = NULL;
	h->nodes.v = NULL;
	h->places.v = NULL;
	h->frames.n = h->frames.cap = h->nodes.n = h->nodes.cap = 0;
	h->places.n = h->places.cap = 0;
	tables_init(h);
	/* The hashes of the stack that is being entered are still needed. */
	old.hashes = h->hashes;
	h->hashes = hashes;
	return old;
}

/* Copies the marked nodes, and the frames they need; new_id[] then says their numbers. */
static void keep_nodes(struct history *h, struct history *old, uint32_t *new_id)
{
	uint32_t *moved = xcalloc(old->frames.n, sizeof(*moved));
	uint64_t *hash = xmalloc(old->nodes.n * sizeof(*hash));
	size_t i;

	hash[0] = 0;
	for (i = 1; i < old->nodes.n; i++) {
		const struct history_node *n = &old->nodes.v[i];

		if (i == old->flagged)
			h->flagged = h->nodes.n;
		if (!new_id[i])
			continue;
		hash[i] = path_hash(hash[n->parent], &old->frames.v[n->frame].frame);
		new_id[i] = new_node(h, new_id[n->parent],
				     keep_frame(h, old, n->frame, moved), hash[i]);
		h->nodes.v[new_id[i]].repeated = n->repeated;
	}
	if (old->flagged >= old->nodes.n)
		h->flagged = h->nodes.n;
	free(hash);
	free(moved);
}

static void compact(struct history *h)
{
	uint32_t *new_id = xcalloc(h->nodes.n, sizeof(*new_id));
	struct history old;
	size_t i;

	while (mark(h, new_id) > h->max_nodes / 2 && h->n_runs) {
		history_drop(h, h->n_runs / 4 + 1);
		memset(new_id, 0, h->nodes.n * sizeof(*new_id));
	}
	old = take_tables(h);
	keep_nodes(h, &old, new_id);
	for (i = 0; i < h->n_runs; i++) {
		struct run *r = &h->runs[(h->first + i) % h->cap_runs];

		r->stack = new_id[r->stack];
	}
	h->numbering++;
	h->renumbered++;
	VEC_CLEAR(&h->gone);
	tables_done(&old);
	free(new_id);
}

static bool is_node_of(const struct history *h, uint32_t node, const struct frame *f)
{
	const struct frame *g = &h->frames.v[h->nodes.v[node].frame].frame;

	return g->address == f->address && g->object == f->object && g->kind == f->kind;
}

/* The innermost node there is of a stack whose hashes stand in h->hashes; *known is how
 * many of its frames, from the root, that covers. */
static uint32_t deepest(const struct history *h, const struct callstack *cs,
			size_t *known)
{
	size_t i;

	for (i = cs->depth; i > 0; i--) {
		uint32_t node = node_slot(h, h->hashes[i - 1])->node;

		if (i > 4) /* the table is larger than the caches */
			__builtin_prefetch(
			    &h->node_slots[h->hashes[i - 5] & (h->n_node_slots - 1)]);
		if (node && is_node_of(h, node, &cs->frame[cs->depth - i])) {
			*known = i;
			return node;
		}
	}
	*known = 0;
	return 0;
}

uint32_t history_stack(struct history *h, const struct callstack *cs,
		       void (*named)(void *arg, uint32_t frame), void *arg)
{
	uint64_t hash = 0;
	uint32_t node;
	size_t i;

	for (i = 0; i < cs->depth; i++)
		h->hashes[i] = hash = path_hash(hash, &cs->frame[cs->depth - 1 - i]);
	node = deepest(h, cs, &i);
	if (i < cs->depth && h->nodes.n + cs->depth > h->max_nodes) {
		compact(h);
		node = deepest(h, cs, &i);
	}
	for (; i < cs->depth; i++)
		node = new_node(h, node,
				frame_id(h, &cs->frame[cs->depth - 1 - i], named, arg),
				h->hashes[i]);
	return node;
}

void history_totals(const struct history *h, const uint64_t *self, uint64_t *total)
{
	size_t i;

	memcpy(total, self, h->nodes.n * sizeof(*total));
	for (i = h->nodes.n; i-- > 1;)
		total[h->nodes.v[i].parent] += total[i];
}
