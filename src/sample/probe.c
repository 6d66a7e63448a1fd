/* Entry and return meet by thread and stack pointer, so recursion is no matter: a return sees
 * the stack pointer of its entry and 8. */
#include "sample/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/user.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

#define STARTS_MOST 16384u
#define COST_BATCHES 41u
#define COST_CALLS 5u /* in a batch */

enum { KEY = -16, VALUE = -24 };
enum { OUT, LOST, LABELS = 8 };

#define REG(name) ((int16_t)offsetof(struct user_regs_struct, name))

/* {thread, stack pointer - minus} at r10 + KEY; r6: the registers. */
static void make_key(struct bpf_code *c, int minus)
{
	bpf_mov(c, 6, 1);
	bpf_call(c, BPF_FUNC_get_current_pid_tgid);
	bpf_store(c, BPF_DW, 10, KEY, 0);
	bpf_mov(c, 8, 0);
	bpf_load(c, BPF_DW, 1, 6, REG(rsp));
	bpf_alu_k(c, BPF_SUB, 1, minus);
	bpf_store(c, BPF_DW, 10, KEY + 8, 1);
}

static void map_and_key(struct bpf_code *c, int map_fd)
{
	bpf_map(c, 1, map_fd);
	bpf_mov(c, 2, 10);
	bpf_alu_k(c, BPF_ADD, 2, KEY);
}

static int load_entry(struct probe *p, struct error *err)
{
	struct bpf_code *c = xcalloc(1, sizeof(*c));
	int fd;

	bpf_start(c);
	make_key(c, 0);
	bpf_call(c, BPF_FUNC_ktime_get_ns);
	bpf_store(c, BPF_DW, 10, VALUE, 0);
	map_and_key(c, p->starts_fd);
	bpf_mov(c, 3, 10);
	bpf_alu_k(c, BPF_ADD, 3, VALUE);
	bpf_set(c, 4, BPF_ANY);
	bpf_call(c, BPF_FUNC_map_update_elem);
	bpf_set(c, 0, 0);
	bpf_exit(c);
	fd = bpf_load_program(c, BPF_PROG_TYPE_KPROBE, err);
	free(c);
	return fd;
}

static int load_back(struct probe *p, struct error *err)
{
	struct bpf_code *c = xcalloc(1, sizeof(*c));
	int fd;

	bpf_start(c);
	make_key(c, 8);
	bpf_call(c, BPF_FUNC_ktime_get_ns);
	bpf_mov(c, 7, 0);
	map_and_key(c, p->starts_fd);
	bpf_call(c, BPF_FUNC_map_lookup_elem);
	bpf_if_k(c, BPF_JEQ, 0, 0, LOST);
	bpf_load(c, BPF_DW, 1, 0, 0);
	bpf_mov(c, 6, 7);
	bpf_alu(c, BPF_SUB, 6, 1);
	bpf_alu_k(c, BPF_LSH, 8, 32); /* the thread's number, as an id */
	map_and_key(c, p->starts_fd);
	bpf_call(c, BPF_FUNC_map_delete_elem);
	bpf_times_add(c, p->times_fd, LABELS);
	bpf_go(c, OUT);
	bpf_label(c, LOST);
	bpf_map_value(c, 2, p->times_fd);
	bpf_set(c, 1, 1);
	bpf_atomic_add(c, 2, offsetof(struct bpf_times, lost), 1, false);
	bpf_label(c, OUT);
	bpf_set(c, 0, 0);
	bpf_exit(c);
	fd = bpf_load_program(c, BPF_PROG_TYPE_KPROBE, err);
	free(c);
	return fd;
}

/* ---- Where ----------------------------------------------------------------------------- */

/* What arch/x86/kernel/uprobes.c emulates: push, nop, jmp, call. */
static bool is_emulated(const unsigned char *p, size_t n)
{
	if (n && ((p[0] >= 0x50 && p[0] <= 0x57) || p[0] == 0x90 || p[0] == 0xe8 ||
		  p[0] == 0xe9 || p[0] == 0xeb))
		return true;
	if (n > 1 && p[0] == 0x41 && p[1] >= 0x50 && p[1] <= 0x57)
		return true;
	return n > 1 && p[0] == 0x0f && p[1] == 0x1f;
}

uint64_t probe_place(const unsigned char *code, size_t n, enum probe_start *how)
{
	static const unsigned char endbr64[4] = { 0xf3, 0x0f, 0x1e, 0xfa };
	size_t at = n >= 4 && memcmp(code, endbr64, 4) == 0 ? 4 : 0;

	*how = is_emulated(code + at, n - at) ? PROBE_EMULATED : PROBE_STEPPED;
	return at;
}

/* ---- Open and close ---------------------------------------------------------------------- */

static int failed(struct error *err, int ret, const char *what)
{
	errno = -ret;
	return error_errno(err, what);
}

static int open_all(struct probe *p, pid_t pid, const char *path, uint64_t offset,
		    struct error *err)
{
	p->times_fd = bpf_times_open(&p->times, err);
	if (p->times_fd < 0)
		return p->times_fd;
	p->starts_fd = bpf_map_open(BPF_MAP_TYPE_LRU_HASH, 16, 8, STARTS_MOST, 0);
	if (p->starts_fd < 0)
		return failed(err, p->starts_fd, "memory for calls");
	p->entry_program_fd = load_entry(p, err);
	if (p->entry_program_fd < 0)
		return p->entry_program_fd;
	p->back_program_fd = load_back(p, err);
	if (p->back_program_fd < 0)
		return p->back_program_fd;
	p->back_fd = bpf_uprobe(path, offset, pid, true, p->back_program_fd);
	if (p->back_fd < 0)
		return failed(err, p->back_fd, "a probe at the return");
	p->entry_fd = bpf_uprobe(path, offset, pid, false, p->entry_program_fd);
	if (p->entry_fd < 0)
		return failed(err, p->entry_fd, "a probe at the entry");
	return 0;
}

int probe_open(pid_t pid, const char *path, uint64_t offset, uint64_t slow_ns,
	       struct probe **out, struct error *err)
{
	struct probe *p = xcalloc(1, sizeof(*p));
	int ret;

	p->times_fd = p->starts_fd = p->entry_program_fd = p->back_program_fd = -1;
	p->entry_fd = p->back_fd = -1;
	ret = open_all(p, pid, path, offset, err);
	if (ret) {
		probe_close(p);
		return ret;
	}
	p->times->slow_ns = slow_ns;
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
	close_fd(p->entry_fd);
	close_fd(p->back_fd);
	close_fd(p->entry_program_fd);
	close_fd(p->back_program_fd);
	close_fd(p->starts_fd);
	bpf_times_close(p->times_fd, p->times);
	free(p);
}

/* ---- Cost ------------------------------------------------------------------------------- */

#ifdef __x86_64__
void probe_try_emulated(void);
void probe_try_stepped(void);

__asm__(".pushsection .text\n"
	".globl probe_try_emulated\n.type probe_try_emulated, @function\n"
	"probe_try_emulated:\n\tpush %rbp\n\tpop %rbp\n\tret\n"
	".size probe_try_emulated, .-probe_try_emulated\n"
	".globl probe_try_stepped\n.type probe_try_stepped, @function\n"
	"probe_try_stepped:\n\tmov %rsp, %rax\n\tnop\n\tret\n"
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

uint64_t probe_cost(enum probe_start how)
{
	void (*volatile try)(void) =
	    how == PROBE_EMULATED ? probe_try_emulated : probe_try_stepped;
	uint64_t offset, took[COST_BATCHES];
	struct probe *p;
	unsigned i, k;

	if (!own_offset((uint64_t)(uintptr_t)try, &offset) ||
	    probe_open(getpid(), "/proc/self/exe", offset, UINT64_MAX, &p, NULL))
		return 0;
	try();
	for (i = 0; i < COST_BATCHES; i++) {
		took[i] = clock_now_ns();
		for (k = 0; k < COST_CALLS; k++)
			try();
		took[i] = clock_now_ns() - took[i];
	}
	probe_close(p);
	/* The median: on a loaded machine some batches lose their CPU, and a mean of all once
	 * took probes of a third of the limit away. */
	qsort(took, COST_BATCHES, sizeof(*took), by_value);
	return took[COST_BATCHES / 2] / COST_CALLS;
}
#else
uint64_t probe_cost(enum probe_start how)
{
	(void)how;
	return 0;
}
#endif
