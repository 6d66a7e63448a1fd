/* Line tables of code objects: from the compressed bytes to sorted runs. Pure; the bytes
 * are hostile. */
#ifndef PTOP_RUNTIME_PYTHON_LINES_H
#define PTOP_RUNTIME_PYTHON_LINES_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/vec.h"

/* The largest table that is read: generated functions of hundred thousand lines. */
#define LINE_TABLE_MAX (4u << 20)

/* From this offset into the bytecode on, this line. */
struct line_run {
	uint32_t start;
	int32_t line;
};
typedef VEC(struct line_run) line_runs;

/* Adds the runs of one table of Python 3.MINOR, ascending and without repeats. What does
 * not parse ends the runs there. Instructions that have no line get the line before. */
void python_lines_read(int minor, struct bytes table, int32_t first_line, line_runs *out);
/* The line of an instruction, first_line when the runs do not tell; never negative. */
uint32_t python_line_at(const line_runs *runs, uint32_t offset, int32_t first_line);

#endif
