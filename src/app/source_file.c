/* Reads a source file for the screen: as the target sees it (its own root directory), then
 * as we do. A regular file of bounded size only: the name comes from debug information. */
#include "app/source_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
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

int source_read(void *app, int32_t pid, const char *path, struct ui_source *out,
		struct error *err)
{
	int ret;

	(void)app;
	*out = (struct ui_source){ 0 };
	if (path[0] != '/') {
		error_set(err, EXIT_FAILED, "no text: %s is not a whole path", path);
		return -ENOENT;
	}
	ret = try_file(pid, path, out);
	/* Of a process that has ended, or whose root may not be seen. In another root the same
	 * path is another file. */
	if (ret && pid && !root_is_there(pid))
		ret = try_file(0, path, out);
	if (ret) {
		errno = -ret;
		error_errno(err, path);
	}
	return ret;
}
