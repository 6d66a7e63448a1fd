/* Writes a function that computes into anonymous memory, as a JIT compiler does, and
 * calls it; prints its address and length for a perf map: "ready PID", "code ADDRESS
 * LENGTH" (hexadecimal). With an argument it writes /tmp/perf-PID.map itself and names
 * the function so. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "work.h"

/* push %rbp; mov %rsp,%rbp; mov $300000,%ecx; 1: imul %rax,%rax,69069; dec %ecx; jnz 1b;
 * pop; ret */
static const unsigned char code[] = {
	0x55, 0x48, 0x89, 0xe5, 0xb9, 0xe0, 0x93, 0x04, 0x00, 0x48, 0x69,
	0xc0, 0xcd, 0x0d, 0x01, 0x00, 0xff, 0xc9, 0x75, 0xf5, 0x5d, 0xc3,
};

static void write_map(const char *name, const void *page)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	f = fopen(path, "w");
	if (!f)
		exit(1);
	fprintf(f, "%lx %zx %s\n", (unsigned long)page, sizeof(code), name);
	fclose(f);
}

__attribute__((noinline)) static void calls_made_code(void (*made)(void))
{
	made();
	__asm__ volatile("");
}

int main(int argc, char **argv)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*made)(void);

	if (page == MAP_FAILED)
		return 1;
	memcpy(page, code, sizeof(code));
	memcpy(&made, &page, sizeof(made));
	if (argc > 1)
		write_map(argv[1], page);
	printf("code %lx %zx\n", (unsigned long)page, sizeof(code));
	ready();
	for (;;)
		calls_made_code(made);
}
