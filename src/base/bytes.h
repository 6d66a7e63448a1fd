/* A borrowed run of bytes that nobody has vouched for. Parse it with base/cursor.h. */
#ifndef PTOP_BASE_BYTES_H
#define PTOP_BASE_BYTES_H

#include <stddef.h>

struct bytes {
	const unsigned char *p;
	size_t n;
};

#endif
