/* Go's table of functions. All of its offsets are relative to places inside the table
 * itself, and the few that the header gives are kept in struct gopclntab; every read goes
 * through a cursor over the whole table, so an offset that lies makes one function unknown
 * and nothing else.
 *
 *	1.2	magic, 0 0, quantum, pointer bytes | n | (pc, offset) x n, end pc
 *	1.16	... | n, files, names, cu, filetab, pctab, pclntab | there: (pc, offset)
 * x n, end 1.18	... | n, files, text start, names, cu, filetab, pctab, pclntab | the pairs
 * are 1.20	32 bits wide and relative to the text start
 *
 * The depth of the stack is a list of (change of value, length in code) pairs a function,
 * both as varints, values from -1 on. */
#include "elf/gopclntab.h"

#include <string.h>

#include "base/cursor.h"

#define MAGIC_12 0xfffffffbu
#define MAGIC_116 0xfffffffau
#define MAGIC_118 0xfffffff0u
#define MAGIC_120 0xfffffff1u
#define FUNCTIONS_MAX (16u << 20)
#define NAME_MAX_BYTES 65536
/* Steps of one function's pcsp list; the largest functions of real programs have some
 * hundreds. */
#define STEPS_MAX 100000
/* Go's stacks are at most 1 GiB, so a deeper frame is a lie. */
#define DELTA_MAX (1 << 30)

static uint64_t word(struct cursor *c, unsigned bytes)
{
	return bytes == 8 ? cursor_u64(c) : cursor_u32(c);
}

static bool narrow(const struct gopclntab *t)
{
	return t->magic == MAGIC_118 || t->magic == MAGIC_120;
}

/* Bytes of one half of a pair. */
static unsigned half_bytes(const struct gopclntab *t)
{
	return narrow(t) ? 4 : t->pointer_bytes;
}

static bool read_places(struct gopclntab *t, struct cursor *c, uint64_t text)
{
	unsigned w = t->pointer_bytes;

	t->functions = word(c, w);
	if (t->magic == MAGIC_12) {
		t->functab_at = c->at;
		return !c->failed;
	}
	word(c, w); /* files */
	if (narrow(t)) {
		t->text = word(c, w);
		if (t->text == 0)
			t->text = text;
	}
	t->names_at = word(c, w);
	word(c, w); /* compilation units */
	word(c, w); /* file names */
	t->pc_at = word(c, w);
	t->functab_at = t->funcdata_at = word(c, w);
	return !c->failed && t->names_at < t->bytes.n && t->pc_at < t->bytes.n;
}

bool gopclntab_init(struct gopclntab *t, struct bytes bytes, uint64_t text)
{
	struct cursor c = cursor_over(bytes);
	uint16_t zero;

	*t = (struct gopclntab){ .bytes = bytes };
	t->magic = cursor_u32(&c);
	zero = cursor_u16(&c);
	t->quantum = cursor_u8(&c);
	t->pointer_bytes = cursor_u8(&c);
	if (c.failed || zero != 0 ||
	    (t->magic != MAGIC_12 && t->magic != MAGIC_116 && !narrow(t)) ||
	    (t->pointer_bytes != 4 && t->pointer_bytes != 8) ||
	    (t->quantum != 1 && t->quantum != 2 && t->quantum != 4))
		return false;
	if (!read_places(t, &c, text) || t->functions > FUNCTIONS_MAX ||
	    t->functab_at > bytes.n)
		return false;
	/* The pairs and the end address after them must all be there. */
	return (2 * t->functions + 1) * half_bytes(t) <= bytes.n - t->functab_at;
}

/* The i-th pair; its first half alone is there for i == functions, the end. */
static uint64_t entry_pc(const struct gopclntab *t, uint64_t i, uint64_t *data)
{
	struct cursor c = cursor_over(t->bytes);
	unsigned w = half_bytes(t);
	uint64_t pc;

	cursor_seek(&c, t->functab_at + i * 2 * w);
	pc = word(&c, w);
	*data = i < t->functions ? word(&c, w) : 0;
	return narrow(t) ? t->text + pc : pc;
}

/* A cursor behind the `entry` member of the i-th function's record. */
static struct cursor record(const struct gopclntab *t, uint64_t data)
{
	struct cursor c = cursor_over(t->bytes);

	if (data > t->bytes.n)
		c.failed = true;
	else
		cursor_seek(&c, t->funcdata_at + data);
	cursor_skip(&c, half_bytes(t));
	return c;
}

static const char *name_at(const struct gopclntab *t, uint32_t offset)
{
	uint64_t at = t->names_at + offset;
	size_t left;

	if (at >= t->bytes.n)
		return NULL;
	left = t->bytes.n - at;
	if (left > NAME_MAX_BYTES)
		left = NAME_MAX_BYTES;
	return memchr(t->bytes.p + at, '\0', left) ? (const char *)t->bytes.p + at : NULL;
}

bool gopclntab_nth(const struct gopclntab *t, size_t i, struct go_function *out)
{
	uint64_t data, unused, end;
	struct cursor c;

	if (i >= t->functions)
		return false;
	out->start = entry_pc(t, i, &data);
	end = entry_pc(t, i + 1, &unused);
	c = record(t, data);
	out->name = name_at(t, cursor_u32(&c));
	out->size = end - out->start;
	return !c.failed && out->name && end > out->start;
}

/* The last function that starts at or before the address. The table is sorted; where it
 * is not, the search still ends and the caller's check of the range refuses what it
 * found. */
static uint64_t search(const struct gopclntab *t, uint64_t vaddr)
{
	uint64_t low = 0, high = t->functions, data;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (entry_pc(t, mid, &data) <= vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	return low; /* one behind it; 0: none */
}

bool gopclntab_find(const struct gopclntab *t, uint64_t vaddr, struct go_function *out)
{
	uint64_t i = search(t, vaddr);

	return i > 0 && gopclntab_nth(t, i - 1, out) && vaddr >= out->start &&
	       vaddr - out->start < out->size;
}

/* Go's varint holds 32 bits. */
static uint32_t varint(struct cursor *c)
{
	uint64_t v = cursor_uleb(c);

	if (v > UINT32_MAX)
		c->failed = true;
	return (uint32_t)v;
}

bool gopclntab_sp_delta(const struct gopclntab *t, uint64_t vaddr, int64_t *bytes)
{
	uint64_t i = search(t, vaddr), data, pc, unused;
	int64_t value = -1;
	struct cursor c;
	uint32_t pcsp, step;

	if (i == 0 || vaddr >= entry_pc(t, i, &unused))
		return false;
	pc = entry_pc(t, i - 1, &data);
	c = record(t, data);
	cursor_skip(&c, 12); /* name, args, deferreturn */
	pcsp = cursor_u32(&c);
	if (c.failed || pcsp == 0) /* 0: an assembly function without one */
		return false;
	c.failed = pcsp > t->bytes.n - t->pc_at;
	cursor_seek(&c, t->pc_at + pcsp);
	for (step = 0; step < STEPS_MAX; step++) {
		uint32_t change = varint(&c);

		if (c.failed || (change == 0 && step > 0))
			return false;
		value +=
		    change & 1 ? -(int64_t)(change >> 1) - 1 : (int64_t)(change >> 1);
		pc += (uint64_t)varint(&c) * t->quantum;
		if (!c.failed && vaddr < pc) {
			*bytes = value;
			return value >= 0 && value <= DELTA_MAX;
		}
	}
	return false;
}

/* topofstack() of src/runtime/traceback.go. The symbols of hand-written code end in
 * ".abi0" in .symtab, not in .gopclntab. */
bool gopclntab_is_root(const char *name)
{
	static const char *const roots[] = {
		"goexit", "mstart",	 "mcall",      "morestack",
		"rt0_go", "systemstack", "asmcgocall",
	};
	size_t i, n;

	if (strncmp(name, "_rt0_", 5) == 0)
		return true;
	if (strncmp(name, "runtime.", 8) != 0)
		return false;
	name += 8;
	n = strcspn(name, ".");
	if (name[n] && strcmp(name + n, ".abi0") != 0)
		return false;
	for (i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (strlen(roots[i]) == n && memcmp(roots[i], name, n) == 0)
			return true;
	return false;
}
