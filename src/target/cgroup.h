/* How much memory the target's control groups leave it, and how much it waits for memory.
 *
 * A limit of any ancestor kills as well as the group's own, so all are looked at, in the
 * hierarchy of version 2 and in that of version 1. Files appear and vanish as a group is
 * reconfigured: every reading starts from nothing. `root` is put before every path: "" for
 * the machine, a folder for tests. */
#ifndef PTOP_TARGET_CGROUP_H
#define PTOP_TARGET_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"

/* Where the two hierarchies are mounted; "" is nowhere. */
struct cgroup_mounts {
	char v1[512], v2[512];		 /* folders */
	char v1_from[512], v2_from[512]; /* the group that stands there; "/" for all */
};

struct cgroup_memory {
	bool limited; /* some ancestor has a limit */
	/* The one with the least room. */
	char name[512]; /* its path: "/system.slice/x.service"; cleaned */
	uint64_t limit_bytes;
	/* Without the pages of files that the kernel would drop first. */
	uint64_t used_bytes;
	uint64_t hits;		  /* times it was at the limit */
	char pressure_path[1100]; /* of the innermost group, version 2; "" */
};

/* Of the last 10 s, per cent; < 0: not told. */
struct pressure {
	double some_pct, full_pct;
};

/* From the text of /proc/self/mountinfo. */
void cgroup_mounts_parse(struct cgroup_mounts *m, struct bytes mountinfo);
void cgroup_mounts_read(struct cgroup_mounts *m, const char *root);
/* False when the process is gone or in no group of memory. */
bool cgroup_memory(const struct cgroup_mounts *m, const char *root, pid_t pid,
		   struct cgroup_memory *out);
/* "some avg10=1.25 avg60=... \n full ..." */
void pressure_parse(struct bytes text, struct pressure *out);
/* The file's, or with "" the machine's. */
void pressure_read(const char *root, const char *path, struct pressure *out);

#endif
