/* A perf map of a large program is 100 MB, /proc/kallsyms 15: too much to hold beside
 * what is made of them, so they pass through a buffer. */
#include "symbol/textmap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cursor.h"

#define BUFFER (128u << 10)
#define LINE_MAX_BYTES (16u << 10)

void textmap_parse(struct bytes text, struct table *t, textmap_line *line)
{
	struct cursor c = cursor_over(text);
	struct bytes l;

	while (cursor_line(&c, &l)) {
		if (l.n > LINE_MAX_BYTES)
			l.n = LINE_MAX_BYTES;
		line(t, l);
	}
}

/* What is read but not yet parsed, from the start of a line on. */
struct reader {
	unsigned char *p;
	size_t n;
	bool skipping; /* inside a line whose start was parsed already */
};

/* Parses all whole lines; the rest moves to the front. A line that fills the buffer is
 * parsed as far as it is there and the rest of it dropped. */
static void take_lines(struct reader *r, struct table *t, textmap_line *line)
{
	const unsigned char *nl = memrchr(r->p, '\n', r->n);
	size_t whole = nl ? (size_t)(nl - r->p) + 1 : 0, from = 0;

	if (!nl && r->n < BUFFER)
		return;
	if (r->skipping) {
		const unsigned char *end = memchr(r->p, '\n', r->n);

		from = end ? (size_t)(end - r->p) + 1 : r->n;
		r->skipping = !end;
	}
	if (!nl) {
		if (from == 0)
			textmap_parse((struct bytes){ r->p, r->n }, t, line);
		r->skipping = true;
		r->n = 0;
		return;
	}
	textmap_parse((struct bytes){ r->p + from, whole - from }, t, line);
	memmove(r->p, r->p + whole, r->n - whole);
	r->n -= whole;
}

int textmap_read(int fd, uint64_t limit, struct table *t, textmap_line *line)
{
	struct reader r = { .p = xmalloc(BUFFER) };
	uint64_t total = 0;
	int ret = 0;

	while (total < limit) {
		ssize_t got = read(fd, r.p + r.n, BUFFER - r.n);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			ret = -errno;
		if (got <= 0)
			break;
		total += (uint64_t)got;
		r.n += (size_t)got;
		take_lines(&r, t, line);
	}
	if (!r.skipping && r.n > 0 && total < limit)
		textmap_parse((struct bytes){ r.p, r.n }, t, line);
	free(r.p);
	return ret;
}
