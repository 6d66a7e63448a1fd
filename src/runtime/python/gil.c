/* Who holds the interpreters' locks, read in one call. Interpreters may share a lock (the
 * main one's); each is given once. */
#include "runtime/python/reader.h"

#define LOCKS_A_CALL 48u /* pieces of one system call */

static pid_t tid_of(const struct python_reader *r, uint64_t state)
{
	size_t i;

	for (i = 0; state && i < r->threads.n; i++)
		if (r->threads.v[i]->state == state)
			return r->threads.v[i]->info.tid;
	return 0;
}

/* To 3.11 the holder has a word of its own. */
static uint64_t holder_in(const struct python_reader *r, const struct piece *p)
{
	const struct python_layout *l = &r->layout;
	const unsigned char *b = batch_bytes(&r->side, p);

	if (!p->ok)
		return 0;
	if (l->runtime_current)
		return python_u64(b);
	return python_i32(b + l->gil_locked) == 1 ? python_u64(b + l->gil_holder) : 0;
}

static bool is_listed(const struct python_reader *r, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (r->interpreters.v[k].gil == r->interpreters.v[i].gil)
			return true;
	return false;
}

size_t python_gil(struct python_reader *r, struct runtime_gil *out, size_t max)
{
	size_t i, n = 0;

	batch_clear(&r->side);
	for (i = 0; i < r->interpreters.n && n < max && n < LOCKS_A_CALL; i++) {
		const struct python_interpreter *p = &r->interpreters.v[i];

		uint32_t bytes;
		uint64_t lock = python_lock(r, p, &bytes);

		if (!p->gil || is_listed(r, i) || !batch_add(&r->side, lock, bytes))
			continue;
		out[n++] = (struct runtime_gil){ .interpreter = p->id };
	}
	batch_run(&r->side, 0);
	for (i = 0; i < n; i++)
		out[i].holder = tid_of(r, holder_in(r, &r->side.pieces.v[i]));
	return n;
}
