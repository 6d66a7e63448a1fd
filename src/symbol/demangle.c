/* libiberty does the work; this decides what is given to it and what becomes of the
 * result.
 *
 * The mangled form can name a type by its place among those before, so a kilobyte may
 * stand for more text than there is memory: the result is taken in pieces, and when enough
 * has come the call is left by longjmp. (It holds no heap memory then but, for a Rust name
 * in Punycode, some bytes that are lost.) Nesting is limited by libiberty itself.
 *
 *	_ZN3foo3barEi.cold                      foo::bar [clone .cold]
 *	_ZN4core3fmt5write17h8a31b2a5ac83b4d0E  core::fmt::write
 *	memcpy@@GLIBC_2.14                      memcpy
 */
#include "symbol/demangle.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/* symbol/table.h cuts names it keeps at this length: a cut one does not demangle. */
#define RAW_MAX 1023
#define RESULT_MAX 2048

/* Marks the compiler and the linker append; each may have a number or a hash behind it.
 */
static const char *const clone_words[] = {
	"cold", "isra",	      "constprop", "part", "lto_priv",
	"llvm", "localalias", "warm",	   "hot",  "clone",
};

static bool is_clone_word(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof(clone_words) / sizeof(clone_words[0]); i++)
		if (strlen(clone_words[i]) == n && memcmp(clone_words[i], s, n) == 0)
			return true;
	return false;
}

static bool is_number(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return n > 0;
}

/* Length of the name without the marks at its end. Rust's names have dots inside, so the
 * marks are taken off from behind, and only known ones. */
static size_t base_length(const char *s, size_t n)
{
	size_t base = n, at = n;

	for (;;) {
		const char *dot = at ? memrchr(s, '.', at) : NULL;
		size_t from;

		if (!dot || dot == s)
			return base;
		from = (size_t)(dot - s) + 1;
		if (is_clone_word(s + from, at - from))
			base = (size_t)(dot - s);
		else if (!is_number(s + from, at - from))
			return base;
		at = (size_t)(dot - s);
	}
}

struct sink {
	char *to;
	size_t n;
	jmp_buf full;
};

static void take(const char *s, size_t n, void *opaque)
{
	struct sink *sink = opaque;
	size_t left = RESULT_MAX - sink->n, part = n < left ? n : left;

	if (part) /* libiberty hands over NULL with nothing in it */
		memcpy(sink->to + sink->n, s, part);
	sink->n += part;
	if (part < n)
		longjmp(sink->full, 1);
}

/* `mangled` ends in NUL. Rust first: a legacy name is a valid C++ one as well. */
static bool expand(const char *mangled, struct sink *sink)
{
	static const int options = DMGL_AUTO | DMGL_ANSI;

	sink->n = 0;
	if (setjmp(sink->full) != 0)
		return true; /* full: the start is what we show */
	if (rust_demangle_callback(mangled, options, take, sink))
		return sink->n > 0;
	sink->n = 0;
	return cplus_demangle_v3_callback(mangled, options, take, sink) && sink->n > 0;
}

static bool looks_mangled(const char *s)
{
	return strncmp(s, "_Z", 2) == 0 || strncmp(s, "_R", 2) == 0 ||
	       strncmp(s, "_GLOBAL_", 8) == 0;
}

/* LLVM's marks tell nothing; they carry a hash of the module. */
static void add_marks(struct sink *sink, const char *marks, size_t n)
{
	const char *llvm = memmem(marks, n, ".llvm.", 6);
	static const char before[] = " [clone ";

	if (llvm)
		n = (size_t)(llvm - marks);
	if (n == 0 || sink->n + sizeof(before) + n + 1 > RESULT_MAX)
		return;
	memcpy(sink->to + sink->n, before, sizeof(before) - 1);
	sink->n += sizeof(before) - 1;
	memcpy(sink->to + sink->n, marks, n);
	sink->n += n;
	sink->to[sink->n++] = ']';
}

size_t demangle(const char *raw, char *to, size_t size)
{
	size_t n = strnlen(raw, RAW_MAX), base;
	char name[RAW_MAX], result[RESULT_MAX];
	struct sink sink = { .to = result };
	const char *version;

	if (n == RAW_MAX)
		return clean_copy(to, size, raw, strlen(raw));
	version = n > 1 ? memchr(raw + 1, '@', n - 1) : NULL;
	if (version)
		n = (size_t)(version - raw);
	if (!looks_mangled(raw))
		return clean_copy(to, size, raw, n);
	base = base_length(raw, n);
	memcpy(name, raw, base);
	name[base] = '\0';
	if (!expand(name, &sink))
		return clean_copy(to, size, raw, n);
	add_marks(&sink, raw + base, n - base);
	return clean_copy(to, size, result, sink.n);
}
