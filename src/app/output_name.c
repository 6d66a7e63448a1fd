/* One pass over the pattern. The name comes from the target and the host from whoever set it:
 * both are cleaned before they are a part of a path. */
#include "app/output_name.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "target/process.h"

static void put_word(struct text *out, const char *word)
{
	char clean[128];
	char *p;

	clean_copy(clean, sizeof(clean), word, strlen(word));
	for (p = clean; *p; p++)
		if (*p == '/' || (p == clean && *p == '.'))
			*p = '_';
	text_str(out, clean);
}

static int no_pid(struct error *err)
{
	error_set(err, EXIT_USAGE, "%%p is not known before the program starts");
	error_hint(err, "name the file with %%n and %%t");
	return -EINVAL;
}

static int put_one(struct text *out, char what, const struct output_words *w,
		   struct error *err)
{
	const char *slash = strrchr(w->name, '/');
	char stamp[32];
	struct tm tm;

	switch (what) {
	case '%':
		text_char(out, '%');
		return 0;
	case 'p':
		if (!w->pid)
			return no_pid(err);
		text_fmt(out, "%d", (int)w->pid);
		return 0;
	case 'n':
		put_word(out, slash ? slash + 1 : w->name);
		return 0;
	case 'h':
		put_word(out, w->host);
		return 0;
	case 't':
		localtime_r(&w->time, &tm);
		strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
		text_str(out, stamp);
		return 0;
	default:
		error_set(err, EXIT_USAGE, "--output: '%%%.*s' stands for nothing",
			  what ? 1 : 0, &what);
		error_hint(err, "%%p pid, %%n name, %%h host, %%t time, %%%% a per cent "
				"sign");
		return -EINVAL;
	}
}

int output_name(const char *pattern, const struct output_words *w, char *out, size_t size,
		struct error *err)
{
	struct text text = { 0 };
	const char *p;
	int ret = 0;

	for (p = pattern; !ret && *p; p++) {
		if (*p != '%')
			text_char(&text, *p);
		else
			ret = put_one(&text, p[1], w, err);
		p += *p == '%' && p[1];
	}
	if (!ret && text.n >= size) {
		ret = error_set(err, EXIT_USAGE, "--output: the name is too long");
		error_hint(err, "at most %zu bytes", size - 1);
	}
	if (!ret) {
		memcpy(out, text.p ? text.p : "", text.n);
		out[text.n] = '\0';
	}
	text_done(&text);
	return ret;
}

int output_name_for(const struct options *o, char *out, size_t size, struct error *err)
{
	char host[HOST_NAME_MAX + 1] = "";
	struct output_words w = { .name = "", .host = host, .time = time(NULL) };
	struct process p = { 0 };
	bool asks = strstr(o->output, "%p") || strstr(o->output, "%n");
	int ret = 0;

	gethostname(host, HOST_NAME_MAX);
	if (o->launch)
		w.name = o->words[0];
	else if (asks)
		ret = options_target(o, &w.pid, err);
	if (!ret && w.pid) {
		ret = process_find(w.pid, &p, err);
		w.name = p.command;
	}
	return ret ? ret : output_name(o->output, &w, out, size, err);
}
