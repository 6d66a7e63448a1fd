/* Headers of ELF files, made by hand and cut everywhere. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "elf/header.h"
#include "tests/guarded.h"

#define SECTIONS 4

/* What a file of two segments and three named sections looks like, in file order. */
struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[3];
	Elf64_Shdr sh[SECTIONS];
	char names[40];
};

static const char section_names[] = "\0.text\0.eh_frame\0.shstrtab";

static void fill(struct image *f)
{
	memset(f, 0, sizeof(*f));
	memcpy(f->eh.e_ident, ELFMAG, SELFMAG);
	f->eh.e_ident[EI_CLASS] = ELFCLASS64;
	f->eh.e_ident[EI_DATA] = ELFDATA2LSB;
	f->eh.e_type = ET_DYN;
	f->eh.e_machine = EM_X86_64;
	f->eh.e_phoff = offsetof(struct image, ph);
	f->eh.e_phentsize = sizeof(Elf64_Phdr);
	f->eh.e_phnum = 3;
	f->eh.e_shoff = offsetof(struct image, sh);
	f->eh.e_shentsize = sizeof(Elf64_Shdr);
	f->eh.e_shnum = SECTIONS;
	f->eh.e_shstrndx = 3;
	f->ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_filesz = 0x1000, .p_flags = PF_R };
	f->ph[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
				 .p_offset = 0x800,
				 .p_vaddr = 0x401800,
				 .p_filesz = 0x2000,
				 .p_flags = PF_R | PF_X };
	f->ph[2] =
	    (Elf64_Phdr){ .p_type = PT_GNU_EH_FRAME, .p_vaddr = 0x900, .p_filesz = 0x44 };
	f->sh[1] = (Elf64_Shdr){ .sh_name = 1,
				 .sh_type = SHT_PROGBITS,
				 .sh_addr = 0x401800,
				 .sh_offset = 0x800,
				 .sh_size = 0x2000 };
	f->sh[2] = (Elf64_Shdr){ .sh_name = 7, .sh_type = SHT_PROGBITS, .sh_size = 5 };
	f->sh[3] = (Elf64_Shdr){ .sh_name = 17,
				 .sh_type = SHT_STRTAB,
				 .sh_offset = offsetof(struct image, names),
				 .sh_size = sizeof(section_names) };
	memcpy(f->names, section_names, sizeof(section_names));
}

static bool read_bytes(const void *p, size_t n, struct elf *e)
{
	struct guarded g = guarded_new(p, n);
	struct elf_source src = { elf_read_bytes, &g.bytes };
	bool ok = elf_read(&src, e);

	guarded_free(&g);
	return ok;
}

static void test_reads_all(void **state)
{
	struct image f;
	struct elf e;

	(void)state;
	fill(&f);
	assert_true(read_bytes(&f, sizeof(f), &e));
	assert_false(e.class32);
	assert_int_equal(e.machine, EM_X86_64);
	assert_int_equal(e.n_segments, 2);
	assert_true(e.segment[1].executable);
	assert_int_equal(e.eh_frame_hdr_vaddr, 0x900);
	assert_int_equal(e.eh_frame_hdr_bytes, 0x44);
	assert_int_equal(e.n_sections, SECTIONS);
	assert_int_equal(elf_section(&e, ".text")->address, 0x401800);
	assert_int_equal(elf_section(&e, ".eh_frame")->bytes, 5);
	assert_null(elf_section(&e, ".tex"));
	elf_done(&e);
}

static void test_translates(void **state)
{
	struct image f;
	struct elf e;
	uint64_t v;

	(void)state;
	fill(&f);
	assert_true(read_bytes(&f, sizeof(f), &e));
	assert_true(elf_vaddr_of(&e, 0x10, &v));
	assert_int_equal(v, 0x10);
	assert_true(elf_vaddr_of(&e, 0x900, &v)); /* in both: code wins */
	assert_int_equal(v, 0x401900);
	assert_true(elf_vaddr_of(&e, 0x27ff, &v));
	assert_int_equal(v, 0x4037ff);
	assert_false(elf_vaddr_of(&e, 0x2800, &v));
	assert_true(elf_offset_of(&e, 0x401800, &v));
	assert_int_equal(v, 0x800);
	assert_false(elf_offset_of(&e, 0x403800, &v));
	assert_false(elf_offset_of(&e, 0x4017ff, &v));
	assert_false(elf_vaddr_of(&e, UINT64_MAX, &v));
	elf_done(&e);
}

/* Only the identification, the header and the segments are required. */
static void test_every_prefix(void **state)
{
	size_t needed = offsetof(struct image, sh), n;
	struct image f;
	struct elf e;

	(void)state;
	fill(&f);
	for (n = 0; n < sizeof(f); n++) {
		bool ok = read_bytes(&f, n, &e);

		assert_int_equal(ok, n >= needed);
		if (n < offsetof(struct image, names) + sizeof(section_names))
			assert_int_equal(e.n_sections, 0);
		if (ok)
			elf_done(&e);
	}
}

static void test_refuses(void **state)
{
	struct image f;
	struct elf e;

	(void)state;
	fill(&f);
	f.eh.e_ident[EI_DATA] = ELFDATA2MSB;
	assert_false(read_bytes(&f, sizeof(f), &e));
	fill(&f);
	f.eh.e_ident[EI_CLASS] = 7;
	assert_false(read_bytes(&f, sizeof(f), &e));
	fill(&f);
	f.eh.e_phnum = 0xffff;
	assert_false(read_bytes(&f, sizeof(f), &e));
	fill(&f);
	f.eh.e_phentsize = 1;
	assert_false(read_bytes(&f, sizeof(f), &e));
	fill(&f);
	f.eh.e_phoff = UINT64_MAX - 8;
	assert_false(read_bytes(&f, sizeof(f), &e));
	fill(&f); /* segments that wrap are left out, and none remains */
	f.ph[0].p_vaddr = f.ph[1].p_offset = UINT64_MAX - 4;
	assert_false(read_bytes(&f, sizeof(f), &e));
}

static void test_class32_is_recognised(void **state)
{
	struct image f;
	struct elf e;

	(void)state;
	fill(&f);
	f.eh.e_ident[EI_CLASS] = ELFCLASS32;
	assert_true(read_bytes(&f, EI_NIDENT, &e));
	assert_true(e.class32);
	assert_int_equal(e.n_segments, 0);
	elf_done(&e);
}

/* Broken section headers leave a file that can be unwound. */
static void test_bad_sections(void **state)
{
	struct image f;
	struct elf e;
	int i;

	(void)state;
	for (i = 0; i < 6; i++) {
		fill(&f);
		if (i == 0)
			f.eh.e_shoff = UINT64_MAX - 3;
		else if (i == 1)
			f.eh.e_shentsize = 8;
		else if (i == 2)
			f.eh.e_shnum = ELF_SECTIONS_MAX + 1;
		else if (i == 3)
			f.eh.e_shstrndx = SECTIONS;
		else if (i == 4)
			f.sh[3].sh_size = UINT64_MAX;
		else
			f.sh[3].sh_offset = UINT64_MAX - 1;
		assert_true(read_bytes(&f, sizeof(f), &e));
		assert_int_equal(e.n_sections, 0);
		assert_int_equal(e.n_segments, 2);
		elf_done(&e);
	}
	fill(&f); /* names outside the table are empty */
	f.sh[1].sh_name = UINT32_MAX;
	assert_true(read_bytes(&f, sizeof(f), &e));
	assert_string_equal(e.section[1].name, "");
	elf_done(&e);
}

/* Counts too large for the header stand in section 0. */
static void test_extended_counts(void **state)
{
	struct image f;
	struct elf e;

	(void)state;
	fill(&f);
	f.eh.e_shnum = 0;
	f.eh.e_shstrndx = SHN_XINDEX;
	f.sh[0].sh_size = SECTIONS;
	f.sh[0].sh_link = 3;
	assert_true(read_bytes(&f, sizeof(f), &e));
	assert_non_null(elf_section(&e, ".text"));
	elf_done(&e);
}

static void test_long_names_are_cut(void **state)
{
	struct image f;
	struct elf e;

	(void)state;
	fill(&f);
	memset(f.names, 'x', sizeof(f.names)); /* and no NUL at the end */
	f.sh[3].sh_size = sizeof(f.names);
	assert_true(read_bytes(&f, sizeof(f), &e));
	assert_int_equal(strlen(e.section[1].name), 31);
	elf_done(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_all),
		cmocka_unit_test(test_translates),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_class32_is_recognised),
		cmocka_unit_test(test_bad_sections),
		cmocka_unit_test(test_extended_counts),
		cmocka_unit_test(test_long_names_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
