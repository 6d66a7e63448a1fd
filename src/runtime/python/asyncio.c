/* asyncio's tasks since 3.14: each thread keeps a ring of those of the C module, the
 * interpreter one of those whose thread ended. Where in a task, a thread and an interpreter
 * the words are, the module itself says, in a section of its own name: 13 words, of
 * CPython's Modules/_asynciomodule.c, struct _Py_AsyncioModuleDebugOffsets. It is a file of
 * its own or a part of the interpreter. */
#include <string.h>
#include <unistd.h>

#include "runtime/python/locate.h"
#include "runtime/python/objects.h"
#include "target/loader.h"
#include "target/maps.h"

#define STEPS (4 * PYTHON_TASKS_MAX)
#define RING_TRIES 8
#define STATE_MAX (16u << 20) /* bytes of an interpreter's or a thread's */

typedef VEC(uint64_t) python_nodes;

enum {
	TASK_SIZE,
	TASK_NAME,
	TASK_CORO = 5,
	TASK_NODE,
	INTERPRETER_SIZE,
	OF_INTERPRETER,
	THREAD_SIZE,
	THREAD_TASK = 11,
	OF_THREAD,
	WORDS
};

struct section_search {
	uint64_t start, offset, at;
};

static void search_section(int fd, const struct object *o, void *arg)
{
	struct elf_source src = { elf_read_fd, &fd };
	struct section_search *search = arg;
	const struct elf_section *s;
	uint64_t vaddr;
	struct elf e;

	(void)o;
	if (!elf_read(&src, &e))
		return;
	s = e.class32 ? NULL : elf_section(&e, ".AsyncioDebug");
	if (s && s->bytes >= WORDS * 8 && elf_vaddr_of(&e, search->offset, &vaddr))
		search->at = s->address + search->start - vaddr;
	elf_done(&e);
}

/* Where the section stands in the target; 0: not in this file. */
static uint64_t section_in(const struct mapping *map)
{
	struct section_search s = { map->start, map->offset, 0 };

	return object_use(map->object,
			  &(struct loader_request){ search_section, &s, sizeof(s), NULL })
		   ? 0
		   : s.at;
}

static uint64_t find_section(pid_t pid)
{
	struct objects *os = objects_new();
	uint64_t at = 0;
	struct maps m;
	size_t i;

	maps_init(&m);
	if (maps_read(&m, os, pid) == 0)
		for (i = 0; i < m.list.n && !at; i++)
			if (m.list.v[i].object->kind == OBJECT_FILE &&
			    (strncmp(m.list.v[i].object->name, "_asyncio.", 9) == 0 ||
			     python_may_be_in(&m, i)))
				at = section_in(&m.list.v[i]);
	maps_done(&m);
	objects_free(os);
	return at;
}

/* Is it the offset of so many bytes in a struct of this size? */
static bool is_offset(uint64_t at, uint64_t bytes, uint64_t size)
{
	return at >= 8 && at % 8 == 0 && size >= bytes && at <= size - bytes;
}

bool python_asyncio_read(const uint64_t words[PYTHON_ASYNCIO_WORDS],
			 struct python_asyncio *out)
{
	uint64_t task = words[TASK_SIZE], interpreter = words[INTERPRETER_SIZE],
		 thread = words[THREAD_SIZE];

	if (task > PYTHON_TASK_MAX || interpreter > STATE_MAX || thread > STATE_MAX ||
	    !is_offset(words[TASK_NAME], 8, task) ||
	    !is_offset(words[TASK_CORO], 8, task) || words[TASK_CORO] < 24 ||
	    !is_offset(words[TASK_NODE], 16, task) ||
	    !is_offset(words[OF_INTERPRETER], 16, interpreter) ||
	    !is_offset(words[THREAD_TASK], 8, thread) ||
	    !is_offset(words[OF_THREAD], 16, thread))
		return false;
	*out = (struct python_asyncio){
		.coroutine = (uint32_t)words[TASK_CORO],
		.node = (uint32_t)words[TASK_NODE],
		.of_interpreter = (uint32_t)words[OF_INTERPRETER],
		.thread_task = (uint32_t)words[THREAD_TASK],
		.of_thread = (uint32_t)words[OF_THREAD],
		.steps = STEPS,
	};
	return words[TASK_NAME] == words[TASK_CORO] + 8; /* tasks.c relies on it */
}

bool python_asyncio_find(struct python_reader *r, struct python_asyncio *out)
{
	uint64_t words[PYTHON_ASYNCIO_WORDS], at = r->side.mem ? 0 : find_section(r->pid);

	return at && batch_read(&r->side, at, words, sizeof(words)) &&
	       python_asyncio_read(words, out);
}

/* A ring's head is a node, too. One that is changed meanwhile may lead elsewhere; so a step
 * back must lead where it came from. False when it was not read to its end. */
static bool read_ring(struct python_reader *r, struct python_asyncio *a, uint64_t head,
		      python_nodes *out)
{
	uint64_t at = python_word(r, head), before = head;

	VEC_CLEAR(out);
	while (at && at != head && a->steps && python_word(r, at + 8) == before) {
		a->steps--;
		*VEC_PUSH(out) = at;
		before = at;
		at = python_word(r, at);
	}
	return at == head || (!at && !out->n); /* not begun yet */
}

/* The last try gives what it has. */
static bool ring(struct python_reader *r, struct python_asyncio *a, uint64_t head,
		 python_got_task *got, void *arg)
{
	python_nodes nodes = { 0 };
	bool whole = false;
	size_t i;

	for (i = 0; i < RING_TRIES && !whole; i++)
		whole = read_ring(r, a, head, &nodes);
	for (i = 0; i < nodes.n; i++)
		got(arg, nodes.v[i] - a->node, false);
	VEC_DONE(&nodes);
	return whole;
}

bool python_asyncio_tasks(struct python_reader *r, const struct python_interpreter *p,
			  struct python_asyncio *a, python_got_task *got, void *arg)
{
	uint64_t thread = python_word(r, p->address + r->layout.interp_threads);
	bool whole = true;
	uint64_t current;

	for (; thread && a->steps; a->steps--) {
		current = python_word(r, thread + a->thread_task);
		if (current)
			got(arg, current, true);
		if (!ring(r, a, thread + a->of_thread, got, arg))
			whole = false;
		if (a->steps == 0)
			return false;
		thread = python_word(r, thread + r->layout.thread_next);
	}
	return ring(r, a, p->address + a->of_interpreter, got, arg) && whole && !thread;
}
