/* The only place that ends the program for want of memory. */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *checked(void *p)
{
	static const char word[] = "ptop: out of memory\n";

	if (p)
		return p;
	if (write(STDERR_FILENO, word, sizeof(word) - 1) == -1)
		_exit(1);
	abort(); /* the crash handler restores the terminal */
}

void *xmalloc(size_t bytes)
{
	return checked(malloc(bytes ? bytes : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t bytes)
{
	return checked(realloc(p, bytes ? bytes : 1));
}

char *xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xmalloc(n), s, n);
}

void *try_alloc(size_t n, size_t size, size_t limit)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > limit)
		return NULL;
	return calloc(1, bytes ? bytes : 1);
}
