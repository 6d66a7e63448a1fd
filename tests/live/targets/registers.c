/* registers PID: holds all four debug registers of a process's first thread until it is ended. */
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int i, held = 0;

	for (i = 0; i < 4; i++) {
		struct perf_event_attr attr = {
			.type = PERF_TYPE_BREAKPOINT,
			.size = sizeof(attr),
			.sample_period = 1,
			.exclude_kernel = 1,
			.bp_type = HW_BREAKPOINT_W,
			.bp_addr = 0x1000 + 8u * (unsigned)i,
			.bp_len = 8,
		};

		held += syscall(SYS_perf_event_open, &attr, argc > 1 ? atoi(argv[1]) : 0,
				-1, -1, 0) != -1;
	}
	if (held == 0)
		return 1;
	printf("ready %d\n", held);
	fflush(stdout);
	pause();
	return 0;
}
