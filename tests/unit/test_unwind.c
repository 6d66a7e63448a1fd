/* The unwinder on stacks of this very process, whose callers are known: every frame is
 * compared with the return addresses the functions themselves noted, and with libunwind.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unwind/libunwind.h"
#include "unwind/unwind.h"

#define COPY_MAX 65536
#define NOTES_MAX 4096
#define NOINLINE __attribute__((noinline, noclone))
#ifdef __clang__
#undef NOINLINE
#define NOINLINE __attribute__((noinline))
#endif

static volatile int sink; /* written behind calls, which would be jumps else */

/* One shared look at this process; the callbacks below have no argument to pass it by. */
static struct fixture {
	struct objects *objects;
	struct maps maps;
	struct unwind_tables *tables;
	struct unwinder *unwinder;
	struct libunwind *libunwind;
	struct callstack stack, oracle;
	unsigned char copy[COPY_MAX];
	ucontext_t context;
	struct unwind_input in;
	size_t copy_bytes; /* what the tests ask for */
	bool live, without_registers;
	uint64_t note[NOTES_MAX]; /* return addresses, innermost first */
	size_t n_notes;
} fx;

static bool read_self(const struct mem *m, uint64_t address, void *to, size_t len)
{
	struct iovec here = { to, len }, there = { (void *)(uintptr_t)address, len };

	(void)m;
	return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)len;
}

static const struct mem self_memory = { read_self };

static int set_up(void **state)
{
	(void)state;
	fx.objects = objects_new();
	maps_init(&fx.maps);
	fx.tables = unwind_tables_new();
	fx.unwinder = unwinder_new(fx.tables, &fx.maps);
	fx.libunwind = libunwind_new(fx.tables, &fx.maps);
	fx.copy_bytes = COPY_MAX;
	fx.live = fx.without_registers = false;
	fx.n_notes = 0;
	return maps_read(&fx.maps, fx.objects, getpid());
}

static int tear_down(void **state)
{
	(void)state;
	libunwind_free(fx.libunwind);
	unwinder_free(fx.unwinder);
	unwind_tables_free(fx.tables);
	maps_done(&fx.maps);
	objects_free(fx.objects);
	return 0;
}

/* <ucontext.h>'s numbers in the order of DWARF's. */
static const unsigned char greg_of[DWARF_REGS] = {
	REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
	REG_R9,	 REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
};

static void set_registers(const ucontext_t *uc)
{
	int i;

	for (i = 0; i < DWARF_REGS; i++)
		fx.in.reg[i] = (uint64_t)uc->uc_mcontext.gregs[greg_of[i]];
}

/* As much of the stack as is asked for and there; through the kernel, which asks no
 * sanitizer. */
static size_t copy_stack(uint64_t sp, size_t want)
{
	size_t n = 0;

	while (n < want && read_self(NULL, sp + n, fx.copy + n, 8))
		n += 8;
	return n;
}

/* Unwinds the stack as it was where uc was filled, while it still stands. */
static void unwind_both(const ucontext_t *uc)
{
	set_registers(uc);
	fx.in.stack.p = fx.copy;
	fx.in.stack.n = copy_stack(fx.in.reg[DWARF_RSP], fx.copy_bytes);
	fx.in.live = fx.live ? &self_memory : NULL;
	fx.in.only_sp_and_ip = false;
	fx.stack.depth = fx.oracle.depth = 0;
	libunwind_walk(fx.libunwind, &fx.in, &fx.oracle);
	if (fx.without_registers) {
		uint64_t sp = fx.in.reg[DWARF_RSP], ip = fx.in.reg[DWARF_RIP];

		memset(fx.in.reg, 0x5a, sizeof(fx.in.reg));
		fx.in.reg[DWARF_RSP] = sp;
		fx.in.reg[DWARF_RIP] = ip;
		fx.in.only_sp_and_ip = true;
	}
	unwinder_walk(fx.unwinder, &fx.in, &fx.stack);
}

/* The innermost NOTES_MAX are kept. */
#define NOTE_CALLER()                        \
	(fx.note[fx.n_notes++ % NOTES_MAX] = \
	     (uint64_t)(uintptr_t)__builtin_return_address(0))

static NOINLINE void look(void)
{
	volatile char *frame = __builtin_frame_address(0); /* so there must be one */

	NOTE_CALLER();
	assert_int_equal(getcontext(&fx.context), 0);
	unwind_both(&fx.context);
	sink += frame[0];
}

static struct frame frame_of(uint64_t pc)
{
	const struct mapping *map = maps_find(&fx.maps, pc);

	assert_non_null(map);
	return (struct frame){ mapping_offset(map, pc), map->object->id,
			       map->object->kind == OBJECT_JIT ? FRAME_JIT
							       : FRAME_NATIVE };
}

static void assert_frame(const struct frame *f, uint64_t pc)
{
	struct frame want = frame_of(pc);

	assert_int_equal(f->kind, want.kind);
	assert_int_equal(f->object, want.object);
	assert_int_equal(f->address, want.address);
}

/* The noted callers, outermost noted first, are frames 1, 2, ... */
static void assert_notes(const struct callstack *cs)
{
	size_t i;

	for (i = 0; i < fx.n_notes && i + 1 < cs->depth; i++)
		assert_frame(&cs->frame[i + 1],
			     fx.note[(fx.n_notes - 1 - i) % NOTES_MAX] - 1);
}

static void assert_same_as_oracle(void)
{
	assert_int_equal(fx.stack.depth, fx.oracle.depth);
	assert_memory_equal(fx.stack.frame, fx.oracle.frame,
			    fx.stack.depth * sizeof(fx.stack.frame[0]));
}

/* Notes where it returns to, then goes on `depth` times before it calls `at_end`. */
static NOINLINE void dig(int depth, void (*at_end)(void))
{
	volatile char room[48];

	room[0] = (char)depth;
	NOTE_CALLER();
	if (depth > 0)
		dig(depth - 1, at_end);
	else
		at_end();
	sink += room[0];
}

static void test_known_callers(void **state)
{
	(void)state;
	dig(20, look);
	assert_int_equal(fx.n_notes, 22);
	assert_true(fx.stack.depth > fx.n_notes);
	assert_true(fx.stack.complete);
	assert_false(fx.stack.truncated);
	assert_false(fx.stack.inferred);
	assert_false(fx.stack.stitched);
	assert_notes(&fx.stack);
	assert_same_as_oracle();
	assert_int_equal(unwinder_counts(fx.unwinder).stacks, 1);
	assert_int_equal(unwinder_counts(fx.unwinder).frames, fx.stack.depth);
	assert_int_equal(unwinder_counts(fx.unwinder).failed_files, 0);
}

/* Two of a stack's addresses may share a slot, by chance of where we are loaded. */
static void assert_no_misses_since(uint64_t misses)
{
	assert_in_range(unwinder_counts(fx.unwinder).misses, misses, misses + 4);
}

static void test_warm_is_the_same(void **state)
{
	uint64_t misses = 0;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		fx.n_notes = 0;
		dig(7, look);
		assert_notes(&fx.stack);
		assert_same_as_oracle();
		if (i == 1)
			misses = unwinder_counts(fx.unwinder).misses;
	}
	assert_no_misses_since(misses);
}

/* User frames go behind what stands in the stack already. */
static void test_appends(void **state)
{
	uint32_t alone;

	(void)state;
	dig(2, look);
	alone = fx.stack.depth;
	fx.stack.depth = 3;
	memset(fx.stack.frame, 0x11, 3 * sizeof(fx.stack.frame[0]));
	unwinder_walk(fx.unwinder, &fx.in, &fx.stack);
	assert_int_equal(fx.stack.depth, alone + 3);
	assert_int_equal(fx.stack.frame[2].object, 0x11111111);
	assert_memory_equal(&fx.stack.frame[3], fx.oracle.frame,
			    alone * sizeof(struct frame));
	fx.stack.depth = DEPTH_MAX;
	unwinder_walk(fx.unwinder, &fx.in, &fx.stack);
	assert_int_equal(fx.stack.depth, DEPTH_MAX);
	assert_true(fx.stack.truncated);
}

static void test_stitched(void **state)
{
	(void)state;
	fx.copy_bytes = 4096;
	fx.live = true;
	dig(600, look);
	assert_true(fx.stack.complete);
	assert_true(fx.stack.stitched);
	assert_false(fx.stack.truncated);
	assert_notes(&fx.stack);
	assert_same_as_oracle();
}

static void test_cut(void **state)
{
	(void)state;
	fx.copy_bytes = 4096;
	dig(600, look);
	assert_false(fx.stack.complete);
	assert_true(fx.stack.truncated);
	assert_true(fx.stack.depth > 10 && fx.stack.depth < 400);
	assert_notes(&fx.stack);
}

static void test_nothing_copied(void **state)
{
	(void)state;
	fx.copy_bytes = 0;
	dig(3, look);
	assert_int_equal(fx.stack.depth, 1);
	assert_true(fx.stack.truncated);
	fx.live = true;
	fx.n_notes = 0;
	dig(3, look);
	assert_true(fx.stack.complete && fx.stack.stitched);
	assert_notes(&fx.stack);
}

static void test_deeper_than_a_callstack(void **state)
{
	(void)state;
	fx.live = true;
	dig(DEPTH_MAX + 500, look);
	assert_int_equal(fx.stack.depth, DEPTH_MAX);
	assert_true(fx.stack.truncated);
	assert_false(fx.stack.complete);
	assert_notes(&fx.stack);
	assert_same_as_oracle();
}

/* 20,000 frames of live stack: bounded by DEPTH_MAX, and not by luck. */
static void *dig_deep(void *arg)
{
	(void)arg;
	dig(20000, look);
	return NULL;
}

static void test_thread_with_a_huge_stack(void **state)
{
	pthread_attr_t a;
	pthread_t t;

	(void)state;
	fx.live = true;
	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 64u << 20);
	assert_int_equal(pthread_create(&t, &a, dig_deep, NULL), 0);
	pthread_join(t, NULL);
	pthread_attr_destroy(&a);
	assert_int_equal(fx.stack.depth, DEPTH_MAX);
	assert_true(fx.stack.truncated);
}

static void *dig_some(void *arg)
{
	(void)arg;
	dig(5, look);
	return NULL;
}

static void test_thread_root(void **state)
{
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, dig_some, NULL), 0);
	pthread_join(t, NULL);
	assert_true(fx.stack.complete);
	assert_notes(&fx.stack);
	assert_same_as_oracle();
}

static uint64_t interrupted_pc;

static NOINLINE void on_signal(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;

	(void)sig, (void)info;
	interrupted_pc = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
	fx.n_notes = 0;
	dig(2, look);
	sink++;
}

static void raise_signal(bool own_stack)
{
	struct sigaction sa = { .sa_sigaction = on_signal,
				.sa_flags = SA_SIGINFO | (own_stack ? SA_ONSTACK : 0) };
	stack_t stack = { .ss_sp = xmalloc(1 << 20), .ss_size = 1 << 20 };
	stack_t none = { .ss_flags = SS_DISABLE };

	assert_int_equal(sigaltstack(&stack, NULL), 0);
	assert_int_equal(sigaction(SIGUSR1, &sa, NULL), 0);
	raise(SIGUSR1);
	assert_int_equal(sigaltstack(&none, NULL), 0);
	free(stack.ss_sp);
}

static void assert_signal_stack(void)
{
	/* look, three digs, on_signal, the trampoline, and what was interrupted: exactly
	 * there */
	assert_true(fx.stack.complete);
	assert_notes(&fx.stack);
	assert_frame(&fx.stack.frame[6], interrupted_pc);
	assert_same_as_oracle();
}

static void test_signal(void **state)
{
	(void)state;
	raise_signal(false);
	assert_signal_stack();
}

static void test_signal_on_its_own_stack(void **state)
{
	(void)state;
	fx.live = true;
	raise_signal(true);
	assert_signal_stack();
	assert_true(fx.stack.stitched);
}

/* push %rbp; mov %rsp, %rbp; call *%rdi; pop %rbp; ret */
static const unsigned char jit_code[] = {
	0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3
};

static void test_jit(void **state)
{
	unsigned char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*call)(void (*)(void));

	(void)state;
	assert_ptr_not_equal(code, MAP_FAILED);
	memcpy(code, jit_code, sizeof(jit_code));
	memcpy(&call, &code, sizeof(call));
	assert_int_equal(maps_read(&fx.maps, fx.objects, getpid()), 0);
	call(look);
	munmap(code, 4096);
	assert_true(fx.stack.complete);
	assert_int_equal(fx.stack.frame[1].kind, FRAME_JIT);
	assert_int_equal(fx.stack.frame[1].address, (uint64_t)(uintptr_t)code + 5);
	assert_int_equal(fx.stack.frame[2].kind, FRAME_NATIVE);
	assert_int_equal(unwinder_counts(fx.unwinder).by_frame_pointer, 1);
	assert_same_as_oracle();
}

/* A mapping that changes owner takes its cached rules along; all others stay. */
static void test_mappings_change(void **state)
{
	struct mapping jit = { 0 };
	const struct mapping *text;
	uint64_t misses;

	(void)state;
	dig(2, look);
	assert_int_equal(fx.stack.frame[1].kind, FRAME_NATIVE);
	misses = unwinder_counts(fx.unwinder).misses;
	jit.start = jit.offset = 0x10000;
	jit.end = 0x20000;
	jit.object = objects_jit(fx.objects, getpid());
	maps_insert(&fx.maps, jit);
	unwinder_walk(fx.unwinder, &fx.in, &fx.stack);
	assert_no_misses_since(misses);
	text = maps_find(&fx.maps, fx.in.reg[DWARF_RIP]);
	jit.start = jit.offset = text->start;
	jit.end = text->end;
	maps_insert(&fx.maps, jit);
	fx.stack.depth = 0;
	unwinder_walk(fx.unwinder, &fx.in, &fx.stack);
	assert_int_equal(fx.stack.frame[0].kind, FRAME_JIT);
	assert_int_equal(fx.stack.frame[0].address, fx.in.reg[DWARF_RIP]);
	assert_true(unwinder_counts(fx.unwinder).misses > misses);
}

static void test_unknown_code(void **state)
{
	static const uint64_t nowhere[] = { 0,	       1, 4095, 0x10000, 0x123456789000,
					    UINT64_MAX };
	size_t i;

	(void)state;
	dig(1, look);
	for (i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		fx.in.reg[DWARF_RIP] = nowhere[i];
		fx.stack.depth = 0;
		unwinder_walk(fx.unwinder, &fx.in, &fx.stack);
		assert_int_equal(fx.stack.depth, 1);
		assert_int_equal(fx.stack.frame[0].kind, FRAME_MARK);
		assert_int_equal(fx.stack.frame[0].address, MARK_UNKNOWN_CODE);
		assert_false(fx.stack.complete);
	}
}

/* Stack and registers of garbage: any end will do, but an end. */
static void test_garbage(void **state)
{
	uint64_t seed = 88172645463325252ull, ip, sp;
	size_t i;
	int run, k;

	(void)state;
	dig(30, look);
	ip = fx.in.reg[DWARF_RIP];
	sp = fx.in.reg[DWARF_RSP];
	for (run = 0; run < 3000; run++) {
		for (i = 0; i < 200; i++) {
			seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
			if (seed % 3 == 0) /* into the text, the stack, or anywhere */
				seed = ip + seed % 65536;
			else if (seed % 3 == 1)
				seed = sp + (seed % 1600 & ~7ull);
			memcpy(fx.copy + i * 8, &seed, 8);
		}
		for (k = 0; k < DWARF_REGS; k++)
			memcpy(&fx.in.reg[k], fx.copy + 8 * (run % 100 + k), 8);
		fx.in.reg[DWARF_RIP] = ip - 2000 + (uint64_t)run;
		fx.in.reg[DWARF_RSP] = sp;
		fx.in.stack.n = 1600;
		fx.in.only_sp_and_ip = run % 2;
		fx.in.live = run % 5 ? NULL : &self_memory;
		fx.stack.depth = 0;
		unwinder_walk(fx.unwinder, &fx.in, &fx.stack);
		assert_true(fx.stack.depth >= 1 && fx.stack.depth <= DEPTH_MAX);
	}
}

/* look() can only be left by its frame pointer, which is not told; but it is called by
 * name. */
static NOINLINE void call_look(void)
{
	NOTE_CALLER();
	look();
	sink++;
}

static void test_frame_pointer_is_inferred(void **state)
{
	(void)state;
	fx.live = fx.without_registers = true;
	dig(4, call_look);
	assert_true(fx.stack.inferred);
	assert_notes(&fx.stack);
	assert_true(fx.stack.depth > fx.n_notes);
	assert_true(fx.stack.complete);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_known_callers),
		CASE(test_warm_is_the_same),
		CASE(test_appends),
		CASE(test_stitched),
		CASE(test_cut),
		CASE(test_nothing_copied),
		CASE(test_deeper_than_a_callstack),
		CASE(test_thread_with_a_huge_stack),
		CASE(test_thread_root),
		CASE(test_signal),
		CASE(test_signal_on_its_own_stack),
		CASE(test_jit),
		CASE(test_mappings_change),
		CASE(test_unknown_code),
		CASE(test_garbage),
		CASE(test_frame_pointer_is_inferred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
