/* Text files of functions, read in slices: the lines are those of the text as a whole, wherever a
 * slice ends. The input is pairs of a byte and how often it stands there (a byte, times itself),
 * so that lines longer than any buffer fit in a small corpus. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbol/textmap.h"

#define TEXT_MAX (300u << 10) /* a slice is 128 KiB */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct table table; /* first: what the callback is given */
	size_t n;
	uint64_t hash;
};

static void mix(struct seen *s, uint64_t v)
{
	s->hash = (s->hash ^ v) * 1099511628211u; /* as FNV-1a */
}

/* Lengths, and what stands at both ends of each line. */
static void take(struct table *t, struct bytes line)
{
	struct seen *s = (struct seen *)t;
	size_t i;

	mix(s, line.n);
	for (i = 0; i < line.n && i < 8; i++) {
		mix(s, line.p[i]);
		mix(s, line.p[line.n - 1 - i]);
	}
	s->n++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char text[TEXT_MAX];
	static int fd = -1;
	struct seen whole = { .n = 0 }, slices = { .n = 0 };
	size_t i, n = 0;

	for (i = 0; i + 2 <= size; i += 2) {
		size_t times = (size_t)data[i + 1] * data[i + 1] + 1;

		if (times > sizeof(text) - n)
			break;
		memset(text + n, data[i], times);
		n += times;
	}
	if (fd == -1)
		fd = memfd_create("fuzz_textmap", MFD_CLOEXEC);
	if (fd == -1 || ftruncate(fd, 0) || pwrite(fd, text, n, 0) != (ssize_t)n ||
	    lseek(fd, 0, SEEK_SET))
		abort();
	textmap_parse((struct bytes){ text, n }, &whole.table, take);
	if (textmap_read(fd, UINT64_MAX, &slices.table, take) || slices.n != whole.n ||
	    slices.hash != whole.hash)
		abort();
	return 0;
}
