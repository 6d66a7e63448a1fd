/* Garbage collection as a running process shows it without being asked: a source is one file
 * that ends in a `const struct gc_source`, and one line of gc_sources.def.
 *
 * A source reads memory, files or what breakpoints say, and tells a struct pauses what it
 * saw. Everything it reads may lie: a counter that fell or leapt is a new beginning, never a
 * number to loop over. Called by one thread (the sampler). */
#ifndef PTOP_RUNTIME_GC_H
#define PTOP_RUNTIME_GC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/pauses.h"
#include "runtime/runtime.h"
#include "target/maps.h"

/* More collections than this between two looks are a lie (or another process). */
#define GC_STEP_MOST 1000000u

struct gc_place {
	pid_t pid;
	const struct maps *maps;
	const struct runtime *runtime; /* NULL: none is read */
	void *reader;		       /* of it; outlives the source */
	const char *version;	       /* "CPython 3.11.7", or "" */
};

/* An address whose execution or writing says when a pause begins or ends. */
struct gc_point {
	uint64_t address;
	bool execute;
	uint32_t bytes;
	uint64_t semaphore; /* of a probe: its offset in the file; 0 none */
};
#define GC_POINTS_MAX 4

struct gc_hit {
	uint64_t time_ns, ip, si, di, sp;
	uint64_t top; /* the word at sp: where a function just entered returns to */
	pid_t tid;
};

struct gc_source {
	const char *name;
	/* NULL: this process is none of its. May read symbol tables. */
	void *(*open)(const struct gc_place *place, struct pauses *to);
	void (*close)(void *source);
	/* How often look() is to be called without and with registers; UINT64_MAX: whenever
	 * the sampler turns. */
	uint64_t period_ns, armed_period_ns;
	/* Without registers it sees nothing. */
	bool registers_only;
	/* False: it is over (the process ended or became another). */
	bool (*look)(void *source, uint64_t now_ns);
	/* Debug registers that would make it exact; 0: none (now). NULL: never any. */
	size_t (*points)(void *source, struct gc_point out[GC_POINTS_MAX]);
	/* Places for the kernel's probes instead, where the user allowed those; NULL or 0: the
	 * points above that are executed, or none. */
	size_t (*probes)(void *source, struct gc_point out[GC_POINTS_MAX]);
	/* Only this thread hits them; 0: any. May be NULL. */
	pid_t (*thread)(void *source);
	/* They are armed (or not any more). apart_ns: what two hits that follow each other at
	 * once appear apart. */
	void (*armed)(void *source, bool on, uint64_t apart_ns);
	/* What was armed are the places of probes(). May be NULL. */
	void (*probed)(void *source);
	void (*hit)(void *source, const struct gc_hit *hit);
	/* Its points are others now. May be NULL. */
	bool (*moved)(void *source);
	/* How often they hit now, a second, as far as it can be told without them. */
	double (*hits_per_s)(void *source);
};

/* All of them, NULL-terminated. */
extern const struct gc_source *const gc_sources[];

/* Addresses of symbols of a mapped file (object or function, .dynsym, then .symtab), in the
 * target; 0 for those it has not. Returns how many were found. */
size_t gc_symbols(const struct maps *maps, size_t mapping, const char *const *names,
		  uint64_t *addresses, size_t n);
/* Where a probe point of a mapped file is; false when it has none of that name. */
bool gc_probe(const struct maps *maps, size_t mapping, const char *provider,
	      const char *name, struct gc_point *out);
/* The first executable mapping of a file whose name contains `part` (NULL: of the main
 * executable), or maps->list.n. */
size_t gc_mapping(const struct maps *maps, const char *part);

#endif
