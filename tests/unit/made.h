/* Programs made while a test runs, in a folder of their own, with the tools at hand. */
#ifndef PTOP_TESTS_UNIT_MADE_H
#define PTOP_TESTS_UNIT_MADE_H

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf/header.h"
#include "target/object.h"

struct made {
	char dir[64];
};

/* Runs a command in the folder; true when it said 0. What it prints is dropped. */
__attribute__((format(printf, 2, 3))) static inline bool made_run(const struct made *m,
								  const char *fmt, ...)
{
	char command[4096];
	size_t n;
	va_list ap;

	n = (size_t)snprintf(command, sizeof(command), "cd %s && { ", m->dir);
	va_start(ap, fmt);
	n += (size_t)vsnprintf(command + n, sizeof(command) - n, fmt, ap);
	va_end(ap);
	snprintf(command + n, sizeof(command) - n, "; } >log 2>&1");
	return system(command) == 0;
}

static inline void made_write(const struct made *m, const char *name, const void *p,
			      size_t n)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", m->dir, name);
	f = fopen(path, "wb");
	if (!f || fwrite(p, 1, n, f) != n || fclose(f) != 0)
		abort();
}

static inline void made_open(struct made *m)
{
	snprintf(m->dir, sizeof(m->dir), "/tmp/ptop-test.XXXXXX");
	if (!mkdtemp(m->dir))
		abort();
}

static inline void made_close(struct made *m)
{
	if (!made_run(m, "rm -rf %s", m->dir))
		fprintf(stderr, "# %s stays\n", m->dir);
}

/* The object of a file as this process would see it mapped. `path` is storage for it. */
static inline struct object made_object(const struct made *m, const char *name,
					char path[PATH_MAX])
{
	struct object o = { .kind = OBJECT_FILE, .path = path, .name = name };
	struct stat st;

	snprintf(path, PATH_MAX, "%s/%s", m->dir, name);
	if (stat(path, &st) == 0) {
		o.device = st.st_dev;
		o.inode = st.st_ino;
	}
	o.pid = getpid();
	return o;
}

/* Address and size of a function, from nm. */
static inline bool made_symbol(const struct made *m, const char *file, const char *name,
			       uint64_t *vaddr, uint64_t *size)
{
	char command[PATH_MAX + 64], line[1024], found[512];
	unsigned long long v, n;
	bool ok = false;
	FILE *f;

	*vaddr = *size = 0;
	snprintf(command, sizeof(command), "nm -S %s/%s 2>/dev/null", m->dir, file);
	f = popen(command, "r");
	while (f && fgets(line, sizeof(line), f)) {
		char type;

		if (sscanf(line, "%llx %llx %c %511s", &v, &n, &type, found) != 4 ||
		    strcmp(found, name) != 0)
			continue;
		*vaddr = v;
		*size = n;
		ok = true;
	}
	if (f)
		pclose(f);
	return ok;
}

/* The file offset of a vaddr. */
static inline uint64_t made_offset(const struct made *m, const char *file, uint64_t vaddr)
{
	char path[PATH_MAX];
	uint64_t offset = 0;
	FILE *f;
	int fd;
	struct elf_source src = { elf_read_fd, &fd };
	struct elf e;

	snprintf(path, sizeof(path), "%s/%s", m->dir, file);
	f = fopen(path, "rb");
	if (!f)
		abort();
	fd = fileno(f);
	if (!elf_read(&src, &e) || !elf_offset_of(&e, vaddr, &offset))
		abort();
	elf_done(&e);
	fclose(f);
	return offset;
}

#endif
