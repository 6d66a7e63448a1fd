/* The rule cache: 8,192 slots of 24 bytes and more for programs of many places, one probe. A
 * slot also says how its pc is
 * emitted as a frame, so a warm step touches one slot, one place and the stack.
 *
 * Slots stay valid while the pc keeps its object and offset. When the mappings change,
 * the old list is compared with the new one and only slots inside what went away are
 * dropped, since programs that load plug-ins or make JIT code change their mappings all
 * the time. */
#include "unwind/rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define LOST_MAX 32
#define PLACES_MAX 65536u
#define SLOTS(r) ((size_t)1 << (r)->bits)
#define MISSES_A_SLOT 2u /* that many, and the table is too small */

/* Linux x86-64: rt_sigreturn() is entered with rsp at the ucontext; its saved registers.
 */
enum { UCONTEXT_RBP = 120, UCONTEXT_RSP = 160, UCONTEXT_RIP = 168 };

struct lost {
	uint64_t start, end;
};

void rules_init(struct rules *r, struct unwind_tables *tables, const struct maps *maps)
{
	*r = (struct rules){ .tables = tables, .maps = maps, .bits = RULE_BITS_FIRST };
	r->slot = xcalloc(SLOTS(r), sizeof(*r->slot));
}

void rules_done(struct rules *r)
{
	free(r->slot);
	r->slot = NULL;
	VEC_DONE(&r->places);
	VEC_DONE(&r->known);
}

static uint64_t bias_of(const struct mapping *map)
{
	return map->offset - map->start;
}

/* Whether all of `old` still is the same code; one mapping may have become several. */
static bool still_mapped(const struct maps *maps, const struct mapping *old)
{
	uint64_t at = old->start;

	while (at < old->end) {
		const struct mapping *now = maps_find(maps, at);

		if (!now || now->object != old->object || bias_of(now) != bias_of(old))
			return false;
		at = now->end;
	}
	return true;
}

static void flush(struct rules *r)
{
	memset(r->slot, 0, SLOTS(r) * sizeof(*r->slot));
	VEC_CLEAR(&r->places);
}

static void drop(struct rules *r, const struct lost *lost, size_t n)
{
	size_t i, k;

	for (i = 0; i < SLOTS(r); i++)
		for (k = 0; k < n; k++)
			if (r->slot[i].pc >= lost[k].start && r->slot[i].pc < lost[k].end)
				r->slot[i].pc = 0;
}

static void grow(struct rules *r)
{
	struct rule_slot *old = r->slot;
	size_t i, n = SLOTS(r);

	r->bits++;
	r->grown_at = r->misses;
	r->slot = xcalloc(SLOTS(r), sizeof(*r->slot));
	for (i = 0; i < n; i++)
		if (old[i].pc)
			r->slot[rules_index(r, old[i].pc)] = old[i];
	free(old);
}

void rules_update(struct rules *r)
{
	struct lost lost[LOST_MAX];
	size_t i, n = 0;

	if (r->misses - r->grown_at > MISSES_A_SLOT * SLOTS(r) &&
	    r->bits < RULE_BITS_MOST)
		grow(r);
	if (__builtin_expect(r->generation == r->maps->generation, 1))
		return;
	for (i = 0; i < r->known.n && n < LOST_MAX; i++) {
		const struct mapping *old = &r->known.v[i];

		if (!still_mapped(r->maps, old))
			lost[n++] = (struct lost){ old->start, old->end };
	}
	if (n == LOST_MAX || r->places.n >= PLACES_MAX)
		flush(r);
	else if (n > 0)
		drop(r, lost, n);
	VEC_CLEAR(&r->known);
	for (i = 0; i < r->maps->list.n; i++)
		*VEC_PUSH(&r->known) = r->maps->list.v[i];
	r->generation = r->maps->generation;
}

static uint32_t place_of(struct rules *r, const struct mapping *map)
{
	struct rule_place want = {
		.bias = bias_of(map),
		.object = map->object->id,
		.kind = map->object->kind == OBJECT_JIT ? FRAME_JIT : FRAME_NATIVE,
	};
	size_t i;

	for (i = 0; i < r->places.n; i++)
		if (memcmp(&r->places.v[i], &want, sizeof(want)) == 0)
			return (uint32_t)i;
	*VEC_PUSH(&r->places) = want;
	return (uint32_t)i;
}

/* Go keeps the caller's rbp right below the return address of every function with a
 * frame. The function the kernel returns to from a signal handler has no frame of its
 * own: above it is the ucontext. */
static void go_rule(const struct gopclntab *go, uint64_t vaddr, struct unwind_rule *out)
{
	struct go_function f;
	int64_t delta;

	if (!gopclntab_find(go, vaddr, &f))
		return;
	if (strncmp(f.name, "runtime.sigreturn", 17) == 0) {
		*out = (struct unwind_rule){ .cfa = CFA_RSP_LOAD,
					     .cfa_offset = UCONTEXT_RSP,
					     .rbp = SAVE_RSP,
					     .rbp_offset = UCONTEXT_RBP,
					     .ra = SAVE_RSP,
					     .ra_offset = UCONTEXT_RIP,
					     .signal_frame = 1 };
	} else if (gopclntab_is_root(f.name)) {
		out->cfa = CFA_END;
	} else if (gopclntab_sp_delta(go, vaddr, &delta) && delta >= 0 &&
		   delta < INT32_MAX - 8) {
		out->cfa = CFA_GO;
		out->cfa_offset = (int32_t)delta + 8;
		out->ra = SAVE_CFA;
		out->ra_offset = -8;
		out->rbp = delta >= 8 ? SAVE_CFA : SAVE_SAME;
		out->rbp_offset = -16;
	}
}

const struct rule_slot *rules_miss(struct rules *r, uint64_t pc)
{
	const struct mapping *map = maps_find(r->maps, pc);
	struct rule_slot *s = &r->slot[rules_index(r, pc)];
	const struct unwind_table *t;
	uint64_t vaddr;

	if (!map || pc == 0)
		return NULL;
	r->misses++;
	s->pc = pc;
	s->place = place_of(r, map);
	memset(&s->rule, 0, sizeof(s->rule));
	t = unwind_tables_get(r->tables, map->object);
	if (!t && map->object->kind == OBJECT_FILE)
		s->pc = 0; /* it has not answered: ask again the next time */
	if (!t || !elf_vaddr_of(&t->elf, mapping_offset(map, pc), &vaddr))
		return s;
	eh_frame_rule(&t->eh, vaddr, &s->rule);
	if (s->rule.cfa == CFA_NONE && t->has_go)
		go_rule(&t->go, vaddr, &s->rule);
	return s;
}

uint64_t rules_function_start(struct rules *r, uint64_t pc)
{
	const struct mapping *map = maps_find(r->maps, pc);
	const struct unwind_table *t =
	    map ? unwind_tables_get(r->tables, map->object) : NULL;
	uint64_t vaddr, start, bytes;

	if (!t || !elf_vaddr_of(&t->elf, mapping_offset(map, pc), &vaddr) ||
	    !eh_frame_function(&t->eh, vaddr, &start, &bytes))
		return 0;
	return pc - (vaddr - start);
}
