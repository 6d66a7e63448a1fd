/* Inside sample/: how large rings are, and how much stack a sample carries. */
#ifndef PTOP_SAMPLE_PERF_ROOM_H
#define PTOP_SAMPLE_PERF_ROOM_H

#include <stddef.h>
#include <stdint.h>

#include "sample/backend.h"
#include "target/process.h"

#define PERF_RING_LEAST (512u << 10) /* unless RLIMIT_MEMLOCK leaves less */

/* Appends the numbers of the CPUs that are there. */
void perf_online_cpus(pid_list *out);
/* Of each ring, a power of two, with so many of them. */
size_t perf_ring_bytes(size_t cpus);
/* Between stack_bytes and stack_wanted of the configuration, a multiple of 8. */
uint32_t perf_stack_bytes(size_t ring_bytes, const struct sample_config *c);
/* So full a ring wakes its reader. */
uint32_t perf_wake_bytes(size_t ring_bytes, uint32_t stack_bytes);

/* Between two samples. */
uint64_t perf_period_ns(const struct sample_config *c);

#endif
