/* Times are CLOCK_MONOTONIC nanoseconds unless a name says otherwise. */
#ifndef PTOP_BASE_CLOCK_H
#define PTOP_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_SEC 1000000000ull
#define NS_PER_MSEC 1000000ull

uint64_t clock_now_ns(void);
/* CPU time of this process and of the calling thread. */
uint64_t clock_own_cpu_ns(void);
uint64_t clock_thread_cpu_ns(void);
/* Between two ticks of the kernel. */
uint64_t clock_kernel_tick_ns(void);
/* Since the machine started, in the ticks of /proc/PID/stat. */
uint64_t clock_boot_ticks(void);
/* Nanoseconds since 1970. */
uint64_t clock_wall_ns(void);

#endif
