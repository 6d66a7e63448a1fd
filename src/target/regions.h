/* A process's address space added up by what it is for: the heap, malloc's arenas, stacks of
 * threads, other anonymous memory, each file.
 *
 * Sizes are of address space: what is mapped may not have been touched yet. (What is
 * resident is told by smaps alone, and reading that makes the target wait.) */
#ifndef PTOP_TARGET_REGIONS_H
#define PTOP_TARGET_REGIONS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"

#define REGION_GROUPS_MOST 128u

struct region_group {
	char name[64]; /* "[heap]", "[malloc arenas]", "libc.so.6"; cleaned */
	uint64_t bytes, mappings;
	uint64_t hash; /* of the name */
};

struct regions {
	struct region_group groups[REGION_GROUPS_MOST];
	size_t n;
};

/* From the text of /proc/PID/maps. */
void regions_parse(struct regions *r, struct bytes text);
/* -errno. */
int regions_read(struct regions *r, pid_t pid);
/* The group of that name, or NULL. */
const struct region_group *regions_find(const struct regions *r,
					const struct region_group *like);

#endif
