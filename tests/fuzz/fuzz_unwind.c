/* Registers and copied stacks of a target: every walk ends, within the limits of a stack. Code and
 * its tables are those of this program and of libc: a word whose highest byte is 0xf0 stands for a
 * place in one of them, one with 0xf1 for a place in the stack. The first byte says whether there
 * is memory to read beyond the copy, and whether only two registers are known. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unwind/unwind.h"

#define STACK_MAX (64u << 10)
#define STACK_AT 0x7f0000000000ull
#define PLACES 2u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct maps maps;
	struct mapping place[PLACES]; /* code of the program, of libc */
	struct objects *objects;
	struct unwind_tables *tables;
	struct unwinder *unwinder;
} own; /* kept: made once */

static void must(int holds)
{
	if (!holds)
		abort();
}

static void learn_own(void)
{
	size_t i;

	maps_init(&own.maps);
	own.objects = objects_new();
	own.tables = unwind_tables_new();
	must(maps_read(&own.maps, own.objects, getpid()) == 0);
	for (i = 0; i < own.maps.list.n; i++) {
		const struct mapping *m = &own.maps.list.v[i];

		if (m->object->main)
			own.place[0] = *m;
		if (strncmp(m->object->name, "libc.so", 7) == 0)
			own.place[1] = *m;
	}
	own.unwinder = unwinder_new(own.tables, &own.maps);
}

static uint64_t word_of(const uint8_t *p)
{
	uint64_t word;
	const struct mapping *m;

	memcpy(&word, p, sizeof(word));
	if (word >> 56 == 0xf1) /* in the stack */
		return STACK_AT + (word & (STACK_MAX - 1));
	if (word >> 56 != 0xf0)
		return word;
	m = &own.place[(word >> 48) % PLACES];
	return m->end ? m->start + (word & 0xffffffff) % (m->end - m->start) : word;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t words[STACK_MAX / 8], sp[DEPTH_MAX];
	static struct callstack stack;
	struct unwind_input in = { .sp = sp };
	struct mem_bytes live;
	size_t i, n, copied;

	if (size < 2 + DWARF_REGS * 8)
		return 0;
	if (!own.unwinder)
		learn_own();
	for (i = 0; i < DWARF_REGS; i++)
		in.reg[i] = word_of(data + 2 + i * 8);
	n = (size - 2) / 8 - DWARF_REGS;
	n = n < STACK_MAX / 8 ? n : STACK_MAX / 8;
	for (i = 0; i < n; i++)
		words[i] = word_of(data + 2 + (DWARF_REGS + i) * 8);
	/* Half of it is copied, the rest read live, or there is no more. */
	copied = data[0] & 1 ? n / 2 : n;
	in.stack = (struct bytes){ (const unsigned char *)words, copied * 8 };
	in.reg[DWARF_RSP] = STACK_AT;
	in.only_sp_and_ip = data[0] & 2;
	mem_bytes_init(&live, STACK_AT,
		       (struct bytes){ (const unsigned char *)words, n * 8 });
	if (data[0] & 1)
		in.live = &live.mem;
	stack.depth = 0;
	unwinder_walk(own.unwinder, &in, &stack);
	must(stack.depth <= DEPTH_MAX);
	for (i = 0; i < stack.depth; i++)
		must(stack.frame[i].kind == FRAME_NATIVE ||
		     stack.frame[i].kind == FRAME_JIT ||
		     stack.frame[i].kind == FRAME_MARK);
	return 0;
}
