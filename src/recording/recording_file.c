/* It is made without a name, filled, locked and linked in that order, so that there is no
 * moment at which another program, or a kill, finds half of it. */
#include "recording/recording_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "recording/schema.h"

#define LOCK_TRIES 20
#define LOCK_PAUSE_US 10000

void recording_file_remove_beside(const char *path, const char *suffix)
{
	struct text name = { 0 };

	text_fmt(&name, "%s%s", path, suffix);
	unlink(name.p);
	text_done(&name);
}

/* A reader that looks whether the file is being recorded holds the lock for a moment. */
static bool lock(int fd)
{
	int tries;

	for (tries = 0; tries < LOCK_TRIES; tries++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		usleep(LOCK_PAUSE_US);
	}
	return false;
}

/* May what stands there be replaced? As elsewhere a link is not followed. It stays locked
 * until the new file is in its place. */
static int take_old(struct recording_file *f, int *old, struct error *err)
{
	struct stat st;

	*old = open(f->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (*old == -1 && errno == ENOENT)
		return 0;
	if (*old == -1 || fstat(*old, &st) == -1)
		return error_errno(err, f->path);
	if (!S_ISREG(st.st_mode)) {
		error_set(err, EXIT_FAILED, "%s: not a regular file", f->path);
		error_hint(err, "a recording is a database; give it a path of its own");
		return -EINVAL;
	}
	if (!lock(*old)) {
		error_set(err, EXIT_FAILED, "%s: another ptop is recording into it",
			  f->path);
		error_hint(err, "choose another name with -o");
		return -EBUSY;
	}
	if (st.st_size > 0 && !f->replace) {
		error_set(err, EXIT_FAILED, "%s: exists already", f->path);
		error_hint(err, "-F replaces it");
		return -EEXIST;
	}
	return 0;
}

/* Without a name where the file system can do that, else as `name`. */
static int new_file(struct recording_file *f, const char *name, bool *named)
{
	struct text folder = { 0 };
	const char *slash = strrchr(f->path, '/');

	if (slash)
		text_add(&folder, f->path, (size_t)(slash - f->path) + 1);
	else
		text_str(&folder, "./");
	f->lock_fd = open(folder.p, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	text_done(&folder);
	*named = f->lock_fd == -1 &&
		 (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL);
	if (*named)
		f->lock_fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return f->lock_fd == -1 ? -1 : 0;
}

static int put_in_place(struct recording_file *f, const char *name, bool named,
			bool replace)
{
	char self[64];

	recording_file_remove_beside(f->path, "-wal");
	recording_file_remove_beside(f->path, "-shm");
	recording_file_remove_beside(f->path, "-journal");
	snprintf(self, sizeof(self), "/proc/self/fd/%d", f->lock_fd);
	if (!named && linkat(AT_FDCWD, self, AT_FDCWD, replace ? name : f->path,
			     AT_SYMLINK_FOLLOW) == -1)
		return -1;
	if (replace)
		return rename(name, f->path);
	if (!named)
		return 0;
	if (link(name, f->path) == -1)
		return -1;
	unlink(name);
	return 0;
}

static int put_image(struct recording_file *f, const unsigned char *image, size_t n,
		     struct error *err)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = pwrite(f->lock_fd, image + done, n - done, (off_t)done);

		if (got > 0)
			done += (size_t)got;
		else if (got == 0 || errno != EINTR)
			return recording_errno(f->path, "cannot be written", err);
	}
	return 0;
}

/* The file, locked and with its beginning in it before it has its name. */
int recording_file_create(struct recording_file *f, const unsigned char *image, size_t n,
			  struct error *err)
{
	struct text name = { 0 };
	bool named = false;
	int old = -1, ret = take_old(f, &old, err);

	text_fmt(&name, "%s.%d.new", f->path, (int)getpid());
	if (!ret && new_file(f, name.p, &named)) {
		ret = error_errno(err, f->path);
		if (ret == -EROFS)
			error_hint(err, "the file system is mounted read-only; record "
					"elsewhere with -o");
	}
	if (!ret) {
		file_give_to_sudo_user(f->lock_fd);
		if (!lock(f->lock_fd))
			ret = error_errno(err, f->path);
	}
	if (!ret)
		ret = put_image(f, image, n, err);
	if (!ret && put_in_place(f, name.p, named, old != -1)) {
		ret = error_errno(err, f->path);
		unlink(name.p);
	} else if (ret && named) {
		unlink(name.p);
	}
	if (!ret)
		f->name_fd = open(f->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (old != -1)
		close(old);
	text_done(&name);
	return ret;
}

enum writer_place recording_file_place(const struct recording_file *f)
{
	struct stat own, there;

	if (fstat(f->lock_fd, &own) == -1)
		return WRITER_HERE; /* not known to be elsewhere */
	if (own.st_nlink == 0)
		return WRITER_GONE;
	if (stat(f->path, &there) == -1)
		return errno == ENOENT ? WRITER_MOVED : WRITER_HERE;
	return own.st_dev == there.st_dev && own.st_ino == there.st_ino ? WRITER_HERE
									: WRITER_MOVED;
}

void recording_file_where(const struct recording_file *f, char *to, size_t size)
{
	char self[64];
	ssize_t n = -1;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", f->name_fd);
	if (f->name_fd != -1 && recording_file_place(f) == WRITER_MOVED)
		n = readlink(self, to, size - 1);
	if (n > 0)
		to[n] = '\0';
	else
		snprintf(to, size, "%s", f->path);
}
