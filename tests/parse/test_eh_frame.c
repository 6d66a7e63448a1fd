/* Unwind tables made by hand: what each instruction does to the rule, tables cut
 * everywhere, garbage; and this program's own tables, by binary search and by linear
 * parse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "elf/eh_frame.h"
#include "elf/header.h"
#include "tests/guarded.h"

#define HDR_VADDR 0x4000
#define FRAME_VADDR 0x5000
#define CODE 0x1000 /* the function's start ... */
#define CODE_BYTES 0x100

struct builder {
	unsigned char p[512];
	size_t n;
};

static void put(struct builder *b, const void *p, size_t n)
{
	assert_true(n <= sizeof(b->p) - b->n);
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static void put_u32(struct builder *b, uint32_t v)
{
	put(b, &v, sizeof(v));
}

/* One CIE ("zR" with pc-relative signed words, or "zRS"), one FDE that runs `program`. */
static size_t build_frame(struct builder *b, const char *augmentation,
			  const void *program, size_t n)
{
	/* code 1, data -8, return address 16; one byte of data: the encoding; rsp + 8, ra
	 * at CFA - 8 */
	static const unsigned char cie_tail[] = { 1, 0x78, 16,	 1, 0x1b, 0x0c,
						  7, 8,	   0x90, 1, 0,	  0 };
	size_t letters = strlen(augmentation) + 1, fde_at;

	b->n = 0;
	put_u32(b, (uint32_t)(4 + 1 + letters + sizeof(cie_tail)));
	put_u32(b, 0);
	put(b, "\1", 1);
	put(b, augmentation, letters);
	put(b, cie_tail, sizeof(cie_tail));
	fde_at = b->n;
	put_u32(b, (uint32_t)(4 + 4 + 4 + 1 + n));
	put_u32(b, (uint32_t)b->n);
	put_u32(b, (uint32_t)(CODE - (FRAME_VADDR + b->n)));
	put_u32(b, CODE_BYTES);
	put(b, "\0", 1);
	put(b, program, n);
	return fde_at;
}

static void build_hdr(struct builder *b, size_t fde_at)
{
	b->n = 0;
	put(b, "\1\x1b\3\x3b", 4);
	put_u32(b, (uint32_t)(FRAME_VADDR - (HDR_VADDR + 4)));
	put_u32(b, 1);
	put_u32(b, (uint32_t)(CODE - HDR_VADDR));
	put_u32(b, (uint32_t)(FRAME_VADDR + fde_at - HDR_VADDR));
}

static struct unwind_rule rule_at(const char *augmentation, const void *program, size_t n,
				  uint64_t vaddr)
{
	struct builder frame, hdr;
	struct unwind_rule rule;
	struct guarded a, b;
	struct eh_frame f;
	size_t fde_at = build_frame(&frame, augmentation, program, n);

	build_hdr(&hdr, fde_at);
	a = guarded_new(frame.p, frame.n);
	b = guarded_new(hdr.p, hdr.n);
	f = (struct eh_frame){ .hdr = b.bytes,
			       .hdr_vaddr = HDR_VADDR,
			       .frame = a.bytes,
			       .frame_vaddr = FRAME_VADDR };
	assert_true(eh_frame_init(&f));
	eh_frame_rule(&f, vaddr, &rule);
	eh_frame_done(&f);
	guarded_free(&a);
	guarded_free(&b);
	return rule;
}

#define RULE(program, at) rule_at("zR", program, sizeof(program) - 1, CODE + (at))

/* push %rbp; mov %rsp, %rbp; ...; pop %rbp */
#define PROLOGUE "\x41\x0e\x10\x86\x02\x43\x0d\x06\x50\x0c\x07\x08"

static void test_prologue(void **state)
{
	struct unwind_rule r = RULE(PROLOGUE, 0);

	(void)state;
	assert_int_equal(r.cfa, CFA_RSP);
	assert_int_equal(r.cfa_offset, 8);
	assert_int_equal(r.rbp, SAVE_SAME);
	assert_int_equal(r.ra, SAVE_CFA);
	assert_int_equal(r.ra_offset, -8);
	r = RULE(PROLOGUE, 1);
	assert_int_equal(r.cfa_offset, 16);
	assert_int_equal(r.rbp, SAVE_CFA);
	assert_int_equal(r.rbp_offset, -16);
	r = RULE(PROLOGUE, 4);
	assert_int_equal(r.cfa, CFA_RBP);
	assert_int_equal(r.cfa_offset, 16);
	r = RULE(PROLOGUE, 0x13);
	assert_int_equal(r.cfa, CFA_RBP);
	r = RULE(PROLOGUE, 0x14);
	assert_int_equal(r.cfa, CFA_RSP);
	assert_int_equal(r.cfa_offset, 8);
}

static void test_range(void **state)
{
	struct unwind_rule r = RULE(PROLOGUE, CODE_BYTES - 1);

	(void)state;
	assert_int_equal(r.cfa, CFA_RSP);
	assert_int_equal(RULE(PROLOGUE, CODE_BYTES).cfa, CFA_NONE);
	assert_int_equal(RULE(PROLOGUE, -1).cfa, CFA_NONE);
	assert_int_equal(rule_at("zR", "", 0, 0).cfa, CFA_NONE);
	assert_int_equal(rule_at("zR", "", 0, UINT64_MAX).cfa, CFA_NONE);
}

static void test_advances_and_state(void **state)
{
	/* rsp+16; after 2 more: remember, rsp+24; then by 1-, 2- and 4-byte advances */
	static const char program[] =
	    "\x0e\x10\x42\x0a\x0e\x18\x02\x10\x0e\x20\x03\x20\0\x0e\x28"
	    "\x04\x40\0\0\0\x0b";

	(void)state;
	assert_int_equal(RULE(program, 1).cfa_offset, 16);
	assert_int_equal(RULE(program, 2).cfa_offset, 24);
	assert_int_equal(RULE(program, 0x12).cfa_offset, 32);
	assert_int_equal(RULE(program, 0x32).cfa_offset, 40);
	assert_int_equal(RULE(program, 0x71).cfa_offset, 40);
	assert_int_equal(RULE(program, 0x72).cfa_offset, 16);
}

static void test_register_forms(void **state)
{
	(void)state;
	assert_int_equal(RULE("\x05\x06\x03", 0).rbp_offset, -24);
	assert_int_equal(RULE("\x11\x06\x03", 0).rbp_offset, -24);
	assert_int_equal(RULE("\x2f\x06\x03", 0).rbp_offset, 24);
	assert_int_equal(RULE("\x86\x03\xc6", 0).rbp, SAVE_SAME);     /* restore */
	assert_int_equal(RULE("\x86\x03\x06\x06", 0).rbp, SAVE_SAME); /* ..._extended */
	assert_int_equal(RULE("\x86\x03\x08\x06", 0).rbp, SAVE_SAME);
	assert_int_equal(RULE("\x12\x06\x7e", 0).cfa_offset, 16); /* def_cfa_sf */
	assert_int_equal(RULE("\x13\x7d", 0).cfa_offset, 24);
	assert_int_equal(RULE("\x2e\x20\x0e\x20", 0).cfa_offset, 32); /* args_size */
	assert_int_equal(RULE("\x83\x04\x09\x03\x0c\x16\x03\1\x50", 0).cfa,
			 CFA_RSP); /* rbx */
}

/* A function that realigns its stack: CFA = [rbp - 8], rbp at [rbp]. */
static void test_realigned(void **state)
{
	struct unwind_rule r = RULE("\x0f\x03\x76\x78\x06\x10\x06\x02\x76\0", 0);

	(void)state;
	assert_int_equal(r.cfa, CFA_RBP_LOAD);
	assert_int_equal(r.cfa_offset, -8);
	assert_int_equal(r.rbp, SAVE_RBP);
	assert_int_equal(r.rbp_offset, 0);
	assert_int_equal(RULE("\x0c\x0a\0", 0).cfa, CFA_OTHER); /* before: CFA = r10 */
}

static void test_plt(void **state)
{
	struct unwind_rule r =
	    RULE("\x0f\x0b\x77\x08\x80\0\x3f\x1a\x3b\x2a\x33\x24\x22", 0);

	(void)state;
	assert_int_equal(r.cfa, CFA_PLT);
	assert_int_equal(r.cfa_offset, 11);
	r = RULE("\x0f\x0b\x77\x08\x80\0\x3f\x1a\x3a\x2a\x33\x24\x22", 0);
	assert_int_equal(r.cfa_offset, 10);
	assert_int_equal(
	    RULE("\x0f\x0b\x77\x08\x80\0\x3e\x1a\x3a\x2a\x33\x24\x22", 0).cfa, CFA_OTHER);
}

/* As glibc writes __restore_rt: everything is in the ucontext at rsp. */
static void test_signal_frame(void **state)
{
	static const char program[] =
	    "\x0f\x04\x77\xa0\x01\x06\x10\x07\x03\x77\xa0\x01\x10\x06\x03"
	    "\x77\xf8\0\x10\x10\x03\x77\xa8\x01";
	struct unwind_rule r = rule_at("zRS", program, sizeof(program) - 1, CODE);

	(void)state;
	assert_int_equal(r.signal_frame, 1);
	assert_int_equal(r.cfa, CFA_RSP_LOAD);
	assert_int_equal(r.cfa_offset, 160);
	assert_int_equal(r.rbp, SAVE_RSP);
	assert_int_equal(r.rbp_offset, 120);
	assert_int_equal(r.ra, SAVE_RSP);
	assert_int_equal(r.ra_offset, 168);
	assert_int_equal(rule_at("zR", program, sizeof(program) - 1, CODE).signal_frame,
			 0);
	/* an rsp that is not the CFA is not ours to decide */
	assert_int_equal(RULE("\x0f\x04\x77\xa0\x01\x06\x10\x07\x02\x77\x08", 0).cfa,
			 CFA_OTHER);
}

static void test_ends_and_others(void **state)
{
	(void)state;
	assert_int_equal(RULE("\x07\x10", 0).cfa, CFA_END);
	assert_int_equal(RULE("\x08\x10", 0).cfa, CFA_OTHER);
	assert_int_equal(RULE("\x16\x06\x01\x30", 0).cfa, CFA_OTHER);
	assert_int_equal(RULE("\x14\x06\x01", 0).cfa, CFA_OTHER);
	assert_int_equal(RULE("\x09\x06\x03", 0).cfa, CFA_OTHER);
	assert_int_equal(RULE("\x05\x06\x80\x80\x04", 0).cfa, CFA_OTHER); /* too far */
	assert_int_equal(RULE("\x0e\xff\xff\xff\xff\x0f", 0).cfa, CFA_OTHER);
	assert_int_equal(RULE("\x0e\xff\xff\xff\x3f", 0).cfa_offset, 0x7ffffff);
}

static void test_lies(void **state)
{
	static const char remember[] = "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n";

	(void)state;
	assert_int_equal(RULE("\x0b", 0).cfa, CFA_NONE);   /* restore without remember */
	assert_int_equal(RULE(remember, 0).cfa, CFA_NONE); /* 17 deep */
	assert_int_equal(RULE("\x3f", 0).cfa, CFA_NONE);   /* no such instruction */
	assert_int_equal(RULE("\x0e", 0).cfa, CFA_NONE);   /* its operand is missing */
	assert_int_equal(RULE("\x0f\x7f\x77", 0).cfa, CFA_NONE);
	assert_int_equal(rule_at("eh", "", 0, CODE).cfa, CFA_NONE);
	assert_int_equal(rule_at("zX", "", 0, CODE).cfa,
			 CFA_NONE); /* absolute, so elsewhere */
}

/* Asks for everything around the table's addresses. */
static void ask_all(const struct eh_frame *f)
{
	static const uint64_t at[] = { 0,	    CODE - 1,	CODE,	    CODE + 1,
				       CODE + 0x14, CODE + 255, CODE + 256, UINT64_MAX };
	uint64_t start, bytes;
	struct unwind_rule r;
	size_t i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		eh_frame_rule(f, at[i], &r);
		assert_true(r.cfa <= CFA_OTHER);
		if (eh_frame_function(f, at[i], &start, &bytes))
			assert_true(at[i] - start < bytes);
	}
}

static void try_tables(const struct builder *hdr, size_t hdr_n,
		       const struct builder *frame, size_t frame_n)
{
	struct guarded a = guarded_new(frame->p, frame_n);
	struct guarded b = guarded_new(hdr->p, hdr_n);
	struct eh_frame f = { .hdr = b.bytes,
			      .hdr_vaddr = HDR_VADDR,
			      .frame = a.bytes,
			      .frame_vaddr = FRAME_VADDR };
	uint64_t vaddr;

	eh_frame_pointer(f.hdr, f.hdr_vaddr, &vaddr);
	if (eh_frame_init(&f))
		ask_all(&f);
	eh_frame_done(&f);
	guarded_free(&a);
	guarded_free(&b);
}

static void test_every_prefix(void **state)
{
	struct builder frame, hdr;
	size_t n;

	(void)state;
	build_hdr(&hdr, build_frame(&frame, "zR", PROLOGUE, sizeof(PROLOGUE) - 1));
	for (n = 0; n <= frame.n; n++) {
		try_tables(&hdr, hdr.n, &frame, n);
		try_tables(&hdr, 0, &frame, n);
	}
	for (n = 0; n <= hdr.n; n++)
		try_tables(&hdr, n, &frame, frame.n);
}

static void test_garbage(void **state)
{
	struct builder frame, hdr, bad_frame, bad_hdr;
	uint32_t seed = 12345;
	int i, k;

	(void)state;
	build_hdr(&hdr, build_frame(&frame, "zR", PROLOGUE, sizeof(PROLOGUE) - 1));
	for (i = 0; i < 5000; i++) {
		bad_frame = frame;
		bad_hdr = hdr;
		for (k = 0; k < 3; k++) {
			seed = seed * 1664525u + 1013904223u;
			if (k == 2)
				bad_hdr.p[(seed >> 8) % hdr.n] ^=
				    (unsigned char)(seed >> 24);
			else
				bad_frame.p[(seed >> 8) % frame.n] =
				    (unsigned char)(seed >> 24);
		}
		try_tables(&bad_hdr, i % 2 ? bad_hdr.n : hdr.n, &bad_frame, frame.n);
		try_tables(&hdr, 0, &bad_frame, frame.n);
	}
}

static void test_pointer(void **state)
{
	struct builder frame, hdr;
	uint64_t vaddr = 0;

	(void)state;
	build_hdr(&hdr, build_frame(&frame, "zR", "", 0));
	assert_true(eh_frame_pointer((struct bytes){ hdr.p, hdr.n }, HDR_VADDR, &vaddr));
	assert_int_equal(vaddr, FRAME_VADDR);
	hdr.p[1] = 0xff;
	assert_false(eh_frame_pointer((struct bytes){ hdr.p, hdr.n }, HDR_VADDR, &vaddr));
}

static struct bytes section_bytes(const struct elf_source *src,
				  const struct elf_section *s)
{
	unsigned char *p;

	assert_non_null(s);
	p = xmalloc(s->bytes);
	assert_true(src->read(src->arg, s->offset, p, s->bytes));
	return (struct bytes){ p, s->bytes };
}

/* The linker's table and ours, made by reading .eh_frame alone, must tell the same. */
static void test_own_tables(void **state)
{
	FILE *self = fopen("/proc/self/exe", "r");
	struct eh_frame by_hdr = { 0 }, by_parse = { 0 };
	const struct elf_section *text;
	struct elf_source src = { elf_read_fd, NULL };
	uint64_t at, known = 0;
	struct elf e;
	int fd;

	(void)state;
	assert_non_null(self);
	fd = fileno(self);
	src.arg = &fd;
	assert_true(elf_read(&src, &e));
	by_hdr.hdr = section_bytes(&src, elf_section(&e, ".eh_frame_hdr"));
	by_hdr.hdr_vaddr = elf_section(&e, ".eh_frame_hdr")->address;
	by_hdr.frame = section_bytes(&src, elf_section(&e, ".eh_frame"));
	by_hdr.frame_vaddr = elf_section(&e, ".eh_frame")->address;
	by_parse.frame = by_hdr.frame;
	by_parse.frame_vaddr = by_hdr.frame_vaddr;
	assert_true(eh_frame_init(&by_hdr));
	assert_true(eh_frame_init(&by_parse));
	assert_null(by_hdr.own_table);
	assert_non_null(by_parse.own_table);
	text = elf_section(&e, ".text");
	for (at = text->address; at < text->address + text->bytes; at += 3) {
		struct unwind_rule a, b;

		eh_frame_rule(&by_hdr, at, &a);
		eh_frame_rule(&by_parse, at, &b);
		assert_memory_equal(&a, &b, sizeof(a));
		known += a.cfa != CFA_NONE;
	}
	assert_true(known * 3 > text->bytes / 2);
	eh_frame_done(&by_hdr);
	eh_frame_done(&by_parse);
	free((void *)(uintptr_t)by_hdr.hdr.p);
	free((void *)(uintptr_t)by_hdr.frame.p);
	elf_done(&e);
	fclose(self);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prologue),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_advances_and_state),
		cmocka_unit_test(test_register_forms),
		cmocka_unit_test(test_realigned),
		cmocka_unit_test(test_plt),
		cmocka_unit_test(test_signal_frame),
		cmocka_unit_test(test_ends_and_others),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_pointer),
		cmocka_unit_test(test_own_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
