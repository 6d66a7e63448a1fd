/* The table of language runtimes; adding one is a line in runtimes.def. */
#include "runtime/runtime.h"

#define RUNTIME(name) &name,
const struct runtime *const runtimes[] = {
#include "runtime/runtimes.def"
	NULL
};
#undef RUNTIME

const char *runtime_reject_name(enum runtime_reject reason)
{
	static const char *const names[] = {
		[REJECT_UNREADABLE] = "unreadable",
		[REJECT_THREAD] = "thread",
		[REJECT_CODE] = "code",
		[REJECT_INSTRUCTION] = "instruction",
		[REJECT_CHAIN] = "chain",
		[REJECT_END] = "end",
	};

	return (unsigned)reason < REJECT_REASONS ? names[reason] : "?";
}

const char *runtime_reject_help(enum runtime_reject reason)
{
	static const char *const help[] = {
		[REJECT_UNREADABLE] = "memory of the stack was gone when it was read",
		[REJECT_THREAD] = "the thread's state belonged to another thread",
		[REJECT_CODE] = "a frame without a code object that can be read",
		[REJECT_INSTRUCTION] = "a frame whose instruction is outside its code",
		[REJECT_CHAIN] = "frames that do not lie where their callers ended",
		[REJECT_END] = "a chain of frames that did not reach its entry",
	};

	return (unsigned)reason < REJECT_REASONS ? help[reason] : "?";
}
