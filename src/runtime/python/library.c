/* Which files are libraries: what an installation holds, not what it runs.
 *
 * The interpreter itself says where its standard library is (sys.prefix and its kin, which
 * a virtual environment's pyvenv.cfg decides); packages lie in site-packages or, Debian's,
 * dist-packages; frozen modules have no folder. A program in a folder that only looks like
 * an installation is the program's. */
#include <stdio.h>
#include <string.h>

#include "runtime/python/objects.h"

#define PREFIX_CHARS 1024u
#define TRIES_MAX 16u /* an interpreter that starts has no sys yet */

static void read_prefix(struct python_reader *r, const char *name)
{
	struct text t = { 0 };
	uint64_t object;
	size_t n;

	python_keys_allow(r);
	object = python_module_get(r, &r->interpreters.v[0], "sys", name);
	if (object && python_text(r, object, PREFIX_CHARS, &t) && t.n) {
		n = intern_add(&r->strings, t.p);
		r->prefix[r->n_prefixes++] = (uint32_t)n;
	}
	text_done(&t);
}

/* The newest interpreter's: all of a process have the same. */
static void read_prefixes(struct python_reader *r)
{
	static const char *const names[PYTHON_PREFIXES] = { "base_prefix",
							    "base_exec_prefix", "prefix",
							    "exec_prefix" };
	size_t i;

	for (i = 0; i < PYTHON_PREFIXES && r->interpreters.n; i++)
		read_prefix(r, names[i]);
}

/* PREFIX/lib/python3.N/, or lib64, or the archive of an embedding. */
static bool is_below(const char *file, const char *prefix, int minor)
{
	size_t n = strlen(prefix);
	char folder[32];
	int k;

	while (n && prefix[n - 1] == '/')
		n--;
	if (strncmp(file, prefix, n) != 0 || strncmp(file + n, "/lib", 4) != 0)
		return false;
	file += n + 4;
	if (strncmp(file, "64/", 3) == 0)
		file += 2;
	k = snprintf(folder, sizeof(folder), "/python3.%d/", minor);
	if (strncmp(file, folder, (size_t)k) == 0)
		return true;
	k = snprintf(folder, sizeof(folder), "/python3%d.zip/", minor);
	return strncmp(file, folder, (size_t)k) == 0;
}

bool python_is_library(struct python_reader *r, const char *file)
{
	size_t i;

	if (strncmp(file, "<frozen ", 8) == 0 || strstr(file, "/site-packages/") ||
	    strstr(file, "/dist-packages/"))
		return true;
	if (!r->n_prefixes && r->prefix_tries++ < TRIES_MAX)
		read_prefixes(r);
	for (i = 0; i < r->n_prefixes; i++)
		if (is_below(file, intern_get(&r->strings, r->prefix[i]),
			     r->layout.minor))
			return true;
	return false;
}
