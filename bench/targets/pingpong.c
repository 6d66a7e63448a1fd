/* pingpong [FILE]: two threads on one CPU hand one byte to and fro through two pipes for
 * ever: 400,000 to 900,000 context switches a second on a whole core. A unit of work in
 * FILE is one switch. */
#include <pthread.h>
#include <sched.h>

#include "progress.h"

#define TELL_EVERY 2000u

static int there[2], back[2];

static void on_last_cpu(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)(cpus > 0 ? cpus - 1 : 0), &set);
	sched_setaffinity(0, sizeof(set), &set); /* if it may not: slower, not wrong */
}

static void pass(int from, int to)
{
	char c;

	if (read(from, &c, 1) != 1 || write(to, &c, 1) != 1)
		_exit(1);
}

static void *other(void *unused)
{
	for (;;)
		pass(there[0], back[1]);
	return unused;
}

int main(int argc, char **argv)
{
	int fd = progress_open(argc > 1 ? argv[1] : NULL);
	uint64_t switches = 0;
	pthread_t thread;

	on_last_cpu();
	if (pipe(there) || pipe(back) || pthread_create(&thread, NULL, other, NULL) ||
	    write(there[1], "x", 1) != 1)
		return 1;
	for (;;) {
		pass(back[0], there[1]);
		switches += 2;
		if (switches % TELL_EVERY == 0)
			progress_tell(fd, switches, "");
	}
}
