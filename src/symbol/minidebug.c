/* One stream of xz. What it unpacks to is limited in proportion to the file, as xz grows bytes
 * up to seven thousandfold; so is the decoder's own memory, which the stream chooses. */
#include "symbol/minidebug.h"

#include <elf.h>
#include <lzma.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"

#define PACKED_MAX (16u << 20)
#define FIRST_BYTES (256u << 10)
#define DECODER_MAX (32u << 20)
/* Of the image: eight times the file, within these. Real ones are a tenth of their file. */
#define IMAGE_LEAST (16u << 20)
#define IMAGE_MOST (128u << 20)

static size_t image_limit(int fd)
{
	struct stat st;
	uint64_t n = fstat(fd, &st) == 0 && st.st_size > 0 ? 8 * (uint64_t)st.st_size : 0;

	return n < IMAGE_LEAST ? IMAGE_LEAST : n > IMAGE_MOST ? IMAGE_MOST : (size_t)n;
}

/* out has room for out->n bytes, of which z filled all: more room, or false. */
static bool more_room(lzma_stream *z, unsigned char **p, size_t *room, size_t limit)
{
	size_t used = *room;

	if (used == limit)
		return false;
	*room = 2 * used < limit ? 2 * used : limit;
	*p = xrealloc(*p, *room);
	z->next_out = *p + used;
	z->avail_out = *room - used;
	return true;
}

enum minidebug_result minidebug_unpack(struct bytes packed, size_t limit,
				       struct bytes *image)
{
	lzma_stream z = LZMA_STREAM_INIT;
	size_t room = limit < FIRST_BYTES ? limit : FIRST_BYTES;
	unsigned char *p = xmalloc(room);
	enum minidebug_result result = MINIDEBUG_BROKEN;
	lzma_ret ret = lzma_stream_decoder(&z, DECODER_MAX, 0);

	z.next_in = packed.p;
	z.avail_in = packed.n;
	z.next_out = p;
	z.avail_out = room;
	while (ret == LZMA_OK) {
		ret = lzma_code(&z, LZMA_FINISH);
		if (ret == LZMA_OK && z.avail_out == 0 &&
		    !more_room(&z, &p, &room, limit))
			break;
	}
	if (ret == LZMA_STREAM_END)
		result = MINIDEBUG_OK;
	else if (ret == LZMA_OK || ret == LZMA_MEMLIMIT_ERROR)
		result = MINIDEBUG_TOO_BIG;
	lzma_end(&z);
	*image = (struct bytes){ p, result == MINIDEBUG_OK ? room - z.avail_out : 0 };
	if (result == MINIDEBUG_OK)
		return result;
	free(p);
	image->p = NULL;
	return result;
}

enum minidebug_result minidebug_read(int fd, const struct elf *e, struct bytes *image)
{
	const struct elf_section *s = elf_section(e, ".gnu_debugdata");
	enum minidebug_result result;
	struct bytes packed;

	*image = (struct bytes){ NULL, 0 };
	if (!s || s->type == SHT_NOBITS || s->bytes == 0)
		return MINIDEBUG_NONE;
	if (s->bytes > PACKED_MAX)
		return MINIDEBUG_TOO_BIG;
	if (file_read_at(fd, s->offset, s->bytes, PACKED_MAX, &packed))
		return MINIDEBUG_BROKEN;
	result = minidebug_unpack(packed, image_limit(fd), image);
	free((void *)(uintptr_t)packed.p);
	return result;
}
