/* The texts of /proc that hold a name the target chose, or numbers it influences. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sample/task_files.h"
#include "target/process.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct process_stat st;
	struct task_syscall call;
	size_t i;

	process_parse_stat((const char *)data, size, &st);
	for (i = 0; st.comm[i];) { /* whatever it was, it is clean now */
		size_t n = clean_char(st.comm + i, strlen(st.comm + i));

		if (n == 0)
			abort();
		i += n;
	}
	if (task_syscall_parse((const char *)data, size, &call) && !call.running &&
	    !call.blocked)
		abort();
	return 0;
}
