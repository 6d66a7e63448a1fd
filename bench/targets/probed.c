/* See probed.h. As a library it is called by interpreters, whose coroutines switch in the middle of a
 * call: timed_call() with a function that does so. */
#include "probed.h"

void (*probed_middle)(void);

__attribute__((noinline)) int timed_step(unsigned long call)
{
	uint64_t began = now();

	spin(work_of(call) / 2);
	if (probed_middle)
		probed_middle();
	spin(work_of(call) / 2);
	last_inside = now() - began;
	return (int)call;
}

void timed_begin(unsigned long n)
{
	begin(n);
}

void timed_call(unsigned long n)
{
	uint64_t began = now();

	timed_step(made++);
	keep(now() - began);
	rest_between(n);
}

void timed_end(void)
{
	tell();
}

unsigned long timed_made(void)
{
	return made;
}

#ifndef PROBED_LIBRARY
int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 0) : 0;

	timed_begin(n);
	while (n == 0 || made < n)
		timed_call(n);
	timed_end();
	return 0;
}
#endif
