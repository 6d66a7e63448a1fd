/* The search for debug files. Where they may be is GDB's convention ("Separate Debug
 * Files"):
 *
 *	/usr/lib/debug/.build-id/ab/cdef....debug
 *	DIR/NAME, DIR/.debug/NAME, /usr/lib/debug/DIR/NAME	(DIR of the code, NAME of
 * the link)
 *
 * A wrong debug file gives wrong names, which is worse than none: nothing is used
 * unverified. */
#include "symbol/debugfile.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/rights.h"
#include "target/process.h"

#define DEBUG_DIR "/usr/lib/debug"
#define PATH_BYTES 4600
/* A checksum means reading the whole file; larger ones are left alone. */
#define CRC_FILE_MAX (1ll << 30)

/* The root folder of a process as a place to open from: an fd or -1. */
static int open_root(pid_t pid)
{
	struct rights rights = rights_of_ptop();
	char path[64];
	int root;

	snprintf(path, sizeof(path), "/proc/%d/root", (int)process_body(pid));
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	rights_back(rights);
	return root;
}

bool root_is_there(pid_t pid)
{
	int root = open_root(pid);

	if (root != -1)
		close(root);
	return root != -1;
}

/* openat2 is refused by old kernels and some container filters: the plain way then, which
 * may follow an absolute link into our own root; what it finds is verified all the same.
 */
static int open_beneath(pid_t pid, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)flags,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	char full[PATH_BYTES];
	int root = open_root(pid), fd;

	if (root == -1)
		return -1;
	fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	close(root);
	if (fd == -1 && (errno == ENOSYS || errno == EPERM)) {
		snprintf(full, sizeof(full), "/proc/%d/root%s", (int)process_body(pid),
			 path);
		fd = open(full, flags);
	}
	return fd;
}

int root_open(pid_t pid, const char *path, bool follow)
{
	/* Nobody's FIFO or terminal shall hold us up or become ours. */
	int flags =
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW);
	struct rights rights = rights_of_user();
	struct stat st;
	int fd;

	if (pid > 0)
		fd = open_beneath(pid, path, flags);
	else
		fd = open(path, flags);
	rights_back(rights);
	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* CRC-32 of IEEE 802.3, by half bytes: polynomial 0xedb88320. */
static uint32_t crc_add(uint32_t crc, const unsigned char *p, size_t n)
{
	static const uint32_t half[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	size_t i;

	for (i = 0; i < n; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ half[crc & 15];
		crc = crc >> 4 ^ half[crc & 15];
	}
	return crc;
}

static bool crc_of(int fd, uint32_t *crc)
{
	unsigned char *p;
	off_t at = 0;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) == -1 || st.st_size > CRC_FILE_MAX)
		return false;
	p = xmalloc(64u << 10);
	*crc = UINT32_MAX;
	while (at <= CRC_FILE_MAX && (n = pread(fd, p, 64u << 10, at)) > 0) {
		*crc = crc_add(*crc, p, (size_t)n);
		at += n;
	}
	*crc = ~*crc;
	free(p);
	return at == st.st_size;
}

/* What a candidate must be. */
struct wanted {
	struct build_id id;
	struct debuglink link;
};

/* A link may name the code's own file: so the candidate must have what it is wanted for.
 */
static bool has_something(const struct elf *e)
{
	const struct elf_section *s = elf_section(e, ".symtab");

	if (!s)
		s = elf_section(e, ".debug_info");
	if (!s)
		s = elf_section(e, ".debug_str");
	return s && s->type != SHT_NOBITS && s->bytes > 0;
}

static bool is_wanted(int fd, const struct wanted *w)
{
	struct elf_source src = { elf_read_fd, &fd };
	struct build_id own;
	struct elf e;
	uint32_t crc;
	bool right;

	if (!elf_read(&src, &e))
		return false;
	right = has_something(&e);
	if (right && w->id.n)
		right = elf_build_id(&e, &src, &own) && own.n == w->id.n &&
			memcmp(own.byte, w->id.byte, own.n) == 0;
	else if (right)
		right = crc_of(fd, &crc) && crc == w->link.crc;
	elf_done(&e);
	return right;
}

static int open_checked(pid_t pid, const char *path, const struct wanted *w)
{
	int fd = root_open(pid, path, true);

	if (fd == -1 || is_wanted(fd, w))
		return fd;
	close(fd);
	return -1;
}

static int by_id(pid_t pid, const struct wanted *w)
{
	char path[sizeof(DEBUG_DIR) + 32 + 2 * BUILD_ID_MAX];
	size_t i, n;

	if (w->id.n < 2)
		return -1;
	n = (size_t)snprintf(path, sizeof(path), DEBUG_DIR "/.build-id/%02x/",
			     w->id.byte[0]);
	for (i = 1; i < w->id.n; i++)
		n += (size_t)snprintf(path + n, sizeof(path) - n, "%02x", w->id.byte[i]);
	snprintf(path + n, sizeof(path) - n, ".debug");
	return open_checked(pid, path, w);
}

static int by_link(pid_t pid, const char *code_path, const struct wanted *w)
{
	static const struct {
		const char *before, *after;
	} place[] = { { "", "" }, { "", "/.debug" }, { DEBUG_DIR, "" } };
	const char *slash = strrchr(code_path, '/');
	char path[PATH_BYTES];
	size_t i;

	if (!w->link.name[0] || !slash || code_path[0] != '/' || slash - code_path > 4096)
		return -1;
	for (i = 0; i < sizeof(place) / sizeof(place[0]); i++) {
		int fd;

		snprintf(path, sizeof(path), "%s%.*s%s/%s", place[i].before,
			 (int)(slash - code_path), code_path, place[i].after,
			 w->link.name);
		fd = open_checked(pid, path, w);
		if (fd != -1)
			return fd;
	}
	return -1;
}

int debugfile_open(const struct object *o, const struct elf *e,
		   const struct elf_source *src)
{
	pid_t root[2] = { o->pid, 0 };
	struct wanted w;
	size_t i;
	int fd;

	elf_build_id(e, src, &w.id);
	elf_debuglink(e, src, &w.link);
	for (i = o->pid > 0 ? 0 : 1; i < 2; i++) {
		fd = by_id(root[i], &w);
		if (fd == -1)
			fd = by_link(root[i], o->path, &w);
		if (fd != -1)
			return fd;
	}
	return -1;
}

int debugfile_open_shared(const struct object *o, const char *path,
			  const struct build_id *id)
{
	struct wanted w = { .id = *id };
	pid_t root[2] = { o->pid, 0 };
	size_t i;
	int fd;

	if (id->n == 0)
		return -1;
	for (i = o->pid > 0 ? 0 : 1; i < 2; i++) {
		fd = by_id(root[i], &w);
		if (fd == -1 && path[0] == '/')
			fd = open_checked(root[i], path, &w);
		if (fd != -1)
			return fd;
	}
	return -1;
}
