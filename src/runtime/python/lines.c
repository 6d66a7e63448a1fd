/* Three formats, all of entries "so many bytes of code, so many lines further":
 *
 * to 3.9	co_lnotab: pairs (u8 bytes, i8 lines), lines taking effect after the bytes
 *		(Objects/lnotab_notes.txt)
 * 3.10		pairs (u8 bytes, i8 lines), lines taking effect before them, -128: no line
 *		(PEP 626)
 * 3.11+	entries whose first byte is 1cccclll: kind c, l + 1 code units of two bytes;
 *		then the line change as the kind says, then columns, which are skipped up
 *		to the next byte with its top bit set (PEP 657; Objects/locations.md)
 *
 * A table is decoded once; what is kept is one run a line change. */
#include "runtime/python/lines.h"

#include <limits.h>

#include "base/cursor.h"

#define CODE_BYTES_MAX (1u << 30)

enum { KIND_ONE_LINE_FIRST = 10, KIND_NO_COLUMNS = 13, KIND_LONG, KIND_NONE };

static void add_run(line_runs *out, uint32_t start, int64_t line)
{
	struct line_run *last = out->n ? &out->v[out->n - 1] : NULL;

	if (line < 0 || line > INT32_MAX)
		return;
	if (last && last->line == line)
		return;
	if (last && last->start == start) {
		last->line = (int32_t)line;
		return;
	}
	*VEC_PUSH(out) = (struct line_run){ start, (int32_t)line };
}

static void read_lnotab(struct cursor *c, int64_t line, line_runs *out)
{
	uint32_t at = 0;

	add_run(out, 0, line);
	while (cursor_left(c) >= 2 && at < CODE_BYTES_MAX) {
		at += cursor_u8(c);
		line += (int8_t)cursor_u8(c);
		add_run(out, at, line);
	}
}

static void read_pep626(struct cursor *c, int64_t line, line_runs *out)
{
	uint32_t at = 0;

	while (cursor_left(c) >= 2 && at < CODE_BYTES_MAX) {
		uint32_t bytes = cursor_u8(c);
		int8_t change = (int8_t)cursor_u8(c);

		if (change != -128)
			line += change;
		if (bytes && change != -128)
			add_run(out, at, line);
		at += bytes;
	}
}

/* Six bits a byte, lowest first; bit 6 says that more follow. */
static int64_t location_varint(struct cursor *c)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t b;

	do {
		b = cursor_u8(c);
		if (shift < 30)
			value |= (uint64_t)(b & 63) << shift;
		shift += 6;
	} while (b & 64 && !c->failed);
	return (int64_t)value;
}

static int64_t location_change(struct cursor *c, unsigned kind)
{
	int64_t v;

	if (kind < KIND_ONE_LINE_FIRST)
		return 0;
	if (kind < KIND_NO_COLUMNS)
		return (int64_t)kind - KIND_ONE_LINE_FIRST;
	v = location_varint(c);
	return v & 1 ? -(v >> 1) : v >> 1;
}

static void read_locations(struct cursor *c, int64_t line, line_runs *out)
{
	uint32_t at = 0;

	while (cursor_left(c) && at < CODE_BYTES_MAX) {
		unsigned head = cursor_u8(c), kind = head >> 3 & 15;

		if (!(head & 0x80))
			return;
		if (kind != KIND_NONE) {
			line += location_change(c, kind);
			if (c->failed)
				return;
			add_run(out, at, line);
		}
		at += ((head & 7) + 1) * 2;
		while (cursor_left(c) && !(c->in.p[c->at] & 0x80))
			c->at++;
	}
}

void python_lines_read(int minor, struct bytes table, int32_t first_line, line_runs *out)
{
	struct cursor c = cursor_over(table);

	if (minor <= 9)
		read_lnotab(&c, first_line, out);
	else if (minor == 10)
		read_pep626(&c, first_line, out);
	else
		read_locations(&c, first_line, out);
}

uint32_t python_line_at(const line_runs *runs, uint32_t offset, int32_t first_line)
{
	size_t low = 0, high = runs->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (runs->v[mid].start <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return first_line > 0 ? (uint32_t)first_line : 0;
	return (uint32_t)runs->v[low - 1].line;
}
