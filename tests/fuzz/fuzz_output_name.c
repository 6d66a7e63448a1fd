/* A pattern for names of files, then after a NUL the name of the process: whatever that is, it
 * leads into no other folder than the pattern does. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/output_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t slashes(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == '/';
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *in = calloc(size + 2, 1), out[4096];
	struct output_words w = { .pid = 42, .time = 1795183351 };
	struct error err = { 0 };

	memcpy(in, data, size);
	w.name = strlen(in) < size ? in + strlen(in) + 1 : "";
	w.host = w.name;
	if (output_name(in, &w, out, sizeof(out), &err) == 0) {
		if (strlen(out) >= sizeof(out) || slashes(out) != slashes(in))
			abort();
	} else if (!err.cause[0] || err.exit == EXIT_DONE) {
		abort();
	}
	free(in);
	return 0;
}
