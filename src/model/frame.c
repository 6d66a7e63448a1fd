/* The words of frames: of their kinds, and of those that are words only. */
#include "model/frame.h"

#include <string.h>

static const char *const kinds[FRAME_KINDS] = {
	[FRAME_NATIVE] = "native", [FRAME_JIT] = "jit",	      [FRAME_KERNEL] = "kernel",
	[FRAME_MARK] = "mark",	   [FRAME_PYTHON] = "python",
};

const char *frame_kind_name(uint32_t kind)
{
	return kind < FRAME_KINDS ? kinds[kind] : "unknown";
}

uint32_t frame_kind_named(const char *name)
{
	uint32_t k = 0;

	while (k < FRAME_KINDS && strcmp(name, kinds[k]) != 0)
		k++;
	return k;
}

const char *frame_mark_name(uint64_t mark)
{
	static const char *const names[] = {
		[MARK_TRUNCATED] = "[truncated]",
		[MARK_UNKNOWN_CODE] = "[unknown code]",
		[MARK_OFF_CPU] = "[off-CPU]",
		[MARK_RUNNABLE] = "[waiting for a CPU]",
		[MARK_GC] = "[gc]",
		[MARK_PYTHON] = "[python?]",
		[MARK_NATIVE_THREAD] = "[native code]",
		[MARK_BETWEEN] = "[ran between looks]",
		[MARK_WAIT_FIRST + WAIT_GIL] = "[GIL wait]",
		[MARK_WAIT_FIRST + WAIT_OTHER] = "[blocked]",
		[MARK_WAIT_FIRST + WAIT_LOCK] = "[lock wait]",
		[MARK_WAIT_FIRST + WAIT_POLL] = "[poll wait]",
		[MARK_WAIT_FIRST + WAIT_SOCKET] = "[socket wait]",
		[MARK_WAIT_FIRST + WAIT_DISK] = "[disk wait]",
		[MARK_WAIT_FIRST + WAIT_READ] = "[read/write wait]",
		[MARK_WAIT_FIRST + WAIT_CHILD] = "[child wait]",
		[MARK_WAIT_FIRST + WAIT_SLEEP] = "[sleep]",
		[MARK_WAIT_FIRST + WAIT_STOPPED] = "[stopped]",
	};

	return mark < sizeof(names) / sizeof(names[0]) ? names[mark] : "[unknown code]";
}
