/* See probed.h: one call of five is left by an exception that passes through it. */
#include "probed.h"

namespace work {

__attribute__((noinline)) static void middle(unsigned long call)
{
	if (call / 25 % 5 == 4)
		throw call;
}

__attribute__((noinline)) int step(unsigned long call)
{
	uint64_t began = now();

	spin(work_of(call) / 2);
	middle(call);
	spin(work_of(call) / 2);
	last_inside = now() - began;
	return (int)call;
}

}

int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], nullptr, 0) : 0;

	begin(n);
	while (n == 0 || made < n) {
		uint64_t began = now();

		try {
			work::step(made++);
			keep(now() - began);
		} catch (unsigned long) {
		}
		rest_between(n);
	}
	tell();
}
