/* Names for addresses of one object: loaded late, by the namer thread, from whatever the
 * file offers, then immutable, so the sampler looks up without a lock.
 *
 * Addresses are in the object's own terms (struct frame): file offsets for files,
 * absolute for JIT code and the kernel. */
#ifndef PTOP_SYMBOL_SYMBOLS_H
#define PTOP_SYMBOL_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "target/object.h"

struct symbol {
	const char *name; /* raw (mangled); NULL: a function known by its FDE only */
	uint64_t start;	  /* same terms as the address asked for */
	uint64_t size;	  /* 0 unknown */
	uint64_t vaddr;	  /* start in the file's own numbering, for "module+0x..." */
};

struct symbols;

/* .symtab, else a debug file by build-id or debuglink (looked for in the target's root
 * first), else .gnu_debugdata, else .dynsym; + .gopclntab; + function borders of
 * .eh_frame_hdr. May take seconds on a large file. Never NULL in *out: on failure it is
 * empty, and the error says why. */
int symbols_load(const struct object *o, struct symbols **out, struct error *err);
/* /proc/kallsyms, module names kept. Empty (EPERM) when the kernel hides addresses. */
int symbols_load_kernel(struct symbols **out, struct error *err);
/* /tmp/perf-NSPID.map through /proc/PID/root, if its owner is the target's or root. */
int symbols_load_perfmap(pid_t pid, struct symbols **out, struct error *err);
/* The same from text; later entries win where they overlap. */
struct symbols *symbols_parse_perfmap(const char *text, size_t n);
struct symbols *symbols_parse_kallsyms(const char *text, size_t n);
/* Size and mtime of the perf map, to see that it grew; false when there is none. */
bool perfmap_stamp(pid_t pid, uint64_t *stamp);
void symbols_free(struct symbols *s);
/* The function that holds the address; honours sizes, so a gap between two is nobody's.
 */
bool symbols_find(const struct symbols *s, uint64_t address, struct symbol *out);
/* The function of this raw name. */
bool symbols_named(const struct symbols *s, const char *name, struct symbol *out);
/* How many functions are displayed by this name (symbol/demangle.h): the first two of them. */
size_t symbols_displayed(const struct symbols *s, const char *name, struct symbol out[2]);
/* Names a mistyped one may have meant, the nearest first: at most `max` (8), each within a
 * third of its length. Returns how many. */
size_t symbols_near(const struct symbols *s, const char *name, const char **out,
		    size_t max);
size_t symbols_count(const struct symbols *s);
/* Where the names came from: ".symtab", "debug file", ".gnu_debugdata", ".dynsym",
 * ".gopclntab", "perf map", "kallsyms", "none". */
const char *symbols_source(const struct symbols *s);
/* Part of each message about something that is out of proportion to its file. */
#define UNPACKS_TO_MORE "unpacks to far more than the file"
/* What was left out because it is out of proportion to the file, or NULL. */
const char *symbols_note(const struct symbols *s);
size_t symbols_bytes(const struct symbols *s);

#endif
