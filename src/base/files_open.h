/* How many files ptop may have open (RLIMIT_NOFILE), and a reserve within that. Without it what is kept
 * open for each thread of a target takes the last descriptor, and figures that need one for an
 * instant cannot be read any more. */
#ifndef PTOP_BASE_FILES_OPEN_H
#define PTOP_BASE_FILES_OPEN_H

#include <stdbool.h>

#include "base/error.h"

/* As many as the hard limit allows. Fails where that is too few for any work: -EMFILE with the cure. */
int files_open_prepare(struct error *err);
/* May this descriptor be kept for as long as a thread lives? The numbers near the limit are the reserve:
 * descriptors are given out from the lowest number on. */
bool files_open_may_keep(int fd);
/* Of a descriptor just opened, or -1 with errno: itself, or closed, -1 and EMFILE. */
int files_open_keep(int fd);

#endif
