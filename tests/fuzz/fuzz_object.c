/* A whole file that a target has mapped: its symbol tables, indirect functions, .gnu_debugdata,
 * build-id and debuglink, and what libdw says of its lines and inlined calls. Whatever stands in it, answers
 * lie within their limits. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf/header.h"
#include "elf/notes.h"
#include "symbol/ifunc.h"
#include "symbol/lines.h"
#include "symbol/symbols.h"

#define INPUT_MAX (1u << 18)
#define ADDRESSES 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
	if (!holds)
		abort();
}

/* Kept open: the file has no name, and goes with the process. */
static int file_of(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd == -1)
		fd = memfd_create("fuzz_object", MFD_CLOEXEC);
	must(fd != -1 && ftruncate(fd, 0) == 0 &&
	     pwrite(fd, data, size, 0) == (ssize_t)size);
	return fd;
}

static void ask_symbols(const struct symbols *s)
{
	const char *near[8];
	struct symbol found, again;
	uint64_t at;
	size_t i;

	for (i = 0; i < ADDRESSES; i++) {
		at = i * 0x40;
		if (!symbols_find(s, at, &found))
			continue;
		must(found.start <= at);
		must(!found.size || at - found.start < found.size);
		if (!found.name)
			continue;
		must(symbols_named(s, found.name, &again));
	}
	must(symbols_near(s, "mian", near, 8) <= 8);
}

static void ask_lines(const struct object *o)
{
	struct source_line line[INLINE_MAX];
	struct lines *l = lines_open(o);
	size_t i, k, n, bytes = 0;

	for (i = 0; i < ADDRESSES; i++) {
		n = lines_find(l, i * 0x40, line);
		must(n <= INLINE_MAX);
		for (k = 0; k < n; k++) {
			bytes += line[k].function ? strlen(line[k].function) : 0;
			bytes += line[k].file ? strlen(line[k].file) : 0;
			must(line[k].line >= 0);
		}
	}
	must(bytes < (size_t)1 << 30);
	lines_free(l);
}

static void ask_notes(const uint8_t *data, size_t size)
{
	struct bytes bytes = { data, size };
	struct elf_source src = { elf_read_bytes, &bytes };
	struct debuglink link;
	struct build_id id;
	struct elf e;

	notes_build_id(bytes, &id);
	if (notes_debuglink(bytes, &link))
		must(strlen(link.name) < size);
	if (!elf_read(&src, &e))
		return;
	elf_build_id(&e, &src, &id);
	elf_debuglink(&e, &src, &link);
	elf_done(&e);
}

/* The file stands in memory as it is, so its relocations point into it. */
static void ask_indirect(const struct object *o, const uint8_t *data, size_t size)
{
	struct mapping one = { .start = 1 << 20, .end = (1 << 20) + size, .object = o };
	struct maps maps = { .list = { &one, 1, 1 } };
	struct symbol found;
	struct mem_bytes mem;
	uint64_t address;
	bool indirect;
	size_t i;

	mem_bytes_init(&mem, one.start, (struct bytes){ data, size });
	symbol_alias(o, "main", &found, &indirect);
	for (i = 0; i < 4; i++)
		symbol_is_indirect(o, i * 0x400);
	if (symbol_resolved(&maps, &mem.mem, o, "main", 0x400, &address))
		must(address >= one.start && address < one.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct object o = { .id = 1, .kind = OBJECT_FILE, .name = "fuzz_object" };
	struct symbols *s = NULL;
	struct stat st;
	char path[64];
	int fd;

	if (size > INPUT_MAX || !size)
		return 0;
	ask_notes(data, size);
	fd = file_of(data, size);
	must(fstat(fd, &st) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	o.path = path;
	o.pid = getpid();
	o.device = st.st_dev;
	o.inode = st.st_ino;
	if (symbols_load(&o, &s, NULL) == 0)
		ask_symbols(s);
	symbols_free(s);
	ask_indirect(&o, data, size);
	ask_lines(&o);
	return 0;
}
