/* Names of JIT code, as the runtime writes them for perf (tools/perf/Documentation/
 * jit-interface.txt of Linux): start and size in hexadecimal, the rest of the line is the
 * name.
 *
 *	3c58b4a90840 1e4 LazyCompile:*parse /srv/app/json.js:12:3
 *
 * The file only grows; when memory is reused the newer line is the true one. It stands in
 * /tmp, where anybody may put a file, so it must belong to the target's user or to root.
 */
#include "symbol/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/file.h"
#include "base/hash.h"
#include "symbol/debugfile.h"
#include "symbol/table.h"
#include "symbol/textmap.h"
#include "target/process.h"

#define FILE_BYTES_MAX (256ull << 20)

/* Some writers put 0x before the numbers. */
static bool hex_field(struct cursor *c, uint64_t *value)
{
	size_t at = c->at;

	if (cursor_accept(c, '0') && !cursor_accept(c, 'x') && !cursor_accept(c, 'X'))
		cursor_seek(c, at);
	if (!cursor_hex(c, value) || !cursor_accept(c, ' '))
		return false;
	cursor_spaces(c);
	return true;
}

static void perfmap_line(struct table *t, struct bytes line)
{
	struct cursor c = cursor_over(line);
	struct span f = { .rank = (uint32_t)t->spans.n };
	uint64_t size;
	struct bytes name;

	cursor_spaces(&c);
	if (!hex_field(&c, &f.start) || !hex_field(&c, &size) || size == 0 ||
	    size > UINT32_MAX)
		return;
	name = cursor_take(&c, cursor_left(&c));
	if (name.n > 0 && name.p[name.n - 1] == '\r')
		name.n--;
	if (name.n == 0 || memchr(name.p, '\0', name.n))
		return;
	f.size = (uint32_t)size;
	if (t->spans.n >= FUNCTIONS_MAX)
		return;
	f.name = table_name(t, (const char *)name.p, name.n);
	table_add(t, f);
}

struct symbols *symbols_parse_perfmap(const char *text, size_t n)
{
	struct table t = { 0 };

	textmap_parse((struct bytes){ (const unsigned char *)text, n }, &t, perfmap_line);
	return table_finish(&t, "perf map");
}

/* Real and effective uid of a process, from the line "Uid:\t1000\t1000\t1000\t1000". */
static bool uids_of(pid_t pid, uid_t uid[2])
{
	char path[64];
	struct bytes b, line;
	struct cursor c;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (file_read(path, 16384, &b, NULL) != 0)
		return false;
	c = cursor_over(b);
	while (!found && cursor_line(&c, &line)) {
		struct cursor l = cursor_over(line);
		uint64_t real, effective;

		if (line.n < 5 || memcmp(line.p, "Uid:\t", 5) != 0)
			continue;
		cursor_skip(&l, 5);
		found = cursor_dec(&l, &real) && cursor_accept(&l, '\t') &&
			cursor_dec(&l, &effective);
		uid[0] = found ? (uid_t)real : 0;
		uid[1] = found ? (uid_t)effective : 0;
	}
	free((void *)(uintptr_t)b.p);
	return found;
}

/* An fd or -errno: -EACCES when the file is not the target's. */
static int perfmap_open(pid_t pid, struct stat *st)
{
	char path[64];
	uid_t uid[2];
	pid_t inner = process_ns_pid(pid);
	int fd, ret = -EACCES;

	if (inner <= 0 || !uids_of(pid, uid))
		return -ESRCH;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)inner);
	fd = root_open(pid, path, false);
	if (fd == -1)
		return -ENOENT;
	if (fstat(fd, st) == -1)
		ret = -errno;
	else if (st->st_uid == 0 || st->st_uid == uid[0] || st->st_uid == uid[1])
		return fd;
	close(fd);
	return ret;
}

static int explain(int e, pid_t pid, struct error *err)
{
	if (e == -ENOENT) {
		error_set(err, EXIT_FAILED, "no /tmp/perf-%d.map: JIT code has no names",
			  (int)process_ns_pid(pid));
		error_hint(err, "let the runtime write one: node --perf-basic-prof, "
				"java -XX:+DumpPerfMapAtExit, python -X perf");
	} else if (e == -EACCES) {
		error_set(err, EXIT_NO_PERMISSION,
			  "/tmp/perf-%d.map belongs to another user: not used",
			  (int)process_ns_pid(pid));
	} else {
		errno = -e;
		error_errno(err, "perf map");
	}
	return e;
}

int symbols_load_perfmap(pid_t pid, struct symbols **out, struct error *err)
{
	struct table t = { 0 };
	struct stat st;
	int fd = perfmap_open(pid, &st), ret;

	*out = symbols_empty("none");
	if (fd < 0)
		return explain(fd, pid, err);
	ret = textmap_read(fd, FILE_BYTES_MAX, &t, perfmap_line);
	close(fd);
	if (ret) {
		table_done(&t);
		return explain(ret, pid, err);
	}
	symbols_free(*out);
	*out = table_finish(&t, "perf map");
	return 0;
}

bool perfmap_stamp(pid_t pid, uint64_t *stamp)
{
	struct stat st;
	int fd = perfmap_open(pid, &st);

	if (fd < 0)
		return false;
	close(fd);
	*stamp = hash_pair(
	    hash_pair((uint64_t)st.st_size, (uint64_t)st.st_ino),
	    hash_pair((uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec));
	return true;
}
