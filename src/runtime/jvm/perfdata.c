/* Header: ca fe c0 c0, byte order (1: little), major, minor, accessible, i32 used, overflow,
 * i64 changed, i32 first entry, entries. An entry: i32 length, name offset, elements, then type,
 * flags, units, variability (a byte each), i32 data offset; offsets count from the
 * entry. The entries follow each other; a length of nought would never end. */
#include "runtime/jvm/perfdata.h"

#include <string.h>

#include "base/cursor.h"

#define ENTRY_HEAD 20u

struct head {
	uint32_t used, first, entries;
};

static bool read_head(struct bytes in, struct head *h)
{
	static const unsigned char magic[6] = { 0xca, 0xfe, 0xc0, 0xc0, 1, 2 };
	struct cursor c = cursor_over(in);

	if (in.n < PERFDATA_HEAD || memcmp(in.p, magic, sizeof(magic)) != 0 ||
	    in.p[7] == 0)
		return false;
	cursor_skip(&c, 8);
	h->used = cursor_u32(&c);
	cursor_skip(&c, 12);
	h->first = cursor_u32(&c);
	h->entries = cursor_u32(&c);
	return !c.failed && h->first >= PERFDATA_HEAD && h->used >= h->first &&
	       h->used <= PERFDATA_BYTES_MAX && h->entries <= PERFDATA_ENTRIES_MAX;
}

size_t perfdata_bytes(struct bytes head)
{
	struct head h;

	return read_head(head, &h) ? h.used : 0;
}

/* An entry's bytes, its head included. */
static bool read_entry(struct bytes in, uint32_t base, struct perfdata_entry *e)
{
	struct cursor c = cursor_over(in);
	uint32_t name, data, size;

	cursor_skip(&c, 4);
	name = cursor_u32(&c);
	e->elements = cursor_u32(&c);
	e->type = (char)cursor_u8(&c);
	cursor_skip(&c, 3);
	data = cursor_u32(&c);
	if (c.failed || name < ENTRY_HEAD || name >= in.n || data > in.n ||
	    !memchr(in.p + name, '\0', in.n - name))
		return false;
	size = e->type == 'J' ? 8 : e->elements ? e->elements : 1;
	if (e->type != 'J' && e->type != 'B')
		return false;
	if (size > in.n - data)
		return false;
	e->name = (const char *)in.p + name;
	e->at = base + data;
	return true;
}

size_t perfdata_each(struct bytes in,
		     void (*got)(void *arg, const struct perfdata_entry *e), void *arg)
{
	struct perfdata_entry e;
	size_t i, n = 0, at;
	struct head h;

	if (!read_head(in, &h) || h.used > in.n)
		return 0;
	at = h.first;
	for (i = 0; i < h.entries && at + ENTRY_HEAD <= h.used; i++) {
		uint32_t length;

		memcpy(&length, in.p + at, sizeof(length));
		if (length < ENTRY_HEAD || length > h.used - at)
			break;
		if (read_entry((struct bytes){ in.p + at, length }, (uint32_t)at, &e)) {
			got(arg, &e);
			n++;
		}
		at += length;
	}
	return n;
}
