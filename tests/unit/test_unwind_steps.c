/* Single steps of the unwinder: stacks written as words, code that is never run. Only the
 * unwind rules and the addresses of that code matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "unwind/framepointer.h"
#include "unwind/unwind.h"

static struct fixture {
	struct objects *objects;
	struct maps maps;
	struct unwind_tables *tables;
	struct unwinder *unwinder;
	struct callstack stack;
	struct unwind_input in;
} fx;

static int set_up(void **state)
{
	(void)state;
	fx.objects = objects_new();
	maps_init(&fx.maps);
	fx.tables = unwind_tables_new();
	fx.unwinder = unwinder_new(fx.tables, &fx.maps);
	return maps_read(&fx.maps, fx.objects, getpid());
}

static int tear_down(void **state)
{
	(void)state;
	unwinder_free(fx.unwinder);
	unwind_tables_free(fx.tables);
	maps_done(&fx.maps);
	objects_free(fx.objects);
	return 0;
}

static void test_calls(void **state)
{
	static const struct {
		const char *bytes;
		int64_t target;
		bool is_call;
	} cases[] = {
		{ "\x90\x90\xe8\x10\0\0\0", 16, true },	       /* call +16 */
		{ "\x90\x90\xe8\xf0\xff\xff\xff", -16, true }, /* call -16 */
		{ "\x90\xff\x15\0\x10\0\0", 0, true },	       /* call *0x1000(%rip) */
		{ "\x90\x90\x90\x90\x90\xff\xd0", 0, true },   /* call *%rax */
		{ "\x90\x90\x90\x90\x41\xff\xd4", 0, true },   /* call *%r12 */
		{ "\x90\x90\x90\x90\x90\xff\x10", 0, true },   /* call *(%rax) */
		{ "\x90\x90\x90\x90\xff\x50\x18", 0, true },   /* call *24(%rax) */
		{ "\x90\x90\x90\xff\x14\xc8\x90", 0, false },  /* one byte early */
		{ "\x90\x90\x90\x90\xff\x14\xc8", 0, true },   /* call *(%rax,%rcx,8) */
		{ "\x90\x90\x90\xff\x54\xc8\x08", 0, true },   /* call *8(%rax,%rcx,8) */
		{ "\x90\xff\x90\0\x10\0\0", 0, true },	       /* call *0x1000(%rax) */
		{ "\xff\x94\xc8\0\x10\0\0", 0, true }, /* call *0x1000(%rax,%rcx,8) */
		{ "\x90\x90\x90\x90\x90\xff\xe0", 0, false }, /* jmp *%rax */
		{ "\x90\x90\x90\x90\x90\x90\x90", 0, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char bytes[7];
		int64_t target;

		memcpy(bytes, cases[i].bytes, sizeof(bytes));
		assert_int_equal(framepointer_is_call(bytes, &target), cases[i].is_call);
		assert_int_equal(target, cases[i].target);
	}
}

__asm__(".text\n"
	/* behind pop %rbp: the table still says it is at CFA - 16 */
	".globl at_popped\n"
	".type popped, @function\n"
	"popped: .cfi_startproc\n nop\n .cfi_offset 6, -16\n"
	"at_popped: ret\n .cfi_endproc\n"
	/* a frame by rbp */
	".globl at_framed\n"
	".type framed, @function\n"
	"framed: .cfi_startproc\n nop\n .cfi_def_cfa 6, 16\n .cfi_offset 6, -16\n"
	"at_framed: nop\n nop\n .cfi_endproc\n"
	/* a realigned stack: CFA = [rbp - 8], rbp at [rbp] */
	".globl at_realigned\n"
	".type realigned, @function\n"
	"realigned: .cfi_startproc\n nop\n"
	" .cfi_escape 0x0f,3,0x76,0x78,6\n .cfi_escape 0x10,6,2,0x76,0\n"
	"at_realigned: nop\n nop\n .cfi_endproc\n"
	/* CFA = r12 + 8: a rule for libunwind */
	".globl at_odd\n"
	".type odd, @function\n"
	"odd: .cfi_startproc\n nop\n .cfi_def_cfa 12, 8\n"
	"at_odd: nop\n nop\n .cfi_endproc\n"
	/* the outermost frame */
	".globl at_root\n"
	".type root, @function\n"
	"root: .cfi_startproc\n .cfi_undefined 16\n nop\n"
	"at_root: nop\n nop\n .cfi_endproc\n");

extern const char at_popped[], at_framed[], at_realigned[], at_odd[], at_root[];

#define FAKE_SP 0x7ffd00001000ull

static uint64_t code(const char *label)
{
	return (uint64_t)(uintptr_t)label;
}

/* Unwinds a stack of words at FAKE_SP. */
static void walk_words(const char *pc, const uint64_t *words, size_t n, uint64_t rbp)
{
	memset(fx.in.reg, 0, sizeof(fx.in.reg));
	fx.in.reg[DWARF_RIP] = code(pc);
	fx.in.reg[DWARF_RSP] = FAKE_SP;
	fx.in.reg[DWARF_RBP] = rbp;
	fx.in.reg[DWARF_R12] = FAKE_SP + 8;
	fx.in.stack = (struct bytes){ (const unsigned char *)words, n * 8 };
	fx.in.live = NULL;
	fx.in.only_sp_and_ip = false;
	fx.stack.depth = 0;
	unwinder_walk(fx.unwinder, &fx.in, &fx.stack);
}

static void assert_frame(const struct frame *f, uint64_t pc)
{
	const struct mapping *map = maps_find(&fx.maps, pc);

	assert_non_null(map);
	assert_int_equal(f->kind, FRAME_NATIVE);
	assert_int_equal(f->object, map->object->id);
	assert_int_equal(f->address, mapping_offset(map, pc));
}

static void assert_walk(const char *const *labels, uint32_t n)
{
	uint32_t i;

	assert_true(fx.stack.complete);
	assert_int_equal(fx.stack.depth, n);
	for (i = 0; i < n; i++)
		assert_frame(&fx.stack.frame[i], code(labels[i]) - (i > 0));
}

static void test_register_behind_pop(void **state)
{
	const uint64_t words[] = { code(at_framed) + 1, 7, FAKE_SP + 64,
				   code(at_root) + 1 };
	const char *const frames[] = { at_popped, at_framed + 1, at_root + 1 };

	(void)state;
	walk_words(at_popped, words, 4, FAKE_SP + 16);
	assert_walk(frames, 3);
}

static void test_realigned_stack(void **state)
{
	const uint64_t words[] = { 0, FAKE_SP + 48, 0, 0, 0, code(at_root) + 1 };
	const char *const frames[] = { at_realigned, at_root + 1 };

	(void)state;
	walk_words(at_realigned, words, 6, FAKE_SP + 16);
	assert_walk(frames, 2);
}

/* In the middle of a stack: what is above goes on by our rules. */
static void test_rule_for_libunwind(void **state)
{
	const uint64_t words[] = { code(at_odd) + 1, code(at_framed) + 1, 0, FAKE_SP + 64,
				   code(at_root) + 1 };
	const char *const frames[] = { at_popped, at_odd + 1, at_framed + 1,
				       at_root + 1 };

	(void)state;
	walk_words(at_popped, words, 5, FAKE_SP + 24);
	assert_walk(frames, 4);
	assert_int_equal(unwinder_counts(fx.unwinder).by_libunwind, 1);
}

/* The caller runs on a stack below: read live, word by word, as there is no whole page.
 */
static void test_stack_switch(void **state)
{
	const uint64_t words[] = { 1, 2 }, below[] = { FAKE_SP - 512, code(at_root) + 1 };
	const char *const frames[] = { at_framed, at_root + 1 };
	struct mem_bytes live;

	(void)state;
	mem_bytes_init(&live, FAKE_SP - 1024,
		       (struct bytes){ (const unsigned char *)below, sizeof(below) });
	walk_words(at_framed, words, 2, FAKE_SP - 1024);
	assert_false(fx.stack.complete);
	fx.in.live = &live.mem;
	fx.stack.depth = 0;
	unwinder_walk(fx.unwinder, &fx.in, &fx.stack);
	assert_walk(frames, 2);
	assert_true(fx.stack.stitched);
}

/* rbp points back to itself: a frame that never goes up. */
static void test_loop_ends(void **state)
{
	uint64_t words[8];
	int i;

	(void)state;
	for (i = 0; i < 8; i++)
		words[i] = i % 2 ? code(at_framed) + 1 : FAKE_SP;
	walk_words(at_framed, words, 8, FAKE_SP);
	assert_false(fx.stack.complete);
	assert_in_range(fx.stack.depth, 2, 64);
}

/* Frame pointers from the copy: 0 ends a chain, all that cannot be one breaks it. */
static void test_frame_pointer_step(void **state)
{
	uint64_t words[] = { FAKE_SP + 16, 0x401000, 0, 0x402000 }, rbp, ra;
	struct bytes copy = { (const unsigned char *)words, sizeof(words) };
	struct stack s;

	(void)state;
	stack_init(&s, copy, FAKE_SP, NULL, NULL);
	assert_int_equal(framepointer_step(&s, FAKE_SP, FAKE_SP, &rbp, &ra), LINK_CALLER);
	assert_int_equal(rbp, FAKE_SP + 16);
	assert_int_equal(ra, 0x401000);
	assert_int_equal(framepointer_step(&s, FAKE_SP, 0, &rbp, &ra), LINK_ROOT);
	assert_int_equal(framepointer_step(&s, FAKE_SP + 8, FAKE_SP, &rbp, &ra),
			 LINK_BROKEN);
	assert_int_equal(framepointer_step(&s, FAKE_SP, FAKE_SP + 4, &rbp, &ra),
			 LINK_BROKEN);
	assert_false(s.cut);
	assert_int_equal(framepointer_step(&s, FAKE_SP, FAKE_SP + 24, &rbp, &ra),
			 LINK_BROKEN);
	assert_true(s.cut);
	assert_int_equal(framepointer_step(&s, FAKE_SP, UINT64_MAX - 7, &rbp, &ra),
			 LINK_BROKEN);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_calls),
		CASE(test_frame_pointer_step),
		CASE(test_register_behind_pop),
		CASE(test_realigned_stack),
		CASE(test_rule_for_libunwind),
		CASE(test_stack_switch),
		CASE(test_loop_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
