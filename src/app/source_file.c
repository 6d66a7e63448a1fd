/* Reads a source file for the screen: as the target sees it (its own root directory), then
 * as we do. A regular file of bounded size only: the name comes from debug information. */
#include "app/source_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/timed.h"
#include "symbol/debugfile.h"

#define SOURCE_MOST (8u << 20)

static int read_all(int fd, size_t size, struct ui_source *out)
{
	size_t n = 0;
	ssize_t got;

	out->text = malloc(size + 1);
	if (!out->text)
		return -ENOMEM;
	while (n < size && (got = read(fd, out->text + n, size - n)) > 0)
		n += (size_t)got;
	out->text[n] = '\0';
	out->n = n;
	return 0;
}

static int read_open(int fd, struct ui_source *out)
{
	struct stat st;
	int ret;

	ret = fstat(fd, &st) == -1		? -errno
	      : !S_ISREG(st.st_mode)		? -EINVAL
	      : st.st_size > (off_t)SOURCE_MOST ? -EFBIG
						: read_all(fd, (size_t)st.st_size, out);
	if (!ret)
		out->changed_wall_ns = (uint64_t)st.st_mtim.tv_sec * NS_PER_SEC +
				       (uint64_t)st.st_mtim.tv_nsec;
	return ret;
}

/* root_open() uses the rights of the user: names in debug information are the target's choice. */
static int try_file(int32_t pid, const char *path, struct ui_source *out)
{
	int fd = root_open(pid, path, true), ret;

	if (fd == -1)
		return -errno;
	ret = read_open(fd, out);
	close(fd);
	return ret;
}

int source_read_here(void *app, int32_t pid, const char *path, struct ui_source *out,
		     struct error *err)
{
	(void)pid;
	return source_read(app, 0, path, out, err);
}

/* One reading, on a thread that can be left behind: the file may be on a server that is dead. */
struct reading {
	int32_t pid;
	const char *path; /* its own copy */
	struct ui_source source;
	int ret;
};

static void read_it(void *arg)
{
	struct reading *r = arg;

	r->ret = try_file(r->pid, r->path, &r->source);
	/* Of a process that has ended, or whose root may not be seen. In another root the same
	 * path is another file. */
	if (r->ret && r->pid && !root_is_there(r->pid))
		r->ret = try_file(0, r->path, &r->source);
}

static void drop(void *arg)
{
	struct reading *r = arg;

	free(r->source.text);
	free((void *)(uintptr_t)r->path);
}

int source_read(void *app, int32_t pid, const char *path, struct ui_source *out,
		struct error *err)
{
	struct reading r = { .pid = pid };
	int ret;

	(void)app;
	*out = (struct ui_source){ 0 };
	if (path[0] != '/') {
		error_set(err, EXIT_FAILED, "no text: %s is not a whole path", path);
		return -ENOENT;
	}
	r.path = xstrdup(path);
	ret = timed_call(TIMED_WAIT_NS, read_it, &r, sizeof(r), drop);
	if (ret) { /* the path is that thread's */
		error_set(err, EXIT_FAILED, "no text: %s does not answer", path);
		error_hint(
		    err,
		    "its file system waits for a server; try again when that answers");
		return ret;
	}
	*out = r.source;
	free((void *)(uintptr_t)r.path);
	if (r.ret) {
		errno = -r.ret;
		error_errno(err, path);
	}
	return r.ret;
}
