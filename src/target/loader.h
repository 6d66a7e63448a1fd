/* Reads files of a target that may not answer: a dead NFS or FUSE server leaves open() and
 * read() waiting for ever. What reads one runs on a thread that can be left behind; whoever
 * asks waits for a limited time. Any thread may ask. */
#ifndef PTOP_TARGET_LOADER_H
#define PTOP_TARGET_LOADER_H

#include <stddef.h>
#include <stdint.h>

#include "target/object.h"

struct loader;

/* fd is the object's file. Touches nothing but o, which is a copy, and arg. */
typedef void loader_use(int fd, const struct object *o, void *arg);

struct loader_request {
	loader_use *use;
	void *arg;   /* copied there, and back when it is done in time */
	size_t size; /* of what arg points to: values, or memory that `drop` frees */
	void (*drop)(void *arg); /* of a result nobody came for; NULL: nothing to free */
};

struct loader *loader_new(void);
/* Threads that are left behind go on, and free what they have when their file answers. */
void loader_free(struct loader *l);

/* Opens o's file and uses it. 0, -errno of the opening, or -ETIMEDOUT: the file has not
 * answered within a third of a second, or an earlier request for its file system still
 * waits. A result that comes later is kept for the next request that is equal to this one. */
int object_use(const struct object *o, const struct loader_request *r);
/* Does it answer, as far as is known without asking? */
bool object_answers(const struct object *o);

#endif
