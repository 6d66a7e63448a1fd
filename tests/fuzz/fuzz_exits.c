/* The decoder of functions that get probes: any bytes, cut into functions by the first of them. What is
 * found must be a return instruction inside of the code. */
#include <stdlib.h>
#include <string.h>

#include "elf/exits.h"

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

#define BASE 0x1000u

struct input {
	const unsigned char *code;
	size_t n, step;
};

static bool function_at(void *arg, uint64_t address, uint64_t *start, uint64_t *bytes)
{
	const struct input *in = arg;
	uint64_t at = address - BASE;

	if (at >= in->n)
		return false;
	*start = BASE + at / in->step * in->step;
	*bytes = in->n - (*start - BASE) < in->step ? in->n - (*start - BASE) : in->step;
	return true;
}

static bool read_code(void *arg, uint64_t address, void *to, size_t n)
{
	const struct input *in = arg;

	if (address < BASE || address - BASE > in->n || n > in->n - (address - BASE))
		return false;
	memcpy(to, in->code + (address - BASE), n);
	return true;
}

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct input in = { p + 1, n - 1, 1 };
	struct exits_source source = { function_at, read_code, &in };
	struct exits out;
	const char *why;
	size_t i;

	if (n < 2)
		return 0;
	in.step = (size_t)p[0] + 1;
	if (!exits_find(&source, BASE, &out, &why))
		return 0;
	for (i = 0; i < out.n; i++)
		if (out.at[i] - BASE >= in.n || out.n > EXITS_MAX)
			abort();
	return 0;
}
