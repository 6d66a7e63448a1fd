/* How a process ended, in words. */
#ifndef PTOP_BASE_ENDED_H
#define PTOP_BASE_ENDED_H

#include <stddef.h>

/* Of a wait status as wait(2) gives it: "ended by signal 11 (SEGV)", "ended (exit 3)",
 * and "ended" when it is -1, not known. Returns `to`. */
const char *ended_text(int status, char *to, size_t size);

#endif
