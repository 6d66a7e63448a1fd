/* The kernel's functions, as it lists them itself:
 *
 *	ffffffff81e0b5d0 T tcp_sendmsg
 *	ffffffffc0a01010 t ext4_dirty_inode<TAB>[ext4]
 *
 * It tells no sizes: a function ends where the next one starts. Where the reader may not
 * know addresses (kernel.kptr_restrict) all of them are 0. */
#include "symbol/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/rights.h"
#include "symbol/table.h"
#include "symbol/textmap.h"

#define FILE_BYTES_MAX (256ull << 20)
/* Between the kernel's text and its modules' lie gigabytes that are nobody's. */
#define SIZE_MAX_BYTES (256u << 10)

static void kallsyms_line(struct table *t, struct bytes line)
{
	struct span f = { .size = SIZE_MAX_BYTES, .open = true };
	struct cursor c = cursor_over(line);
	struct bytes name;
	unsigned char type;
	char text[NAME_BYTES_MAX];
	size_t n, i;

	if (!cursor_hex(&c, &f.start) || f.start == 0 || !cursor_accept(&c, ' '))
		return;
	type = cursor_u8(&c);
	if (!memchr("tTwW", type, 4) || !cursor_accept(&c, ' '))
		return;
	name = cursor_take(&c, cursor_left(&c));
	/* Padding before a function, where nothing runs: as many as there are functions. */
	if (name.n > 6 && memcmp(name.p, "__pfx_", 6) == 0)
		return;
	n = name.n < sizeof(text) ? name.n : sizeof(text);
	if (n == 0 || t->spans.n >= FUNCTIONS_MAX)
		return;
	for (i = 0; i < n; i++)
		text[i] = name.p[i] == '\t' || name.p[i] == '\0' ? ' ' : (char)name.p[i];
	f.rank = type == 't' ? 0 : 1;
	if (f.start > UINT64_MAX - f.size)
		f.size = (uint32_t)(UINT64_MAX - f.start);
	f.name = table_name(t, text, n);
	table_add(t, f);
}

static struct symbols *finish(struct table *t)
{
	table_unique(t);
	table_close(t);
	table_pack_names(t);
	table_rank_by_start(t);
	return table_finish(t, "kallsyms");
}

struct symbols *symbols_parse_kallsyms(const char *text, size_t n)
{
	struct table t = { 0 };

	textmap_parse((struct bytes){ (const unsigned char *)text, n }, &t,
		      kallsyms_line);
	return finish(&t);
}

int symbols_load_kernel(struct symbols **out, struct error *err)
{
	struct rights rights = rights_of_ptop();
	int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC), ret;
	struct table t = { 0 };

	*out = symbols_empty("none");
	ret = fd == -1 ? -errno : textmap_read(fd, FILE_BYTES_MAX, &t, kallsyms_line);
	rights_back(rights);
	if (fd != -1)
		close(fd);
	if (ret) {
		table_done(&t);
		errno = -ret;
		return error_errno(err, "/proc/kallsyms");
	}
	if (t.spans.n == 0) {
		table_done(&t);
		error_set(err, EXIT_NO_PERMISSION, "the kernel hides its addresses");
		error_hint(err, "sysctl kernel.kptr_restrict=0, or run as root");
		return -EPERM;
	}
	symbols_free(*out);
	*out = finish(&t);
	return 0;
}
