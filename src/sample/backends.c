/* The table of event sources; adding one is a line in backends.def. */
#include "sample/backend.h"

#include <string.h>

#define BACKEND(name) &name,
const struct backend *const backends[] = {
#include "sample/backends.def"
	NULL
};
#undef BACKEND

const struct backend *backend_named(const char *name)
{
	size_t i;

	for (i = 0; backends[i]; i++)
		if (strcmp(backends[i]->name, name) == 0)
			return backends[i];
	return NULL;
}
