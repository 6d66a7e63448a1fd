/* DWARF tells inlining as a tree: a subprogram holds blocks and inlined subroutines,
 * these hold others, each with its range of addresses. libdw's own search for the scopes
 * of an address walks the whole unit each time; here the subprograms of a unit are listed
 * once, sorted, and only the one that holds the address is descended into. DWARF 5,
 * sections 3.3.8 (inlined subroutines) and 6.2 (lines). */
#include "symbol/inlines.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

/* Limits against units that lie: depth of namespaces and types around functions; entries
 * and ranges of a unit; blocks inside each other; entries looked at for one address. */
#define NESTING_MAX 16
#define UNIT_STEPS_MAX (4u << 20)
#define BLOCKS_MAX 256
#define STEPS_MAX (256u << 10)

static bool step(size_t *left)
{
	return *left > 0 && (*left)-- > 0;
}

static void add_ranges(struct unit *u, Dwarf_Die *die, size_t *left)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	while (step(left)) {
		at = dwarf_ranges(die, at, &base, &start, &end);
		if (at <= 0)
			return;
		if (start < end)
			*VEC_PUSH(&u->functions) =
			    (struct unit_function){ start, end, dwarf_dieoffset(die) };
	}
}

/* What may hold functions. */
static bool is_scope(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_module ||
	       tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
	       tag == DW_TAG_union_type || tag == DW_TAG_enumeration_type;
}

static void collect(struct unit *u, Dwarf_Die *parent, unsigned depth, size_t *left)
{
	Dwarf_Die die;

	if (depth == NESTING_MAX || dwarf_child(parent, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);

		if (!step(left))
			return;
		if (tag == DW_TAG_subprogram)
			add_ranges(u, &die, left);
		else if (is_scope(tag))
			collect(u, &die, depth + 1, left);
	} while (dwarf_siblingof(&die, &die) == 0);
}

static int by_start(const void *a, const void *b)
{
	const struct unit_function *x = a, *y = b;

	if (x->start != y->start)
		return x->start > y->start ? 1 : -1;
	return (x->die > y->die) - (x->die < y->die);
}

void unit_read(struct unit *u, Dwarf_Die *cu)
{
	size_t left = UNIT_STEPS_MAX;

	collect(u, cu, 0, &left);
	if (u->functions.n)
		qsort(u->functions.v, u->functions.n, sizeof(*u->functions.v), by_start);
}

void unit_done(struct unit *u)
{
	VEC_DONE(&u->functions);
}

static bool find_function(const struct unit *u, Dwarf *dw, uint64_t vaddr, Dwarf_Die *out)
{
	size_t low = 0, high = u->functions.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (u->functions.v[mid].start <= vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 && vaddr < u->functions.v[low - 1].end &&
	       dwarf_offdie(dw, u->functions.v[low - 1].die, out) != NULL;
}

/* Steps to the child block that holds the address. */
static bool inner_block(Dwarf_Die *die, uint64_t vaddr, bool *inlined, size_t *left)
{
	Dwarf_Die child;

	if (dwarf_child(die, &child) != 0)
		return false;
	while (step(left)) {
		int tag = dwarf_tag(&child);

		*inlined = tag == DW_TAG_inlined_subroutine;
		if ((*inlined || tag == DW_TAG_lexical_block || tag == DW_TAG_try_block ||
		     tag == DW_TAG_catch_block) &&
		    dwarf_haspc(&child, vaddr) > 0) {
			*die = child;
			return true;
		}
		if (dwarf_siblingof(&child, &child) != 0)
			return false;
	}
	return false;
}

/* The linkage name where there is one, so that it reads like the symbol table's. */
static const char *function_name(Dwarf_Die *die)
{
	static const unsigned attribute[] = { DW_AT_linkage_name, DW_AT_MIPS_linkage_name,
					      DW_AT_name };
	size_t i;

	for (i = 0; i < sizeof(attribute) / sizeof(attribute[0]); i++) {
		Dwarf_Attribute a;
		const char *s;

		if (!dwarf_attr_integrate(die, attribute[i], &a))
			continue;
		s = dwarf_formstring(&a);
		if (s)
			return s;
	}
	return NULL;
}

static Dwarf_Word number(Dwarf_Die *die, unsigned attribute)
{
	Dwarf_Attribute a;
	Dwarf_Word v;

	if (!dwarf_attr(die, attribute, &a) || dwarf_formudata(&a, &v) != 0)
		return 0;
	return v;
}

static void call_site(Dwarf_Die *cu, Dwarf_Die *inlined, struct source_line *out)
{
	Dwarf_Word file = number(inlined, DW_AT_call_file);
	Dwarf_Word line = number(inlined, DW_AT_call_line);
	Dwarf_Files *files;
	size_t n;

	out->line = line <= INT32_MAX ? (int)line : 0;
	if (dwarf_getsrcfiles(cu, &files, &n) == 0 && file < n)
		out->file = dwarf_filesrc(files, file, NULL, NULL);
}

static bool line_at(Dwarf_Die *cu, uint64_t vaddr, struct source_line *out)
{
	Dwarf_Line *line = dwarf_getsrc_die(cu, vaddr);

	if (!line || dwarf_lineno(line, &out->line) != 0)
		return false;
	out->file = dwarf_linesrc(line, NULL, NULL);
	return true;
}

size_t unit_find(const struct unit *u, Dwarf *dw, Dwarf_Die *cu, uint64_t vaddr,
		 struct source_line out[INLINE_MAX])
{
	Dwarf_Die function, die, inlined[INLINE_MAX - 1];
	size_t i, n = 0, depth, left = STEPS_MAX;
	bool is_inlined;

	memset(out, 0, INLINE_MAX * sizeof(*out));
	if (!find_function(u, dw, vaddr, &function))
		return line_at(cu, vaddr, &out[0]) ? 1 : 0;
	die = function;
	for (depth = 0; depth < BLOCKS_MAX; depth++) {
		if (!inner_block(&die, vaddr, &is_inlined, &left))
			break;
		if (!is_inlined)
			continue;
		/* Too deep: the innermost are kept. */
		if (n == INLINE_MAX - 1)
			memmove(inlined, inlined + 1, --n * sizeof(inlined[0]));
		inlined[n++] = die;
	}
	line_at(cu, vaddr, &out[0]);
	for (i = 0; i < n; i++) {
		out[i].function = function_name(&inlined[n - 1 - i]);
		call_site(cu, &inlined[n - 1 - i], &out[i + 1]);
	}
	out[n].function = function_name(&function);
	return n + 1;
}
