/* grows SHAPE [SECONDS]: memory whose answer is known, a tenth of a second a step.
 *
 *	leak02 leak1	0.2 and 1 MB a second, kept
 *	flat sawtooth step warmup cache	none of them a leak
 *	heap		500 MB of chunks of all sizes, then 60,000 bytes kept every 20 ms
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MB (1024 * 1024)
#define STEP_S 0.1

static void *volatile kept;

static void keep(size_t bytes)
{
	char *p = malloc(bytes);

	if (!p)
		exit(1);
	memset(p, 1, bytes);
	kept = p;
}

/* As much as that is mapped and touched, no more. */
static void hold(char *room, size_t *now, size_t want)
{
	if (want > *now)
		memset(room + *now, 1, want - *now);
	else if (want < *now)
		malloc_trim(0);
	*now = want;
}

/* Megabytes above its base that a shape has after so many seconds; < 0: it leaks. */
static double height(const char *shape, double s)
{
	double filled = 0, left = 1;
	int i;

	if (!strcmp(shape, "sawtooth"))
		return 10 * (s / 10 - (long)(s / 10));
	if (!strcmp(shape, "step"))
		return s > 150 ? 60 : 0;
	if (!strcmp(shape, "warmup"))
		return s < 60 ? s : 60;
	if (strcmp(shape, "cache"))
		return 0;
	for (i = 0; i < (int)(s / 3) && i < 200; i++) { /* fills by a tenth of the rest */
		filled += left * 8;
		left *= 0.9;
	}
	return filled;
}

static void fill_heap(size_t bytes)
{
	size_t i, n;

	for (i = 0; bytes > 0; i++) {
		n = 32 + i * 37 % 3000;
		if (i % 50 == 0)
			n = 20000 + i % 9 * 3000;
		n = n < bytes ? n : bytes;
		keep(n);
		if (i % 3 == 0)
			free(malloc(n));
		bytes -= n;
	}
}

int main(int argc, char **argv)
{
	const char *shape = argc > 1 ? argv[1] : "flat";
	double leak = !strcmp(shape, "leak02") ? 0.2 : !strcmp(shape, "leak1") ? 1 : 0;
	double s, owed = 0;
	size_t now = 0, saw = 0;
	char *room = malloc((size_t)100 * MB);

	if (!room)
		return 1;
	keep((size_t)50 * MB);
	if (!strcmp(shape, "heap")) {
		fill_heap((size_t)500 * MB);
		for (;; usleep(20000))
			keep(60000);
	}
	for (s = 0;; s += STEP_S) {
		for (owed += leak * STEP_S * MB; owed > 20000; owed -= 20000)
			keep(20000);
		if (!strcmp(shape, "sawtooth")) { /* really given back at each fall */
			size_t want = (size_t)(height(shape, s) * MB);

			if (want < saw)
				saw = 0;
			free(kept);
			keep(want + 4096 * 64);
			saw = want;
		} else {
			hold(room, &now, (size_t)(height(shape, s) * MB));
		}
		usleep((useconds_t)(STEP_S * 1e6));
	}
}
