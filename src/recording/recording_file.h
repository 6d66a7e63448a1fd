/* The file of a recording that is written: made at once, locked, and known by more than its
 * name, which may be taken from it. */
#ifndef PTOP_RECORDING_RECORDING_FILE_H
#define PTOP_RECORDING_RECORDING_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "recording/writer.h"

struct recording_file {
	const char *path; /* borrowed */
	bool replace;	  /* what stands there */
	int lock_fd;	  /* flock: one recorder a file; -1: none */
	int name_fd;	  /* O_PATH: knows the file's name when that has changed */
};

/* Makes it with this beginning in it; the logs of what stood there are removed. */
int recording_file_create(struct recording_file *f, const unsigned char *image, size_t n,
			  struct error *err);
void recording_file_remove_beside(const char *path, const char *suffix);
enum writer_place recording_file_place(const struct recording_file *f);
void recording_file_where(const struct recording_file *f, char *to, size_t size);

#endif
