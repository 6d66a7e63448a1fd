/* Programs whose calls are probed know how long each took: from inside of the function, and by its
 * caller, in whose time what a probe costs is as well.
 *
 *	PROGRAM N	at a line on its input makes N calls, prints "took INSIDE OUTSIDE" (ns) for each
 *			that returned and "done", and waits for the end of its input
 *	PROGRAM 0	makes calls until it is ended, and prints "calls N" from time to time
 *
 * Of 25 calls 20 work for 0.2 ms, 4 for 2 ms and one for 20 ms, in a mixed order. */
#ifndef PROBED_H
#define PROBED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define KEPT 20000u

static struct {
	uint64_t inside, outside;
} kept[KEPT];
static unsigned long made, ended;
static uint64_t last_inside;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t work_of(unsigned long call)
{
	unsigned long kind = call * 7 % 25;

	return kind < 20 ? 200000 : kind < 24 ? 2000000 : 20000000;
}

static void spin(uint64_t ns)
{
	uint64_t end = now() + ns;

	while (now() < end)
		;
}

static void keep(uint64_t outside)
{
	kept[ended % KEPT].inside = last_inside;
	kept[ended++ % KEPT].outside = outside;
}

static void begin(unsigned long n)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	if (n && getchar() == EOF)
		exit(1);
}

static void rest_between(unsigned long n)
{
	if (n)
		return;
	usleep(1000);
	if (made % 25 == 0)
		printf("calls %lu\n", made);
}

static void tell(void)
{
	unsigned long i;

	for (i = 0; i < ended && i < KEPT; i++)
		printf("took %lu %lu\n", (unsigned long)kept[i].inside,
		       (unsigned long)kept[i].outside);
	puts("done");
	fflush(stdout);
	while (getchar() != EOF)
		;
}

#endif
