/* Reading files we do not own and writing files somebody waits for. */
#ifndef PTOP_BASE_FILE_H
#define PTOP_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

/* A whole small file (/proc text), at most cap bytes; a longer one is cut and *cut set
 * (cut may be NULL). The caller frees out->p. pread, not mmap: a file may shrink under us
 * and a mapping would SIGBUS. -errno on failure. */
int file_read(const char *path, size_t cap, struct bytes *out, bool *cut);
/* Exactly n bytes at an offset, refused above `limit`; the caller frees out->p. */
int file_read_at(int fd, uint64_t offset, size_t n, size_t limit, struct bytes *out);
/* The first line of a small text file without its newline, into a buffer, cleaned of
 * control characters. False when it cannot be read. */
bool file_line(const char *path, char *to, size_t size);

/* Run by sudo, ptop's files are the invoking user's. */
void file_give_to_sudo_user(int fd);

/* A file that appears whole or not at all. */
struct outfile {
	int fd;		    /* -1 when not open */
	bool to_stdout;	    /* path was "-" */
	bool replace;	    /* may replace an existing file */
	bool replaces;	    /* there is one */
	char path[4096];    /* where it will stand */
	char partial[4128]; /* where it is written, beside it */
};

/* Opens the temporary beside `path` so that a bad path fails now, in milliseconds. "-" is
 * stdout. An existing file is refused unless replace. Mode is 0600; under sudo
 * the file is the invoking user's. Symbolic links at the last component are not followed.
 */
int outfile_open(struct outfile *o, const char *path, bool replace, struct error *err);
/* Writes all, syncs where a file is replaced, renames into place and closes. On failure
 * nothing is left behind,
 * the old file (if any) is untouched, and the object is closed. */
int outfile_commit(struct outfile *o, const char *p, size_t n, struct error *err);
/* Gives up; removes the temporary. */
void outfile_abort(struct outfile *o);

#endif
