/* A pipe stands in for descriptor 2. Its writing end does not block: a writer that is
 * faster than the screen loses text and goes on. At most KEPT_MAX bytes are kept for the
 * end, the first ones, because the first complaint tells most. */
#include "ui/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEPT_MAX 65536

void capture_open(struct capture *c)
{
	int ends[2];

	*c = (struct capture){ .fd = -1, .saved_fd = -1 };
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1)
		return;
	c->saved_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (c->saved_fd == -1 || dup2(ends[1], STDERR_FILENO) == -1) {
		if (c->saved_fd != -1)
			close(c->saved_fd);
		close(ends[0]);
		close(ends[1]);
		c->saved_fd = -1;
		return;
	}
	close(ends[1]);
	c->fd = ends[0];
}

static void keep(struct capture *c, const char *line)
{
	size_t n = strlen(line);

	if (c->kept.n + n + 1 > KEPT_MAX) {
		c->dropped_bytes += n + 1;
		return;
	}
	text_add(&c->kept, line, n);
	text_char(&c->kept, '\n');
}

static void finish_line(struct capture *c, char *buf, size_t size)
{
	clean_copy(buf, size, c->line, c->n);
	c->n = 0;
	keep(c, buf);
}

bool capture_line(struct capture *c, char *buf, size_t size)
{
	bool whole = false;
	char byte;

	if (c->fd == -1)
		return false;
	while (!whole && read(c->fd, &byte, 1) == 1) {
		whole = c->n && (byte == '\n' || c->n == sizeof(c->line));
		if (whole)
			finish_line(c, buf, size);
		if (byte != '\n')
			c->line[c->n++] = byte;
	}
	return whole;
}

void capture_close(struct capture *c)
{
	char line[1024];
	int limit = 4096; /* lines: whoever still writes must not hold us */

	if (c->fd == -1)
		return;
	dup2(c->saved_fd, STDERR_FILENO);
	while (limit-- > 0 && capture_line(c, line, sizeof(line)))
		;
	if (c->n)
		finish_line(c, line, sizeof(line));
	if (c->dropped_bytes)
		text_fmt(&c->kept, "(%zu bytes more)\n", c->dropped_bytes);
	if (c->kept.n && write(c->saved_fd, c->kept.p, c->kept.n) == -1)
		errno = 0; /* nobody to tell */
	close(c->fd);
	close(c->saved_fd);
	text_done(&c->kept);
	c->fd = c->saved_fd = -1;
}
