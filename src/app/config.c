/* `name = value`, a line each; `#` begins a comment:
 *
 *	colours = light
 *	delay = 2
 *
 * The file is the user's: an unknown line stays where it is. */
#include "app/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/options.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timed.h"
#include "ui/theme.h"

#define CONFIG_BYTES (64u << 10)
#define CONFIG_WAIT_NS (500 * NS_PER_MSEC)
#define NAME_MOST 32

bool config_path(char *buf, size_t size)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n = -1;

	if (xdg && xdg[0] == '/')
		n = snprintf(buf, size, "%s/ptop/ptoprc", xdg);
	else if (home && home[0] == '/')
		n = snprintf(buf, size, "%s/.config/ptop/ptoprc", home);
	return n > 0 && (size_t)n < size;
}

static bool yes_no(const char *v, bool *out)
{
	if (strcmp(v, "yes") != 0 && strcmp(v, "no") != 0)
		return false;
	*out = v[0] == 'y';
	return true;
}

static bool scheme(const char *v, enum ui_scheme *out)
{
	int i;

	for (i = 0; i < SCHEMES; i++)
		if (strcmp(v, theme_name((enum ui_scheme)i)) == 0) {
			*out = (enum ui_scheme)i;
			return true;
		}
	return false;
}

static bool span(const char *v, uint64_t least, uint64_t most, uint64_t *out)
{
	uint64_t ns;

	if (!parse_time(v, &ns) || ns > most || (ns < least && !(ns == 0 && least > 1)))
		return false;
	*out = ns;
	return true;
}

/* False when the name or the value is not known. */
static bool set(struct ui_settings *s, const char *name, const char *value)
{
	bool mouse;

	if (strcmp(name, "colours") == 0)
		return scheme(value, &s->scheme);
	if (strcmp(name, "ascii") == 0)
		return yes_no(value, &s->ascii);
	if (strcmp(name, "fold-libraries") == 0)
		return yes_no(value, &s->folded);
	if (strcmp(name, "mouse") == 0) {
		if (!yes_no(value, &mouse))
			return false;
		s->no_mouse = !mouse;
		return true;
	}
	if (strcmp(name, "keys.digits") == 0) {
		s->digits_sort = strcmp(value, "sort") == 0;
		return s->digits_sort || strcmp(value, "views") == 0;
	}
	if (strcmp(name, "delay") == 0)
		return span(value, 100000000ull, 60000000000ull, &s->delay_ns) &&
		       s->delay_ns;
	if (strcmp(name, "window") == 0)
		return span(value, 1000000000ull, UINT64_MAX, &s->window_ns);
	return false;
}

/* " name = value # why" -> name, value. False for a line without a setting. */
static bool split(const char *line, size_t n, char name[NAME_MOST], char *value,
		  size_t size)
{
	char buf[256];
	char *hash, *equal, *p, *end;

	if (n >= sizeof(buf))
		n = sizeof(buf) - 1;
	memcpy(buf, line, n);
	buf[n] = '\0';
	hash = strchr(buf, '#');
	if (hash)
		*hash = '\0';
	for (p = buf; *p == ' ' || *p == '\t'; p++)
		;
	equal = strchr(p, '=');
	if (!*p)
		return false;
	if (!equal) {
		snprintf(name, NAME_MOST, "%.31s", p);
		value[0] = '\0';
		return true;
	}
	for (end = equal; end > p && (end[-1] == ' ' || end[-1] == '\t'); end--)
		;
	snprintf(name, NAME_MOST, "%.*s", (int)(end - p), p);
	for (p = equal + 1; *p == ' ' || *p == '\t'; p++)
		;
	for (end = p + strlen(p); end > p && strchr(" \t\r", end[-1]); end--)
		;
	snprintf(value, size, "%.*s", (int)(end - p), p);
	return true;
}

void config_parse(const char *text, size_t n, struct ui_settings *s, char *warning,
		  size_t size)
{
	char name[NAME_MOST], value[128], clean[NAME_MOST];
	size_t from = 0, to;
	int line = 1;

	warning[0] = '\0';
	for (; from < n; from = to + 1, line++) {
		const char *end = memchr(text + from, '\n', n - from);
		struct ui_settings before = *s;

		to = end ? (size_t)(end - text) : n;
		if (!split(text + from, to - from, name, value, sizeof(value)) ||
		    set(s, name, value))
			continue;
		*s = before;
		clean_copy(clean, sizeof(clean), name, strlen(name));
		if (!warning[0])
			snprintf(
			    warning, size,
			    "ptoprc line %d: \"%s\" is not a setting, or not its value",
			    line, clean);
	}
}

void config_read(struct ui_settings *s, char *warning, size_t size)
{
	struct bytes b = { 0 };
	char path[4096];
	int ret;

	warning[0] = '\0';
	if (!config_path(path, sizeof(path)))
		return;
	ret = timed_file_read(CONFIG_WAIT_NS, path, CONFIG_BYTES, &b, NULL);
	if (ret == -ETIMEDOUT)
		snprintf(warning, size,
			 "%.200s does not answer: options are the defaults", path);
	if (ret)
		return;
	config_parse((const char *)b.p, b.n, s, warning, size);
	free((void *)(uintptr_t)b.p);
}

void config_apply(struct ui_settings *s, unsigned given, char *warning, size_t size)
{
	struct ui_settings file = *s;

	config_read(&file, warning, size);
	if (given & GIVEN_DELAY)
		file.delay_ns = s->delay_ns;
	if (given & GIVEN_WINDOW)
		file.window_ns = s->window_ns;
	if (given & GIVEN_ASCII)
		file.ascii = s->ascii;
	if (given & GIVEN_NO_MOUSE)
		file.no_mouse = s->no_mouse;
	if (given & GIVEN_SCHEME)
		file.scheme = s->scheme;
	*s = file;
}

static bool is_ours(const char *line, size_t n)
{
	static const char *const ours[] = { "colours", "ascii",	      "fold-libraries",
					    "mouse",   "keys.digits", "delay",
					    "window" };
	char name[NAME_MOST], value[128];
	size_t i;

	if (!split(line, n, name, value, sizeof(value)))
		return false;
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strcmp(name, ours[i]) == 0)
			return true;
	return false;
}

/* What the user wrote himself. */
static void keep_others(struct text *out, const char *path)
{
	struct bytes b = { 0 };
	size_t from, to;

	if (file_read(path, CONFIG_BYTES, &b, NULL) != 0)
		return;
	for (from = 0; from < b.n; from = to + 1) {
		const char *p = (const char *)b.p;
		const char *end = memchr(p + from, '\n', b.n - from);

		to = end ? (size_t)(end - p) : b.n;
		if (is_ours(p + from, to - from))
			continue;
		text_add(out, p + from, to - from);
		text_char(out, '\n');
	}
	free((void *)(uintptr_t)b.p);
}

static int make_folders(char *path)
{
	char *slash;

	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0700) == -1 && errno != EEXIST) {
			*slash = '/';
			return -errno;
		}
		*slash = '/';
	}
	return 0;
}

static int write_now(const struct ui_settings *s, struct error *err)
{
	struct text t = { 0 };
	struct outfile out;
	char path[4096];
	int ret;

	if (!config_path(path, sizeof(path)))
		return error_set(err, EXIT_FAILED,
				 "neither HOME nor XDG_CONFIG_HOME is set");
	if (make_folders(path) != 0)
		return error_errno(err, path);
	keep_others(&t, path);
	text_fmt(&t,
		 "colours = %s\nascii = %s\nmouse = %s\nfold-libraries = %s\n"
		 "keys.digits = %s\n",
		 theme_name(s->scheme), s->ascii ? "yes" : "no",
		 s->no_mouse ? "no" : "yes", s->folded ? "yes" : "no",
		 s->digits_sort ? "sort" : "views");
	text_fmt(&t, "delay = %g\nwindow = %g\n", (double)s->delay_ns / 1e9,
		 (double)s->window_ns / 1e9);
	ret = outfile_open(&out, path, true, err);
	if (!ret)
		ret = outfile_commit(&out, t.p, t.n, err);
	text_done(&t);
	return ret;
}

struct writing {
	struct ui_settings settings;
	struct error err;
	int ret;
};

static void write_it(void *arg)
{
	struct writing *w = arg;

	w->ret = write_now(&w->settings, &w->err);
}

int config_write(const struct ui_settings *s, struct error *err)
{
	struct writing w = { .settings = *s };

	if (timed_call(CONFIG_WAIT_NS, write_it, &w, sizeof(w), NULL))
		return error_set(err, EXIT_FAILED,
				 "the folder of options does not answer");
	if (w.ret && err)
		*err = w.err;
	return w.ret;
}
