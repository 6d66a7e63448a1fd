/* The log is bounded, oldest out: a library that writes to stderr without end costs
 * nothing. */
#include "ui/notes.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void notes_done(struct notes *n)
{
	size_t i;

	for (i = 0; i < n->log.n; i++)
		free(n->log.v[i].text);
	VEC_DONE(&n->log);
}

void notes_show(struct notes *n, uint64_t now_ns, bool warning, const char *text)
{
	clean_copy(n->shown, sizeof(n->shown), text, strlen(text));
	n->shown_warning = warning;
	n->shown_until = now_ns + NOTE_SHOWN_NS;
}

void notes_add(struct notes *n, uint64_t now_ns, bool warning, const char *text)
{
	struct note *note;

	notes_show(n, now_ns, warning, text);
	if (n->log.n == NOTES_MAX) {
		free(n->log.v[0].text);
		memmove(n->log.v, n->log.v + 1, (NOTES_MAX - 1) * sizeof(*n->log.v));
		n->log.n--;
	}
	note = VEC_PUSH(&n->log);
	*note = (struct note){ clock_wall_ns(), warning, xstrdup(n->shown) };
}

void notes_take(struct notes *n, uint64_t now_ns, const struct snapshot *s)
{
	const struct snapshot_message *newest;

	if (s->n_messages == 0)
		return;
	newest = &s->messages[s->n_messages - 1];
	if (newest->wall_ns <= n->seen_wall_ns)
		return;
	n->seen_wall_ns = newest->wall_ns;
	notes_show(n, now_ns, newest->warning, newest->text);
}

void notes_read(struct notes *n)
{
	if (n->shown_warning)
		n->shown[0] = '\0';
	n->shown_warning = false;
}

bool notes_expire(struct notes *n, uint64_t now_ns)
{
	if (!n->shown[0] || n->shown_warning || now_ns < n->shown_until)
		return false;
	n->shown[0] = '\0';
	return true;
}
