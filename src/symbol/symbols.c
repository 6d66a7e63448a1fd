/* Loading: the best source of names an object has, then everything that says where
 * functions without a name begin and end. Looking up: one binary search, no file, no
 * lock. */
#include "symbol/symbols.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/alloc.h"
#include "symbol/debugfile.h"
#include "symbol/demangle.h"
#include "symbol/elfsyms.h"
#include "symbol/minidebug.h"
#include "symbol/table.h"

/* The vdso is two pages today. */
#define VDSO_MAX (64u << 10)

struct symbols *symbols_empty(const char *source)
{
	struct symbols *s = xcalloc(1, sizeof(*s));

	s->source = source;
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	free(s->start);
	free(s->size);
	free(s->name);
	free(s->lead);
	free(s->names);
	free(s->segments.v);
	free(s);
}

size_t symbols_count(const struct symbols *s)
{
	return s->n;
}

const char *symbols_source(const struct symbols *s)
{
	return s->source;
}

const char *symbols_note(const struct symbols *s)
{
	return s->note;
}

size_t symbols_bytes(const struct symbols *s)
{
	size_t each = sizeof(*s->start) + sizeof(*s->size) + sizeof(*s->name);

	if (s->lead)
		each += sizeof(*s->lead);
	return sizeof(*s) + s->n * each + s->names_bytes +
	       s->segments.n * sizeof(*s->segments.v);
}

static uint64_t vaddr_of(const struct symbols *s, uint64_t offset)
{
	size_t i;

	for (i = 0; i < s->segments.n; i++) {
		const struct elf_segment *g = &s->segments.v[i];

		if (offset >= g->offset && offset - g->offset < g->file_bytes)
			return offset - g->offset + g->vaddr;
	}
	return offset;
}

bool symbols_find(const struct symbols *s, uint64_t address, struct symbol *out)
{
	size_t low = 0, n = s->n;

	/* The last piece that starts at or before the address; no branch to mispredict.
	 */
	while (n > 1) {
		size_t half = n / 2;

		low = s->start[low + half] <= address ? low + half : low;
		n -= half;
	}
	if (n == 0 || address < s->start[low] || address - s->start[low] >= s->size[low])
		return false;
	out->start = s->start[low];
	out->size = s->size[low];
	if (s->lead) {
		out->start -= s->lead[low];
		out->size += s->lead[low];
	}
	out->name = s->name[low] == NAME_NONE ? NULL : s->names + s->name[low];
	out->vaddr = vaddr_of(s, out->start);
	return true;
}

static void fill(const struct symbols *s, size_t i, struct symbol *out)
{
	uint32_t lead = s->lead ? s->lead[i] : 0;

	out->start = s->start[i] - lead;
	out->size = s->size[i] + lead;
	out->name = s->name[i] == NAME_NONE ? NULL : s->names + s->name[i];
	out->vaddr = vaddr_of(s, out->start);
}

bool symbols_named(const struct symbols *s, const char *name, struct symbol *out)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->name[i] != NAME_NONE && strcmp(s->names + s->name[i], name) == 0) {
			fill(s, i, out);
			return true;
		}
	return false;
}

/* The longest word of a name: it is in the mangled form as it is, so the others need not be
 * demangled. */
static void longest_word(const char *name, char *to, size_t size)
{
	const char *best = name;
	size_t n = 0;

	while (*name) {
		size_t length = 0;

		while (name[length] == '_' || isalnum((unsigned char)name[length]))
			length++;
		if (length > n) {
			best = name;
			n = length;
		}
		name += length ? length : 1;
	}
	snprintf(to, size, "%.*s", (int)n, best);
}

size_t symbols_displayed(const struct symbols *s, const char *name, struct symbol out[2])
{
	char word[64], shown[1024];
	size_t found = 0, i;

	longest_word(name, word, sizeof(word));
	for (i = 0; i < s->n; i++) {
		const char *raw = s->name[i] == NAME_NONE ? NULL : s->names + s->name[i];

		if (!raw || raw[0] != '_' || !strstr(raw, word))
			continue;
		demangle(raw, shown, sizeof(shown));
		if (strcmp(shown, name) == 0 && found++ < 2)
			fill(s, i, &out[found - 1]);
	}
	return found;
}

#define NEAR_LENGTH 64
#define NEAR_MOST 8

/* Steps from one word to the other by changing, adding or leaving out letters; `most` + 1 when
 * there are more. */
static unsigned distance(const char *a, const char *b, unsigned most)
{
	unsigned row[NEAR_LENGTH + 1], i, k;
	size_t n = strlen(a), m = strlen(b);

	if (n > NEAR_LENGTH || m > NEAR_LENGTH || (n > m ? n - m : m - n) > most)
		return most + 1;
	for (k = 0; k <= m; k++)
		row[k] = k;
	for (i = 1; i <= n; i++) {
		unsigned corner = row[0];

		row[0] = i;
		for (k = 1; k <= m; k++) {
			unsigned up = row[k], best = corner + (a[i - 1] != b[k - 1]);

			best = up + 1 < best ? up + 1 : best;
			best = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
			corner = up;
			row[k] = best;
		}
	}
	return row[m];
}

size_t symbols_near(const struct symbols *s, const char *name, const char **out,
		    size_t max)
{
	unsigned far[NEAR_MOST], most = (unsigned)strlen(name) / 3 + 1;
	size_t n = 0, i, k;

	max = max < NEAR_MOST ? max : NEAR_MOST;
	for (i = 0; i < s->n && max; i++) {
		const char *other =
		    s->name[i] == NAME_NONE ? NULL : s->names + s->name[i];
		unsigned d = other ? distance(name, other, most) : most + 1;

		if (d > most || (n == max && d >= far[n - 1]) ||
		    (n && out[n - 1] == other))
			continue;
		for (k = n < max ? n++ : n - 1; k && far[k - 1] > d; k--) {
			far[k] = far[k - 1];
			out[k] = out[k - 1];
		}
		far[k] = d;
		out[k] = other;
	}
	return n;
}

/* Only code is ever looked up. */
static void keep_segments(struct symbols *s, const struct elf *e)
{
	size_t i;

	s->segments.v = xcalloc(e->n_segments, sizeof(*s->segments.v));
	for (i = 0; i < e->n_segments; i++)
		if (e->segment[i].executable)
			s->segments.v[s->segments.n++] = e->segment[i];
}

static bool add_from_bytes(struct table *t, struct bytes image, const struct elf *code,
			   const char *section)
{
	struct elf_file f = { .source = { elf_read_bytes, &image } };
	bool added;

	if (!elf_read(&f.source, &f.elf))
		return false;
	added = elfsyms_add(t, &f, code, section);
	elf_done(&f.elf);
	return added;
}

static bool add_from_fd(struct table *t, int fd, const struct elf *code)
{
	struct elf_file f = { .source = { elf_read_fd, &fd } };
	bool added;

	if (!elf_read(&f.source, &f.elf))
		return false;
	added = elfsyms_add(t, &f, code, ".symtab");
	elf_done(&f.elf);
	return added;
}

static bool add_debug_file(struct table *t, const struct object *o,
			   const struct elf_file *code)
{
	int fd = debugfile_open(o, &code->elf, &code->source);
	bool added;

	if (fd == -1)
		return false;
	added = add_from_fd(t, fd, &code->elf);
	close(fd);
	return added;
}

static bool add_minidebug(struct table *t, int fd, const struct elf *code)
{
	struct bytes image;
	bool added = false;

	switch (minidebug_read(fd, code, &image)) {
	case MINIDEBUG_OK:
		added = add_from_bytes(t, image, code, ".symtab");
		free((void *)(uintptr_t)image.p);
		break;
	case MINIDEBUG_TOO_BIG:
		t->note = "its .gnu_debugdata " UNPACKS_TO_MORE ": not used";
		break;
	case MINIDEBUG_NONE:
	case MINIDEBUG_BROKEN:
	default:
		break;
	}
	return added;
}

/* Each source is complete where it exists, but for the last three: these add up. The
 * first that had something names them all. fd is -1 for an image in memory. */
static const char *add_names(struct table *t, const struct object *o, int fd,
			     const struct elf_file *code)
{
	const char *source = NULL;

	if (elfsyms_add(t, code, &code->elf, ".symtab"))
		return ".symtab";
	if (fd != -1 && add_debug_file(t, o, code))
		return "debug file";
	if (fd != -1 && add_minidebug(t, fd, &code->elf))
		source = ".gnu_debugdata";
	if (gosyms_add(t, code) && !source)
		source = ".gopclntab";
	if (elfsyms_add(t, code, &code->elf, ".dynsym") && !source)
		source = ".dynsym";
	return source ? source : "none";
}

static struct symbols *load_elf(const struct object *o, int fd,
				const struct elf_file *code)
{
	struct table t = { 0 };
	struct symbols *s;
	const char *source = add_names(&t, o, fd, code);

	functions_add(&t, code);
	table_close(&t);
	table_pack_names(&t);
	table_rank_by_start(&t);
	s = table_finish(&t, source);
	keep_segments(s, &code->elf);
	return s;
}

static int load_checked(const struct object *o, int fd, struct elf_file *code,
			struct symbols **out, struct error *err)
{
	if (!elf_read(&code->source, &code->elf))
		return error_set(err, EXIT_FAILED, "%s: not an ELF file that can be read",
				 o->name);
	if (code->elf.class32) {
		elf_done(&code->elf);
		return error_set(err, EXIT_UNSUPPORTED,
				 "%s: 32-bit code is not supported", o->name);
	}
	symbols_free(*out);
	*out = load_elf(o, fd, code);
	elf_done(&code->elf);
	return 0;
}

static int load_file(const struct object *o, struct symbols **out, struct error *err)
{
	int fd = object_open(o, err), ret;
	struct elf_file code = { .source = { elf_read_fd, &fd } };

	if (fd < 0)
		return fd;
	ret = load_checked(o, fd, &code, out, err);
	close(fd);
	return ret;
}

/* The kernel maps whole pages, and the first says how many are the vdso's. */
static int load_vdso(const struct object *o, struct symbols **out, struct error *err)
{
	const unsigned char *p = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n;
	struct bytes image = { p, page };
	struct elf_file code = { .source = { elf_read_bytes, &image } };

	if (!p || !elf_read(&code.source, &code.elf))
		return error_set(err, EXIT_FAILED, "%s: the kernel provides none",
				 o->name);
	n = code.elf.segment[0].file_bytes;
	elf_done(&code.elf);
	image.n = n < VDSO_MAX ? (n + page - 1) / page * page : VDSO_MAX;
	return load_checked(o, -1, &code, out, err);
}

int symbols_load(const struct object *o, struct symbols **out, struct error *err)
{
	*out = symbols_empty("none");
	switch (o->kind) {
	case OBJECT_FILE:
		return load_file(o, out, err);
	case OBJECT_VDSO:
		return load_vdso(o, out, err);
	case OBJECT_JIT:
		symbols_free(*out);
		return symbols_load_perfmap(o->pid, out, err);
	case OBJECT_KERNEL:
		symbols_free(*out);
		return symbols_load_kernel(out, err);
	}
	return error_set(err, EXIT_FAILED, "%s: no object to read names from", o->name);
}
