/* Who holds the target's memory: the C heap by chunk size and, where the language is known,
 * its objects by type. Taken when asked for, by the namer's thread; the first of each is
 * kept, so that every later one makes a difference. Owner: the memory part. */
#ifndef PTOP_APP_CENSUS_H
#define PTOP_APP_CENSUS_H

#include "app/engine_state.h"
#include "model/census.h"

enum census_of { CENSUS_HEAP, CENSUS_OBJECTS, CENSUSES };

struct census_look {
	struct census first, last;
	uint32_t looks;
	bool busy;
	uint32_t forgotten; /* answers of before do not count any more */
	char problem[160];
};

/* Zeroed is empty. */
struct censuses {
	struct census_look of[CENSUSES];
};

void censuses_done(struct censuses *c);
/* Starts both, but what is under way already. `c` stays where it is. */
void censuses_take(struct censuses *c, struct engine *e);
bool censuses_busy(const struct censuses *c);
/* The next ones are the first again. */
void censuses_forget(struct censuses *c);
/* Appends at most `most` growers a census, and fills their looks. Returns how many. */
size_t censuses_put(const struct censuses *c, struct snapshot *s,
		    struct memory_grower *out, size_t most);

#endif
