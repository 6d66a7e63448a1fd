/* A list of 50,000 functions is filtered between two key presses, so a regular expression
 * sees only the first bytes of a name: C++ names of many kilobytes exist. */
#include "ui/filter.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define REGEX_BYTES_MAX 256

void filter_set(struct filter *f, const char *text)
{
	filter_done(f);
	snprintf(f->text, sizeof(f->text), "%s", text);
	if (f->text[0] != '~')
		return;
	f->compiled =
	    regcomp(&f->regex, f->text + 1, REG_EXTENDED | REG_ICASE | REG_NOSUB) == 0;
	f->invalid = !f->compiled;
}

void filter_done(struct filter *f)
{
	if (f->compiled)
		regfree(&f->regex);
	f->compiled = f->invalid = false;
	f->text[0] = '\0';
}

static bool regex_match(const struct filter *f, const char *s)
{
	size_t n = strnlen(s, REGEX_BYTES_MAX);
	regmatch_t part = { .rm_so = 0, .rm_eo = (regoff_t)n };

	return regexec(&f->regex, s, 1, &part, REG_STARTEND) == 0;
}

bool filter_text(const struct filter *f, const char *s)
{
	if (!f->text[0])
		return true;
	if (f->invalid)
		return false;
	return f->compiled ? regex_match(f, s) : strcasestr(s, f->text) != NULL;
}

bool filter_match(const struct filter *f, const struct snapshot_function *fn)
{
	return filter_text(f, fn->name) || filter_text(f, fn->module) ||
	       filter_text(f, fn->file);
}

unsigned char *filter_functions(const struct filter *f, const struct snapshot *s)
{
	unsigned char *hits;
	size_t i;

	if (!f->text[0])
		return NULL;
	hits = xcalloc(s->n_functions + 1, 1);
	for (i = 0; i < s->n_functions; i++)
		hits[i] = filter_match(f, &s->functions[i]);
	return hits;
}
