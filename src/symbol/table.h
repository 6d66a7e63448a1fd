/* From a heap of functions in any order, overlapping, some without a name or a size, to
 * the few flat arrays that symbols_find() searches. Internal to symbol/. */
#ifndef PTOP_SYMBOL_TABLE_H
#define PTOP_SYMBOL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/text.h"
#include "base/vec.h"
#include "elf/header.h"
#include "symbol/symbols.h"

#define NAME_NONE UINT32_MAX
/* Longer names are cut; demangle() does not try names of this length. */
#define NAME_BYTES_MAX 1024
/* Beyond these, functions are left out. */
#define FUNCTIONS_MAX (4u << 20)
#define NAMES_BYTES_MAX (256u << 20)

struct span {
	uint64_t start;
	uint32_t size;
	uint32_t name; /* offset in names, or NAME_NONE */
	uint32_t rank; /* of two that overlap the higher wins */
	bool open;     /* size is a limit: it ends earlier where the next one starts */
};

struct table {
	VEC(struct span) spans;
	struct text names; /* each with its NUL */
	const char *note;  /* what was left out, a literal, or NULL */
};

/* Where functions were found, for "module+0x...": file offset -> vaddr. */
struct symbol_segments {
	struct elf_segment *v; /* owned */
	size_t n;
};

void table_done(struct table *t);
/* Adds a name (cut at NAME_BYTES_MAX); NAME_NONE when there is no more room. */
uint32_t table_name(struct table *t, const char *s, size_t n);
/* False when there is no more room. */
bool table_add(struct table *t, struct span span);
/* Sorts by start; of those with one start the best stays: with a size, then with a name,
 * then the higher rank, then fewer leading underscores, then the longer name. Those
 * without a size inside of one with a size are labels of it and go. */
void table_unique(struct table *t);
/* Ends open spans where the next one starts. Sorted input. */
void table_close(struct table *t);
/* Forgets the names nobody has any more. */
void table_pack_names(struct table *t);
/* Makes the inner of two nested spans win, the later start of two that cross. Sorted
 * input. */
void table_rank_by_start(struct table *t);
/* Cuts the spans, whatever their order, into disjoint pieces and moves everything into a
 * new struct symbols. `source` is a literal. The table is empty afterwards. */
struct symbols *table_finish(struct table *t, const char *source);

/* symbols.c */
struct symbols {
	/* Piece i is [start[i], start[i] + size[i]); the function began lead[i] bytes
	 * before. */
	size_t n;
	uint64_t *start;
	uint32_t *size, *name, *lead; /* lead is NULL when all are 0 */
	char *names;
	size_t names_bytes;
	struct symbol_segments segments;
	const char *source, *note;
};

struct symbols *symbols_empty(const char *source);

#endif
