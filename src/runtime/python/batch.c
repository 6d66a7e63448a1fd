/* process_vm_readv copies its pieces in order and stops at the first byte that is not
 * there, so the count it returns tells which pieces are whole; reading goes on behind the
 * one that failed. Bytes of test memory are read piece by piece. */
#include "runtime/python/batch.h"

#include <string.h>
#include <sys/uio.h>

#define USER_MEMORY_END (1ull << 56) /* five-level page tables */

void batch_init(struct batch *b, pid_t pid, const struct mem *mem)
{
	*b = (struct batch){ .pid = pid, .mem = mem, .buffer = xmalloc(BATCH_BYTES) };
}

void batch_done(struct batch *b)
{
	VEC_DONE(&b->pieces);
	free(b->buffer);
	b->buffer = NULL;
}

void batch_clear(struct batch *b)
{
	b->used = 0;
	VEC_CLEAR(&b->pieces);
}

void batch_cut(struct batch *b, size_t piece)
{
	if (piece >= b->pieces.n)
		return;
	b->used = b->pieces.v[piece].at;
	b->pieces.n = piece;
}

bool batch_add(struct batch *b, uint64_t address, size_t bytes)
{
	struct piece *p;

	if (address == 0 || address >= USER_MEMORY_END || bytes == 0 ||
	    bytes > BATCH_BYTES - b->used)
		return false;
	VEC_GROW(&b->pieces);
	p = &b->pieces.v[b->pieces.n++];
	*p = (struct piece){ address, (uint32_t)bytes, (uint32_t)b->used, false };
	b->used += (bytes + 7) & ~(size_t)7;
	if (b->used > BATCH_BYTES)
		b->used = BATCH_BYTES;
	return true;
}

static void run_on_mem(struct batch *b, size_t i)
{
	for (; i < b->pieces.n; i++) {
		struct piece *p = &b->pieces.v[i];

		p->ok = b->mem->read(b->mem, p->address, b->buffer + p->at, p->bytes);
	}
}

/* One call for n pieces; returns how many of them are dealt with: those read whole and
 * the one that failed. */
static size_t run_call(struct batch *b, struct piece *p, size_t n)
{
	struct iovec local[BATCH_CALL_PIECES], remote[BATCH_CALL_PIECES];
	ssize_t got;
	size_t i;

	if (n == 0 || n > BATCH_CALL_PIECES)
		return 1;
	for (i = 0; i < n; i++) {
		local[i] = (struct iovec){ b->buffer + p[i].at, p[i].bytes };
		remote[i] = (struct iovec){ (void *)(uintptr_t)p[i].address, p[i].bytes };
	}
	b->calls++;
	got = process_vm_readv(b->pid, local, n, remote, n, 0);
	for (i = 0; i < n && got >= (ssize_t)p[i].bytes; i++) {
		p[i].ok = true;
		got -= (ssize_t)p[i].bytes;
	}
	return i < n ? i + 1 : n;
}

void batch_run(struct batch *b, size_t piece)
{
	if (b->mem) {
		run_on_mem(b, piece);
		return;
	}
	while (piece < b->pieces.n) {
		size_t n = b->pieces.n - piece;

		if (n > BATCH_CALL_PIECES)
			n = BATCH_CALL_PIECES;
		piece += run_call(b, &b->pieces.v[piece], n);
	}
}

bool batch_read(struct batch *b, uint64_t address, void *to, size_t bytes)
{
	struct iovec local = { to, bytes },
		     remote = { (void *)(uintptr_t)address, bytes };

	if (address == 0 || address >= USER_MEMORY_END)
		return false;
	if (b->mem)
		return b->mem->read(b->mem, address, to, bytes);
	b->calls++;
	return process_vm_readv(b->pid, &local, 1, &remote, 1, 0) == (ssize_t)bytes;
}
