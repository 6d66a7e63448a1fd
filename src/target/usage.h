/* What a process uses, once a second: CPU and memory, from libproc2 where it has the
 * figure. */
#ifndef PTOP_TARGET_USAGE_H
#define PTOP_TARGET_USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct usage {
	uint64_t cpu_ns;		   /* exact, of all threads ever */
	uint64_t user_ticks, system_ticks; /* sysconf(_SC_CLK_TCK) a second */
	/* Of children that have ended and were waited for, and of theirs. */
	uint64_t waited_user_ticks, waited_system_ticks;
	uint64_t rss_bytes;
	char state; /* of the main thread */
	int threads;
};

struct usage_reader;

struct usage_reader *usage_new(void);
void usage_free(struct usage_reader *r);
/* False when the process is gone. */
bool usage_read(struct usage_reader *r, pid_t pid, struct usage *out);
uint64_t usage_own_rss(void);

#endif
