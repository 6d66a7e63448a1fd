/* Which functions of a file can be probed (elf/exits.h), by what is in the file; and why others cannot.
 *
 *	bench-exits [-v] FILE...	-v names each that cannot
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "elf/exits.h"
#include "elf/header.h"
#include "symbol/symbols.h"

#define REASONS_MAX 32u

struct file {
	const struct symbols *symbols;
	struct elf elf;
	int fd;
};

struct reason {
	const char *why;
	unsigned functions;
	uint64_t bytes;
};

static bool function_at(void *arg, uint64_t address, uint64_t *start, uint64_t *bytes)
{
	const struct file *f = arg;
	struct symbol sym;
	uint64_t offset;

	if (!elf_offset_of(&f->elf, address, &offset) ||
	    !symbols_find(f->symbols, offset, &sym))
		return false;
	*start = address - (offset - sym.start);
	*bytes = sym.size;
	return true;
}

static bool read_image(void *arg, uint64_t address, void *to, size_t n)
{
	const struct file *f = arg;
	uint64_t offset;

	return elf_offset_of(&f->elf, address, &offset) &&
	       pread(f->fd, to, n, (off_t)offset) == (ssize_t)n;
}

static void note(struct reason *r, const char *why, uint64_t bytes)
{
	size_t i;

	for (i = 0; i < REASONS_MAX && r[i].why && strcmp(r[i].why, why) != 0; i++)
		;
	if (i == REASONS_MAX)
		return;
	r[i].why = why;
	r[i].functions++;
	r[i].bytes += bytes;
}

static void each_function(struct file *f, const struct elf_segment *seg, bool verbose,
			  struct reason *r)
{
	const struct exits_source source = { function_at, read_image, f };
	uint64_t at = seg->offset, vaddr;

	while (at < seg->offset + seg->file_bytes) {
		struct symbol sym;
		struct exits exits;
		const char *why = "yes";

		if (!symbols_find(f->symbols, at, &sym) || sym.start < at ||
		    sym.size == 0 || !elf_vaddr_of(&f->elf, sym.start, &vaddr)) {
			at++;
			continue;
		}
		if (exits_find(&source, vaddr, &exits, &why))
			why = "yes";
		else if (verbose)
			printf("  0x%llx %s: %s\n", (unsigned long long)vaddr,
			       sym.name ? sym.name : "?", why);
		note(r, why, sym.size);
		at = sym.start + sym.size;
	}
}

static int by_functions(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;

	return (x->functions < y->functions) - (x->functions > y->functions);
}

static bool one_file(const char *path, bool verbose)
{
	struct file f = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
	struct reason r[REASONS_MAX] = { { 0 } };
	struct symbols *symbols = NULL;
	struct error err = { 0 };
	unsigned all = 0;
	struct stat st;
	size_t i;

	if (f.fd < 0 || fstat(f.fd, &st) != 0 ||
	    !elf_read(&(struct elf_source){ elf_read_fd, &f.fd }, &f.elf)) {
		fprintf(stderr, "%s: no ELF file\n", path);
		return false;
	}
	symbols_load(&(struct object){ .kind = OBJECT_FILE,
				       .path = path,
				       .name = path,
				       .pid = getpid(),
				       .device = st.st_dev,
				       .inode = st.st_ino },
		     &symbols, &err);
	f.symbols = symbols;
	for (i = 0; i < f.elf.n_segments; i++)
		if (f.elf.segment[i].executable)
			each_function(&f, &f.elf.segment[i], verbose, r);
	qsort(r, REASONS_MAX, sizeof(r[0]), by_functions);
	for (i = 0; i < REASONS_MAX; i++)
		all += r[i].functions;
	printf("%s: %u functions (%s)\n", path, all, symbols_source(symbols));
	for (i = 0; i < REASONS_MAX && r[i].functions; i++)
		printf("  %7u %5.2f %%  %8llu bytes  %s\n", r[i].functions,
		       100.0 * r[i].functions / all, (unsigned long long)r[i].bytes,
		       r[i].why);
	symbols_free(symbols);
	elf_done(&f.elf);
	close(f.fd);
	return true;
}

int main(int argc, char **argv)
{
	bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0, ok = argc > 1 + verbose;
	int i;

	for (i = 1 + verbose; i < argc; i++)
		ok = one_file(argv[i], verbose) && ok;
	return ok ? 0 : 1;
}
