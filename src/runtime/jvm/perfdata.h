/* HotSpot's performance counters: the file /tmp/hsperfdata_USER/PID that every virtual machine
 * maps (or, with -XX:+PerfDisableSharedMem, only its memory). Layout 2.0, little-endian: the
 * JDK's src/hotspot/share/runtime/perfMemory.hpp. */
#ifndef PTOP_RUNTIME_JVM_PERFDATA_H
#define PTOP_RUNTIME_JVM_PERFDATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define PERFDATA_BYTES_MAX (1u << 20)
#define PERFDATA_ENTRIES_MAX 8192u
#define PERFDATA_HEAD 32u

struct perfdata_entry {
	const char *name;      /* NUL-terminated, in the bytes */
	char type;	       /* 'J' a long, 'B' bytes */
	uint32_t at, elements; /* of the data, in the bytes; elements 0: one value */
};

/* Bytes the counters take up, by the first PERFDATA_HEAD of them; 0: they are none. */
size_t perfdata_bytes(struct bytes head);
/* Calls got() for each entry that keeps to its bounds; returns how many, 0 when these are no
 * counters. */
size_t perfdata_each(struct bytes in,
		     void (*got)(void *arg, const struct perfdata_entry *e), void *arg);

#endif
