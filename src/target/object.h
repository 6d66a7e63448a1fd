/* Files (and file-like things) that code of a target comes from.
 *
 * An object is immutable from the moment objects_*() returned it until objects_free(), so
 * its pointer may travel to the namer thread. One file mapped by many processes is one
 * object; the executable memory a JIT made is one object a process. */
#ifndef PTOP_TARGET_OBJECT_H
#define PTOP_TARGET_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum object_kind {
	OBJECT_FILE,
	OBJECT_VDSO,   /* the kernel's; ptop's own image serves, it is the same */
	OBJECT_JIT,    /* anonymous executable memory of process `pid` */
	OBJECT_KERNEL, /* id 0, always there */
};

struct object {
	uint32_t id;
	enum object_kind kind;
	const char *path; /* as in /proc/PID/maps, raw, without " (deleted)" */
	const char *name; /* for display: last component, cleaned */
	uint64_t device, inode;
	bool deleted;
	bool main; /* the executable of the target it was first seen in */
	/* A mapping through which it can be opened while that process lives. */
	pid_t pid;
	uint64_t map_start, map_end;
	struct loader *loader; /* of its registry; NULL: made by hand */
};

struct objects;
struct loader;

struct objects *objects_new(void);
void objects_free(struct objects *os);
/* The object with this identity, made when new. main matters only then. */
const struct object *objects_file(struct objects *os, const struct object *like);
const struct object *objects_jit(struct objects *os, pid_t pid);
const struct object *objects_vdso(struct objects *os);
/* NULL for an id never given out. */
const struct object *objects_get(const struct objects *os, uint32_t id);
size_t objects_count(const struct objects *os);

/* Opens the very file that is mapped: /proc/PID/map_files (right also for deleted files
 * and other mount namespaces), else PATH below /proc/PID/root, else PATH if device and
 * inode agree. An fd or -errno. Only for OBJECT_FILE. May wait for ever: the sampler asks
 * object_use() of target/loader.h instead. */
int object_open(const struct object *o, struct error *err);

#endif
