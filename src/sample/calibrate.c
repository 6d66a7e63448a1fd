/* Spins on the clock with an event of its own that fires every 100 us. Where two readings
 * of the clock lie far apart, something took the CPU in between: mostly that event,
 * sometimes the tick or another program. The median of those gaps is the event's. */
#include "sample/calibrate.h"

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "sample/perf_ring.h"

#define SPIN_NS (60 * NS_PER_MSEC) /* at most; where ptop gets a CPU, 4 ms are enough */
#define PERIOD_NS 100000u
#define GAP_LEAST_NS 700u /* two readings of the clock are 20 to 60 ns apart */
#define GAP_MOST_NS 150000u
#define GAPS_LEAST 10u
#define GAPS_MOST 40u
#define RING_BYTES (256u << 10)

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static size_t spin(struct perf_ring *ring, uint32_t *gaps)
{
	uint64_t last = clock_now_ns(), end = last + SPIN_NS, now;
	size_t n = 0;

	while ((now = clock_now_ns()) < end && n < GAPS_MOST) {
		bool broken = false;
		struct bytes record;

		if (now - last >= GAP_LEAST_NS) {
			if (now - last <= GAP_MOST_NS)
				gaps[n++] = (uint32_t)(now - last);
			/* A full ring would not be written: empty it, off the clock. */
			while (perf_ring_next(ring, &record, &broken))
				;
			now = clock_now_ns();
		}
		last = now;
	}
	return n;
}

uint64_t calibrate_sample_ns(uint32_t stack_bytes, unsigned percent)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = PERIOD_NS,
		.sample_type =
		    PERF_SAMPLE_ALWAYS | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER,
		.sample_regs_user = perf_register_mask,
		.sample_stack_user = stack_bytes,
		.exclude_kernel = 1,
		.watermark = 1,
		.wakeup_watermark = RING_BYTES,
	};
	uint32_t gaps[GAPS_MOST];
	struct perf_ring ring;
	size_t n = 0;
	int fd =
	    (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd == -1)
		return 0;
	if (perf_ring_open(&ring, fd, RING_BYTES) == 0) {
		n = spin(&ring, gaps);
		perf_ring_close(&ring);
	}
	close(fd);
	if (n < GAPS_LEAST)
		return 0;
	qsort(gaps, n, sizeof(*gaps), by_size);
	return gaps[n * percent / 101];
}
