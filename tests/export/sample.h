/* A made-up profile with every kind of code, for tests and for the picture in svg_maker.
 */
#ifndef PTOP_TESTS_EXPORT_SAMPLE_H
#define PTOP_TESTS_EXPORT_SAMPLE_H

#include "model/dump.h"
#include "model/snapshot.h"

/* 1,000 samples at 100 Hz, 10 s of CPU in 5 s. The caller frees it. */
struct snapshot *sample_snapshot(void);
/* The same with the tree of `folded` text instead. rate 0: plain counts. */
struct snapshot *sample_of(const char *folded, double rate_hz);
/* Three stacks whose names try to break out: escapes, quotes, markup, bytes that are no
 * UTF-8, CJK and 4 KiB of one letter. */
struct snapshot *sample_hostile(void);
void sample_dump(struct dump *d);

#endif
