/* Ruby's (MRI's) collections: a bit that is set while it collects, and a count. Where they are no
 * symbol says, but two functions any extension may call read them, and their code does:
 *
 *	rb_gc_count:  mov rip+A, rax; mov (rax), rax; mov V(rax), rax; mov C(rax), rax; ret
 *	rb_during_gc: ...                 the same ...; movzx B(rax), eax; shr S, al; and 1, eax
 *
 * So *A is the address of the pointer to the virtual machine, V in it the object space, and C and
 * B, S in that the count and the bit. What is not this code is not decoded. A collection marks and
 * sweeps in steps, each a pause of its own: too many for a debug register. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "runtime/gc_flag.h"
#include "target/memory.h"

#define LOOK_NS (10 * NS_PER_MSEC)
#define CODE_BYTES 48u
#define OFFSET_MAX 65536u

struct source {
	pid_t pid;
	uint64_t space; /* the object space */
	uint32_t count_at, flag_at;
	unsigned shift;
	struct gc_flag flag;
};

/* `mov disp(%rax),%rax` with a displacement of 0, 8 or 32 bits. */
static bool take_load(struct cursor *c, uint32_t *offset)
{
	uint8_t how;

	if (cursor_u8(c) != 0x48 || cursor_u8(c) != 0x8b)
		return false;
	how = cursor_u8(c);
	*offset = how == 0x40 ? cursor_u8(c) : how == 0x80 ? cursor_u32(c) : 0;
	return !c->failed && (how == 0x00 || how == 0x40 || how == 0x80) &&
	       *offset < OFFSET_MAX;
}

/* The start both have in common; *slot is the address A. */
static bool take_start(struct cursor *c, uint64_t at, uint64_t *slot, uint32_t *space)
{
	uint32_t zero;

	if (c->in.n >= 4 && memcmp(c->in.p, "\xf3\x0f\x1e\xfa", 4) == 0)
		cursor_skip(c, 4); /* endbr64 */
	if (cursor_u8(c) != 0x48 || cursor_u8(c) != 0x8b || cursor_u8(c) != 0x05)
		return false;
	*slot = (uint64_t)(int64_t)(int32_t)cursor_u32(c);
	*slot += at + c->at;
	return take_load(c, &zero) && zero == 0 && take_load(c, space);
}

static bool decode(struct source *s, const uint64_t function[2])
{
	unsigned char code[2][CODE_BYTES];
	uint64_t slot[2], vm;
	uint32_t space[2];
	struct cursor c[2];
	size_t i;

	for (i = 0; i < 2; i++) {
		c[i] = cursor_over((struct bytes){ code[i], CODE_BYTES });
		if (mem_live_read_some(s->pid, function[i], code[i], CODE_BYTES) !=
			(ssize_t)CODE_BYTES ||
		    !take_start(&c[i], function[i], &slot[i], &space[i]))
			return false;
	}
	if (slot[0] != slot[1] || space[0] != space[1] ||
	    !take_load(&c[0], &s->count_at) || cursor_u8(&c[0]) != 0xc3)
		return false;
	if (cursor_u8(&c[1]) != 0x0f || cursor_u8(&c[1]) != 0xb6 ||
	    cursor_u8(&c[1]) != 0x40)
		return false;
	s->flag_at = cursor_u8(&c[1]);
	if (cursor_u8(&c[1]) != 0xc0 || cursor_u8(&c[1]) != 0xe8)
		return false;
	s->shift = cursor_u8(&c[1]) & 7;
	/* A holds the address of the variable that holds the machine's. */
	return mem_live_read_some(s->pid, slot[0], &vm, 8) == 8 &&
	       mem_live_read_some(s->pid, vm, &vm, 8) == 8 &&
	       mem_live_read_some(s->pid, vm + space[0], &s->space, 8) == 8 && s->space;
}

static size_t find_library(const struct maps *maps)
{
	size_t at = gc_mapping(maps, "libruby");

	return at < maps->list.n ? at : gc_mapping(maps, "ruby");
}

static void *open_source(const struct gc_place *place, struct pauses *to)
{
	static const char *const names[2] = { "rb_gc_count", "rb_during_gc" };
	size_t at = find_library(place->maps);
	uint64_t function[2];
	struct source *s;

	if (at == place->maps->list.n ||
	    gc_symbols(place->maps, at, names, function, 2) < 2)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->pid = place->pid;
	if (!decode(s, function)) {
		free(s);
		return NULL;
	}
	gc_flag_init(&s->flag,
		     &(struct gc_flag_config){ .runtime = "Ruby",
					       .counters = "counter",
					       .generations = { "gc" },
					       .n_generations = 1,
					       .steps = true },
		     to);
	return s;
}

static void close_source(void *source)
{
	struct source *s = source;

	gc_flag_done(&s->flag);
	free(s);
}

static bool look(void *source, uint64_t now)
{
	struct source *s = source;
	struct gc_flag_counts counts = { { 0 }, { 0 } };
	uint8_t flag;

	now = clock_now_ns();
	if (mem_live_read_some(s->pid, s->space + s->flag_at, &flag, 1) != 1 ||
	    mem_live_read_some(s->pid, s->space + s->count_at, counts.collections, 8) !=
		8)
		return false;
	gc_flag_look(&s->flag, now, flag >> s->shift & 1, &counts);
	return true;
}

const struct gc_source ruby_gc_source = {
	.name = "Ruby",
	.open = open_source,
	.close = close_source,
	.period_ns = LOOK_NS,
	.look = look,
};
