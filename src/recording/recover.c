/* SQLite itself recovers the copy: in a folder of our own, of mode 0700, which is removed as
 * soon as SQLite has its files open. The logs are strangers' like the file: see put_copy(). */
#include "recording/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/text.h"
#include "recording/schema.h"

#define COPY_LARGEST ((uint64_t)8 << 30)
#define SPARE_BYTES ((uint64_t)16 << 20)
#define PIECE ((size_t)1 << 20)
#define NAME "recording"

/* The file, what may stand beside it, and what SQLite makes of the copy. */
static const char *const suffixes[] = { "", "-wal", "-journal", "-shm" };
#define COPIED 3u

static int file_beside(const char *path, const char *suffix)
{
	struct text name = { 0 };
	int fd;

	text_fmt(&name, "%s%s", path, suffix);
	fd = open(name.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	text_done(&name);
	return fd;
}

static uint64_t size_beside(const char *path, const char *suffix)
{
	int fd = file_beside(path, suffix);
	struct stat st;
	uint64_t size = 0;

	if (fd != -1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		size = (uint64_t)st.st_size;
	if (fd != -1)
		close(fd);
	return size;
}

bool recover_needed(const char *path)
{
	return size_beside(path, "-wal") || size_beside(path, "-journal");
}

/* A folder on a file system with `bytes` to spare. */
static int make_folder(uint64_t bytes, char *to, size_t size, struct error *err)
{
	const char *const places[] = { getenv("TMPDIR"), "/tmp", "/var/tmp", "/dev/shm" };
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct statvfs v;

		if (!places[i] || places[i][0] != '/' || statvfs(places[i], &v) == -1 ||
		    (uint64_t)v.f_bavail * v.f_frsize < bytes + SPARE_BYTES)
			continue;
		if (snprintf(to, size, "%s/ptop-recover-XXXXXX", places[i]) < (int)size &&
		    mkdtemp(to))
			return 0;
	}
	error_set(
	    err, EXIT_FAILED,
	    "its log must be played into a copy of it, and there is no room for one "
	    "(%llu MB)",
	    (unsigned long long)(bytes >> 20) + 1);
	error_hint(err, "set TMPDIR to a folder with room for it");
	return -ENOSPC;
}

static int pour(int from, int to)
{
	char *piece = malloc(PIECE);
	uint64_t done = 0;
	ssize_t n = piece ? 0 : -1;

	while (piece && (n = read(from, piece, PIECE)) > 0) {
		done += (uint64_t)n;
		if (done > COPY_LARGEST || write(to, piece, (size_t)n) != n) {
			n = -1;
			break;
		}
	}
	free(piece);
	return n == 0 ? 0 : -1;
}

/* The end of a journal may name another file, a "super-journal", that SQLite deletes when it
 * has recovered: a stranger's journal must not name one of ours. Zeros behind it end that;
 * records are counted from its head. */
static int put_copy(const char *path, const char *suffix, const char *folder)
{
	static const char zeros[16];
	struct text name = { 0 };
	int from = file_beside(path, suffix), to, ret = 0;
	bool journal = strcmp(suffix, "-journal") == 0;

	if (from == -1) /* none beside it; the file itself must be there */
		return suffix[0] ? 0 : -1;
	text_fmt(&name, "%s/" NAME "%s", folder, suffix);
	to = open(name.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	text_done(&name);
	if (to == -1 || pour(from, to) ||
	    (journal && write(to, zeros, sizeof(zeros)) != (ssize_t)sizeof(zeros)))
		ret = -1;
	if (to != -1)
		close(to);
	close(from);
	return ret;
}

static void remove_folder(const char *folder)
{
	struct text name = { 0 };
	size_t i;

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		text_clear(&name);
		text_fmt(&name, "%s/" NAME "%s", folder, suffixes[i]);
		unlink(name.p);
	}
	text_done(&name);
	rmdir(folder);
}

/* Reading a first page is what recovers; exclusive, so that no -shm is needed. */
static int open_copy(const char *path, const char *folder, sqlite3 **db,
		     struct error *err)
{
	struct text name = { 0 };
	int ret = 0;

	text_fmt(&name, "%s/" NAME, folder);
	if (sqlite3_open_v2(name.p, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW,
			    NULL) != SQLITE_OK ||
	    sqlite3_exec(*db,
			 "PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=OFF; "
			 "PRAGMA temp_store=MEMORY; PRAGMA application_id",
			 NULL, NULL, NULL) != SQLITE_OK)
		ret = schema_error(*db, path, "cannot be recovered", err);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	text_done(&name);
	return ret;
}

int recover_open(const char *path, sqlite3 **db, struct error *err)
{
	uint64_t bytes = 0;
	char folder[4096];
	size_t i;
	int ret;

	*db = NULL;
	for (i = 0; i < COPIED; i++)
		bytes += size_beside(path, suffixes[i]);
	if (bytes > COPY_LARGEST)
		return error_set(err, EXIT_FAILED, "%s: too large for a recording", path);
	/* What the log adds to the file is there twice. */
	ret = make_folder(bytes + size_beside(path, "-wal"), folder, sizeof(folder), err);
	if (ret)
		return ret;
	for (i = 0; !ret && i < COPIED; i++)
		if (put_copy(path, suffixes[i], folder))
			ret = error_set(err, EXIT_FAILED, "%s: cannot be copied: %s",
					path, strerror(errno));
	if (!ret)
		ret = open_copy(path, folder, db, err);
	remove_folder(folder);
	if (ret) {
		sqlite3_close(*db);
		*db = NULL;
	}
	return ret;
}
