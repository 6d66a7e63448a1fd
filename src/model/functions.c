/* Open addressing over (name, module). */
#include "model/functions.h"

#include <stdlib.h>

#include "base/hash.h"

#define SLOTS_FIRST 512u

void functions_init(struct functions *fs)
{
	*fs = (struct functions){ .n_slots = SLOTS_FIRST, .most = FUNCTIONS_MOST };
	intern_init(&fs->strings);
	fs->slots = xcalloc(fs->n_slots, sizeof(*fs->slots));
}

void functions_done(struct functions *fs)
{
	intern_done(&fs->strings);
	VEC_DONE(&fs->list);
	free(fs->slots);
	fs->slots = NULL;
}

static size_t slot_of(const struct functions *fs, uint32_t name, uint32_t module)
{
	size_t i = hash_pair(name, module) & (fs->n_slots - 1);

	while (fs->slots[i]) {
		const struct function *f = &fs->list.v[fs->slots[i] - 1];

		if (f->name == name && f->module == module)
			break;
		i = (i + 1) & (fs->n_slots - 1);
	}
	return i;
}

/* The number of a function that is there already, or NO_ID. */
static uint32_t find(const struct functions *fs, const char *name, const char *module)
{
	uint32_t n = intern_find(&fs->strings, name);
	uint32_t m = intern_find(&fs->strings, module);
	uint32_t slot =
	    n == UINT32_MAX || m == UINT32_MAX ? 0 : fs->slots[slot_of(fs, n, m)];

	return slot ? slot - 1 : UINT32_MAX;
}

static uint32_t add(struct functions *fs, const char *name, const char *module,
		    enum code_kind kind, const char *runtime)
{
	uint32_t n = intern_add(&fs->strings, name), m = intern_add(&fs->strings, module);
	size_t i = slot_of(fs, n, m), old;
	struct function *f;

	if (fs->slots[i])
		return fs->slots[i] - 1;
	f = VEC_PUSH(&fs->list);
	*f = (struct function){ n, m, kind, runtime,
				kind == CODE_LIBRARY || kind == CODE_KERNEL };
	fs->slots[i] = (uint32_t)fs->list.n;
	if (fs->list.n * 2 < fs->n_slots)
		return (uint32_t)fs->list.n - 1;
	free(fs->slots);
	fs->n_slots *= 2;
	fs->slots = xcalloc(fs->n_slots, sizeof(*fs->slots));
	for (old = 0; old < fs->list.n; old++)
		fs->slots[slot_of(fs, fs->list.v[old].name, fs->list.v[old].module)] =
		    (uint32_t)old + 1;
	return (uint32_t)fs->list.n - 1;
}

uint32_t functions_intern(struct functions *fs, const char *name, const char *module,
			  enum code_kind kind, const char *runtime)
{
	uint32_t id;

	if (fs->list.n < fs->most)
		return add(fs, name, module, kind, runtime);
	id = find(fs, name, module);
	if (id != UINT32_MAX)
		return id;
	fs->refused++;
	return add(fs, "[other functions]", "", CODE_MARK, "native");
}
