#include "app/exact_code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "symbol/symbols.h"
#include "target/loader.h"

static char *path_of(const struct object *o)
{
	char path[4200];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)o->pid, o->path);
	return xstrdup(stat(path, &st) == 0 && st.st_ino == o->inode ? path : o->path);
}

static struct code_file *file_of(struct code *c, const struct object *o)
{
	struct code_file *f;
	size_t i;

	for (i = 0; i < c->n_files; i++)
		if (c->file[i].object == o)
			return &c->file[i];
	if (c->n_files == CODE_FILES_MAX)
		return NULL;
	f = &c->file[c->n_files];
	f->object = o;
	f->fd = object_answers(o) ? object_open(o, NULL) : -1;
	if (f->fd < 0)
		return NULL;
	f->path = path_of(o);
	c->n_files++;
	return f;
}

/* Another's probe is no change: the kernel keeps one breakpoint for all of them. A debugger's is
 * one, which it would take out under the probe. */
static bool is_same(const struct code *c, const unsigned char *file,
		    const unsigned char *memory, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (file[i] != memory[i] && (memory[i] != CODE_BREAKPOINT || c->traced))
			return false;
	return true;
}

static bool read_file(struct code *c, const struct mapping *map, uint64_t address,
		      void *to, size_t n)
{
	const struct mem *mem = &c->space->mem.mem;
	struct code_file *f = file_of(c, map->object);
	unsigned char *there;
	bool ok = false;

	if (!f || n > map->end - address ||
	    pread(f->fd, to, n, (off_t)mapping_offset(map, address)) != (ssize_t)n)
		return false;
	there = xmalloc(n);
	if (!mem->read(mem, address, there, n))
		c->waits = true;
	else if (!is_same(c, to, there, n))
		c->changed = true;
	else
		ok = true;
	free(there);
	return ok;
}

bool code_read(struct code *c, uint64_t address, void *to, size_t n)
{
	const struct mapping *map = maps_find(&c->space->maps, address);
	const struct mem *mem = &c->space->mem.mem;

	if (map && map->object->kind == OBJECT_FILE)
		return read_file(c, map, address, to, n);
	return mem->read(mem, address, to, n);
}

static bool read_any(void *arg, uint64_t address, void *to, size_t n)
{
	return code_read(arg, address, to, n);
}

static bool function_at(void *arg, uint64_t address, uint64_t *start, uint64_t *bytes)
{
	struct code *c = arg;
	const struct mapping *map = maps_find(&c->space->maps, address);
	const struct symbols *symbols;
	struct symbol sym;
	bool failed = false;

	if (!map || map->object->kind != OBJECT_FILE)
		return false;
	symbols = engine_symbols(c->e, map->object, &failed);
	c->waits |= !symbols && !failed;
	if (!symbols || !symbols_find(symbols, mapping_offset(map, address), &sym))
		return false;
	*start = address - (mapping_offset(map, address) - sym.start);
	*bytes = sym.size;
	return true;
}

void code_open(struct code *c)
{
	c->source = (struct exits_source){ function_at, read_any, c };
	c->n_files = 0;
	c->waits = c->changed = false;
	c->traced = process_tracer(c->e->process.pid) != 0;
}

void code_close(struct code *c)
{
	while (c->n_files > 0) {
		struct code_file *f = &c->file[--c->n_files];

		close(f->fd);
		free(f->path);
	}
}

bool code_locate(struct code *c, uint64_t address, struct probe_place *place)
{
	const struct mapping *map = maps_find(&c->space->maps, address);
	struct code_file *f =
	    map && map->object->kind == OBJECT_FILE ? file_of(c, map->object) : NULL;

	if (!f)
		return false;
	*place = (struct probe_place){ .path = f->path,
				       .offset = mapping_offset(map, address) };
	return true;
}
