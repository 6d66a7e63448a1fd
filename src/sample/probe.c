/* The start of a call is kept under its process and the place of its return address, which is where
 * the stack pointer is at the entry and again at each exit, on whatever thread. A start that is
 * found there by the next one was of a call that an exception or longjmp() ended.
 *
 * Where a library copies the stacks of coroutines to and from one place (greenlet), many calls are
 * at that place. Then a start is kept under some words of its callers' frames as well, in four sets
 * of two, since callees write to a few of those words; a set that two starts have in common
 * tells nothing. An end takes the start that one of its sets leads to, or none. */
#include "sample/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/user.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

#define STARTS_MOST 32768u
#define COST_CALLS BPF_SLOW_KEPT
#define COST_APART_NS \
	100000 /* as calls are that cost 2 % of a core at most: caches are cold then */

/* Where the words are, from the return address on. */
#define SETS 4
#define WORDS (2 * SETS)
static const int16_t word_at[WORDS] = { 8, 16, 24, 32, 160, 416, 800, 1600 };
#define HASH_FACTOR 0x01000193 /* FNV's */

struct start {
	uint64_t time_ns; /* 0: of several calls */
	uint64_t back;	  /* the return address */
};

/* On the program's stack. */
struct scratch {
	struct start now;
	struct key {
		uint64_t owner, place, set; /* set: a hash of its words */
	} key;
	uint64_t set[SETS], words[2];
};
#define AT(field) \
	((int16_t)((int)offsetof(struct scratch, field) - (int)sizeof(struct scratch)))

enum { OUT, NEW, LESS, LABELS = 8, NEXT = 24 };

#define REG(name) ((int16_t)offsetof(struct user_regs_struct, name))

static void read_user(struct bpf_code *c, int16_t to, int bytes, int from, int32_t plus)
{
	bpf_mov(c, 1, 10);
	bpf_alu_k(c, BPF_ADD, 1, to);
	bpf_set(c, 2, bytes);
	bpf_mov(c, 3, from);
	bpf_alu_k(c, BPF_ADD, 3, plus);
	bpf_call(c, BPF_FUNC_probe_read_user); /* zeroes what it cannot read */
}

static void count(struct bpf_code *c, const struct probe *p, int16_t field)
{
	bpf_map_value(c, 2, p->times_fd);
	bpf_set(c, 1, 1);
	bpf_atomic_add(c, 2, field, 1, false);
}

/* The hashes of the sets of words that stand above the stack pointer in r7. */
static void read_sets(struct bpf_code *c)
{
	int i, k;

	for (i = 0; i < SETS; i++) {
		bpf_set(c, 9, i + 1);
		for (k = 0; k < 2; k++) {
			read_user(c, AT(words), 8, 7, word_at[2 * i + k]);
			bpf_load(c, BPF_DW, 1, 10, AT(words));
			bpf_alu(c, BPF_XOR, 9, 1);
			bpf_alu_k(c, BPF_MUL, 9, HASH_FACTOR);
			bpf_mov(c, 1, 9);
			bpf_alu_k(c, BPF_RSH, 1, 32);
			bpf_alu(c, BPF_XOR, 9, 1);
		}
		bpf_alu_k(c, BPF_OR, 9, 1);
		bpf_store(c, BPF_DW, 10, (int16_t)(AT(set) + 8 * i), 9);
	}
}

/* The goroutine, and how far its stack pointer is from the end of its stack: runtime.g begins with
 * the bounds of the stack, lo and hi. */
static void go_place(struct bpf_code *c)
{
	bpf_load(c, BPF_DW, 9, 6, REG(r14));
	bpf_store(c, BPF_DW, 10, AT(key.owner), 9);
	read_user(c, AT(key.place), 8, 9, 8);
	bpf_load(c, BPF_DW, 1, 10, AT(key.place));
	bpf_alu(c, BPF_SUB, 1, 7);
	bpf_store(c, BPF_DW, 10, AT(key.place), 1);
}

/* Fills the scratch; r6: the registers at the probe, r7: the stack pointer, r8: process and
 * thread. */
static void begin(struct bpf_code *c, const struct probe *p, enum probe_stack stack)
{
	bpf_start(c);
	bpf_mov(c, 6, 1);
	bpf_load(c, BPF_DW, 7, 6, REG(rsp));
	bpf_call(c, BPF_FUNC_get_current_pid_tgid);
	bpf_mov(c, 8, 0);
	if (p->pid) {
		/* A child of vfork() runs in the same memory. */
		bpf_alu_k(c, BPF_RSH, 0, 32);
		bpf_if_k(c, BPF_JNE, 0, p->pid, OUT);
	}
	count(c, p, offsetof(struct bpf_times, hits));
	read_user(c, AT(now.back), 8, 7, 0);
	if (stack == PROBE_EXCHANGED)
		read_sets(c);
	bpf_set(c, 1, 0);
	bpf_store(c, BPF_DW, 10, AT(key.set), 1);
	if (stack == PROBE_GO) {
		go_place(c);
	} else {
		bpf_mov(c, 1, 8);
		bpf_alu_k(c, BPF_RSH, 1, 32);
		bpf_store(c, BPF_DW, 10, AT(key.owner), 1);
		bpf_store(c, BPF_DW, 10, AT(key.place), 7);
	}
	bpf_call(c, BPF_FUNC_ktime_get_ns);
	bpf_store(c, BPF_DW, 10, AT(now.time_ns), 0);
}

static void map_and_key(struct bpf_code *c, const struct probe *p)
{
	bpf_map(c, 1, p->starts_fd);
	bpf_mov(c, 2, 10);
	bpf_alu_k(c, BPF_ADD, 2, AT(key));
}

static void put(struct bpf_code *c, const struct probe *p)
{
	map_and_key(c, p);
	bpf_mov(c, 3, 10);
	bpf_alu_k(c, BPF_ADD, 3, AT(now));
	bpf_set(c, 4, BPF_ANY);
	bpf_call(c, BPF_FUNC_map_update_elem);
}

static void take_away(struct bpf_code *c, const struct probe *p)
{
	map_and_key(c, p);
	bpf_call(c, BPF_FUNC_map_delete_elem);
}

/* r0: the start under this set; 0: none. */
static void look_up_set(struct bpf_code *c, const struct probe *p, int i)
{
	bpf_load(c, BPF_DW, 1, 10, (int16_t)(AT(set) + 8 * i));
	bpf_store(c, BPF_DW, 10, AT(key.set), 1);
	bpf_look_up(c, p->starts_fd, AT(key));
}

static int load(struct bpf_code *c, struct error *err)
{
	int fd = bpf_load_program(c, BPF_PROG_TYPE_KPROBE, err);

	free(c);
	return fd;
}

static void put_sets(struct bpf_code *c, const struct probe *p)
{
	int i;

	for (i = 0; i < SETS; i++) {
		look_up_set(c, p, i);
		bpf_if_k(c, BPF_JEQ, 0, 0, LABELS + i);
		bpf_set(c, 1, 0);
		bpf_store(c, BPF_DW, 0, offsetof(struct start, time_ns), 1);
		bpf_go(c, NEXT + i);
		bpf_label(c, LABELS + i);
		put(c, p);
		bpf_label(c, NEXT + i);
	}
}

static int load_entry(struct probe *p, const struct probe_options *o, struct error *err)
{
	struct bpf_code *c = xcalloc(1, sizeof(*c));

	begin(c, p, o->stack);
	count(c, p, offsetof(struct bpf_times, begun));
	if (o->stack == PROBE_EXCHANGED) {
		put_sets(c, p);
	} else {
		/* Back at the entry by a jump, or in a Go function whose stack had to grow, it
		 * is the same call. */
		if (!o->restarts && o->stack != PROBE_GO) {
			bpf_look_up(c, p->starts_fd, AT(key));
			bpf_if_k(c, BPF_JEQ, 0, 0, NEW);
			count(c, p, offsetof(struct bpf_times, replaced));
			bpf_label(c, NEW);
		}
		put(c, p);
	}
	bpf_label(c, OUT);
	bpf_set(c, 0, 0);
	bpf_exit(c);
	return load(c, err);
}

/* r9: when the call began, by the first set that is this call's alone; 0: by none. */
static void find_by_sets(struct bpf_code *c, const struct probe *p)
{
	int i;

	bpf_set(c, 9, 0);
	for (i = 0; i < SETS; i++) {
		look_up_set(c, p, i);
		bpf_if_k(c, BPF_JEQ, 0, 0, NEXT + i);
		bpf_load(c, BPF_DW, 1, 0, offsetof(struct start, back));
		bpf_load(c, BPF_DW, 2, 10, AT(now.back));
		bpf_if(c, BPF_JNE, 1, 2, NEXT + i);
		bpf_if_k(c, BPF_JNE, 9, 0, LABELS + i);
		bpf_load(c, BPF_DW, 9, 0, offsetof(struct start, time_ns));
		bpf_label(c, LABELS + i);
		take_away(c, p);
		bpf_label(c, NEXT + i);
	}
	bpf_if_k(c, BPF_JEQ, 9, 0, OUT);
}

/* r9: when the call began. Of a function that jumps on to others the ends of those others' own calls
 * come here as well, and find no start. */
static void find_start(struct bpf_code *c, const struct probe *p)
{
	bpf_look_up(c, p->starts_fd, AT(key));
	bpf_if_k(c, BPF_JEQ, 0, 0, OUT);
	bpf_load(c, BPF_DW, 1, 0, offsetof(struct start, back));
	bpf_load(c, BPF_DW, 2, 10, AT(now.back));
	bpf_if(c, BPF_JNE, 1, 2, OUT);
	bpf_load(c, BPF_DW, 9, 0, offsetof(struct start, time_ns));
	take_away(c, p);
}

static int load_exit(struct probe *p, const struct probe_options *o, struct error *err)
{
	struct bpf_code *c = xcalloc(1, sizeof(*c));

	begin(c, p, o->stack);
	if (o->stack == PROBE_EXCHANGED)
		find_by_sets(c, p);
	else
		find_start(c, p);
	bpf_load(c, BPF_DW, 7, 10, AT(now.time_ns));
	bpf_mov(c, 6, 7);
	bpf_alu(c, BPF_SUB, 6, 9);
	bpf_alu_k(c, BPF_SUB, 6, (int32_t)o->bias_ns);
	bpf_if_k(c, BPF_JSGE, 6, 0, LESS);
	bpf_set(c, 6, 0);
	bpf_label(c, LESS);
	bpf_alu_k(c, BPF_LSH, 8, 32); /* the thread's number, as an id */
	bpf_times_add(c, p->times_fd, NEXT + SETS);
	bpf_label(c, OUT);
	bpf_set(c, 0, 0);
	bpf_exit(c);
	return load(c, err);
}

/* ---- Open and close ---------------------------------------------------------------------- */

#define ENOTSUPP 524 /* the kernel's own */

static int failed(struct error *err, int ret, const char *what)
{
	if (ret == -ENOTSUPP || ret == -EOPNOTSUPP) {
		error_set(err, EXIT_UNSUPPORTED,
			  "%s: the kernel puts none on the instruction that is there",
			  what);
		return -EOPNOTSUPP;
	}
	errno = -ret;
	return error_errno(err, what);
}

static int open_all(struct probe *p, pid_t pid, const struct probe_place *place, size_t n,
		    const struct probe_options *o, struct error *err)
{
	size_t i;

	p->times_fd = bpf_times_open(&p->times, err);
	if (p->times_fd < 0)
		return p->times_fd;
	p->starts_fd = bpf_map_open(BPF_MAP_TYPE_LRU_HASH, sizeof(struct key),
				    sizeof(struct start), STARTS_MOST, 0);
	if (p->starts_fd < 0)
		return failed(err, p->starts_fd, "memory for calls");
	p->entry_program_fd = load_entry(p, o, err);
	if (p->entry_program_fd < 0)
		return p->entry_program_fd;
	p->exit_program_fd = load_exit(p, o, err);
	if (p->exit_program_fd < 0)
		return p->exit_program_fd;
	/* The entry last: a start without an end would be in the way of others. */
	for (i = n; i-- > 0;) {
		int fd = bpf_uprobe(place[i].path, place[i].offset, pid,
				    i ? p->exit_program_fd : p->entry_program_fd);

		if (fd < 0)
			return failed(err, fd,
				      i ? "a probe at an exit" : "a probe at the entry");
		p->event_fd[p->n_events++] = fd;
	}
	return 0;
}

int probe_open(pid_t pid, const struct probe_place *place, size_t n,
	       const struct probe_options *options, struct probe **out, struct error *err)
{
	struct probe *p;
	int ret;

	if (n < 2 || n > PROBE_PLACES_MAX)
		return failed(err, -EINVAL, "probes");
	p = xcalloc(1, sizeof(*p));
	p->pid = bpf_sees_our_pids() ? pid : 0;
	p->times_fd = p->starts_fd = p->entry_program_fd = p->exit_program_fd = -1;
	ret = open_all(p, pid, place, n, options, err);
	if (ret) {
		probe_close(p);
		return ret;
	}
	p->times->slow_ns = options->slow_ns;
	*out = p;
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void probe_close(struct probe *p)
{
	if (!p)
		return;
	while (p->n_events > 0)
		close_fd(p->event_fd[--p->n_events]);
	close_fd(p->entry_program_fd);
	close_fd(p->exit_program_fd);
	close_fd(p->starts_fd);
	bpf_times_close(p->times_fd, p->times);
	free(p);
}

/* ---- Cost ------------------------------------------------------------------------------- */

#ifdef __x86_64__
void probe_try_emulated(void);
void probe_try_emulated_end(void);
void probe_try_stepped(void);
void probe_try_stepped_end(void);

__asm__(".pushsection .text\n"
	".globl probe_try_emulated\n.type probe_try_emulated, @function\n"
	"probe_try_emulated:\n\tpush %rbp\n\tpop %rbp\n"
	".globl probe_try_emulated_end\nprobe_try_emulated_end:\n\tret\n"
	".size probe_try_emulated, .-probe_try_emulated\n"
	".globl probe_try_stepped\n.type probe_try_stepped, @function\n"
	"probe_try_stepped:\n\tmov %rsp, %rax\n\tnop\n"
	".globl probe_try_stepped_end\nprobe_try_stepped_end:\n\tret\n"
	".size probe_try_stepped, .-probe_try_stepped\n"
	".popsection\n");

/* File offset of an address of ours: "START-END r-xp OFFSET ...". */
static bool own_offset(uint64_t address, uint64_t *offset)
{
	unsigned long start, end, at;
	char line[512];
	FILE *f = fopen("/proc/self/maps", "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx %*s %lx", &start, &end, &at) == 3 &&
		    address >= start && address < end) {
			*offset = address - start + at;
			found = true;
		}
	if (f)
		fclose(f);
	return found;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t median(uint64_t *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n ? v[n / 2] : 0;
}

/* Medians: on a loaded machine some calls lose their CPU, and a mean of all once took probes of a
 * third of the limit away. */
struct probe_cost probe_cost(enum probe_stack stack, bool emulated)
{
	void (*volatile try)(void) = emulated ? probe_try_emulated : probe_try_stepped;
	void (*end)(void) = emulated ? probe_try_emulated_end : probe_try_stepped_end;
	struct probe_place place[2] = { { "/proc/self/exe", 0 },
					{ "/proc/self/exe", 0 } };
	struct probe_options options = { .stack = stack }; /* all of them are slow */
	const struct timespec apart = { 0, COST_APART_NS };
	uint64_t took[COST_CALLS], within[COST_CALLS];
	struct probe *p;
	size_t i, n;

	if (!own_offset((uint64_t)(uintptr_t)try, &place[0].offset) ||
	    !own_offset((uint64_t)(uintptr_t)end, &place[1].offset) ||
	    probe_open(getpid(), place, 2, &options, &p, NULL))
		return (struct probe_cost){ 0, 0 };
	for (i = 0; i < COST_CALLS; i++) {
		nanosleep(&apart, NULL);
		took[i] = clock_now_ns();
		try();
		took[i] = clock_now_ns() - took[i];
	}
	n = p->times->slow_n < COST_CALLS ? p->times->slow_n : COST_CALLS;
	for (i = 0; i < n; i++)
		within[i] = p->times->slow[i].took_ns;
	probe_close(p);
	return (struct probe_cost){ median(took, COST_CALLS), median(within, n) };
}
#else
struct probe_cost probe_cost(enum probe_stack stack, bool emulated)
{
	(void)stack;
	(void)emulated;
	return (struct probe_cost){ 0, 0 };
}
#endif
