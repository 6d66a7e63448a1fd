/* Which executable memory of a process comes from which object. */
#ifndef PTOP_TARGET_MAPS_H
#define PTOP_TARGET_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/vec.h"
#include "target/object.h"

struct mapping {
	uint64_t start, end; /* addresses in the target */
	uint64_t offset;     /* file offset of start; for JIT objects: start itself */
	const struct object *object;
};

struct maps {
	VEC(struct mapping) list; /* executable mappings only, by start, disjoint */
	uint32_t generation;	  /* grows with every change */
};

void maps_init(struct maps *m);
void maps_done(struct maps *m);
/* The mapping that holds this address, or NULL. */
const struct mapping *maps_find(const struct maps *m, uint64_t address);
/* Address in the object's own terms: file offset, or absolute for JIT. */
static inline uint64_t mapping_offset(const struct mapping *map, uint64_t address)
{
	return address - map->start + map->offset;
}
/* One line of /proc/PID/maps. False when it does not parse (the line is then ignored). */
struct maps_line {
	uint64_t start, end, offset, device, inode;
	bool readable, writable, executable, deleted;
	struct bytes path; /* borrowed; without " (deleted)" */
};
bool maps_parse_line(struct bytes line, struct maps_line *out);
/* Cuts " (deleted)" off the path and sets deleted. */
void maps_cut_deleted(struct maps_line *l);
/* The object such a mapping is of; main: it is the process's executable. */
const struct object *maps_object(struct objects *os, pid_t pid, bool main,
				 const struct maps_line *l);
/* Replaces the content with /proc/PID/maps' text. */
void maps_parse(struct maps *m, struct objects *os, pid_t pid, struct bytes text);
/* Reads /proc/PID/maps; -errno. */
int maps_read(struct maps *m, struct objects *os, pid_t pid);
/* A new executable mapping, as a PERF_RECORD_MMAP2 announces it; replaces what it
 * overlaps. */
void maps_insert(struct maps *m, struct mapping mapping);

#endif
