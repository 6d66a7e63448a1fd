/* A line is `frame;frame;frame COUNT`, root first; the count follows the last space:
 *
 *	main (app.py:10);work (app.py:42) 3
 *
 * Real files are sorted and their stacks deep, so most of a line repeats the one
 * before: the path of the line before is kept and only what follows the shared frames
 * is looked up, which makes the cost one comparison of memory for most bytes. The path
 * also says, for a new node, whether its function is already on the stack, which
 * totals need: a function counts once in a stack however often it recurses.
 *
 * In a file that is not sorted every frame is looked up, and its node lies anywhere in
 * memory. A node is therefore found by a hash of its whole path, which is known before the
 * node above it is: the names of a line are found first and its slots fetched meanwhile,
 * then the nodes. Hash chains are cut at PROBES, so a file made to collide loses lines,
 * not time. */
#include "model/folded_in.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/vec.h"
#include "model/tree.h"

#define PROBES 256u
#define NAME_SLOTS_MIN 4096u
#define CHILD_SLOTS_MIN 16384u
#define WEIGHT_MAX ((uint64_t)INT64_MAX)
#define NONE UINT32_MAX

struct name {
	const char *raw; /* as in the file; of the reader's arena */
	uint32_t len;
	uint32_t active; /* times on the present path */
	uint64_t hash;
};

/* A frame of the present path. */
struct step {
	uint64_t hash; /* of the path down to here */
	uint32_t end;  /* offset of the separator behind it in its line */
	uint32_t name;
	uint32_t node;
};

/* A node, found by parent and name. */
struct child {
	uint32_t node; /* 0: an empty slot */
	uint32_t parent, name;
};

struct folded_reader {
	struct snapshot *s;
	struct folded_counts *counts;
	uint64_t unit_ns;
	struct tree tree; /* its nodes; `children` finds them */
	struct child *children;
	size_t n_children;
	VEC(uint64_t) hashes; /* per node: of its path */
	VEC(struct name) names;
	VEC(uint8_t) recursive; /* per node: its function also stands below it */
	uint32_t *slots;	/* hash of names: index + 1, 0 empty */
	size_t n_slots;
	struct step *path;
	size_t depth;
	struct bytes
	    before; /* the stack `path` was made of: of the text that is read now */
	unsigned char *copy; /* of it, between two pieces of text */
	size_t copy_room;
	struct arena arena;
};

/* Eight bytes a step: names are long and there are millions. */
static uint64_t hash_name(const unsigned char *p, size_t n)
{
	uint64_t h = n * 0x9e3779b97f4a7c15ull, word;

	for (; n >= sizeof(word); p += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * 0xff51afd7ed558ccdull;
		h ^= h >> 32;
	}
	for (word = 0; n > 0; n--)
		word = word << 8 | p[n - 1];
	return hash_u64(h ^ word);
}

static void grow_slots(struct folded_reader *r)
{
	size_t i, at;

	free(r->slots);
	r->n_slots *= 2;
	r->slots = xcalloc(r->n_slots, sizeof(*r->slots));
	for (i = 0; i < r->names.n; i++) {
		at = r->names.v[i].hash & (r->n_slots - 1);
		while (r->slots[at])
			at = (at + 1) & (r->n_slots - 1);
		r->slots[at] = (uint32_t)i + 1;
	}
}

/* The index of a name, new or known; NONE when there is no room. */
static uint32_t name_index(struct folded_reader *r, const unsigned char *p, size_t len)
{
	uint64_t hash = hash_name(p, len);
	size_t at = hash & (r->n_slots - 1), probes;
	struct name *n;

	for (probes = 0; r->slots[at]; probes++) {
		n = &r->names.v[r->slots[at] - 1];
		if (n->hash == hash && n->len == len && memcmp(n->raw, p, len) == 0)
			return r->slots[at] - 1;
		if (probes == PROBES)
			return NONE;
		at = (at + 1) & (r->n_slots - 1);
	}
	if (r->names.n == FOLDED_NAMES)
		return NONE;
	n = VEC_PUSH(&r->names);
	*n = (struct name){ arena_strn(&r->arena, (const char *)p, len), (uint32_t)len, 0,
			    hash };
	r->slots[at] = (uint32_t)r->names.n;
	if (r->names.n * 2 > r->n_slots)
		grow_slots(r);
	return (uint32_t)r->names.n - 1;
}

/* The first offset at which a and b differ, or the shorter length. */
static size_t same_bytes(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n, i = 0;

	while (n - i >= 64 && memcmp(a.p + i, b.p + i, 64) == 0)
		i += 64;
	while (i < n && a.p[i] == b.p[i])
		i++;
	return i;
}

/* Leaves on the path the frames `stack` has in common with it. The last frame of a path
 * ended in a space, which may stand inside a name, so it is never kept. */
static void keep_shared(struct folded_reader *r, struct bytes stack)
{
	size_t same = same_bytes(r->before, stack);

	while (r->depth > 0) {
		const struct step *last = &r->path[r->depth - 1];

		if (last->end < same && r->before.p[last->end] == ';')
			break;
		r->names.v[last->name].active--;
		r->depth--;
	}
}

static void grow_children(struct folded_reader *r)
{
	size_t i, at;

	free(r->children);
	r->n_children *= 2;
	r->children = xcalloc(r->n_children, sizeof(*r->children));
	for (i = 1; i < r->tree.nodes.n; i++) {
		at = r->hashes.v[i] & (r->n_children - 1);
		while (r->children[at].node)
			at = (at + 1) & (r->n_children - 1);
		r->children[at] = (struct child){ (uint32_t)i, r->tree.nodes.v[i].parent,
						  r->tree.nodes.v[i].function };
	}
}

/* The node of a frame below `parent`, made when missing; NONE when there is no room. */
static uint32_t child_of(struct folded_reader *r, uint32_t parent,
			 const struct step *step)
{
	size_t at = step->hash & (r->n_children - 1), probes;
	struct snapshot_node *n;

	for (probes = 0; r->children[at].node; probes++) {
		if (r->children[at].parent == parent &&
		    r->children[at].name == step->name)
			return r->children[at].node;
		if (probes == PROBES)
			return NONE;
		at = (at + 1) & (r->n_children - 1);
	}
	if (r->tree.nodes.n >= FOLDED_NODES)
		return NONE;
	n = VEC_PUSH(&r->tree.nodes);
	n->parent = parent;
	n->function = step->name;
	*VEC_PUSH(&r->hashes) = step->hash;
	*VEC_PUSH(&r->recursive) = r->names.v[step->name].active > 0;
	r->children[at] =
	    (struct child){ (uint32_t)(r->tree.nodes.n - 1), parent, step->name };
	if (r->tree.nodes.n * 2 > r->n_children)
		grow_children(r);
	return (uint32_t)(r->tree.nodes.n - 1);
}

/* Puts one more name on the path; its node comes later. False when names are used up. */
static bool push(struct folded_reader *r, const unsigned char *p, size_t len, size_t end)
{
	uint64_t above = r->depth ? r->path[r->depth - 1].hash : 0;
	uint32_t name = name_index(r, p, len);
	uint64_t hash;

	if (name == NONE)
		return false;
	hash = hash_u64(above * 0x9e3779b97f4a7c15ull + name + 1);
	__builtin_prefetch(&r->children[hash & (r->n_children - 1)]);
	r->path[r->depth++] = (struct step){ hash, (uint32_t)end, name, NONE };
	return true;
}

/* Nodes of the names from `first` on. Where one is missing the path ends before it. */
static bool find_nodes(struct folded_reader *r, size_t first)
{
	uint32_t parent = first ? r->path[first - 1].node : 0;
	size_t i;

	for (i = first; i < r->depth; i++) {
		struct step *step = &r->path[i];

		step->node = parent = child_of(r, parent, step);
		if (parent == NONE) {
			r->depth = i;
			return false;
		}
		r->names.v[step->name].active++;
	}
	return true;
}

static bool push_names(struct folded_reader *r, struct bytes stack)
{
	size_t at = r->depth ? r->path[r->depth - 1].end + 1u : 0, end;

	for (; at < stack.n; at = end + 1) {
		const unsigned char *p = stack.p + at;
		const unsigned char *semi = memchr(p, ';', stack.n - at);

		end = semi ? (size_t)(semi - stack.p) : stack.n;
		if (end == at)
			continue; /* `a;;b`: nothing was named */
		if (r->depth == FOLDED_DEPTH_MAX) {
			r->counts->too_deep++;
			break;
		}
		if (!push(r, p, end - at, end))
			return false;
	}
	return true;
}

/* Makes the path that of `stack`. */
static bool follow(struct folded_reader *r, struct bytes stack)
{
	size_t kept;
	bool whole;

	keep_shared(r, stack);
	r->before = stack;
	kept = r->depth;
	whole = push_names(r, stack);
	return find_nodes(r, kept) && whole;
}

/* Splits "stack COUNT". False when there is no stack or no whole number. */
static bool split(struct bytes line, struct bytes *stack, uint64_t *count)
{
	const unsigned char *space = memrchr(line.p, ' ', line.n);
	struct cursor c;
	size_t n;

	if (!space)
		return false;
	n = (size_t)(space - line.p);
	c = cursor_over((struct bytes){ space + 1, line.n - n - 1 });
	if (!cursor_dec(&c, count) || cursor_left(&c))
		return false;
	while (n > 0 && line.p[n - 1] == ' ')
		n--;
	*stack = (struct bytes){ line.p, n };
	return n > 0;
}

static void read_line(struct folded_reader *r, struct bytes line)
{
	uint64_t count, weight, sum;
	struct bytes stack;

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n == 0)
		return;
	r->counts->lines++;
	if (line.n > FOLDED_LINE_MAX) {
		r->counts->too_long++;
	} else if (!split(line, &stack, &count)) {
		r->counts->bad++;
	} else if (__builtin_mul_overflow(count, r->unit_ns, &weight) ||
		   __builtin_add_overflow(r->s->weight_ns, weight, &sum) ||
		   sum > WEIGHT_MAX || !follow(r, stack)) {
		r->counts->too_many++;
	} else if (r->depth == 0) {
		r->counts->bad++;
	} else {
		r->counts->stacks++;
		r->s->weight_ns = sum;
		r->s->samples += count;
		r->tree.nodes.v[r->path[r->depth - 1].node].self_ns += weight;
	}
}

/* Takes an annotation off the name and says what it meant. */
static enum code_kind kind_of(const char *raw, size_t *len)
{
	size_t n = *len;
	char mark = '\0';

	if (n > 4 && memcmp(raw + n - 4, "_[", 2) == 0 && raw[n - 1] == ']')
		mark = raw[n - 2];
	if (mark == 'k' || mark == 'j' || mark == 'i')
		*len = n - 4;
	if (mark == 'k')
		return CODE_KERNEL;
	if (mark == 'j')
		return CODE_JIT;
	return n > 2 && raw[0] == '[' && raw[n - 1] == ']' ? CODE_MARK : CODE_APP;
}

/* `f (dir/app.py:42)`: file and line, and it is Python's. */
static void python_place(struct snapshot *s, struct snapshot_function *f)
{
	const char *open = strrchr(f->name, '('), *colon = strrchr(f->name, ':');
	struct cursor c;
	uint64_t line;

	if (!open || !colon || colon < open + 4 || memcmp(colon - 3, ".py", 3) != 0)
		return;
	c = cursor_over(
	    (struct bytes){ (const unsigned char *)colon + 1, strlen(colon + 1) });
	if (!cursor_dec(&c, &line) || line > INT32_MAX || !cursor_accept(&c, ')') ||
	    cursor_left(&c))
		return;
	f->kind = CODE_PYTHON;
	f->runtime = "python";
	f->file = arena_strn(&s->arena, open + 1, (size_t)(colon - open - 1));
	f->line = (int)line;
}

static void make_function(struct snapshot *s, const struct name *n,
			  struct snapshot_function *f)
{
	char clean[FOLDED_NAME_MAX];
	size_t len = n->len;

	f->kind = kind_of(n->raw, &len);
	f->name =
	    arena_strn(&s->arena, clean, clean_copy(clean, sizeof(clean), n->raw, len));
	f->module = f->kind == CODE_KERNEL ? "[kernel]" : "";
	f->runtime = f->kind == CODE_KERNEL ? "kernel" : "native";
	f->file = "";
	f->thread = NONE;
	if (f->kind == CODE_APP)
		python_place(s, f);
}

/* Sorting moves functions, so nodes are told where to. */
static void sort_functions(struct snapshot *s, const struct folded_reader *r)
{
	uint32_t *now = xcalloc(s->n_functions, sizeof(*now));
	size_t i;

	for (i = 0; i < s->n_functions; i++)
		s->functions[i].id = i;
	snapshot_sort(s);
	for (i = 0; i < s->n_functions; i++) {
		now[s->functions[i].id] = (uint32_t)i;
		s->functions[i].id = r->names.v[s->functions[i].id].hash;
	}
	for (i = 1; i < s->n_nodes; i++)
		s->nodes[i].function = now[s->nodes[i].function];
	free(now);
}

static void finish(struct folded_reader *r)
{
	struct snapshot *s = r->s;
	size_t i, bytes = r->tree.nodes.n * sizeof(*s->nodes);

	tree_total(&r->tree);
	s->n_nodes = r->tree.nodes.n;
	s->nodes = memcpy(arena_alloc(&s->arena, bytes), r->tree.nodes.v, bytes);
	s->n_functions = r->names.n;
	bytes = s->n_functions * sizeof(*s->functions);
	s->functions = memset(arena_alloc(&s->arena, bytes), 0, bytes);
	for (i = 0; i < s->n_functions; i++)
		make_function(s, &r->names.v[i], &s->functions[i]);
	for (i = 1; i < s->n_nodes; i++) {
		struct snapshot_function *f = &s->functions[s->nodes[i].function];

		f->self_ns += s->nodes[i].self_ns;
		if (!r->recursive.v[i])
			f->total_ns += s->nodes[i].total_ns;
	}
	sort_functions(s, r);
	s->samples_ever = s->samples_due = s->samples;
	s->lost[LOSS_BAD_RECORD] =
	    r->counts->bad + r->counts->too_long + r->counts->too_many;
	s->lost[LOSS_STACK_TRUNCATED] = r->counts->too_deep;
}

struct folded_reader *folded_open(double rate_hz, struct folded_counts *counts)
{
	struct folded_reader *r = xcalloc(1, sizeof(*r));

	*counts = (struct folded_counts){ 0 };
	r->s = snapshot_new();
	r->counts = counts;
	r->unit_ns = 1;
	if (rate_hz > 0 && rate_hz <= (double)NS_PER_SEC) {
		r->s->rate_hz = rate_hz;
		r->s->effective_pct = 100;
		r->unit_ns = (uint64_t)((double)NS_PER_SEC / rate_hz + 0.5);
	}
	(void)VEC_PUSH(&r->tree.nodes);
	*VEC_PUSH(&r->hashes) = 0;
	r->n_children = CHILD_SLOTS_MIN;
	r->children = xcalloc(r->n_children, sizeof(*r->children));
	*VEC_PUSH(&r->recursive) = 0; /* the root */
	r->n_slots = NAME_SLOTS_MIN;
	r->slots = xcalloc(r->n_slots, sizeof(*r->slots));
	r->path = xcalloc(FOLDED_DEPTH_MAX, sizeof(*r->path));
	return r;
}

void folded_add(struct folded_reader *r, struct bytes text)
{
	struct cursor c = cursor_over(text);
	struct bytes line;

	while (cursor_line(&c, &line))
		read_line(r, line);
	if (r->before.n > r->copy_room) {
		r->copy_room = r->before.n;
		free(r->copy);
		r->copy = xmalloc(r->copy_room);
	}
	/* It may be the copy itself, when no line was used. */
	if (r->before.n)
		memmove(r->copy, r->before.p, r->before.n);
	r->before.p = r->copy;
}

struct snapshot *folded_close(struct folded_reader *r)
{
	struct snapshot *s = r->s;

	finish(r);
	VEC_DONE(&r->tree.nodes);
	VEC_DONE(&r->hashes);
	free(r->children);
	VEC_DONE(&r->names);
	VEC_DONE(&r->recursive);
	free(r->slots);
	free(r->path);
	free(r->copy);
	arena_done(&r->arena);
	free(r);
	return s;
}

struct snapshot *folded_read(struct bytes in, double rate_hz,
			     struct folded_counts *counts)
{
	struct folded_reader *r = folded_open(rate_hz, counts);

	folded_add(r, in);
	return folded_close(r);
}
