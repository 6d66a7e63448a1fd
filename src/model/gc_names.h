/* Which functions are a garbage collector's, and which free objects in cascades, by their
 * names: for runtimes that say nothing of their collections themselves. */
#ifndef PTOP_MODEL_GC_NAMES_H
#define PTOP_MODEL_GC_NAMES_H

enum gc_name {
	GC_NAME_NONE,
	GC_NAME_COLLECTS, /* it, or what it calls, collects garbage */
	GC_NAME_FREES,	  /* it drops references, which may drop others */
};

/* *runtime: whose ("V8"), a static string; set unless GC_NAME_NONE. The name may be
 * demangled or not. */
enum gc_name gc_name_of(const char *name, const char **runtime);

#endif
