/* Where the calls of a function end, on code written as bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "elf/exits.h"

#define BASE 0x1000u

/* Functions of one image: function i begins at start[i] and ends where the next one begins. */
struct image {
	const unsigned char *code;
	size_t n;
	uint64_t start[8];
	size_t functions;
	size_t gap; /* the first ends there, when not 0 */
};

static bool function_at(void *arg, uint64_t address, uint64_t *start, uint64_t *bytes)
{
	const struct image *m = arg;
	size_t i;

	for (i = 0; i < m->functions; i++) {
		uint64_t end = i == 0 && m->gap	      ? m->gap
			       : i + 1 < m->functions ? m->start[i + 1]
						      : m->n;

		if (address < BASE + m->start[i] || address >= BASE + end)
			continue;
		*start = BASE + m->start[i];
		*bytes = end - m->start[i];
		return true;
	}
	return false;
}

static bool read_code(void *arg, uint64_t address, void *to, size_t n)
{
	const struct image *m = arg;

	if (address < BASE || address - BASE > m->n || n > m->n - (address - BASE))
		return false;
	memcpy(to, m->code + (address - BASE), n);
	return true;
}

static bool find(const struct image *m, struct exits *out, const char **why)
{
	struct exits_source s = { function_at, read_code, (void *)(uintptr_t)m };

	*why = "";
	return exits_find(&s, BASE, out, why);
}

#define IMAGE(...)                                                                  \
	(struct image)                                                              \
	{                                                                           \
		.code = (const unsigned char[]){ __VA_ARGS__ },                     \
		.n = sizeof((const unsigned char[]){ __VA_ARGS__ }), .functions = 1 \
	}

static void test_plain(void **state)
{
	/* endbr64; push rbp; je +1; ret; pop rbp; ret */
	struct image m =
	    IMAGE(0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x74, 0x01, 0xc3, 0x5d, 0xc3);
	struct exits e;
	const char *why;

	(void)state;
	assert_true(find(&m, &e, &why));
	assert_int_equal(e.entry, BASE + 4);
	assert_int_equal(e.n, 2);
	assert_int_equal(e.at[0], BASE + 7);
	assert_int_equal(e.at[1], BASE + 9);
	assert_false(e.restarts);
	assert_int_equal(e.unknown, 0);
}

/* The last byte of a constant is the code of a return. */
static void test_return_in_a_constant(void **state)
{
	/* mov eax, 0xc3c3c3c3; ret */
	struct image m = IMAGE(0xb8, 0xc3, 0xc3, 0xc3, 0xc3, 0xc3);
	struct exits e;
	const char *why;

	(void)state;
	assert_true(find(&m, &e, &why));
	assert_int_equal(e.n, 1);
	assert_int_equal(e.at[0], BASE + 5);
}

static void test_tail_call(void **state)
{
	/* jmp +1 (to the second function); ret; | nop; ret */
	struct image m = IMAGE(0xeb, 0x01, 0xc3, 0x90, 0xc3);
	struct exits e;
	const char *why;

	(void)state;
	m.functions = 2;
	m.start[1] = 3;
	assert_true(find(&m, &e, &why));
	assert_int_equal(e.n, 2);
	assert_int_equal(e.at[1], BASE + 4);
}

static void test_tail_call_that_cannot_be_decoded(void **state)
{
	/* jne +1; ret; | (06 is no instruction) */
	struct image m = IMAGE(0x75, 0x01, 0xc3, 0x06, 0x06);
	struct exits e;
	const char *why;

	(void)state;
	m.functions = 2;
	m.start[1] = 3;
	assert_true(find(&m, &e, &why));
	assert_int_equal(e.n, 1);
	assert_int_equal(e.unknown, 1);
}

static void test_jump_to_the_entry(void **state)
{
	/* nop; je -3; ret */
	struct image m = IMAGE(0x90, 0x74, 0xfd, 0xc3);
	struct exits e;
	const char *why;

	(void)state;
	assert_true(find(&m, &e, &why));
	assert_true(e.restarts);
}

/* The entry of a linkage table is of no function: a jump through a pointer to one. */
static void test_linkage_table(void **state)
{
	/* jmp +3; | nop; nop; nop; endbr64; jmp [rip + 0]; the pointer; | nop...; ret */
	unsigned char code[64] = { 0xeb, 0x03, 0x90, 0x90, 0x90, 0xf3,
				   0x0f, 0x1e, 0xfa, 0xff, 0x25 };
	struct image m = { .code = code, .n = sizeof(code), .functions = 2, .gap = 2 };
	uint64_t pointer = BASE + 40;
	struct exits e;
	const char *why;

	(void)state;
	memcpy(code + 15, &pointer, sizeof(pointer));
	memset(code + 40, 0x90, 23);
	code[63] = 0xc3;
	m.start[1] = 40;
	assert_true(find(&m, &e, &why));
	assert_int_equal(e.n, 1);
	assert_int_equal(e.at[0], BASE + 63);
}

static void refused(struct image m, const char *reason)
{
	struct exits e;
	const char *why;

	assert_false(find(&m, &e, &why));
	assert_string_equal(why, reason);
}

static void test_refused(void **state)
{
	(void)state;
	refused(IMAGE(0x90, 0x06, 0xc3), "part of it is no code that can be decoded");
	/* its last instruction is longer than it */
	refused(IMAGE(0x90, 0xc3, 0xb8, 0x01),
		"part of it is no code that can be decoded");
	/* jmp into the constant of the next instruction */
	refused(IMAGE(0xeb, 0x01, 0xb8, 0xc3, 0xc3, 0xc3, 0xc3, 0xc3),
		"a jump leads into the middle of an instruction");
	refused(IMAGE(0x90, 0x0f, 0x0b), "it never returns");
	refused(IMAGE(0xff, 0xe0),
		"it ends in a jump to where is not known"); /* jmp rax */
	refused(IMAGE(0x48, 0xcf),
		"it returns as an interrupt or a far call does"); /* iretq */
	/* mov eax, [rip - 6] */
	refused(IMAGE(0x8b, 0x05, 0xfa, 0xff, 0xff, 0xff, 0xc3),
		"it holds data among its code");
}

/* Computed gotos, and __builtin_setjmp(), which keeps a label and the stack pointer. */
static void test_labels(void **state)
{
	/* lea rax, [rip + 2]; jmp rax; ret */
	struct image jumped = IMAGE(0x48, 0x8d, 0x05, 2, 0, 0, 0, 0xff, 0xe0, 0xc3);
	/* lea rdi, [rip + 10]; mov [rsp + 0x58], rdi; mov [rsp + 0x60], rsp; ret */
	struct image kept = IMAGE(0x48, 0x8d, 0x3d, 10, 0, 0, 0, 0x48, 0x89, 0x7c, 0x24,
				  0x58, 0x48, 0x89, 0x64, 0x24, 0x60, 0xc3);
	/* lea rax, [rip - 7]: itself */
	struct image itself = IMAGE(0x48, 0x8d, 0x05, 0xf9, 0xff, 0xff, 0xff, 0xc3);
	struct exits e;
	const char *why;

	(void)state;
	assert_true(find(&jumped, &e, &why));
	assert_int_equal(e.n, 1);
	assert_int_equal(e.unknown, 1);
	assert_true(find(&kept, &e, &why));
	assert_true(find(&itself, &e, &why));
}

/* The kernel puts no probe on AVX; the next instructions are as good, if all calls pass them once. */
static void test_later(void **state)
{
	/* vmovd xmm0, esi; mov eax, edi; push rbp; pop rbp; ret */
	struct image m = IMAGE(0xc5, 0xf9, 0x6e, 0xc6, 0x89, 0xf8, 0x55, 0x5d, 0xc3);
	/* vmovd xmm0, esi; mov eax, edi; je -4, to the mov; ret */
	struct image loop = IMAGE(0xc5, 0xf9, 0x6e, 0xc6, 0x89, 0xf8, 0x74, 0xfc, 0xc3);
	/* vmovd xmm0, esi; mov eax, edi; je; ret; jmp rax */
	struct image unknown =
	    IMAGE(0xc5, 0xf9, 0x6e, 0xc6, 0x89, 0xf8, 0x74, 0x01, 0xc3, 0xff, 0xe0);
	struct exits e;
	const char *why;

	(void)state;
	assert_true(find(&m, &e, &why));
	assert_int_equal(e.n_later, 2);
	assert_int_equal(e.later[0], BASE + 4);
	assert_int_equal(e.later[1], BASE + 6);
	assert_true(find(&loop, &e, &why));
	assert_int_equal(e.n_later, 0);
	assert_true(find(&unknown, &e, &why));
	assert_int_equal(e.n_later, 0);
}

/* A switch of two cases; the table is behind the function. */
static void test_jump_table(void **state)
{
	/* cmp edi, 1; ja; lea rdx, [rip + 11]; movsxd rax, [rdx + 4 * rdi]; add rax, rdx; jmp rax;
	 * ret */
	unsigned char code[] = { 0x83, 0xff, 1,	   0x77, 0x10, 0x48, 0x8d, 0x15,
				 11,   0,    0,	   0,	 0x48, 0x63, 0x04, 0xba,
				 0x48, 0x01, 0xd0, 0xff, 0xe0, 0xc3, 0x90, 0xfe,
				 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff };
	struct image m = { .code = code, .n = sizeof(code), .functions = 1, .gap = 22 };
	struct exits e;
	const char *why;

	(void)state;
	assert_true(find(&m, &e, &why));
	assert_int_equal(e.n, 1);
	assert_int_equal(e.unknown, 1);
	code[27] = 0xfd; /* the second case: into the jump */
	refused(m, "a jump leads into the middle of an instruction");
	code[2] = 0; /* now there is one */
	assert_true(find(&m, &e, &why));
}

static void test_what_may_be_data(void **state)
{
	static const char unknown[] = "it holds data among its code, or an address of "
				      "its own whose use is not known";

	(void)state;
	/* lea rax, [rip + 3]; mov rax, [rax]; ret */
	refused(IMAGE(0x48, 0x8d, 0x05, 3, 0, 0, 0, 0x48, 0x8b, 0, 0xc3), unknown);
	/* lea rdx, [rip + 10]; movsxd rax, [rdx + 4 * rax]; add rax, rdx; jmp rax; nop; ret */
	refused(IMAGE(0x48, 0x8d, 0x15, 10, 0, 0, 0, 0x48, 0x63, 0x04, 0x82, 0x48, 0x01,
		      0xd0, 0xff, 0xe0, 0x90, 0xc3),
		unknown);
	/* lea rax, [rip + 3]; jmp rax; into mov eax, 0xc3 */
	refused(
	    IMAGE(0x48, 0x8d, 0x05, 3, 0, 0, 0, 0xff, 0xe0, 0xb8, 0xc3, 0, 0, 0, 0xc3),
	    unknown);
	/* lea rdi, [rip + 5]; call; ret */
	refused(IMAGE(0x48, 0x8d, 0x3d, 5, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0xc3), unknown);
	/* lea rdi, [rip + 5]; mov [rsp + 0x58], rdi; ret */
	refused(IMAGE(0x48, 0x8d, 0x3d, 5, 0, 0, 0, 0x48, 0x89, 0x7c, 0x24, 0x58, 0xc3),
		unknown);
}

static void test_bounds(void **state)
{
	static unsigned char code[EXITS_CODE_MAX + 16];
	struct image m = { .code = code, .n = sizeof(code), .functions = 1 };
	struct exits e;
	const char *why;

	(void)state;
	memset(code, 0x90, sizeof(code));
	assert_false(find(&m, &e, &why));
	assert_string_equal(why, "it is too long");
	memset(code, 0xc3, sizeof(code));
	m.n = EXITS_MAX + 1;
	assert_false(find(&m, &e, &why));
	assert_string_equal(why, "it has too many exits");
	m.n = 0;
	assert_false(find(&m, &e, &why));
	m.functions = 0;
	assert_false(find(&m, &e, &why));
	assert_string_equal(why, "where it begins and ends is not known");
}

static void test_emulated(void **state)
{
	(void)state;
	assert_true(exits_is_emulated((const unsigned char[]){ 0x55 }, 1));
	assert_true(exits_is_emulated((const unsigned char[]){ 0x41, 0x57 }, 2));
	assert_false(exits_is_emulated((const unsigned char[]){ 0xc3 }, 1));
	assert_false(exits_is_emulated((const unsigned char[]){ 0x41 }, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_return_in_a_constant),
		cmocka_unit_test(test_tail_call),
		cmocka_unit_test(test_tail_call_that_cannot_be_decoded),
		cmocka_unit_test(test_jump_to_the_entry),
		cmocka_unit_test(test_linkage_table),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_jump_table),
		cmocka_unit_test(test_what_may_be_data),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_emulated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
