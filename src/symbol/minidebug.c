/* libdwfl unpacks the section when it is asked for a module's symbols and finds no better
 * table; the ELF handle that the symbols then come from is the image we want. Its search
 * for debug files is switched off: that was done before, and its own would go to a
 * network if asked to by the environment. The bytes are limited before they are unpacked,
 * as xz may grow them thousandfold. */
#include "symbol/minidebug.h"

#include <elf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

#define PACKED_MAX (16u << 20)

struct minidebug {
	Dwfl *dwfl;
	struct bytes image;
};

static int no_elf(Dwfl_Module *mod, void **user, const char *name, Dwarf_Addr base,
		  char **file, Elf **elf)
{
	(void)mod, (void)user, (void)name, (void)base, (void)file, (void)elf;
	return -1;
}

static int no_debuginfo(Dwfl_Module *mod, void **user, const char *name, Dwarf_Addr base,
			const char *file, const char *link, GElf_Word crc, char **found)
{
	(void)mod, (void)user, (void)name, (void)base, (void)file, (void)link, (void)crc;
	(void)found;
	return -1;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = no_elf,
	.find_debuginfo = no_debuginfo,
	.section_address = dwfl_offline_section_address,
};

/* The first symbol that comes from another file than the module's own tells its image. */
static struct bytes inner_image(Dwfl_Module *mod)
{
	struct bytes image = { NULL, 0 };
	int i, n = dwfl_module_getsymtab(mod);
	Dwarf_Addr bias;
	Elf *outer = dwfl_module_getelf(mod, &bias);

	for (i = 1; i < n; i++) {
		Elf *from = NULL;
		GElf_Addr address;
		GElf_Sym sym;

		if (!dwfl_module_getsym_info(mod, i, &sym, &address, NULL, &from, NULL))
			continue;
		if (!from || from == outer)
			continue;
		image.p = (const unsigned char *)elf_rawfile(from, &image.n);
		break;
	}
	return image;
}

struct minidebug *minidebug_open(int fd, const struct elf *e)
{
	const struct elf_section *s = elf_section(e, ".gnu_debugdata");
	struct minidebug *m;
	Dwfl_Module *mod;
	int own;

	if (!s || s->type == SHT_NOBITS || s->bytes == 0 || s->bytes > PACKED_MAX)
		return NULL;
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own == -1)
		return NULL;
	m = xcalloc(1, sizeof(*m));
	m->dwfl = dwfl_begin(&callbacks);
	mod = m->dwfl ? dwfl_report_offline(m->dwfl, "code", "code", own) : NULL;
	if (!mod)
		close(own);
	else if (dwfl_report_end(m->dwfl, NULL, NULL) == 0)
		m->image = inner_image(mod);
	if (m->image.p)
		return m;
	minidebug_close(m);
	return NULL;
}

struct bytes minidebug_image(const struct minidebug *m)
{
	return m->image;
}

void minidebug_close(struct minidebug *m)
{
	if (!m)
		return;
	if (m->dwfl)
		dwfl_end(m->dwfl);
	free(m);
}
