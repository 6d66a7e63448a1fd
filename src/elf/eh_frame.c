/* Finding the frame description entry (FDE) of an address.
 *
 * .eh_frame_hdr is: version 1, three encodings, the address of .eh_frame, the number of
 * FDEs and a table of pairs (start of function, address of FDE), sorted, as signed 32-bit
 * distances from the header (LSB Core 5, 10.6.2). Only that form of the table is used; it
 * is what every linker writes. Otherwise .eh_frame is read front to back once and the
 * same table is made of it. Unsorted or lying tables cost answers, never more than the 32
 * steps of a search. 64-bit DWARF lengths are refused: nothing writes them into
 * .eh_frame. */
#include "elf/eh_frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cursor.h"
#include "elf/eh_frame_fde.h"

/* DW_EH_PE_*: the low four bits are the format, the next three what it is relative to. */
enum {
	PE_ABSPTR = 0x00,
	PE_ULEB = 0x01,
	PE_UDATA2 = 0x02,
	PE_UDATA4 = 0x03,
	PE_UDATA8 = 0x04,
	PE_SLEB = 0x09,
	PE_SDATA2 = 0x0a,
	PE_SDATA4 = 0x0b,
	PE_SDATA8 = 0x0c,
	PE_FORMAT = 0x0f,
	PE_PCREL = 0x10,
	PE_DATAREL_SDATA4 = 0x3b,
	PE_BASE = 0xf0, /* with the "indirect" bit */
	PE_OMIT = 0xff,
};

#define ENTRY_BYTES 8u
#define OWN_TABLE_MAX (64u << 20)
#define AUGMENTATION_MAX 16

static uint64_t plain_value(struct cursor *c, uint8_t format)
{
	switch (format) {
	case PE_ABSPTR:
	case PE_UDATA8:
	case PE_SDATA8:
		return cursor_u64(c);
	case PE_ULEB:
		return cursor_uleb(c);
	case PE_SLEB:
		return (uint64_t)cursor_sleb(c);
	case PE_UDATA2:
		return cursor_u16(c);
	case PE_SDATA2:
		return (uint64_t)(int64_t)(int16_t)cursor_u16(c);
	case PE_UDATA4:
		return cursor_u32(c);
	case PE_SDATA4:
		return (uint64_t)(int64_t)(int32_t)cursor_u32(c);
	default:
		c->failed = true;
		return 0;
	}
}

uint64_t eh_pointer(struct cursor *c, uint8_t encoding, uint64_t base)
{
	uint64_t here = base + c->at, v = plain_value(c, encoding & PE_FORMAT);

	switch (encoding & PE_BASE) {
	case 0:
		return v;
	case PE_PCREL:
		return v + here;
	default:
		c->failed = true;
		return 0;
	}
}

/* "zR", "zPLR", "zRS" ...: what each letter adds stands in the same order behind the
 * length. An unknown letter ends the reading; the length already told where the program
 * starts. */
static void augmentation(struct cursor *c, const char *letters, struct eh_cie *out)
{
	uint64_t bytes = cursor_uleb(c);
	size_t end, i;

	if (bytes > cursor_left(c)) {
		c->failed = true;
		return;
	}
	end = c->at + bytes;
	for (i = 1; letters[i] && i < AUGMENTATION_MAX; i++) {
		uint8_t encoding;

		if (letters[i] == 'S') {
			out->signal_frame = true;
		} else if (letters[i] == 'R') {
			out->pointer_encoding = cursor_u8(c);
		} else if (letters[i] == 'L') {
			cursor_u8(c);
		} else if (letters[i] == 'P') {
			encoding = cursor_u8(c);
			plain_value(c, encoding & PE_FORMAT);
		} else if (letters[i] != 'B' && letters[i] != 'G') {
			break;
		}
	}
	cursor_seek(c, end);
}

static bool cie_at(const struct eh_frame *f, size_t at, struct eh_cie *out)
{
	struct cursor c = cursor_over(f->frame);
	const char *letters;
	uint32_t length;
	uint8_t version;

	cursor_seek(&c, at);
	length = cursor_u32(&c);
	if (length == 0 || length > cursor_left(&c))
		return false;
	c.in.n = c.at + length;
	if (cursor_u32(&c) != 0)
		return false;
	version = cursor_u8(&c);
	letters = cursor_str(&c);
	if ((version != 1 && version != 3) || !letters)
		return false;
	memset(out, 0, sizeof(*out));
	out->code_align = cursor_uleb(&c);
	out->data_align = cursor_sleb(&c);
	out->return_register = version == 1 ? cursor_u8(&c) : cursor_uleb(&c);
	if (letters[0] == 'z') {
		out->has_length = true;
		augmentation(&c, letters, out);
	} else if (letters[0]) {
		return false; /* "eh" of GCC 2: gone */
	}
	out->program = (struct eh_program){ c.at, c.in.n };
	return !c.failed;
}

static bool fde_at(const struct eh_frame *f, size_t at, struct eh_fde *out)
{
	struct cursor c = cursor_over(f->frame);
	uint32_t length, back;
	size_t id_at;

	cursor_seek(&c, at);
	length = cursor_u32(&c);
	if (length == 0 || length > cursor_left(&c))
		return false;
	c.in.n = c.at + length;
	id_at = c.at;
	back = cursor_u32(&c);
	if (c.failed || back == 0 || back > id_at || !cie_at(f, id_at - back, &out->cie))
		return false;
	out->start = eh_pointer(&c, out->cie.pointer_encoding, f->frame_vaddr);
	out->bytes = plain_value(&c, out->cie.pointer_encoding & PE_FORMAT);
	if (out->cie.has_length)
		cursor_skip(&c, cursor_uleb(&c));
	out->program = (struct eh_program){ c.at, c.in.n };
	return !c.failed;
}

static const unsigned char *table_of(const struct eh_frame *f, uint64_t *base)
{
	*base = f->own_table ? f->frame_vaddr : f->hdr_vaddr;
	return f->own_table ? f->own_table : f->hdr.p + f->table_at;
}

static int32_t distance(const unsigned char *entry)
{
	int32_t v;

	memcpy(&v, entry, sizeof(v));
	return v;
}

bool eh_fde_find(const struct eh_frame *f, uint64_t vaddr, struct eh_fde *out)
{
	size_t low = 0,
	       high = f->entries; /* the last entry that starts at or before vaddr */
	const unsigned char *table;
	uint64_t base, at;
	int64_t want;

	if (high == 0)
		return false;
	table = table_of(f, &base);
	want = (int64_t)(vaddr - base);
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (distance(table + mid * ENTRY_BYTES) <= want)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return false;
	at = base + (uint64_t)(int64_t)distance(table + (low - 1) * ENTRY_BYTES + 4);
	if (at < f->frame_vaddr || !fde_at(f, at - f->frame_vaddr, out))
		return false;
	return vaddr - out->start < out->bytes;
}

bool eh_frame_function(const struct eh_frame *f, uint64_t vaddr, uint64_t *start,
		       uint64_t *bytes)
{
	struct eh_fde fde;

	if (!eh_fde_find(f, vaddr, &fde))
		return false;
	*start = fde.start;
	*bytes = fde.bytes;
	return true;
}

bool eh_frame_pointer(struct bytes hdr, uint64_t hdr_vaddr, uint64_t *frame_vaddr)
{
	struct cursor c = cursor_over(hdr);
	uint8_t version = cursor_u8(&c), encoding = cursor_u8(&c);

	if (version != 1 || encoding == PE_OMIT)
		return false;
	cursor_skip(&c, 2);
	*frame_vaddr = eh_pointer(&c, encoding, hdr_vaddr);
	return !c.failed;
}

static bool use_header(struct eh_frame *f)
{
	struct cursor c = cursor_over(f->hdr);
	uint8_t version = cursor_u8(&c), pointer = cursor_u8(&c);
	uint8_t count = cursor_u8(&c), table = cursor_u8(&c);
	uint64_t entries, room;

	if (version != 1 || pointer == PE_OMIT || count == PE_OMIT ||
	    table != PE_DATAREL_SDATA4)
		return false;
	eh_pointer(&c, pointer, f->hdr_vaddr);
	entries = eh_pointer(&c, count, f->hdr_vaddr);
	room = cursor_left(&c) / ENTRY_BYTES;
	f->table_at = c.at;
	f->entries = entries < room ? entries : room;
	return !c.failed && f->entries > 0;
}

static int by_start(const void *a, const void *b)
{
	int32_t x = distance(a), y = distance(b);

	return x < y ? -1 : x > y;
}

/* Calls for every FDE in turn: with a table it writes entries and without it counts them.
 * What lies more than 2 GiB away does not fit an entry and is left out. */
static size_t each_fde(const struct eh_frame *f, unsigned char *table)
{
	struct cursor c = cursor_over(f->frame);
	size_t n = 0;

	while (cursor_left(&c) >= 4) {
		size_t at = c.at;
		uint32_t length = cursor_u32(&c);
		struct eh_fde fde;
		int64_t to_start;
		int32_t entry[2];

		if (length == 0 || length > cursor_left(&c))
			break;
		cursor_skip(&c, length);
		if (!fde_at(f, at, &fde))
			continue;
		to_start = (int64_t)(fde.start - f->frame_vaddr);
		if (to_start != (int32_t)to_start || at > INT32_MAX)
			continue;
		entry[0] = (int32_t)to_start;
		entry[1] = (int32_t)at;
		if (table)
			memcpy(table + n * ENTRY_BYTES, entry, sizeof(entry));
		n++;
	}
	return n;
}

static bool make_table(struct eh_frame *f)
{
	size_t n = each_fde(f, NULL);

	f->entries = 0;
	if (n == 0)
		return false;
	f->own_table = try_alloc(n, ENTRY_BYTES, OWN_TABLE_MAX);
	if (!f->own_table)
		return false;
	f->entries = each_fde(f, f->own_table);
	qsort(f->own_table, f->entries, ENTRY_BYTES, by_start);
	return true;
}

bool eh_frame_init(struct eh_frame *f)
{
	f->own_table = NULL;
	f->entries = f->table_at = 0;
	return f->frame.n > 0 && (use_header(f) || make_table(f));
}

void eh_frame_done(struct eh_frame *f)
{
	free(f->own_table);
	f->own_table = NULL;
	f->entries = 0;
}
