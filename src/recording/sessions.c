/* A session's file is ID.ptop; ids begin with the time, so names sort as time does. */
#include "recording/sessions.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recording/schema.h"

/* Each folder of a path that is missing; those of the state are private. */
static int make_folders(char *path, struct error *err)
{
	char *slash = path;

	for (;;) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		if (mkdir(path, 0700) == -1 && errno != EEXIST)
			return error_errno(err, path);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

int sessions_folder(const char *below, bool make, char *to, size_t size,
		    struct error *err)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;

	/* The specification has relative paths ignored. */
	if (state && state[0] == '/')
		n = snprintf(to, size, "%s/ptop%s%s", state, *below ? "/" : "", below);
	else if (home && home[0] == '/')
		n = snprintf(to, size, "%s/.local/state/ptop%s%s", home,
			     *below ? "/" : "", below);
	else {
		error_set(err, EXIT_FAILED, "no home folder for recordings");
		error_hint(err, "name the file with -o FILE.ptop, or set HOME");
		return -ENOENT;
	}
	if (n < 0 || (size_t)n >= size)
		return error_set(err, EXIT_FAILED,
				 "the path of the state folder is too long");
	return make ? make_folders(to, err) : 0;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct session_entry *)a)->id,
		      ((const struct session_entry *)b)->id);
}

static void add(session_list *out, const char *folder, const char *name)
{
	size_t n = strlen(name), suffix = strlen(RECORDING_SUFFIX);
	struct session_entry e;
	struct stat st;

	if (n <= suffix || n - suffix >= sizeof(e.id) ||
	    strcmp(name + n - suffix, RECORDING_SUFFIX) != 0 || name[0] == '.')
		return;
	snprintf(e.id, sizeof(e.id), "%.*s", (int)(n - suffix), name);
	snprintf(e.path, sizeof(e.path), "%s/%s", folder, name);
	if (lstat(e.path, &st) == -1 || !S_ISREG(st.st_mode))
		return;
	e.bytes = (uint64_t)st.st_size;
	*VEC_PUSH(out) = e;
}

int sessions_list(const char *below, session_list *out, struct error *err)
{
	char folder[3800];
	struct dirent *d;
	int ret = sessions_folder(below, false, folder, sizeof(folder), err);
	DIR *dir;

	*out = (session_list){ 0 };
	if (ret)
		return ret;
	dir = opendir(folder);
	if (!dir)
		return errno == ENOENT ? 0 : error_errno(err, folder);
	while ((d = readdir(dir)) && out->n < SESSIONS_MOST)
		add(out, folder, d->d_name);
	closedir(dir);
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_id);
	return 0;
}

int sessions_path(const char *word, char *to, size_t size, struct error *err)
{
	session_list list;
	const struct session_entry *found = NULL;
	size_t i, n = 0;
	int ret;

	if (access(word, F_OK) == 0 || strchr(word, '/')) {
		snprintf(to, size, "%s", word);
		return 0;
	}
	ret = sessions_list("", &list, err);
	if (ret)
		return ret;
	for (i = 0; i < list.n; i++) {
		bool last = strcmp(word, "last") == 0 && i + 1 == list.n;

		if (last || (word[0] && strncmp(list.v[i].id, word, strlen(word)) == 0)) {
			found = &list.v[i];
			n++;
		}
	}
	if (n == 1) {
		snprintf(to, size, "%s", found->path);
	} else {
		ret = error_set(err, EXIT_FAILED,
				n ? "'%s' is the beginning of %zu sessions"
				  : "%s: no such file, and no session of that name",
				word, n);
		error_hint(err, "`ptop sessions` lists them");
	}
	VEC_DONE(&list);
	return n == 1 ? 0 : ret;
}

bool sessions_name_ok(const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
			return false;
	return i > 0 && i < 60 && name[0] != '.' && name[0] != '-';
}

int sessions_base(const char *word, char *to, size_t size, struct error *err)
{
	char folder[3800];
	int ret;

	if (sessions_name_ok(word)) {
		ret = sessions_folder("baselines", false, folder, sizeof(folder), err);
		if (ret)
			return ret;
		snprintf(to, size, "%s/%s" RECORDING_SUFFIX, folder, word);
		if (access(to, F_OK) == 0)
			return 0;
	}
	return sessions_path(word, to, size, err);
}
