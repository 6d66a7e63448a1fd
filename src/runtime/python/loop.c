/* The interpreter's loop, _PyEval_EvalFrameDefault: whose frames in the machine's stack
 * stand for runs of Python frames. It is a dynamic symbol of every libpython and of
 * Debian's stripped static Python, with its size; the part that the compiler moved out of
 * it (.cold), and the functions between it and its caller, are named in unstripped files
 * only. A file whose symbol has no size is taken
 * without: then no stack fits, and that is counted. */
#include <string.h>
#include <unistd.h>

#include "elf/header.h"
#include "runtime/python/locate.h"
#include "target/loader.h"

struct search {
	struct runtime_loop out[RUNTIME_LOOPS];
	size_t n;
	uint32_t object;
	const struct elf *e;
};

static void add(struct search *s, const Elf64_Sym *sym, bool leads_to)
{
	uint64_t start;
	size_t i;

	if (s->n == RUNTIME_LOOPS || sym->st_size == 0 ||
	    !elf_offset_of(s->e, sym->st_value, &start))
		return;
	for (i = 0; i < s->n; i++)
		if (s->out[i].object == s->object && s->out[i].start == start)
			return;
	s->out[s->n++] =
	    (struct runtime_loop){ s->object, leads_to, start, start + sym->st_size };
}

static void note_loop(void *arg, struct bytes names, const Elf64_Sym *sym)
{
	static const struct {
		const char *name;
		bool leads_to;
	} known[] = { { "_PyEval_EvalFrameDefault", false },
		      { "_PyEval_EvalFrameDefault.cold", false },
		      { "_PyFunction_Vectorcall", true },
		      { "_PyEval_Vector", true },
		      { "_PyEval_EvalFrame", true },
		      { "_PyEval_EvalCodeWithName", true },
		      { "_PyFunction_FastCallDict", true },
		      { "function_code_fastcall", true },
		      { "call_function", true } };
	size_t i;

	if (ELF64_ST_TYPE(sym->st_info) != STT_FUNC)
		return;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (python_symbol_is(names, sym, known[i].name))
			add(arg, sym, known[i].leads_to);
}

static void search_object(int fd, const struct object *o, void *arg)
{
	struct elf_source src = { elf_read_fd, &fd };
	struct search *s = arg;
	struct elf e;

	if (!elf_read(&src, &e))
		return;
	s->e = &e;
	s->object = o->id;
	if (!e.class32) {
		python_symbols(fd, &e, ".dynsym", note_loop, s);
		python_symbols(fd, &e, ".symtab", note_loop, s);
	}
	elf_done(&e);
	s->e = NULL;
}

size_t python_loops(const struct maps *maps, struct runtime_loop out[RUNTIME_LOOPS])
{
	struct search s;
	size_t i;

	memset(&s, 0, sizeof(s)); /* compared as bytes */

	for (i = 0; i < maps->list.n; i++)
		if (python_may_be_in(maps, i))
			object_use(maps->list.v[i].object,
				   &(struct loader_request){ search_object, &s, sizeof(s),
							     NULL });
	memcpy(out, s.out, sizeof(s.out));
	return s.n;
}
