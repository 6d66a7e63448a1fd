#include "model/gc_names.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *start, *runtime;
	enum gc_name is;
} names[] = {
	{ "GC_collect", "Boehm GC", GC_NAME_COLLECTS },
	{ "GC_mark", "Boehm GC", GC_NAME_COLLECTS },
	{ "GC_try_to_collect", "Boehm GC", GC_NAME_COLLECTS },
	{ "GarbageCollect", "Haskell", GC_NAME_COLLECTS },
	{ "PyObject_GC_Del", "CPython", GC_NAME_FREES },
	{ "PyGC_Collect", "CPython", GC_NAME_COLLECTS },
	{ "JSC::Heap::collect", "JavaScriptCore", GC_NAME_COLLECTS },
	{ "JS_RunGC", "QuickJS", GC_NAME_COLLECTS },
	{ "R_gc_internal", "R", GC_NAME_COLLECTS },
	{ "SVR::gc_heap", ".NET", GC_NAME_COLLECTS },
	{ "WKS::gc_heap", ".NET", GC_NAME_COLLECTS },
	{ "_PyGC_", "CPython", GC_NAME_COLLECTS },
	{ "_Py_Dealloc", "CPython", GC_NAME_FREES },
	{ "_Py_RunGC", "CPython", GC_NAME_COLLECTS },
	{ "_jl_gc_collect", "Julia", GC_NAME_COLLECTS },
	{ "caml_empty_minor_heap", "OCaml", GC_NAME_COLLECTS },
	{ "caml_gc_", "OCaml", GC_NAME_COLLECTS },
	{ "caml_major_collection", "OCaml", GC_NAME_COLLECTS },
	{ "caml_minor_collection", "OCaml", GC_NAME_COLLECTS },
	{ "deduce_unreachable", "CPython", GC_NAME_COLLECTS },
	{ "delete_garbage", "CPython", GC_NAME_COLLECTS },
	{ "dict_dealloc", "CPython", GC_NAME_FREES },
	{ "erts_garbage_collect", "Erlang", GC_NAME_COLLECTS },
	{ "gc_collect_generations", "CPython", GC_NAME_COLLECTS },
	{ "gc_collect_main", "CPython", GC_NAME_COLLECTS },
	{ "gc_enter", "Ruby", GC_NAME_COLLECTS },
	{ "gc_marks", "Ruby", GC_NAME_COLLECTS },
	{ "gc_start", "Ruby", GC_NAME_COLLECTS },
	{ "gc_sweep", "Ruby", GC_NAME_COLLECTS },
	{ "jl_gc_collect", "Julia", GC_NAME_COLLECTS },
	{ "js::gc::GCRuntime", "SpiderMonkey", GC_NAME_COLLECTS },
	{ "list_dealloc", "CPython", GC_NAME_FREES },
	{ "lj_gc_", "LuaJIT", GC_NAME_COLLECTS },
	{ "luaC_fullgc", "Lua", GC_NAME_COLLECTS },
	{ "luaC_step", "Lua", GC_NAME_COLLECTS },
	{ "move_unreachable", "CPython", GC_NAME_COLLECTS },
	{ "rb_gc", "Ruby", GC_NAME_COLLECTS },
	{ "runtime.bgsweep", "Go", GC_NAME_COLLECTS },
	{ "runtime.gcAssistAlloc", "Go", GC_NAME_COLLECTS },
	{ "runtime.gcBgMarkWorker", "Go", GC_NAME_COLLECTS },
	{ "runtime.gcDrain", "Go", GC_NAME_COLLECTS },
	{ "runtime.gcStart", "Go", GC_NAME_COLLECTS },
	{ "sgen_", "Mono", GC_NAME_COLLECTS },
	{ "subtype_dealloc", "CPython", GC_NAME_FREES },
	{ "subtract_refs", "CPython", GC_NAME_COLLECTS },
	{ "tuple_dealloc", "CPython", GC_NAME_FREES },
	{ "tupledealloc", "CPython", GC_NAME_FREES },
	{ "update_refs", "CPython", GC_NAME_COLLECTS },
	{ "v8::internal::GCTracer", "V8", GC_NAME_COLLECTS },
	{ "v8::internal::Heap::CollectGarbage", "V8", GC_NAME_COLLECTS },
	{ "v8::internal::Heap::MarkCompact", "V8", GC_NAME_COLLECTS },
	{ "v8::internal::Heap::PerformGarbageCollection", "V8", GC_NAME_COLLECTS },
	{ "v8::internal::Heap::Scavenge", "V8", GC_NAME_COLLECTS },
	{ "v8::internal::IncrementalMarking", "V8", GC_NAME_COLLECTS },
	{ "v8::internal::MarkCompactCollector", "V8", GC_NAME_COLLECTS },
	{ "v8::internal::Scavenger", "V8", GC_NAME_COLLECTS },
	{ "v8::internal::Sweeper", "V8", GC_NAME_COLLECTS },
	{ "zend_gc_collect_cycles", "PHP", GC_NAME_COLLECTS },
};

/* A stack is asked about frame by frame, so most names must be told at their first
 * letters. */
enum gc_name gc_name_of(const char *name, const char **runtime)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *s = names[i].start;

		if (s[0] == name[0] && strncmp(s, name, strlen(s)) == 0) {
			*runtime = names[i].runtime;
			return names[i].is;
		}
	}
	return GC_NAME_NONE;
}
