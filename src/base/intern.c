/* Open addressing over the array of strings; a slot holds id + 1. */
#include "base/intern.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define SLOTS_FIRST 256u

void intern_init(struct intern *in)
{
	*in = (struct intern){ .n_slots = SLOTS_FIRST };
	in->slots = xcalloc(in->n_slots, sizeof(*in->slots));
}

void intern_done(struct intern *in)
{
	arena_done(&in->arena);
	VEC_DONE(&in->strings);
	free(in->slots);
	in->slots = NULL;
}

static size_t slot_of(const struct intern *in, const char *s)
{
	size_t i = hash_bytes(s, strlen(s)) & (in->n_slots - 1);

	while (in->slots[i] && strcmp(in->strings.v[in->slots[i] - 1], s) != 0)
		i = (i + 1) & (in->n_slots - 1);
	return i;
}

uint32_t intern_find(const struct intern *in, const char *s)
{
	size_t i = slot_of(in, s);

	return in->slots[i] ? in->slots[i] - 1 : UINT32_MAX;
}

uint32_t intern_add(struct intern *in, const char *s)
{
	size_t i = slot_of(in, s), old;

	if (in->slots[i])
		return in->slots[i] - 1;
	*VEC_PUSH(&in->strings) = arena_str(&in->arena, s);
	in->slots[i] = (uint32_t)in->strings.n;
	if (in->strings.n * 2 < in->n_slots)
		return (uint32_t)in->strings.n - 1;
	free(in->slots);
	in->n_slots *= 2;
	in->slots = xcalloc(in->n_slots, sizeof(*in->slots));
	for (old = 0; old < in->strings.n; old++)
		in->slots[slot_of(in, in->strings.v[old])] = (uint32_t)old + 1;
	return (uint32_t)in->strings.n - 1;
}
