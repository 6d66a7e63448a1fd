/* The collector's lists are doubly linked through a head in front of each object:
 *
 *	gc_next (low bits: flags since 3.14), gc_prev (low two bits: flags), then the object:
 *	reference count, type, size (of those whose size varies)
 *
 * and begin in the interpreter, in front of its flag `collecting`, at offsets that changed
 * with nearly every version. So they are found by what they are: a place whose next one's
 * prev is that place itself.
 *
 * The program goes on meanwhile: what links to no object that links back is torn. A list
 * that tore is counted again, some times; of the tries the longest stays. While a
 * collection runs the lists are not in their places: it is waited for. */
#include "runtime/python/census.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem_cache.h"
#include "base/text.h"

#define AHEAD_BYTES 256u
#define HEADS_MOST 8u
#define FLAGS 7ull
#define TRIES 6
#define HEAD_TRIES 8 /* the first object may be freed between two reads */
#define WAITS 50
#define WAIT_NS (10 * NS_PER_MSEC)
#define STEPS_A_LOOK 4096u
#define STEPS_MOST (200u << 20)
#define HEAD_BYTES 16u
#define LOOK_BYTES 56u /* of head and object */
#define SIZE_MOST (1ll << 36)
#define NAME_MOST 80u
#define BLOCKS 1024u
#define BLOCK_PAGES 2u

/* PyTypeObject, since 2.x. */
#define TYPE_NAME 24u
#define TYPE_BYTES 48u
#define TABLE_ENTRY 32u /* of a dictionary, a set: about */

enum table { TABLE_NONE, TABLE_LIST, TABLE_DICT, TABLE_SET };

struct type {
	uint64_t address;
	int64_t basic, item;
	enum table table;
	const char *name; /* in the census' arena; NULL: it is no type */
};

struct count {
	struct mem_cache cache;
	struct census *total, *list; /* of all lists; of the one being walked */
	VEC(struct type) types;	     /* by row of `kinds` */
	struct census kinds;	     /* only its table is used: address -> row */
	uint64_t until_ns;
	uint64_t flag; /* `collecting`, of the interpreter whose lists these are */
	uint32_t steps;
};

static int64_t field(const unsigned char *p, size_t at)
{
	return (int64_t)python_u64(p + at);
}

/* ---- types ---- */

static const char *type_name(struct count *c, uint64_t address)
{
	char raw[NAME_MOST + 1], clean[NAME_MOST + 1];
	size_t n;

	for (n = 0; n < NAME_MOST; n++)
		if (!mem_cache_read(&c->cache, address + n, &raw[n], 1) || !raw[n])
			break;
	if (n == 0)
		return NULL;
	clean_copy(clean, sizeof(clean), raw, n);
	return arena_str(&c->total->arena, clean);
}

static enum table table_of(const char *name)
{
	if (strcmp(name, "list") == 0)
		return TABLE_LIST;
	if (strcmp(name, "set") == 0 || strcmp(name, "frozenset") == 0)
		return TABLE_SET;
	return strcmp(name, "dict") == 0 ? TABLE_DICT : TABLE_NONE;
}

static void read_type(struct count *c, struct type *t)
{
	unsigned char head[TYPE_BYTES];

	if (t->address % 8 || !mem_cache_read(&c->cache, t->address, head, sizeof(head)))
		return;
	t->basic = field(head, 32);
	t->item = field(head, 40);
	if (t->basic < 16 || t->basic > (1 << 20) || t->item < 0 || t->item > (1 << 20))
		return;
	t->name = type_name(c, python_u64(head + TYPE_NAME));
	if (t->name)
		t->table = table_of(t->name);
}

static const struct type *type_at(struct count *c, uint64_t address)
{
	const struct census_row *row = census_find(&c->kinds, address);
	struct type *t;

	if (row)
		return &c->types.v[row - c->kinds.rows.v];
	if (c->types.n >= CENSUS_KINDS_MOST)
		return NULL;
	census_row(&c->kinds, address);
	t = VEC_PUSH(&c->types);
	t->address = address;
	read_type(c, t);
	return t;
}

/* ---- objects ---- */

static uint64_t own_size(const struct type *t, const unsigned char *object)
{
	int64_t n = field(object, 16), bytes = t->basic + HEAD_BYTES;

	n = n < 0 ? -n : n;
	if (t->item)
		bytes += n < SIZE_MOST / (t->item + 1) ? n * t->item : 0;
	else if (t->table == TABLE_LIST)
		n = field(object, 32), bytes += n > 0 && n < SIZE_MOST / 8 ? n * 8 : 0;
	else if (t->table != TABLE_NONE)
		bytes += n > 0 && n < SIZE_MOST / TABLE_ENTRY ? n * TABLE_ENTRY : 0;
	return (uint64_t)bytes;
}

static bool over(struct count *c)
{
	if (++c->steps % STEPS_A_LOOK == 0 &&
	    (clock_now_ns() > c->until_ns || c->steps > STEPS_MOST))
		c->total->cut = true;
	return c->total->cut;
}

/* Counts the objects of a list into c->list; false when it tore. */
static bool walk_list(struct count *c, uint64_t head)
{
	unsigned char node[LOOK_BYTES];
	uint64_t at, before = head;

	if (!mem_cache_read(&c->cache, head, node, 8))
		return false;
	for (at = python_u64(node) & ~FLAGS; at != head && !over(c);) {
		const struct type *t;

		if (at == 0 || !mem_cache_read(&c->cache, at, node, sizeof(node)) ||
		    (python_u64(node + 8) & ~(uint64_t)3) != before)
			return false;
		t = type_at(c, python_u64(node + HEAD_BYTES + 8));
		if (t && !t->name)
			return false;
		census_add(c->list, t ? t->address : CENSUS_OTHERS,
			   t ? own_size(t, node + HEAD_BYTES) : 0);
		before = at;
		at = python_u64(node) & ~FLAGS;
	}
	return true;
}

static void merge(struct census *to, const struct census *from)
{
	size_t i;

	for (i = 0; i < from->rows.n; i++) {
		struct census_row *row = census_row(to, from->rows.v[i].key);

		row->count += from->rows.v[i].count;
		row->bytes += from->rows.v[i].bytes;
	}
	to->things += from->things;
	to->bytes += from->bytes;
}

static bool collecting(const struct mem *mem, uint64_t flag)
{
	int32_t on = 0;

	return mem->read(mem, flag, &on, sizeof(on)) && on == 1;
}

/* Lists are not in their places meanwhile. */
static void wait_for_collection(const struct mem *mem, uint64_t flag, uint64_t until_ns)
{
	const struct timespec pause = { .tv_nsec = WAIT_NS };
	int i;

	for (i = 0; i < WAITS && collecting(mem, flag) && clock_now_ns() < until_ns; i++)
		nanosleep(&pause, NULL);
}

static void count_list(struct count *c, uint64_t head)
{
	struct census tries[2];
	int try, best = 1;
	bool whole = false;

	census_init(&tries[0]);
	census_init(&tries[1]);
	for (try = 0; try < TRIES && !whole && !c->total->cut; try++) {
		int now = !best;

		census_done(&tries[now]);
		census_init(&tries[now]);
		c->list = &tries[now];
		/* One that began during the last try outlasts all the others, else. */
		wait_for_collection(c->cache.from, c->flag, c->until_ns);
		mem_cache_clear(&c->cache);
		whole = walk_list(c, head);
		if (whole || tries[now].things > tries[best].things)
			best = now;
	}
	c->total->torn += !whole;
	merge(c->total, &tries[best]);
	census_done(&tries[0]);
	census_done(&tries[1]);
}

/* ---- lists ---- */

/* Is this the head of a list: does its first object know it? Its last one is asked nothing: while
 * the program makes objects, that one changes between two reads. */
static bool links_back(const struct mem *mem, uint64_t at)
{
	uint64_t link[2], back[2];

	return mem->read(mem, at, link, sizeof(link)) && link[0] && link[1] &&
	       link[0] % 8 == 0 && link[1] % 8 == 0 &&
	       mem->read(mem, link[0], back, sizeof(back)) &&
	       (back[1] & ~(uint64_t)3) == at;
}

static bool is_head(const struct mem *mem, uint64_t at)
{
	int i;

	for (i = 0; i < HEAD_TRIES; i++)
		if (links_back(mem, at))
			return true;
	return false;
}

/* The heads of an interpreter's lists, the youngest objects' first. */
static size_t find_heads(const struct mem *mem, uint64_t flag, uint64_t heads[HEADS_MOST])
{
	uint64_t at = flag % 8 || flag < AHEAD_BYTES ? flag : flag - AHEAD_BYTES;
	size_t n = 0;

	while (at < flag && n < HEADS_MOST) {
		if (is_head(mem, at)) {
			heads[n++] = at;
			at += 16;
		} else {
			at += 8;
		}
	}
	return n;
}

static void name_rows(struct count *c)
{
	size_t i;

	for (i = 0; i < c->total->rows.n; i++) {
		struct census_row *r = &c->total->rows.v[i];

		r->name =
		    r->key == CENSUS_OTHERS ? "[other types]" : type_at(c, r->key)->name;
	}
}

bool python_census_plan(const struct python_reader *r, struct python_census *out)
{
	size_t i;

	*out = (struct python_census){ 0 };
	if (r->layout.free_threaded) /* the collector's lists are not there */
		return false;
	for (i = 0; i < r->interpreters.n && out->n < PYTHON_CENSUS_INTERPRETERS; i++)
		out->flags[out->n++] = python_gc_flag(r, &r->interpreters.v[i]);
	return out->n > 0;
}

bool python_census_run(const struct python_census *p, const struct mem *mem,
		       uint64_t until_ns, struct census *out)
{
	struct count c = { .total = out, .until_ns = until_ns };
	uint64_t heads[HEADS_MOST];
	size_t i, k, n, lists = 0;

	out->time_ns = clock_now_ns();
	mem_cache_init(&c.cache, mem, BLOCKS, BLOCK_PAGES);
	census_init(&c.kinds);
	for (i = 0; i < p->n && !out->cut; i++) {
		c.flag = p->flags[i];
		wait_for_collection(mem, c.flag, until_ns);
		n = find_heads(mem, p->flags[i], heads);
		lists += n;
		for (k = 0; k < n && !out->cut; k++)
			count_list(&c, heads[k]);
	}
	name_rows(&c);
	census_done(&c.kinds);
	VEC_DONE(&c.types);
	mem_cache_done(&c.cache);
	out->took_ns = clock_now_ns() - out->time_ns;
	return lists > 0;
}
