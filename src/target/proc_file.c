#include "target/proc_file.h"

#include <stdio.h>

#include "base/timed.h"

int proc_file_read(pid_t pid, const char *name, size_t cap, struct bytes *out, bool *cut)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return timed_file_read(TIMED_WAIT_NS, path, cap, out, cut);
}
