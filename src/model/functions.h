/* Every function that was ever seen on a stack, by number. Two frames belong to one row
 * of the screen when they have the same number: same name in the same module. */
#ifndef PTOP_MODEL_FUNCTIONS_H
#define PTOP_MODEL_FUNCTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/intern.h"
#include "model/snapshot.h"

struct function {
	uint32_t name, module; /* interned strings */
	uint32_t kind;	       /* enum code_kind */
	const char *runtime;   /* static: "native", "kernel" */
	bool library;	       /* see struct snapshot_function */
};

/* Code made at run time may have new names for ever. What comes after so many functions
 * is one row, "[other functions]". */
#define FUNCTIONS_MOST 200000u

struct functions {
	struct intern strings; /* names, modules and files */
	VEC(struct function) list;
	uint32_t *slots;
	size_t n_slots;
	size_t most;	  /* FUNCTIONS_MOST, less in tests */
	uint64_t refused; /* that found no room, counted whenever they are asked for */
};

void functions_init(struct functions *fs);
void functions_done(struct functions *fs);
/* The number of a function, made when new; strings must be cleaned already. When there is
 * no room for it, the number of "[other functions]". */
uint32_t functions_intern(struct functions *fs, const char *name, const char *module,
			  enum code_kind kind, const char *runtime);

#endif
