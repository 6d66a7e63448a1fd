/* Where a function's bytecode begins and where it returns: what a debug register has to watch to
 * time its calls.
 *
 * Behind some instructions stand words the interpreter keeps its caches in; they may look like
 * anything, so they have to be stepped over. How many there are is a matter of the version: the
 * tables below are the inline cache entries of its opcode module, those of specialized
 * instructions included. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/trigger.h"
#include "runtime/python/reader.h"

#define EXITS_BYTES_MAX (1u << 20)

struct caches {
	unsigned char first, last, words;
};

static const struct caches caches_11[] = {
	{ 3, 8, 1 },	 { 13, 14, 1 },	  { 16, 16, 1 },    { 17, 25, 4 },
	{ 26, 29, 2 },	 { 39, 43, 4 },	  { 47, 48, 5 },    { 55, 55, 5 },
	{ 56, 59, 10 },	 { 60, 60, 1 },	  { 62, 63, 10 },   { 64, 67, 1 },
	{ 72, 73, 1 },	 { 76, 81, 1 },	  { 92, 92, 1 },    { 95, 95, 4 },
	{ 106, 106, 4 }, { 107, 107, 2 }, { 113, 113, 1 },  { 116, 116, 5 },
	{ 121, 122, 1 }, { 127, 127, 1 }, { 141, 141, 1 },  { 143, 143, 1 },
	{ 153, 154, 4 }, { 158, 159, 4 }, { 160, 160, 10 }, { 166, 166, 1 },
	{ 168, 170, 1 }, { 171, 171, 4 }, { 177, 180, 1 }
};
static const struct caches caches_12[] = {
	{ 6, 8, 1 },	 { 10, 10, 1 },	  { 13, 14, 1 },   { 16, 16, 1 },
	{ 18, 22, 1 },	 { 23, 24, 3 },	  { 25, 25, 1 },   { 28, 29, 3 },
	{ 34, 34, 3 },	 { 38, 48, 3 },	  { 56, 56, 3 },   { 57, 60, 1 },
	{ 62, 67, 1 },	 { 70, 70, 9 },	  { 72, 73, 9 },   { 76, 82, 9 },
	{ 92, 93, 1 },	 { 95, 95, 4 },	  { 106, 106, 9 }, { 107, 107, 1 },
	{ 111, 113, 4 }, { 116, 116, 4 }, { 122, 123, 1 }, { 141, 141, 1 },
	{ 148, 148, 4 }, { 153, 153, 4 }, { 159, 161, 1 }, { 166, 168, 1 },
	{ 171, 171, 3 }
};
static const struct caches caches_13[] = {
	{ 3, 3, 1 },	 { 5, 5, 1 },	  { 39, 39, 1 },   { 40, 40, 3 },
	{ 45, 45, 1 },	 { 53, 53, 3 },	  { 58, 59, 1 },   { 72, 72, 1 },
	{ 77, 77, 1 },	 { 82, 82, 9 },	  { 91, 91, 4 },   { 93, 93, 1 },
	{ 97, 100, 1 },	 { 104, 104, 1 }, { 108, 108, 4 }, { 117, 117, 1 },
	{ 150, 161, 1 }, { 162, 181, 3 }, { 182, 190, 1 }, { 191, 202, 9 },
	{ 203, 204, 4 }, { 205, 206, 1 }, { 208, 208, 1 }, { 209, 211, 4 },
	{ 212, 213, 1 }, { 214, 219, 3 }, { 220, 222, 1 }
};

static const struct version {
	int minor;
	const struct caches *caches;
	size_t n;
	unsigned char returns[2]; /* RETURN_VALUE, RETURN_CONST; 0 none */
	unsigned char generator;  /* RETURN_GENERATOR */
} versions[] = {
	{ 11, caches_11, sizeof(caches_11) / sizeof(caches_11[0]), { 83, 0 }, 75 },
	{ 12, caches_12, sizeof(caches_12) / sizeof(caches_12[0]), { 83, 121 }, 75 },
	{ 13, caches_13, sizeof(caches_13) / sizeof(caches_13[0]), { 36, 103 }, 35 },
};

static unsigned words_behind(const struct version *v, unsigned char op)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		if (op >= v->caches[i].first && op <= v->caches[i].last)
			return v->caches[i].words;
	return 0;
}

static bool no(struct runtime_exits *out, const char *why)
{
	snprintf(out->problem, sizeof(out->problem), "%s", why);
	return false;
}

static bool scan(const struct version *v, const unsigned char *code, size_t n,
		 struct runtime_exits *out)
{
	size_t at;

	for (at = 0; at + 2 <= n; at += 2 + 2 * words_behind(v, code[at])) {
		unsigned char op = code[at];

		if (op == v->generator)
			return no(out, "generators and coroutines stop in between");
		if (op != v->returns[0] && (op != v->returns[1] || !op))
			continue;
		if (out->n == RUNTIME_EXITS_MAX)
			return no(out, "it has more than three ways out; there are four "
				       "debug registers");
		out->exit[out->n++] = out->entry + at;
	}
	return out->n ? true : no(out, "it never returns");
}

static const struct python_code *code_named(const struct python_reader *r,
					    const char *name)
{
	const struct python_code *best = NULL;
	size_t i;

	for (i = 0; i < r->codes.n; i++) {
		const struct python_code *c = &r->codes.v[i];

		if (c->bytecode && c->bytecode_bytes && !c->hidden &&
		    c->function < r->functions.n &&
		    trigger_name_matches(r->functions.v[c->function].name, name) &&
		    (!best || c->checked_ns > best->checked_ns))
			best = c;
	}
	return best;
}

static const struct version *version_of(int minor)
{
	size_t i;

	for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (versions[i].minor == minor)
			return &versions[i];
	return NULL;
}

bool python_exits_scan(int minor, const unsigned char *code, size_t n,
		       struct runtime_exits *out)
{
	const struct version *v = version_of(minor);

	return v ? scan(v, code, n, out)
		 : no(out, "calls are watched in Python 3.11 to 3.13 only");
}

bool python_exits(struct python_reader *r, const char *name, struct runtime_exits *out)
{
	const struct version *v =
	    r->layout.free_threaded ? NULL : version_of(r->layout.minor);
	const struct python_code *c;
	unsigned char *code;
	bool ok;

	*out = (struct runtime_exits){ .n = 0 };
	if (!v)
		return no(out, "calls are watched in Python 3.11 to 3.13 only");
	c = code_named(r, name);
	if (!c)
		return false; /* not met yet */
	if (c->bytecode_bytes > EXITS_BYTES_MAX)
		return no(out, "it is too large");
	code = xmalloc(c->bytecode_bytes);
	out->entry = c->bytecode;
	out->read_twice = v->minor == 12;
	ok = batch_read(&r->side, c->bytecode, code, c->bytecode_bytes)
		 ? scan(v, code, c->bytecode_bytes, out)
		 : no(out, "its code cannot be read");
	free(code);
	return ok;
}
