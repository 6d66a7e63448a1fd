/* No symbol says where they are, but two functions any extension may call read them, and their code
 * does:
 *
 *	rb_gc_count:  mov rip+A, rax; mov (rax), rax; mov V(rax), rax; mov C(rax), rax; ret
 *	rb_during_gc: ...                 the same ...; movzx B(rax), eax; shr S, al; and 1, eax
 *
 * So *A is the address of the pointer to the virtual machine, V in it the object space, and C and
 * B, S in that the count and the bit. What is not this code is not decoded. */
#include "runtime/ruby/gc_code.h"

#include <string.h>

#include "base/bytes.h"
#include "base/cursor.h"

#define CODE_BYTES 48u

/* `mov disp(%rax),%rax` with a displacement of 0, 8 or 32 bits. */
static bool take_load(struct cursor *c, uint32_t *offset)
{
	uint8_t how;

	if (cursor_u8(c) != 0x48 || cursor_u8(c) != 0x8b)
		return false;
	how = cursor_u8(c);
	*offset = how == 0x40 ? cursor_u8(c) : how == 0x80 ? cursor_u32(c) : 0;
	return !c->failed && (how == 0x00 || how == 0x40 || how == 0x80) &&
	       *offset < RUBY_GC_OFFSET_MAX;
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

bool ruby_gc_code_read(const struct mem *mem, uint64_t count, uint64_t during,
		       struct ruby_gc_code *out)
{
	const uint64_t function[2] = { count, during };
	unsigned char code[2][CODE_BYTES];
	uint64_t slot[2], vm;
	uint32_t space[2];
	struct cursor c[2];
	size_t i;

	for (i = 0; i < 2; i++) {
		c[i] = cursor_over((struct bytes){ code[i], CODE_BYTES });
		if (!mem->read(mem, function[i], code[i], CODE_BYTES) ||
		    !take_start(&c[i], function[i], &slot[i], &space[i]))
			return false;
	}
	if (slot[0] != slot[1] || space[0] != space[1] ||
	    !take_load(&c[0], &out->count_at) || cursor_u8(&c[0]) != 0xc3)
		return false;
	if (cursor_u8(&c[1]) != 0x0f || cursor_u8(&c[1]) != 0xb6 ||
	    cursor_u8(&c[1]) != 0x40)
		return false;
	out->flag_at = cursor_u8(&c[1]);
	if (cursor_u8(&c[1]) != 0xc0 || cursor_u8(&c[1]) != 0xe8)
		return false;
	out->shift = cursor_u8(&c[1]) & 7;
	/* A holds the address of the variable that holds the machine's. */
	return mem->read(mem, slot[0], &vm, 8) && mem->read(mem, vm, &vm, 8) &&
	       mem->read(mem, vm + space[0], &out->space, 8) && out->space;
}
