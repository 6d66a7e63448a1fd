/* CPython keeps all its state under one variable, _PyRuntime. It is a dynamic symbol of
 * every libpython and of executables that hold a whole Python (Debian's, stripped as it
 * is), a section of its own name since 3.13, and a plain symbol otherwise.
 *
 * The version: since 3.13 it stands in the variable, since 3.11 in the symbol Py_Version.
 * Before, the file's name tells (libpython3.9.so.1.0), else the one text "3.9.2" in its
 * constants. More than one file may hold a Python; the one that is initialized wins. */
#include "runtime/python/locate.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "elf/header.h"
#include "target/loader.h"
#include "target/memory.h"

#define SYMBOLS_MAX (4u << 20)
#define TABLE_BYTES_MAX (64u << 20)

/* What one file says, in its own addresses; 0 is "not there". */
struct found {
	uint64_t runtime, version;
	int minor; /* from its name or constants, -1 */
};

static bool read_section(int fd, const struct elf_section *s, struct bytes *out)
{
	return file_read_at(fd, s->offset, s->bytes, TABLE_BYTES_MAX, out) == 0;
}

bool python_symbol_is(struct bytes names, const Elf64_Sym *sym, const char *want)
{
	size_t n = strlen(want) + 1;

	return sym->st_name < names.n && names.n - sym->st_name >= n &&
	       memcmp(names.p + sym->st_name, want, n) == 0;
}

void python_symbols(int fd, const struct elf *e, const char *section, python_symbol *got,
		    void *arg)
{
	const struct elf_section *s = elf_section(e, section);
	struct bytes symbols = { 0 }, names = { 0 };
	Elf64_Sym sym;
	size_t i;

	if (!s || s->link >= e->n_sections)
		return;
	if (read_section(fd, s, &symbols) &&
	    read_section(fd, &e->section[s->link], &names))
		for (i = 0; i < symbols.n / sizeof(sym) && i < SYMBOLS_MAX; i++) {
			memcpy(&sym, symbols.p + i * sizeof(sym), sizeof(sym));
			if (sym.st_shndx != SHN_UNDEF)
				got(arg, names, &sym);
		}
	free((void *)(uintptr_t)symbols.p);
	free((void *)(uintptr_t)names.p);
}

static void note_variable(void *arg, struct bytes names, const Elf64_Sym *sym)
{
	struct found *out = arg;

	if (ELF64_ST_TYPE(sym->st_info) != STT_OBJECT)
		return;
	if (!out->runtime && python_symbol_is(names, sym, "_PyRuntime"))
		out->runtime = sym->st_value;
	else if (!out->version && python_symbol_is(names, sym, "Py_Version"))
		out->version = sym->st_value;
}

/* "python3.9", "libpython3.10d.so.1.0": the minor version, or -1. */
static int minor_of_name(const char *name)
{
	const char *p = strstr(name, "python3.");
	int minor = 0;

	if (!p || !isdigit((unsigned char)p[8]))
		return -1;
	for (p += 8; isdigit((unsigned char)*p) && minor < 100; p++)
		minor = minor * 10 + (*p - '0');
	return minor;
}

/* PY_VERSION as a string of its own: NUL, "3.9.2" or "3.10.0rc1", NUL. Versions before
 * 3.11 only, for later ones have the symbol. Two different ones are none. */
static int minor_of_constants(int fd, const struct elf *e)
{
	const struct elf_section *s = elf_section(e, ".rodata");
	struct bytes b = { 0 };
	int found = -1;
	size_t i;

	if (!s || !read_section(fd, s, &b))
		return -1;
	for (i = 0; i + 8 < b.n; i++) {
		static const char *const versions[] = { "3.7.", "3.8.", "3.9.", "3.10." };
		size_t v, n, digits = 0;

		if (b.p[i] != '\0' || b.p[i + 1] != '3')
			continue;
		for (v = 0; v < sizeof(versions) / sizeof(versions[0]); v++) {
			n = strlen(versions[v]);
			if (memcmp(b.p + i + 1, versions[v], n) == 0)
				break;
		}
		if (v == sizeof(versions) / sizeof(versions[0]))
			continue;
		while (i + 1 + n + digits < b.n && isdigit(b.p[i + 1 + n + digits]))
			digits++;
		if (digits == 0 || digits > 2 || i + 1 + n + digits >= b.n ||
		    b.p[i + 1 + n + digits] != '\0')
			continue;
		if (found != -1 && found != (int)v + 7)
			break;
		found = (int)v + 7;
	}
	if (i + 8 < b.n)
		found = -1;
	free((void *)(uintptr_t)b.p);
	return found;
}

static void search_file(int fd, const struct elf *e, const char *name, struct found *out)
{
	const struct elf_section *own = elf_section(e, ".PyRuntime");

	*out = (struct found){ .minor = -1 };
	python_symbols(fd, e, ".dynsym", note_variable, out);
	if (!out->runtime && own)
		out->runtime = own->address;
	if (!out->runtime)
		python_symbols(fd, e, ".symtab", note_variable, out);
	if (!out->runtime)
		return;
	out->minor = minor_of_name(name);
	if (out->minor == -1 && !out->version && !own)
		out->minor = minor_of_constants(fd, e);
}

/* A search in one mapping. */
struct file_search {
	uint64_t start, offset;
	bool ok;
	struct found found;
};

static void search_opened(int fd, const struct object *o, void *arg)
{
	struct file_search *s = arg;
	struct elf_source src = { elf_read_fd, &fd };
	uint64_t vaddr;
	struct elf e;

	if (!elf_read(&src, &e))
		return;
	if (!e.class32 && elf_vaddr_of(&e, s->offset, &vaddr)) {
		search_file(fd, &e, o->name, &s->found);
		s->ok = s->found.runtime != 0;
		s->found.runtime += s->start - vaddr;
		if (s->found.version)
			s->found.version += s->start - vaddr;
	}
	elf_done(&e);
}

/* What this mapped file holds, in addresses of the target: 1, 0 nothing, or -ETIMEDOUT. */
static int search_mapping(const struct mapping *map, struct found *out)
{
	struct file_search s;
	int ret;

	memset(&s, 0, sizeof(s)); /* compared as bytes */
	s.start = map->start;
	s.offset = map->offset;
	ret = object_use(map->object,
			 &(struct loader_request){ search_opened, &s, sizeof(s), NULL });
	*out = s.found;
	return ret == -ETIMEDOUT ? ret : !ret && s.ok;
}

static void say_version(struct runtime_site *site)
{
	static const char *const level[16] = { [0xa] = "a", [0xb] = "b", [0xc] = "rc" };
	unsigned hex = site->version_hex;
	const char *l = level[hex >> 4 & 15];

	if ((hex & 0xffff) == 0) /* only the file's name told */
		snprintf(site->version, sizeof(site->version), "CPython 3.%u",
			 hex >> 16 & 0xff);
	else if (l)
		snprintf(site->version, sizeof(site->version), "CPython 3.%u.%u%s%u",
			 hex >> 16 & 0xff, hex >> 8 & 0xff, l, hex & 15);
	else
		snprintf(site->version, sizeof(site->version), "CPython 3.%u.%u",
			 hex >> 16 & 0xff, hex >> 8 & 0xff);
}

static bool set_state(struct runtime_site *site, enum runtime_state state,
		      const char *reason)
{
	site->state = state;
	snprintf(site->reason, sizeof(site->reason), "%s", reason);
	return state == RUNTIME_READY;
}

/* A thread of the newest interpreter points back at it: what a wrong layout cannot fake,
 * and what an interpreter that is starting does not have yet. */
static bool check_started(const struct mem *mem, const struct python_layout *l,
			  struct runtime_site *site)
{
	uint64_t at = site->address, finalizing, interp, thread, back;

	if (!mem->read(mem, at + l->finalizing, &finalizing, sizeof(finalizing)) ||
	    !mem->read(mem, at + l->interpreters_head, &interp, sizeof(interp)))
		return set_state(site, RUNTIME_UNSUPPORTED, "its memory cannot be read");
	if (finalizing)
		return set_state(site, RUNTIME_STARTING, "Python is finalizing");
	if (!interp ||
	    !mem->read(mem, interp + l->interp_threads, &thread, sizeof(thread)) ||
	    !thread)
		return set_state(site, RUNTIME_STARTING, "Python is starting");
	if (!mem->read(mem, thread + l->thread_interp, &back, sizeof(back)) ||
	    back != interp)
		return set_state(site, RUNTIME_STARTING,
				 "its structures are not those of this version (yet)");
	return set_state(site, RUNTIME_READY, "");
}

bool python_identify(const struct mem *mem, struct runtime_site *site,
		     struct python_layout *layout)
{
	uint64_t offsets[PYTHON_OFFSETS_MAX];
	const struct python_layout *row;
	uint32_t hex;

	if (!mem->read(mem, site->address, offsets, sizeof(offsets)))
		return set_state(site, RUNTIME_UNSUPPORTED, "its memory cannot be read");
	switch (python_layout_read(offsets, &hex, layout)) {
	case PYTHON_OFFSETS_OK:
		site->version_hex = hex;
		say_version(site);
		if (layout->free_threaded)
			strncat(site->version, " free-threaded",
				sizeof(site->version) - strlen(site->version) - 1);
		return check_started(mem, layout, site);
	case PYTHON_OFFSETS_STRANGE:
		site->version_hex = hex;
		say_version(site);
		return set_state(site, RUNTIME_UNSUPPORTED,
				 "its table of offsets is not one this ptop knows");
	case PYTHON_OFFSETS_ABSENT:
		break;
	}
	if (!site->version_hex)
		return set_state(site, RUNTIME_UNSUPPORTED, "its version is not known");
	say_version(site);
	row = python_layout_row((int)(site->version_hex >> 16 & 0xff));
	if (!row)
		return set_state(site, RUNTIME_UNSUPPORTED,
				 "this version is not one ptop reads (3.7 and later)");
	*layout = *row;
	return check_started(mem, layout, site);
}

/* A version outside 3.0 to 3.255 is no version: the symbol was something else's. */
static uint32_t version_of(const struct mem *mem, const struct found *f)
{
	uint32_t hex;

	if (f->version && mem->read(mem, f->version, &hex, sizeof(hex)) && hex >> 24 == 3)
		return hex;
	return f->minor >= 0 && f->minor < 256 ? 3u << 24 | (uint32_t)f->minor << 16 : 0;
}

bool python_may_be_in(const struct maps *maps, size_t i)
{
	const struct object *o = maps->list.v[i].object;
	size_t k;

	if (o->kind != OBJECT_FILE || !(o->main || strstr(o->name, "python")))
		return false;
	for (k = 0; k < i; k++)
		if (maps->list.v[k].object == o)
			return false;
	return true;
}

/* "python3.6", "libpython2.7.so.1.0": interpreters from before _PyRuntime. */
static bool is_too_old(const char *name, struct runtime_site *out)
{
	const char *at = strstr(name, "python");
	unsigned major, minor;

	if (!at || sscanf(at, "python%1u.%2u", &major, &minor) != 2 ||
	    !(major == 2 || (major == 3 && minor < 7)))
		return false;
	*out = (struct runtime_site){ .state = RUNTIME_UNSUPPORTED };
	snprintf(out->version, sizeof(out->version), "CPython %u.%u", major, minor);
	snprintf(out->reason, sizeof(out->reason),
		 "this version is not one ptop reads (3.7 and later)");
	return true;
}

void python_detect(pid_t pid, const struct maps *maps, struct runtime_site *out)
{
	struct python_layout layout;
	struct mem_live mem;
	struct found found;
	size_t i;
	int ret;

	*out = (struct runtime_site){ .state = RUNTIME_ABSENT };
	mem_live_init(&mem, pid);
	for (i = 0; i < maps->list.n && out->state != RUNTIME_READY; i++) {
		struct runtime_site site = { 0 };

		if (!python_may_be_in(maps, i))
			continue;
		ret = search_mapping(&maps->list.v[i], &found);
		if (ret == -ETIMEDOUT) {
			set_state(out, RUNTIME_STARTING, "its file does not answer");
			continue;
		}
		if (!ret) {
			if (out->state == RUNTIME_ABSENT &&
			    is_too_old(maps->list.v[i].object->name, &site))
				*out = site;
			continue;
		}
		site.address = found.runtime;
		site.version_hex = version_of(&mem.mem, &found);
		python_identify(&mem.mem, &site, &layout);
		/* Unsupported is worth saying only if no other one may start. */
		if (site.state == RUNTIME_READY || out->state != RUNTIME_STARTING)
			*out = site;
	}
}
