/* Runs all the time, half in its own function and half in the C library's qsort(). */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile unsigned long sum;

__attribute__((noinline)) static void add_up(void)
{
	for (int i = 0; i < 3000000; i++)
		sum += (unsigned long)i;
}

static int by_value(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	static int v[20000];

	setvbuf(stdout, NULL, _IONBF, 0);
	puts("ready");
	for (;;) {
		add_up();
		for (int i = 0; i < 20000; i++)
			v[i] = rand();
		qsort(v, 20000, sizeof(*v), by_value);
	}
}
