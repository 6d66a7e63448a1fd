/* The only place that ends the program for want of memory. */
#include "base/alloc.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"

/* Text for the one who must mend it; nothing here may need memory. */
static int explain(char *to, size_t size)
{
	static const struct {
		int what;
		const char *option;
	} limits[] = { { RLIMIT_AS, "-v" }, { RLIMIT_DATA, "-d" } };
	struct rlimit r;
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (getrlimit(limits[i].what, &r) == 0 && r.rlim_cur != RLIM_INFINITY)
			return snprintf(
			    to, size,
			    "ptop: out of memory\nhint: it may use %llu kB: raise "
			    "that with `ulimit %s`\n",
			    (unsigned long long)r.rlim_cur >> 10, limits[i].option);
	return snprintf(
	    to, size,
	    "ptop: out of memory\nhint: the machine or the container is full; "
	    "a shorter --window needs less\n");
}

/* The program ends here with a word instead of a core. Who has changed the terminal has a
 * handler for SIGABRT; the value tells it that it only has to give the terminal back. */
static void give_up(void)
{
	struct sigaction now;
	char word[200];
	int n;

	if (sigaction(SIGABRT, NULL, &now) == 0 && now.sa_handler != SIG_DFL)
		pthread_sigqueue(pthread_self(), SIGABRT,
				 (union sigval){ .sival_int = ALLOC_FAILED });
	n = explain(word, sizeof(word));
	if (n > 0 && write(STDERR_FILENO, word, (size_t)n) == -1)
		_exit(EXIT_FAILED);
	_exit(EXIT_FAILED);
}

static void *checked(void *p)
{
	if (!p)
		give_up();
	return p;
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
