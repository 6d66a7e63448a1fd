/* Reading Python objects from outside: dictionaries, attributes, modules, values as text.
 * All of it is read while the program runs, so every answer may be of a moment that never
 * was; each read is bounded, and what does not make sense is "not there". */
#ifndef PTOP_RUNTIME_PYTHON_OBJECTS_H
#define PTOP_RUNTIME_PYTHON_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "runtime/python/reader.h"

struct python_entries {
	unsigned char *p;      /* free() it */
	size_t n, stride, key; /* key: offset in an entry; the value follows it */
};

#define PYTHON_TYPE_NAME 128u
/* The newest version whose frames' values and tasks are read. */
#define PYTHON_OBJECTS_NEWEST 15
#define PYTHON_TASKS_MAX 20000u

/* Dictionary keys that are read before the next call of this; keeps a look-up bounded. */
void python_keys_allow(struct python_reader *r);
bool python_entries_read(struct python_reader *r, uint64_t keys,
			 struct python_entries *out);
uint64_t python_entry_key(const struct python_entries *e, size_t i);
uint64_t python_entry_value(struct python_reader *r, const struct python_entries *e,
			    size_t i, uint64_t values);
bool python_dict_parts(struct python_reader *r, uint64_t dict, uint64_t *keys,
		       uint64_t *values);
/* The value under a name; 0: there is none. */
uint64_t python_dict_get(struct python_reader *r, uint64_t dict, const char *name);
uint64_t python_attribute(struct python_reader *r, uint64_t object, const char *name);
/* modules[module].name */
uint64_t python_module_get(struct python_reader *r,
			   const struct python_interpreter *interpreter,
			   const char *module, const char *name);
/* The word at an address, 0 when it is not there. */
uint64_t python_word(struct python_reader *r, uint64_t address);
/* An int's size: up to three digits of 30 bits of it. */
uint64_t python_int(struct python_reader *r, uint64_t object);
/* "int", "_asyncio.Task", cleaned. */
bool python_type_name(struct python_reader *r, uint64_t object, char *to, size_t size);

/* A word of a frame's variables or operands: since 3.14 its low bits say how it is counted,
 * or that it is a number and no object; then, and when it is empty, 0. */
static inline uint64_t python_reference(const struct python_reader *r, uint64_t word)
{
	if (r->layout.minor < 14)
		return word;
	return (word & 3) == 3 ? 0 : word & ~3ull;
}

/* Where a tuple's items are: since 3.14 behind its hash. */
static inline uint64_t python_tuple_items(const struct python_reader *r, uint64_t tuple)
{
	return tuple + (r->layout.minor < 14 ? 24 : 32);
}

/* asyncio.c: 3.14+. Offsets in a task, an interpreter and a thread. */
struct python_asyncio {
	uint32_t coroutine, node;
	uint32_t of_interpreter, of_thread; /* heads of their rings of tasks */
	uint32_t thread_task;		    /* the one that runs */
	uint32_t steps; /* that may still be made: keeps hostile rings bounded */
};
#define PYTHON_ASYNCIO_WORDS 13
#define PYTHON_TASK_MAX 1024u /* bytes of one */
/* What the target says of itself; false when it cannot be so. Pure. */
bool python_asyncio_read(const uint64_t words[PYTHON_ASYNCIO_WORDS],
			 struct python_asyncio *out);
/* False when the target has no such table, as before the module is imported. */
bool python_asyncio_find(struct python_reader *r, struct python_asyncio *out);
/* Gives the address of each task; of a running one twice. False when some are missing. */
typedef void python_got_task(void *arg, uint64_t task, bool running);
bool python_asyncio_tasks(struct python_reader *r, const struct python_interpreter *p,
			  struct python_asyncio *a, python_got_task *got, void *arg);

/* values.c: what an object of a simple type is, as Python would write it, cut to some dozen
 * characters; of any other its type: "<Order>". */
void python_value(struct python_reader *r, uint64_t object, struct text *out);

/* locals.c, tasks.c: see struct runtime. */
bool python_locals(struct python_reader *r, uint64_t frame, runtime_got_local *got,
		   void *arg);
bool python_tasks(struct python_reader *r, runtime_got_task *got, void *arg, bool *whole);

#endif
