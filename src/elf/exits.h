/* Where the calls of a function end: the addresses of the return instructions that a call of it may
 * reach, found by decoding its x86-64 code. For breakpoints at exits, which, unlike return probes,
 * change nothing on the stack and so cannot harm a program that switches stacks, unwinds, or
 * returns twice.
 *
 * A breakpoint inside of an instruction would change what the program does. So everything from
 * the function's first byte to its last must decode, the last instruction must end where the
 * function does, and every direct jump must lead to the start of an instruction; a function of
 * which one of these is not true is refused. */
#ifndef PTOP_ELF_EXITS_H
#define PTOP_ELF_EXITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXITS_MAX 96u		/* return instructions of one function */
#define EXITS_FUNCTIONS_MAX 24u /* it may go on in by jumps */
#define EXITS_LATER_MAX 4u
#define EXITS_CODE_MAX (512u << 10) /* bytes of one function */

/* Code in memory, by its addresses there. */
struct exits_source {
	/* The function whose code holds the address; false when none is known. */
	bool (*function)(void *arg, uint64_t address, uint64_t *start, uint64_t *bytes);
	bool (*read)(void *arg, uint64_t address, void *to, size_t n);
	void *arg;
};

struct exits {
	uint64_t entry; /* where a probe of the entry goes: behind endbr64 */
	/* Where it may go as well, the next instructions, when the kernel takes none there (it does
	 * not know AVX): each call passes them, once, with the stack pointer as at the entry. */
	uint64_t later[EXITS_LATER_MAX];
	size_t n_later;
	uint64_t at[EXITS_MAX];
	size_t n;
	bool restarts; /* a jump inside of it leads back to its entry */
	/* Jumps to where it is not known: calls that leave by one of them have no end here. A
	 * switch jumps like that, too. */
	unsigned unknown;
};

/* Finds them for the function that begins at `entry`. A jump to another function is followed, its
 * returns are exits as well (they are the same call's when the stack pointer is as it was at the
 * entry). False: *why says, without a subject, why its calls cannot be timed. */
bool exits_find(const struct exits_source *source, uint64_t entry, struct exits *out,
		const char **why);
/* The instruction at these bytes is one that the kernel carries out itself at a probe, instead of
 * single-stepping it, which costs some ten times as much (arch/x86/kernel/uprobes.c: push, nop,
 * jumps, call). */
bool exits_is_emulated(const unsigned char *code, size_t n);

#endif
