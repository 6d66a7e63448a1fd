/* bench-unwind [-s STACK_BYTES] PID [SECONDS]: our unwinder against libunwind.
 *
 * Takes samples (cpu-clock, registers and stack) of every thread a process has now, keeps
 * them in memory, then unwinds the same samples several times with each unwinder and
 * prints CPU nanoseconds a frame, best pass: "cold" starts from an empty cache, "warm" is
 * a later pass. Needs the right to open perf events on the process. */
#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/vec.h"
#include "target/maps.h"
#include "unwind/libunwind.h"
#include "unwind/unwind.h"

#define RING_PAGES 512u
#define PERIOD_NS 1003009u
#define SAMPLES_MAX 20000u
#define THREADS_MAX 64u
#define PASSES 7
#define REGISTERS 17

/* perf's numbers in ascending order, which is the order of the dump, as DWARF numbers:
 * ax bx cx dx si di bp sp ip [flags cs ss ds es fs gs] r8 ... r15. */
static const unsigned char dwarf_of[REGISTERS] = {
	DWARF_RAX, DWARF_RBX, DWARF_RCX, DWARF_RDX, DWARF_RSI, DWARF_RDI,
	DWARF_RBP, DWARF_RSP, DWARF_RIP, DWARF_R8,  DWARF_R9,  DWARF_R10,
	DWARF_R11, DWARF_R12, DWARF_R13, DWARF_R14, DWARF_R15,
};
#define REGISTER_MASK 0xff01ffull

struct ring {
	int fd;
	struct perf_event_mmap_page *page;
};

struct sample {
	struct unwind_input in;
	unsigned char *stack;
};

struct capture {
	VEC(struct sample) samples;
	struct ring ring[THREADS_MAX];
	struct pollfd polls[THREADS_MAX];
	size_t n_rings;
	uint64_t lost;
};

static size_t ring_bytes(void)
{
	return RING_PAGES * (size_t)sysconf(_SC_PAGESIZE);
}

static void open_thread(struct capture *c, pid_t tid, unsigned stack_bytes)
{
	struct perf_event_attr a = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(a),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = PERIOD_NS,
		.sample_type = PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.watermark = 1,
		.sample_regs_user = REGISTER_MASK,
		.sample_stack_user = stack_bytes,
	};
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct ring *r = &c->ring[c->n_rings];

	a.wakeup_watermark = (unsigned)ring_bytes() / 4;
	r->fd = (int)syscall(SYS_perf_event_open, &a, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (r->fd == -1)
		return;
	r->page =
	    mmap(NULL, page + ring_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->page == MAP_FAILED) {
		close(r->fd);
		return;
	}
	c->polls[c->n_rings++] = (struct pollfd){ .fd = r->fd, .events = POLLIN };
}

/* A sample's body: u64 abi, registers, u64 size, bytes, u64 bytes that are valid. */
static void keep(struct capture *c, const unsigned char *p, size_t n)
{
	uint64_t word[2 + REGISTERS], size, valid;
	struct sample *s;
	size_t i;

	if (n < sizeof(word) + 8 || c->samples.n >= SAMPLES_MAX)
		return;
	memcpy(word, p, sizeof(word));
	size = word[1 + REGISTERS];
	if (word[0] != PERF_SAMPLE_REGS_ABI_64 || size > n - sizeof(word) - 8)
		return;
	memcpy(&valid, p + sizeof(word) + size, sizeof(valid));
	if (valid > size)
		return;
	s = VEC_PUSH(&c->samples);
	for (i = 0; i < REGISTERS; i++)
		s->in.reg[dwarf_of[i]] = word[1 + i];
	s->stack = xmalloc(valid);
	memcpy(s->stack, p + sizeof(word), valid);
	s->in.stack = (struct bytes){ s->stack, valid };
}

static void copy_out(const struct ring *r, uint64_t at, void *to, size_t n)
{
	const unsigned char *data =
	    (const unsigned char *)r->page + sysconf(_SC_PAGESIZE);
	size_t size = ring_bytes(), from = at % size;
	size_t first = n < size - from ? n : size - from;

	memcpy(to, data + from, first);
	memcpy((unsigned char *)to + first, data, n - first);
}

static void drain(struct capture *c, struct ring *r)
{
	uint64_t head = __atomic_load_n(&r->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = r->page->data_tail;
	static unsigned char record[65536];

	while (tail + sizeof(struct perf_event_header) <= head) {
		struct perf_event_header h;

		copy_out(r, tail, &h, sizeof(h));
		if (h.size < sizeof(h))
			break;
		copy_out(r, tail, record, h.size);
		if (h.type == PERF_RECORD_SAMPLE)
			keep(c, record + sizeof(h), h.size - sizeof(h));
		else if (h.type == PERF_RECORD_LOST)
			c->lost++;
		tail += h.size;
	}
	__atomic_store_n(&r->page->data_tail, tail, __ATOMIC_RELEASE);
}

static int open_all(struct capture *c, pid_t pid, unsigned stack_bytes)
{
	char path[64];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	d = opendir(path);
	while (d && (e = readdir(d)) && c->n_rings < THREADS_MAX)
		if (e->d_name[0] != '.')
			open_thread(c, (pid_t)strtol(e->d_name, NULL, 10), stack_bytes);
	if (d)
		closedir(d);
	return c->n_rings ? 0 : -1;
}

static void take(struct capture *c, double seconds)
{
	uint64_t end = clock_now_ns() + (uint64_t)(seconds * 1e9);
	size_t i;

	while (clock_now_ns() < end) {
		poll(c->polls, c->n_rings, 100);
		for (i = 0; i < c->n_rings; i++) {
			drain(c, &c->ring[i]);
			if (c->polls[i].revents & POLLHUP)
				c->polls[i].fd = -1;
		}
	}
}

struct result {
	double best_ns, first_ns; /* whole passes */
	uint64_t frames, complete, truncated;
};

typedef void walker(void *unwinder, const struct unwind_input *in, struct callstack *cs);

static void ours(void *u, const struct unwind_input *in, struct callstack *cs)
{
	unwinder_walk(u, in, cs);
}

static void theirs(void *u, const struct unwind_input *in, struct callstack *cs)
{
	libunwind_walk(u, in, cs);
}

static struct result measure(const struct capture *c, walker *walk, void *u,
			     struct callstack *cs)
{
	struct result r = { .best_ns = 1e18 };
	size_t i;
	int pass;

	for (pass = 0; pass < PASSES; pass++) {
		uint64_t start = clock_thread_cpu_ns();
		double ns;

		r.frames = r.complete = r.truncated = 0;
		for (i = 0; i < c->samples.n; i++) {
			cs->depth = 0;
			walk(u, &c->samples.v[i].in, cs);
			r.frames += cs->depth;
			r.complete += cs->complete;
			r.truncated += cs->truncated;
		}
		ns = (double)(clock_thread_cpu_ns() - start);
		if (pass == 0)
			r.first_ns = ns;
		if (ns < r.best_ns)
			r.best_ns = ns;
	}
	return r;
}

static void show(const struct objects *os, const char *who, const struct callstack *cs)
{
	uint32_t i;

	printf("    %s, %u frames%s%s:", who, cs->depth, cs->complete ? ", complete" : "",
	       cs->truncated ? ", truncated" : "");
	for (i = 0; i < cs->depth; i++) {
		const struct object *o = objects_get(os, cs->frame[i].object);

		printf(" %s+%llx", o ? o->name : "?",
		       (unsigned long long)cs->frame[i].address);
	}
	printf("\n");
}

static void compare(const struct capture *c, const struct objects *os, struct unwinder *u,
		    struct libunwind *l, int shown)
{
	struct callstack *a = xcalloc(2, sizeof(*a)), *b = a + 1;
	uint64_t same = 0, longer = 0, shorter = 0, other = 0;
	size_t i;

	for (i = 0; i < c->samples.n; i++) {
		uint32_t n;

		a->depth = b->depth = 0;
		unwinder_walk(u, &c->samples.v[i].in, a);
		libunwind_walk(l, &c->samples.v[i].in, b);
		n = a->depth < b->depth ? a->depth : b->depth;
		if (memcmp(a->frame, b->frame, n * sizeof(a->frame[0])) != 0)
			other++;
		else if (a->depth == b->depth)
			same++;
		else if (a->depth > b->depth)
			longer++;
		else
			shorter++;
		if (a->depth == b->depth &&
		    memcmp(a->frame, b->frame, n * sizeof(a->frame[0])) == 0)
			continue;
		if (shown-- > 0) {
			show(os, "ours", a);
			show(os, "libunwind", b);
		}
	}
	printf("  same frames %.2f %%, ours longer %llu, shorter %llu, different %llu\n",
	       100.0 * (double)same / (double)c->samples.n, (unsigned long long)longer,
	       (unsigned long long)shorter, (unsigned long long)other);
	free(a);
}

static void report(const struct capture *c, const struct objects *os,
		   const struct maps *maps, int shown)
{
	struct callstack *cs = xcalloc(1, sizeof(*cs));
	struct unwind_tables *tables = unwind_tables_new();
	struct unwinder *u = unwinder_new(tables, maps);
	struct libunwind *l = libunwind_new(tables, maps);
	struct result a = measure(c, ours, u, cs), b = measure(c, theirs, l, cs);
	struct unwind_counts n = unwinder_counts(u);
	double fa = (double)a.frames, fb = (double)b.frames, s = (double)c->samples.n;

	printf("  %.1f frames/sample, misses/sample %.2f, by frame pointer %.1f %%, Go "
	       "%.1f %%, "
	       "libunwind steps %llu\n",
	       fa / s, (double)n.misses / s / PASSES,
	       100.0 * (double)n.by_frame_pointer / (double)n.frames,
	       100.0 * (double)n.by_go / (double)n.frames,
	       (unsigned long long)n.by_libunwind);
	printf("  ours      %6.1f ns/frame warm, %6.1f first pass, %6.2f us/sample, "
	       "complete "
	       "%.2f %%, truncated %.2f %%\n",
	       a.best_ns / fa, a.first_ns / fa, a.best_ns / s / 1e3,
	       100.0 * (double)a.complete / s, 100.0 * (double)a.truncated / s);
	printf("  libunwind %6.1f ns/frame warm, %6.1f first pass, %6.2f us/sample, "
	       "complete "
	       "%.2f %%, ratio %.1fx\n",
	       b.best_ns / fb, b.first_ns / fb, b.best_ns / s / 1e3,
	       100.0 * (double)b.complete / s, (b.best_ns / fb) / (a.best_ns / fa));
	compare(c, os, u, l, shown);
	libunwind_free(l);
	unwinder_free(u);
	unwind_tables_free(tables);
	free(cs);
}

int main(int argc, char **argv)
{
	struct objects *os = objects_new();
	unsigned stack_bytes = 16384;
	static struct capture c;
	struct maps maps;
	int shown = 0, opt;
	pid_t pid;

	while ((opt = getopt(argc, argv, "s:v:")) != -1) {
		if (opt == 's')
			stack_bytes = (unsigned)strtoul(optarg, NULL, 10) & ~7u;
		else if (opt == 'v')
			shown = (int)strtol(optarg, NULL, 10);
		else
			return 2;
	}
	if (optind >= argc) {
		fprintf(stderr,
			"usage: bench-unwind [-s BYTES] [-v SHOWN] PID [SECONDS]\n");
		return 2;
	}
	pid = (pid_t)strtol(argv[optind], NULL, 10);
	if (open_all(&c, pid, stack_bytes) == -1) {
		fprintf(stderr, "bench-unwind: cannot open events on %d\n", (int)pid);
		return 1;
	}
	take(&c, optind + 1 < argc ? strtod(argv[optind + 1], NULL) : 3);
	maps_init(&maps);
	if (maps_read(&maps, os, pid) || c.samples.n == 0) {
		fprintf(stderr, "bench-unwind: no samples, or the process ended\n");
		return 1;
	}
	printf("pid %d: %zu samples of %u stack bytes, %zu threads, %llu lost records\n",
	       (int)pid, c.samples.n, stack_bytes, c.n_rings, (unsigned long long)c.lost);
	report(&c, os, &maps, shown);
	return 0;
}
