/* Names of threads are attributes of Python objects, in threading._active: a dictionary of
 * pthread_self() to Thread. The way there (interpreter, sys.modules, "threading", its
 * dictionary, "_active") is walked once and its end remembered; a program that never
 * imported threading is not searched again until it has another number of threads. From
 * 3.14 on Python tells the kernel the names, too, but not the main thread's and 15 bytes of
 * the others. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "runtime/python/objects.h"

#define NAME_CHARS 60u
#define NAMED_MAX 4096u

/* ---- threading._active ------------------------------------------------------------- */

/* The dictionary of one interpreter, 0 when threading is not imported. */
static uint64_t find_active(struct python_reader *r,
			    const struct python_interpreter *interpreter)
{
	return python_module_get(r, interpreter, "threading", "_active");
}

static uint64_t active_of(struct python_reader *r,
			  const struct python_interpreter *interpreter)
{
	struct python_active *a = NULL;
	size_t i;

	for (i = 0; i < r->active.n; i++)
		if (r->active.v[i].interpreter == interpreter->address)
			a = &r->active.v[i];
	if (!a && r->active.n >= PYTHON_INTERPRETERS_MAX)
		VEC_CLEAR(&r->active);
	if (!a) {
		a = VEC_PUSH(&r->active);
		a->interpreter = interpreter->address;
	}
	if (!a->dict && a->searched_with != r->threads.n) {
		a->dict = find_active(r, interpreter);
		a->searched_with = r->threads.n;
	}
	return a->dict;
}

static void name_thread(struct python_reader *r, size_t interpreter, uint64_t ident,
			uint64_t object)
{
	struct text name = { 0 };
	size_t i;

	if (!python_text(r, python_attribute(r, object, "_name"), NAME_CHARS, &name))
		return;
	for (i = 0; i < r->threads.n; i++) {
		struct python_thread *t = r->threads.v[i];

		if (t->ident == ident && t->interpreter == interpreter && name.n)
			clean_copy(t->info.name, sizeof(t->info.name), name.p, name.n);
	}
	text_done(&name);
}

void python_thread_names(struct python_reader *r)
{
	size_t i, k;

	python_keys_allow(r);
	for (i = 0; i < r->interpreters.n; i++) {
		uint64_t dict = active_of(r, &r->interpreters.v[i]), keys, values;
		struct python_entries e;

		if (!dict || !python_dict_parts(r, dict, &keys, &values) ||
		    !python_entries_read(r, keys, &e))
			continue;
		for (k = 0; k < e.n && k < NAMED_MAX; k++) {
			uint64_t thread = python_entry_value(r, &e, k, values);

			if (thread)
				name_thread(r, i, python_int(r, python_entry_key(&e, k)),
					    thread);
		}
		free(e.p);
	}
}
