/* Notes are records of three words (bytes of the owner's name, bytes of the content,
 * type), the name and the content, both padded to 4:
 *
 *	4 20 NT_GNU_BUILD_ID "GNU\0" 20 bytes of id
 */
#include "elf/notes.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cursor.h"

#define PROBES_MAX 65536u
#define NOTES_MAX 256 /* records looked at, in a section */
#define SECTION_MAX (64u << 10)
#define NOTE_SECTIONS_MAX 32

static size_t padding(uint32_t n)
{
	return (4 - n % 4) % 4;
}

bool notes_build_id(struct bytes notes, struct build_id *out)
{
	struct cursor c = cursor_over(notes);
	size_t i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < NOTES_MAX && cursor_left(&c) > 0; i++) {
		uint32_t name_bytes = cursor_u32(&c), id_bytes = cursor_u32(&c);
		uint32_t type = cursor_u32(&c);
		struct bytes name = cursor_take(&c, name_bytes), id;

		cursor_skip(&c, padding(name_bytes));
		id = cursor_take(&c, id_bytes);
		if (c.failed)
			return false;
		if (type == NT_GNU_BUILD_ID && name.n == 4 &&
		    memcmp(name.p, "GNU", 4) == 0 && id.n > 0 && id.n <= BUILD_ID_MAX) {
			memcpy(out->byte, id.p, id.n);
			out->n = id.n;
			return true;
		}
		cursor_skip(&c, padding(id_bytes));
	}
	return false;
}

/* "stapsdt", type 3: u64 location, base, semaphore, then provider, name and arguments, each
 * with its NUL. */
static bool is_probe(struct bytes note, const char *provider, const char *name,
		     struct probe_note *out)
{
	struct cursor c = cursor_over(note);
	const char *of, *called;

	out->location = cursor_u64(&c);
	out->base = cursor_u64(&c);
	out->semaphore = cursor_u64(&c);
	of = cursor_str(&c);
	called = cursor_str(&c);
	return of && called && strcmp(of, provider) == 0 && strcmp(called, name) == 0;
}

bool notes_probe(struct bytes notes, const char *provider, const char *name,
		 struct probe_note *out)
{
	struct cursor c = cursor_over(notes);
	size_t i;

	for (i = 0; i < PROBES_MAX && cursor_left(&c) > 0; i++) {
		uint32_t name_bytes = cursor_u32(&c), bytes = cursor_u32(&c);
		uint32_t type = cursor_u32(&c);
		struct bytes owner = cursor_take(&c, name_bytes), note;

		cursor_skip(&c, padding(name_bytes));
		note = cursor_take(&c, bytes);
		if (c.failed)
			return false;
		if (type == 3 && owner.n == 8 && memcmp(owner.p, "stapsdt", 8) == 0 &&
		    is_probe(note, provider, name, out))
			return true;
		cursor_skip(&c, padding(bytes));
	}
	return false;
}

bool notes_debuglink(struct bytes section, struct debuglink *out)
{
	struct cursor c = cursor_over(section);
	const char *name = cursor_str(&c);
	size_t n;

	memset(out, 0, sizeof(*out));
	n = name ? strlen(name) : 0;
	cursor_skip(&c, padding((uint32_t)(n + 1)));
	out->crc = cursor_u32(&c);
	/* A slash would leave the folders that are searched. */
	if (c.failed || n == 0 || n >= sizeof(out->name) || strchr(name, '/') ||
	    strcmp(name, "..") == 0)
		return false;
	memcpy(out->name, name, n);
	return true;
}

static bool read_small(const struct elf_section *s, const struct elf_source *src,
		       struct bytes *out)
{
	unsigned char *p =
	    s->type == SHT_NOBITS ? NULL : try_alloc(s->bytes, 1, SECTION_MAX);

	if (!p || !src->read(src->arg, s->offset, p, s->bytes)) {
		free(p);
		return false;
	}
	*out = (struct bytes){ p, s->bytes };
	return true;
}

bool elf_build_id(const struct elf *e, const struct elf_source *src, struct build_id *out)
{
	bool found = false;
	size_t i, looked = 0;
	struct bytes b;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < e->n_sections && !found && looked < NOTE_SECTIONS_MAX; i++) {
		if (e->section[i].type != SHT_NOTE)
			continue;
		looked++;
		if (!read_small(&e->section[i], src, &b))
			continue;
		found = notes_build_id(b, out);
		free((void *)(uintptr_t)b.p);
	}
	return found;
}

bool elf_debuglink(const struct elf *e, const struct elf_source *src,
		   struct debuglink *out)
{
	const struct elf_section *s = elf_section(e, ".gnu_debuglink");
	struct bytes b;
	bool found;

	memset(out, 0, sizeof(*out));
	if (!s || !read_small(s, src, &b))
		return false;
	found = notes_debuglink(b, out);
	free((void *)(uintptr_t)b.p);
	return found;
}
