/* Writing is temp file + rename (or link, when an existing file must not be replaced). What stood
 * there must outlive a power cut, so then it is synced. A sync waits for what others wrote, too. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/rights.h"
#include "base/text.h"

int file_read(const char *path, size_t cap, struct bytes *out, bool *cut)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), ret = 0;
	size_t n = 0, most = cap < SIZE_MAX ? cap + 1 : cap,
	       room = most < 4096 ? most : 4096;
	unsigned char *p;

	*out = (struct bytes){ NULL, 0 };
	if (cut)
		*cut = false;
	if (fd == -1)
		return -errno;
	p = xmalloc(room);
	for (;;) {
		ssize_t got = read(fd, p + n, room - n);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1) {
			ret = -errno;
			break;
		}
		if (got == 0)
			break;
		n += (size_t)got;
		if (n < room)
			continue;
		if (room == most) /* one byte past the cap: there is more */
			break;
		room = room < most / 2 ? room * 2 : most;
		p = xrealloc(p, room);
	}
	close(fd);
	if (cut)
		*cut = ret == 0 && n > cap;
	if (ret)
		free(p);
	else
		*out = (struct bytes){ p, n < cap ? n : cap };
	return ret;
}

int file_read_at(int fd, uint64_t offset, size_t n, size_t limit, struct bytes *out)
{
	unsigned char *p;
	size_t at = 0;

	*out = (struct bytes){ NULL, 0 };
	if (n > limit || offset > INT64_MAX)
		return -EFBIG;
	p = malloc(n ? n : 1);
	if (!p)
		return -ENOMEM;
	while (at < n) {
		ssize_t got = pread(fd, p + at, n - at, (off_t)(offset + at));

		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0) {
			int e = got == 0 ? EIO : errno;

			free(p);
			return -e;
		}
		at += (size_t)got;
	}
	*out = (struct bytes){ p, n };
	return 0;
}

bool file_line(const char *path, char *to, size_t size)
{
	struct bytes b;
	size_t n = 0;

	if (size)
		to[0] = '\0';
	if (file_read(path, 4096, &b, NULL))
		return false;
	while (n < b.n && b.p[n] != '\n')
		n++;
	clean_copy(to, size, (const char *)b.p, n);
	free((void *)(uintptr_t)b.p);
	return true;
}

void file_give_to_sudo_user(int fd)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	char *end_uid, *end_gid;
	unsigned long u, g;

	if (geteuid() != 0 || !uid || !gid)
		return;
	u = strtoul(uid, &end_uid, 10);
	g = strtoul(gid, &end_gid, 10);
	if (*uid && *gid && !*end_uid && !*end_gid &&
	    fchown(fd, (uid_t)u, (gid_t)g) == -1)
		return; /* still readable by root: not worth losing the file */
}

static int open_partial(struct outfile *o, const char *path, bool replace,
			struct error *err)
{
	struct stat st;

	*o = (struct outfile){ .fd = -1, .replace = replace };
	if (strcmp(path, "-") == 0) {
		o->to_stdout = true;
		o->fd = STDOUT_FILENO;
		return 0;
	}
	if (snprintf(o->path, sizeof(o->path), "%s", path) >= (int)sizeof(o->path))
		return error_set(err, EXIT_FAILED, "output path is too long");
	if (lstat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode)) {
			errno = EISDIR;
			return error_errno(err, path);
		}
		o->replaces = true;
		if (!replace) {
			error_set(err, EXIT_FAILED, "%s exists already", path);
			error_hint(err, "choose another -o, or add --force");
			return -EEXIST;
		}
	}
	snprintf(o->partial, sizeof(o->partial), "%s.%d.XXXXXX", path, (int)getpid());
	o->fd = mkostemp(o->partial, O_CLOEXEC);
	if (o->fd == -1) {
		int ret = error_errno(err, path);

		if (err)
			err->exit = EXIT_FAILED;
		error_hint(err, "choose a folder that can be written with -o");
		return ret;
	}
	/* mkostemp() makes it 0600: what is in it may be of other users' processes. */
	file_give_to_sudo_user(o->fd);
	return 0;
}

int outfile_open(struct outfile *o, const char *path, bool replace, struct error *err)
{
	struct rights rights = rights_of_user();
	int ret = open_partial(o, path, replace, err);

	rights_back(rights);
	return ret;
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, p, n);

		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1)
			return -1;
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

static int settle(const struct outfile *o)
{
	int fd;

	if (o->replaces)
		return fsync(o->fd);
	fd = dup(o->fd); /* NFS says at a close that there was no room */
	return fd == -1 ? 0 : close(fd);
}

static int put_in_place(struct outfile *o, const char *p, size_t n, struct error *err)
{
	int ret = 0;

	if (write_all(o->fd, p, n) == -1)
		goto fail;
	if (o->to_stdout)
		return 0;
	if (settle(o) == -1 && errno != EINVAL && errno != EROFS)
		goto fail;
	if (o->replace ? rename(o->partial, o->path) : link(o->partial, o->path))
		goto fail;
	if (!o->replace)
		unlink(o->partial);
	close(o->fd);
	o->fd = -1;
	return 0;
fail:
	ret = error_errno(err, o->to_stdout ? "standard output" : o->path);
	if (err)
		err->exit = EXIT_FAILED;
	outfile_abort(o);
	return ret;
}

int outfile_commit(struct outfile *o, const char *p, size_t n, struct error *err)
{
	struct rights rights = rights_of_user();
	int ret = put_in_place(o, p, n, err);

	rights_back(rights);
	return ret;
}

void outfile_abort(struct outfile *o)
{
	if (o->fd == -1 || o->to_stdout)
		return;
	close(o->fd);
	unlink(o->partial);
	o->fd = -1;
}
