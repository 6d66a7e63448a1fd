/* The code of a process as elf/exits.h reads it: from its files, in which no breakpoint of a debugger
 * or of another probe is, and compared with what stands in its memory. */
#ifndef PTOP_APP_EXACT_CODE_H
#define PTOP_APP_EXACT_CODE_H

#include "app/engine_state.h"
#include "elf/exits.h"
#include "sample/probe.h"

#define CODE_FILES_MAX 16u    /* that the probes of one function are in */
#define CODE_BREAKPOINT 0xccu /* int3 */

struct code_file {
	const struct object *object;
	int fd;
	char *path; /* as the kernel finds it */
};

/* Of one function at a time, from code_open() to code_close(). */
struct code {
	struct engine *e;
	const struct space *space;
	struct exits_source source;
	struct code_file file[CODE_FILES_MAX];
	size_t n_files;
	bool traced;  /* breakpoints in memory are a debugger's */
	bool changed; /* memory is not as its file is */
	bool waits; /* names of a file are not loaded yet, or it is not mapped any more */
};

void code_open(struct code *c);
void code_close(struct code *c);
bool code_read(struct code *c, uint64_t address, void *to, size_t n);
/* Where an instruction stands in its file. */
bool code_locate(struct code *c, uint64_t address, struct probe_place *place);

#endif
