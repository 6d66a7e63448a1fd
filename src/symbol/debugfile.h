/* Files of debug information that stand apart from their code. Internal to symbol/. */
#ifndef PTOP_SYMBOL_DEBUGFILE_H
#define PTOP_SYMBOL_DEBUGFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "elf/notes.h"
#include "target/object.h"

/* Opens a regular file of the target's root for reading, without leaving that root (a
 * symbolic link in a container is the container's), or of ours when pid is 0. -1 when
 * there is none, or when it is itself a symbolic link and those are not followed. */
int root_open(pid_t pid, const char *path, bool follow);
/* May the root folder of this process be opened from? */
bool root_is_there(pid_t pid);
/* The debug file of an object, by build id, then by debug link; in the target's root
 * first, then in ours. Its build id (or the link's checksum, where the file has none) is
 * verified. An fd, or -1. Nothing is ever fetched from a network. */
int debugfile_open(const struct object *o, const struct elf *e,
		   const struct elf_source *src);
/* The file another debug file shares strings and types with (dwz, .gnu_debugaltlink). */
int debugfile_open_shared(const struct object *o, const char *path,
			  const struct build_id *id);

#endif
