/* Records are read in place: only one that wraps around the end is copied. The layout is
 * that of perf_event_open(2); a record is a header {u32 type, u16 misc, u16 size} and a
 * body in the order of the PERF_SAMPLE_ bits. The kernel wrote them, but a recording or a
 * test may bring any bytes, so nothing is trusted. */
#include "sample/perf_ring.h"

#include <asm/perf_regs.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cursor.h"

#define RECORD_MAX 65536u
#define CALLCHAIN_MAX 1024u

const uint64_t perf_register_mask =
    1ull << PERF_REG_X86_AX | 1ull << PERF_REG_X86_BX | 1ull << PERF_REG_X86_CX |
    1ull << PERF_REG_X86_DX | 1ull << PERF_REG_X86_SI | 1ull << PERF_REG_X86_DI |
    1ull << PERF_REG_X86_BP | 1ull << PERF_REG_X86_SP | 1ull << PERF_REG_X86_IP |
    1ull << PERF_REG_X86_R8 | 1ull << PERF_REG_X86_R9 | 1ull << PERF_REG_X86_R10 |
    1ull << PERF_REG_X86_R11 | 1ull << PERF_REG_X86_R12 | 1ull << PERF_REG_X86_R13 |
    1ull << PERF_REG_X86_R14 | 1ull << PERF_REG_X86_R15;

/* In the order of rising perf register numbers, each one's DWARF number. */
static const uint8_t dwarf_of[SAMPLE_REGISTERS] = {
	0 /* ax */, 3 /* bx */, 2 /* cx */,  1 /* dx */, 4 /* si */, 5 /* di */,
	6 /* bp */, 7 /* sp */, 16 /* ip */, 8,		 9,	     10,
	11,	    12,		13,	     14,	 15,
};

int perf_ring_open(struct perf_ring *r, int fd, size_t data_bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *map =
	    mmap(NULL, page + data_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	*r = (struct perf_ring){ .map = map,
				 .page_bytes = page,
				 .data_bytes = data_bytes };
	r->joined = xmalloc(RECORD_MAX);
	return 0;
}

void perf_ring_close(struct perf_ring *r)
{
	if (r->map)
		munmap(r->map, r->page_bytes + r->data_bytes);
	free(r->joined);
	*r = (struct perf_ring){ 0 };
}

static uint64_t ring_head(const struct perf_ring *r)
{
	const struct perf_event_mmap_page *page = r->map;

	return __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
}

static const unsigned char *ring_data(const struct perf_ring *r)
{
	return (const unsigned char *)r->map + r->page_bytes;
}

/* The header at a position; headers are 8-aligned and never wrap. */
static struct perf_event_header header_at(const struct perf_ring *r, uint64_t at)
{
	struct perf_event_header h;

	memcpy(&h, ring_data(r) + (at & (r->data_bytes - 1)), sizeof(h));
	return h;
}

/* Samples have it behind ip and pid/tid; all other records at their very end. */
bool perf_ring_peek(const struct perf_ring *r, uint64_t *time_ns)
{
	uint64_t head = ring_head(r), at;
	struct perf_event_header h;

	*time_ns = 0;
	if (head == r->tail)
		return false;
	h = header_at(r, r->tail);
	if (h.size < sizeof(h) + 8 || h.size % 8 || h.size > head - r->tail)
		return true; /* perf_ring_next() will refuse it */
	at = h.type == PERF_RECORD_SAMPLE ? sizeof(h) + 16 : h.size - 8u;
	if (at + 8 <= h.size)
		memcpy(time_ns, ring_data(r) + ((r->tail + at) & (r->data_bytes - 1)), 8);
	return true;
}

void perf_ring_release(struct perf_ring *r)
{
	struct perf_event_mmap_page *page = r->map;

	if (page->data_tail != r->tail)
		__atomic_store_n(&page->data_tail, r->tail, __ATOMIC_RELEASE);
}

bool perf_ring_next(struct perf_ring *r, struct bytes *record, bool *broken)
{
	struct perf_event_mmap_page *page = r->map;
	uint64_t head = ring_head(r);
	struct perf_event_header h;
	size_t at, first;

	__atomic_store_n(&page->data_tail, r->tail, __ATOMIC_RELEASE);
	if (head == r->tail)
		return false;
	h = header_at(r, r->tail);
	if (h.size < sizeof(h) || h.size % 8 || h.size > head - r->tail) {
		r->tail = head;
		*broken = true;
		return false;
	}
	at = r->tail & (r->data_bytes - 1);
	first = r->data_bytes - at;
	r->tail += h.size;
	*record = (struct bytes){ ring_data(r) + at, h.size };
	if (first < h.size) {
		memcpy(r->joined, ring_data(r) + at, first);
		memcpy(r->joined + first, ring_data(r), h.size - first);
		record->p = r->joined;
	}
	return true;
}

void perf_ring_forks(const struct perf_ring *r, void (*seen)(void *arg, uint32_t tid),
		     void *arg)
{
	uint64_t head = ring_head(r), at = r->tail;

	while (at < head) {
		struct perf_event_header h = header_at(r, at);
		uint32_t tid;

		if (h.size < sizeof(h) || h.size % 8 || h.size > head - at)
			return;
		/* body: pid, ppid, tid, ptid */
		if (h.type == PERF_RECORD_FORK && h.size >= sizeof(h) + 16) {
			size_t where = (at + sizeof(h) + 8) & (r->data_bytes - 1);

			memcpy(&tid, ring_data(r) + where, sizeof(tid));
			seen(arg, tid);
		}
		at += h.size;
	}
}

static void parse_callchain(struct cursor *c, struct event *e)
{
	uint64_t n = cursor_u64(c), i;
	struct bytes chain;

	if (n > CALLCHAIN_MAX) {
		c->failed = true;
		return;
	}
	chain = cursor_take(c, n * 8);
	if (c->failed)
		return;
	/* PERF_CONTEXT_KERNEL leads; any later context marker ends the kernel's part. */
	for (i = 0; i < n; i++) {
		uint64_t ip;

		memcpy(&ip, chain.p + i * 8, 8);
		if (ip >= (uint64_t)PERF_CONTEXT_MAX && i == 0 &&
		    ip == (uint64_t)PERF_CONTEXT_KERNEL)
			continue;
		if (ip >= (uint64_t)PERF_CONTEXT_MAX || ip < 1ull << 63)
			break;
		if (!e->kernel)
			e->kernel = chain.p + i * 8;
		e->n_kernel++;
	}
}

static void parse_user(struct cursor *c, struct event *e)
{
	uint64_t abi = cursor_u64(c), size, dynamic;
	size_t i;

	if (abi != PERF_SAMPLE_REGS_ABI_NONE) {
		for (i = 0; i < SAMPLE_REGISTERS; i++)
			e->reg[dwarf_of[i]] = cursor_u64(c);
		e->has_user = abi == PERF_SAMPLE_REGS_ABI_64;
	}
	size = cursor_u64(c);
	if (size == 0)
		return;
	e->stack = cursor_take(c, size);
	dynamic = cursor_u64(c);
	if (dynamic < e->stack.n)
		e->stack.n = dynamic;
}

static void parse_sample(const struct perf_layout *l, struct cursor *c, struct event *e)
{
	e->kind = EVENT_SAMPLE;
	cursor_skip(c, 8); /* ip: also in the registers or the callchain */
	e->pid = (pid_t)cursor_u32(c);
	e->tid = (pid_t)cursor_u32(c);
	e->time_ns = cursor_u64(c);
	if (l->address)
		e->address = cursor_u64(c);
	else
		e->weight_ns = cursor_u64(c);
	/* The kernel gives what a program puts out no period, and a clock's sample always one. */
	if (l->chain && !l->address && e->weight_ns == 0) {
		e->kind = EVENT_CHAIN;
		e->chain = cursor_take(c, cursor_u32(c));
		return;
	}
	e->stack_asked = l->stack_asked;
	if (l->callchain)
		parse_callchain(c, e);
	if (l->stack)
		parse_user(c, e);
}

/* Ends a string at the record's end at the latest: NULL when it has none. */
static const char *rest_as_text(struct cursor *c)
{
	return cursor_str(c);
}

static void parse_mmap2(struct cursor *c, uint16_t misc, struct event *e)
{
	uint32_t major, minor, protection;

	e->kind = EVENT_MAP;
	e->pid = (pid_t)cursor_u32(c);
	e->tid = (pid_t)cursor_u32(c);
	e->start = cursor_u64(c);
	e->length = cursor_u64(c);
	e->offset = cursor_u64(c);
	if (misc & PERF_RECORD_MISC_MMAP_BUILD_ID) {
		cursor_skip(c, 24);
		major = minor = 0;
	} else {
		major = cursor_u32(c);
		minor = cursor_u32(c);
		e->inode = cursor_u64(c);
		cursor_skip(c, 8); /* inode generation */
	}
	e->device = makedev(major, minor);
	protection = cursor_u32(c);
	cursor_skip(c, 4); /* flags */
	e->text = rest_as_text(c);
	if (!c->failed && !(protection & PROT_EXEC))
		e->kind = EVENT_BAD;
}

static void parse_task(struct cursor *c, enum event_kind kind, struct event *e)
{
	e->kind = kind;
	e->pid = (pid_t)cursor_u32(c);
	e->parent = (pid_t)cursor_u32(c);
	e->tid = (pid_t)cursor_u32(c);
	cursor_skip(c, 4);
	e->time_ns = cursor_u64(c);
}

static void parse_comm(struct cursor *c, uint16_t misc, struct event *e)
{
	e->kind = misc & PERF_RECORD_MISC_COMM_EXEC ? EVENT_EXEC : EVENT_COMM;
	e->pid = (pid_t)cursor_u32(c);
	e->tid = (pid_t)cursor_u32(c);
	e->text = rest_as_text(c);
}

bool perf_record_parse(const struct perf_layout *l, struct bytes record, struct event *e)
{
	struct cursor c = cursor_over(record);
	uint32_t type = cursor_u32(&c);
	uint16_t misc = cursor_u16(&c);

	cursor_skip(&c, 2); /* size: the record's own length */
	memset(e, 0, offsetof(struct event, reg));
	e->has_user = false;
	e->stack = (struct bytes){ NULL, 0 };
	e->chain = (struct bytes){ NULL, 0 };
	e->text = NULL;
	e->count = 0;
	e->parent = 0;
	switch (type) {
	case PERF_RECORD_SAMPLE:
		parse_sample(l, &c, e);
		break;
	case PERF_RECORD_MMAP2:
		parse_mmap2(&c, misc, e);
		if (!c.failed && e->kind == EVENT_BAD)
			return false; /* data, not code */
		break;
	case PERF_RECORD_COMM:
		parse_comm(&c, misc, e);
		break;
	case PERF_RECORD_FORK:
		parse_task(&c, EVENT_FORK, e);
		break;
	case PERF_RECORD_EXIT:
		parse_task(&c, EVENT_EXIT, e);
		break;
	case PERF_RECORD_LOST:
		e->kind = EVENT_LOST;
		cursor_skip(&c, 8); /* event id */
		e->count = cursor_u64(&c);
		break;
	case PERF_RECORD_LOST_SAMPLES:
		e->kind = EVENT_LOST;
		e->count = cursor_u64(&c);
		break;
	default:
		return false; /* throttling and the like */
	}
	if (c.failed)
		e->kind = EVENT_BAD;
	return true;
}
