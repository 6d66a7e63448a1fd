/* Strings stored once and known by number. */
#ifndef PTOP_BASE_INTERN_H
#define PTOP_BASE_INTERN_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/vec.h"

struct intern {
	struct arena arena;
	VEC(const char *) strings;
	uint32_t *slots;
	size_t n_slots;
};

void intern_init(struct intern *in);
void intern_done(struct intern *in);
/* The number of a string, made when new. Numbers count from 0. */
uint32_t intern_add(struct intern *in, const char *s);
/* The number of a string that is there, else UINT32_MAX. */
uint32_t intern_find(const struct intern *in, const char *s);
static inline const char *intern_get(const struct intern *in, uint32_t id)
{
	return in->strings.v[id];
}

#endif
