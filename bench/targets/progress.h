/* What a benchmark target tells about itself while it runs: one line "CPU_NS WORK MORE"
 * at the start of a file, written over again and again. CPU_NS is the process' CPU time
 * and WORK the units of work done by then, so the ratio of two differences is the cost of
 * one unit, and whatever slows the target without showing in its work shows there. */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static inline uint64_t progress_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* PATH NULL: nobody reads, -1 is returned and progress_tell() does nothing. */
static inline int progress_open(const char *path)
{
	int fd = -1;

	if (path) {
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd == -1) {
			perror(path);
			exit(1);
		}
	}
	return fd;
}

/* More than one number: MORE is printed after WORK, or "". */
static inline void progress_tell(int fd, uint64_t work, const char *more)
{
	char line[160];
	int n;

	if (fd == -1)
		return;
	n = snprintf(line, sizeof(line), "%020" PRIu64 " %020" PRIu64 " %s\n",
		     progress_clock(CLOCK_PROCESS_CPUTIME_ID), work, more);
	if (n <= 0 || (size_t)n >= sizeof(line) || pwrite(fd, line, (size_t)n, 0) != n)
		_exit(1);
}

#endif
