/* The registry of objects: found by (device, inode) for files, by pid for JIT memory. A
 * sorted structure is not needed: an object is looked up once per mapping, and there are
 * some hundreds at most; beyond OBJECTS_MAX new files share one "[too many files]"
 * object. */
#include "target/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/rights.h"
#include "base/text.h"
#include "base/vec.h"
#include "target/loader.h"
#include "target/process.h"

#define OBJECTS_MAX 65536u

struct objects {
	VEC(struct object *) list;
	struct arena arena;
	struct loader *loader;
};

static const char *display_name(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	char clean[256];

	if (path[0] == '[')
		slash = NULL;
	clean_copy(clean, sizeof(clean), slash ? slash + 1 : path,
		   strlen(slash ? slash + 1 : path));
	return arena_str(arena, clean);
}

static struct object *add(struct objects *os, const struct object *like)
{
	struct object *o = arena_alloc(&os->arena, sizeof(*o));

	*o = *like;
	o->id = (uint32_t)os->list.n;
	o->loader = os->loader;
	o->path = arena_str(&os->arena, like->path);
	o->name = display_name(&os->arena, o->path);
	*VEC_PUSH(&os->list) = o;
	return o;
}

struct objects *objects_new(void)
{
	struct objects *os = xcalloc(1, sizeof(*os));

	os->loader = loader_new();
	add(os, &(struct object){ .kind = OBJECT_KERNEL, .path = "[kernel]" });
	return os;
}

void objects_free(struct objects *os)
{
	if (!os)
		return;
	loader_free(os->loader);
	VEC_DONE(&os->list);
	arena_done(&os->arena);
	free(os);
}

const struct object *objects_file(struct objects *os, const struct object *like)
{
	size_t i;

	for (i = 0; i < os->list.n; i++) {
		const struct object *o = os->list.v[i];

		if (o->kind == OBJECT_FILE && o->inode == like->inode &&
		    o->device == like->device && strcmp(o->path, like->path) == 0)
			return o;
	}
	if (os->list.n >= OBJECTS_MAX)
		return os->list.v[OBJECTS_MAX - 1];
	return add(os, like);
}

static const struct object *special(struct objects *os, enum object_kind kind, pid_t pid,
				    const char *path)
{
	size_t i;

	for (i = 0; i < os->list.n; i++)
		if (os->list.v[i]->kind == kind && os->list.v[i]->pid == pid)
			return os->list.v[i];
	return add(os, &(struct object){ .kind = kind, .pid = pid, .path = path });
}

const struct object *objects_jit(struct objects *os, pid_t pid)
{
	return special(os, OBJECT_JIT, pid, "[jit]");
}

const struct object *objects_vdso(struct objects *os)
{
	return special(os, OBJECT_VDSO, 0, "[vdso]");
}

const struct object *objects_get(const struct objects *os, uint32_t id)
{
	return id < os->list.n ? os->list.v[id] : NULL;
}

size_t objects_count(const struct objects *os)
{
	return os->list.n;
}

/* Overlay file systems show another device in stat than in maps, so an equal inode on a
 * differing device is accepted only through the target's own root. */
static int open_same(const struct object *o, const char *path, bool own_root)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd == -1)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino == o->inode &&
	    (own_root || st.st_dev == o->device))
		return fd;
	close(fd);
	return -ESTALE;
}

static int open_mapped(const struct object *o)
{
	char path[4096 + 64];
	int body, fd;

	body = process_body(o->pid);
	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", body,
		 (unsigned long long)o->map_start, (unsigned long long)o->map_end);
	fd = open_same(o, path, true);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/%d/root%s", body, o->path);
	fd = open_same(o, path, true);
	if (fd >= 0)
		return fd;
	if (o->main) {
		snprintf(path, sizeof(path), "/proc/%d/exe", body);
		fd = open_same(o, path, true);
		if (fd >= 0)
			return fd;
	}
	return fd;
}

int object_open(const struct object *o, struct error *err)
{
	struct rights rights;
	int fd;

	if (o->kind != OBJECT_FILE) {
		errno = EINVAL;
		return error_errno(err, o->path);
	}
	rights = rights_of_ptop();
	fd = open_mapped(o);
	rights_back(rights);
	if (fd >= 0)
		return fd;
	rights = rights_of_user();
	fd = open_same(o, o->path, false);
	rights_back(rights);
	if (fd >= 0)
		return fd;
	errno = -fd;
	return error_errno(err, o->name);
}
