/* libunwind asks for memory by target address, also for its tables. So each file's tables
 * get the addresses they would have in the target, computed from the mapping the pc lies
 * in, and reads there are answered from our copies of the file. A table made by a linear
 * parse exists in no file: it is given an address in the non-canonical half, which
 * nothing else can have.
 *
 * The address space caches rules by pc and is flushed when the mappings change. Text
 * reads as zero: libunwind looks there for signal trampolines and PLT entries by their
 * bytes, both of which .eh_frame tells too, and takes unreadable text for a call through
 * a bad pointer, whose frame it then mistakes. */
#include "unwind/libunwind.h"

#include <libunwind.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "unwind/tables.h"

#define MADE_TABLES 0x8000000000000000ull
#define WINDOWS_MAX 4096
#define PLAIN_BITS 10
#define DATA_BYTES_MAX (64u << 20)

/* Exported for users of the remote interface, though declared in no installed header. */
int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t as, unw_word_t ip,
				       unw_dyn_info_t *di, unw_proc_info_t *pi,
				       int need_unwind_info, void *arg);

/* Bytes that stand at an address of the target, or would. */
struct window {
	uint64_t start;
	struct bytes bytes;
};

struct libunwind {
	unw_addr_space_t space;
	struct unwind_tables *tables;
	const struct maps *maps;
	uint32_t generation;
	VEC(struct window) windows;
	size_t last_window;
	uint64_t plain[1 << PLAIN_BITS]; /* pcs known to be in no signal frame */
	unsigned char live_window[STACK_WINDOW_BYTES];
	/* Of the walk going on. */
	const struct unwind_input *in;
	struct stack *stack;
};

static void add_window(struct libunwind *l, uint64_t start, struct bytes bytes)
{
	size_t i;

	if (!bytes.n)
		return;
	for (i = 0; i < l->windows.n; i++)
		if (l->windows.v[i].start == start)
			return;
	if (l->windows.n < WINDOWS_MAX)
		*VEC_PUSH(&l->windows) = (struct window){ start, bytes };
}

static bool window_read(struct libunwind *l, uint64_t address, unw_word_t *v)
{
	size_t i;

	for (i = 0; i < l->windows.n; i++) {
		size_t k = (l->last_window + i) % l->windows.n;
		const struct window *w = &l->windows.v[k];
		uint64_t at = address - w->start, left;

		if (at >= w->bytes.n)
			continue;
		/* Words are read whole even where four bytes are wanted. */
		left = w->bytes.n - at;
		*v = 0;
		memcpy(v, w->bytes.p + at, left < sizeof(*v) ? left : sizeof(*v));
		l->last_window = k;
		return true;
	}
	return false;
}

static const struct unwind_table *table_at(struct libunwind *l, uint64_t pc,
					   uint64_t *vaddr)
{
	const struct mapping *map = maps_find(l->maps, pc);
	const struct unwind_table *t =
	    map ? unwind_tables_get(l->tables, map->object) : NULL;

	if (!t || !elf_vaddr_of(&t->elf, mapping_offset(map, pc), vaddr))
		return NULL;
	return t;
}

static int find_proc_info(unw_addr_space_t space, unw_word_t pc, unw_proc_info_t *pi,
			  int need, void *arg)
{
	unw_dyn_info_t di = { .format = UNW_INFO_FORMAT_REMOTE_TABLE };
	struct libunwind *l = arg;
	uint64_t vaddr, bias, made;
	const struct unwind_table *t = table_at(l, pc, &vaddr);
	const struct eh_frame *eh;

	if (!t || !t->eh.entries)
		return -UNW_ENOINFO;
	eh = &t->eh;
	bias = pc - vaddr;
	add_window(l, eh->frame_vaddr + bias, eh->frame);
	di.end_ip = UINT64_MAX;
	if (eh->own_table) {
		made = MADE_TABLES | ((uint64_t)(uintptr_t)eh->own_table & ~MADE_TABLES);
		add_window(l, made, (struct bytes){ eh->own_table, eh->entries * 8 });
		di.u.rti.segbase = eh->frame_vaddr + bias;
		di.u.rti.table_data = made;
	} else {
		add_window(l, eh->hdr_vaddr + bias, eh->hdr);
		di.u.rti.segbase = eh->hdr_vaddr + bias;
		di.u.rti.table_data = eh->hdr_vaddr + bias + eh->table_at;
	}
	di.u.rti.table_len = eh->entries * 8 / sizeof(unw_word_t);
	return UNW_OBJ(dwarf_search_unwind_table)(space, pc, &di, pi, need, arg);
}

static void put_unwind_info(unw_addr_space_t space, unw_proc_info_t *pi, void *arg)
{
	(void)space, (void)pi, (void)arg;
}

static int no_dynamic_info(unw_addr_space_t space, unw_word_t *list, void *arg)
{
	(void)space, (void)list, (void)arg;
	return -UNW_ENOINFO;
}

/* Data of a file stands behind its code. libunwind reads there where a table names a
 * personality routine by way of a pointer, which no step needs. */
static bool in_data_of_file(const struct maps *maps, uint64_t address)
{
	size_t low = 0, high = maps->list.n;

	while (low < high) { /* the first mapping that starts after it */
		size_t mid = low + (high - low) / 2;

		if (maps->list.v[mid].start <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 && maps->list.v[low - 1].object->kind == OBJECT_FILE &&
	       address - maps->list.v[low - 1].end < DATA_BYTES_MAX;
}

static int access_mem(unw_addr_space_t space, unw_word_t address, unw_word_t *v,
		      int write, void *arg)
{
	struct libunwind *l = arg;
	uint64_t word;

	(void)space;
	if (write)
		return -UNW_EINVAL;
	if (address - l->stack->base < l->stack->words_end ||
	    !window_read(l, address, v)) {
		if (maps_find(l->maps, address))
			word = 0;
		else if (!stack_u64(l->stack, address, &word)) {
			if (!in_data_of_file(l->maps, address))
				return -UNW_EINVAL;
			word = 0;
		}
		*v = word;
	}
	return 0;
}

static int access_reg(unw_addr_space_t space, unw_regnum_t reg, unw_word_t *v, int write,
		      void *arg)
{
	struct libunwind *l = arg;

	(void)space;
	if (write || reg < 0 || reg >= DWARF_REGS)
		return -UNW_EBADREG;
	*v = l->in->reg[reg];
	return 0;
}

static int no_float(unw_addr_space_t space, unw_regnum_t reg, unw_fpreg_t *v, int write,
		    void *arg)
{
	(void)space, (void)reg, (void)v, (void)write, (void)arg;
	return -UNW_EBADREG;
}

static int no_resume(unw_addr_space_t space, unw_cursor_t *cursor, void *arg)
{
	(void)space, (void)cursor, (void)arg;
	return -UNW_EINVAL;
}

static int no_name(unw_addr_space_t space, unw_word_t pc, char *name, size_t size,
		   unw_word_t *offset, void *arg)
{
	(void)space, (void)pc, (void)name, (void)size, (void)offset, (void)arg;
	return -UNW_ENOINFO;
}

struct libunwind *libunwind_new(struct unwind_tables *tables, const struct maps *maps)
{
	struct libunwind *l = xcalloc(1, sizeof(*l));
	unw_accessors_t calls = {
		.find_proc_info = find_proc_info,
		.put_unwind_info = put_unwind_info,
		.get_dyn_info_list_addr = no_dynamic_info,
		.access_mem = access_mem,
		.access_reg = access_reg,
		.access_fpreg = no_float,
		.resume = no_resume,
		.get_proc_name = no_name,
	};

	l->tables = tables;
	l->maps = maps;
	l->space = unw_create_addr_space(&calls, 0);
	if (l->space)
		unw_set_caching_policy(l->space, UNW_CACHE_GLOBAL);
	return l;
}

void libunwind_free(struct libunwind *l)
{
	if (!l)
		return;
	if (l->space)
		unw_destroy_addr_space(l->space);
	VEC_DONE(&l->windows);
	free(l);
}

static bool start(struct libunwind *l, const struct unwind_input *in, struct stack *stack,
		  unw_cursor_t *cursor)
{
	if (!l->space)
		return false;
	if (l->generation != l->maps->generation) {
		unw_flush_cache(l->space, 0, 0);
		VEC_CLEAR(&l->windows);
		memset(l->plain, 0, sizeof(l->plain));
		l->generation = l->maps->generation;
	}
	l->in = in;
	l->stack = stack;
	return unw_init_remote(cursor, l->space, l) == 0;
}

enum libunwind_result libunwind_step(struct libunwind *l, const struct unwind_input *in,
				     struct stack *stack, uint32_t depth, uint64_t pc,
				     uint64_t reg[DWARF_REGS])
{
	unw_cursor_t cursor;
	unw_word_t v = 0;
	uint32_t i;
	int ret;

	if (!start(l, in, stack, &cursor))
		return LIBUNWIND_FAILED;
	for (i = 0; i < depth; i++)
		if (unw_step(&cursor) <= 0)
			return LIBUNWIND_FAILED;
	if (unw_get_reg(&cursor, UNW_X86_64_RIP, &v) != 0 || v != pc)
		return LIBUNWIND_FAILED;
	ret = unw_step(&cursor);
	if (ret <= 0)
		return ret == 0 ? LIBUNWIND_END : LIBUNWIND_FAILED;
	for (i = 0; i < DWARF_REGS; i++)
		if (unw_get_reg(&cursor, (int)i, &v) == 0)
			reg[i] = v;
	return LIBUNWIND_STEPPED;
}

/* Whether the frame at this pc was interrupted, not called, by what is above it. */
static bool is_signal_frame(struct libunwind *l, uint64_t pc)
{
	uint64_t *plain = &l->plain[pc * 0x9e3779b97f4a7c15ull >> (64 - PLAIN_BITS)];
	const struct unwind_table *t;
	struct unwind_rule rule;
	uint64_t vaddr;

	if (*plain == pc)
		return false;
	t = table_at(l, pc, &vaddr);
	if (t) {
		eh_frame_rule(&t->eh, vaddr, &rule);
		if (rule.signal_frame)
			return true;
	}
	*plain = pc;
	return false;
}

static bool append(struct libunwind *l, struct callstack *cs, uint64_t pc)
{
	const struct mapping *map = maps_find(l->maps, pc);
	struct frame *f = &cs->frame[cs->depth++];

	if (!map) {
		*f = (struct frame){ .kind = FRAME_MARK, .address = MARK_UNKNOWN_CODE };
		return false;
	}
	f->kind = map->object->kind == OBJECT_JIT ? FRAME_JIT : FRAME_NATIVE;
	f->object = map->object->id;
	f->address = mapping_offset(map, pc);
	return true;
}

void libunwind_walk(struct libunwind *l, const struct unwind_input *in,
		    struct callstack *cs)
{
	struct stack stack;
	unw_cursor_t cursor;
	unw_word_t pc;
	bool exact = true;
	int ret = 1;

	cs->complete = cs->truncated = cs->inferred = cs->stitched = false;
	stack_init(&stack, in->stack, in->reg[DWARF_RSP], in->live, l->live_window);
	if (!start(l, in, &stack, &cursor))
		return;
	while (ret > 0 && unw_get_reg(&cursor, UNW_X86_64_RIP, &pc) == 0 && pc != 0) {
		uint64_t key = pc - !exact;

		if (cs->depth == DEPTH_MAX) {
			cs->truncated = true;
			break;
		}
		if (!append(l, cs, key))
			break;
		exact = is_signal_frame(l, key);
		ret = unw_step(&cursor);
		cs->complete = ret == 0;
	}
	cs->truncated |= stack.cut;
	cs->stitched = stack.used_live;
}
