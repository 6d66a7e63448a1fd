/* See the header. Numbers as in linux/bpf.h. */
#include "sample/bpf.h"

#include <errno.h>
#include <linux/btf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

#define VERIFIER_BYTES 65536u

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static uint64_t pointer(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* ---- Writing ------------------------------------------------------------------------- */

void bpf_start(struct bpf_code *c)
{
	size_t i;

	c->n = c->n_jumps = c->n_functions = 0;
	c->failed = false;
	for (i = 0; i < BPF_LABELS; i++)
		c->label[i] = -1;
}

void bpf_emit(struct bpf_code *c, struct bpf_insn insn)
{
	if (c->n == BPF_CODE_MAX) {
		c->failed = true;
		return;
	}
	c->v[c->n++] = insn;
}

void bpf_alu(struct bpf_code *c, int op, int to, int from)
{
	bpf_emit(c, (struct bpf_insn){ .code = (uint8_t)(BPF_ALU64 | BPF_X | op),
				       .dst_reg = to & 15,
				       .src_reg = from & 15 });
}

void bpf_alu_k(struct bpf_code *c, int op, int to, int32_t value)
{
	bpf_emit(c, (struct bpf_insn){ .code = (uint8_t)(BPF_ALU64 | BPF_K | op),
				       .dst_reg = to & 15,
				       .imm = value });
}

void bpf_mov(struct bpf_code *c, int to, int from)
{
	bpf_alu(c, BPF_MOV, to, from);
}

void bpf_set(struct bpf_code *c, int to, int32_t value)
{
	bpf_alu_k(c, BPF_MOV, to, value);
}

void bpf_load(struct bpf_code *c, int size, int to, int from, int16_t offset)
{
	bpf_emit(c, (struct bpf_insn){ .code = (uint8_t)(BPF_LDX | BPF_MEM | size),
				       .dst_reg = to & 15,
				       .src_reg = from & 15,
				       .off = offset });
}

void bpf_store(struct bpf_code *c, int size, int to, int16_t offset, int from)
{
	bpf_emit(c, (struct bpf_insn){ .code = (uint8_t)(BPF_STX | BPF_MEM | size),
				       .dst_reg = to & 15,
				       .src_reg = from & 15,
				       .off = offset });
}

void bpf_atomic_add(struct bpf_code *c, int to, int16_t offset, int from, bool fetch)
{
	bpf_emit(c, (struct bpf_insn){ .code = BPF_STX | BPF_DW | 0xc0, /* BPF_ATOMIC */
				       .dst_reg = to & 15,
				       .src_reg = from & 15,
				       .off = offset,
				       .imm = BPF_ADD | (fetch ? 1 : 0) });
}

void bpf_call(struct bpf_code *c, int helper)
{
	bpf_emit(c, (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = helper });
}

static void load_64(struct bpf_code *c, int to, int kind, int fd)
{
	bpf_emit(c, (struct bpf_insn){ .code = BPF_LD | BPF_DW | BPF_IMM,
				       .dst_reg = to & 15,
				       .src_reg = kind & 15,
				       .imm = fd });
	bpf_emit(c, (struct bpf_insn){ .code = 0 });
}

void bpf_map(struct bpf_code *c, int to, int map_fd)
{
	load_64(c, to, BPF_PSEUDO_MAP_FD, map_fd);
}

void bpf_map_value(struct bpf_code *c, int to, int map_fd)
{
	load_64(c, to, BPF_PSEUDO_MAP_VALUE, map_fd);
}

void bpf_look_up(struct bpf_code *c, int map_fd, int key)
{
	bpf_map(c, 1, map_fd);
	bpf_mov(c, 2, 10);
	bpf_alu_k(c, BPF_ADD, 2, key);
	bpf_call(c, BPF_FUNC_map_lookup_elem);
}

void bpf_label(struct bpf_code *c, int label)
{
	c->label[label] = (int)c->n;
}

static void jump(struct bpf_code *c, struct bpf_insn insn, int label)
{
	if (c->n_jumps == BPF_JUMPS) {
		c->failed = true;
		return;
	}
	c->jump[c->n_jumps].at = c->n;
	c->jump[c->n_jumps++].label = label;
	bpf_emit(c, insn);
}

void bpf_go(struct bpf_code *c, int label)
{
	jump(c, (struct bpf_insn){ .code = BPF_JMP | BPF_JA }, label);
}

void bpf_if(struct bpf_code *c, int op, int a, int b, int label)
{
	jump(c,
	     (struct bpf_insn){ .code = (uint8_t)(BPF_JMP | BPF_X | op),
				.dst_reg = a & 15,
				.src_reg = b & 15 },
	     label);
}

void bpf_if_k(struct bpf_code *c, int op, int a, int32_t value, int label)
{
	jump(c,
	     (struct bpf_insn){ .code = (uint8_t)(BPF_JMP | BPF_K | op),
				.dst_reg = a & 15,
				.imm = value },
	     label);
}

void bpf_exit(struct bpf_code *c)
{
	bpf_emit(c, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

void bpf_function(struct bpf_code *c, int label)
{
	if (c->n_functions == BPF_FUNCTIONS) {
		c->failed = true;
		return;
	}
	bpf_label(c, label);
	c->function[c->n_functions++] = c->n;
}

void bpf_function_address(struct bpf_code *c, int to, int label)
{
	jump(c,
	     (struct bpf_insn){ .code = BPF_LD | BPF_DW | BPF_IMM,
				.dst_reg = to & 15,
				.src_reg = BPF_PSEUDO_FUNC },
	     label);
	bpf_emit(c, (struct bpf_insn){ .code = 0 });
}

static void link_jumps(struct bpf_code *c)
{
	size_t i;

	for (i = 0; i < c->n_jumps; i++) {
		struct bpf_insn *insn = &c->v[c->jump[i].at];
		int to = c->label[c->jump[i].label], by = to - (int)c->jump[i].at - 1;

		if (to < 0)
			c->failed = true;
		else if (insn->code == (BPF_LD | BPF_DW | BPF_IMM))
			insn->imm = by;
		else
			insn->off = (int16_t)by;
	}
}

/* The verifier wants a name and a type of each function that is called back: one type for all,
 * int (). Layout as in linux/btf.h. */
static int load_types(void)
{
	static const char names[] = "\0int\0f";
	struct {
		struct btf_header h;
		struct btf_type integer;
		uint32_t encoding;
		struct btf_type proto, function;
		char names[sizeof(names)];
	} __attribute__((packed)) types = {
		.h = { .magic = BTF_MAGIC,
		       .version = BTF_VERSION,
		       .hdr_len = sizeof(types.h),
		       .type_len = offsetof(__typeof__(types), names) - sizeof(types.h),
		       .str_off = offsetof(__typeof__(types), names) - sizeof(types.h),
		       .str_len = sizeof(names) },
		.integer = { .name_off = 1, .info = BTF_KIND_INT << 24, .size = 4 },
		.encoding = BTF_INT_SIGNED << 24 | 32,
		.proto = { .info = BTF_KIND_FUNC_PROTO << 24, .type = 1 },
		.function = { .name_off = 5, .info = BTF_KIND_FUNC << 24, .type = 2 },
	};
	union bpf_attr attr;
	int fd;

	memcpy(types.names, names, sizeof(names));
	memset(&attr, 0, sizeof(attr));
	attr.btf = pointer(&types);
	attr.btf_size = sizeof(types);
	fd = bpf(BPF_BTF_LOAD, &attr);
	return fd == -1 ? -errno : fd;
}

/* ---- The kernel ---------------------------------------------------------------------- */

/* Only when it refuses is it asked to say why: its log is large. */
static void explain(union bpf_attr *attr, struct error *why)
{
	char *log = xcalloc(1, VERIFIER_BYTES), *line, *last = NULL;
	size_t n;

	attr->log_buf = pointer(log);
	attr->log_size = VERIFIER_BYTES;
	attr->log_level = 1;
	bpf(BPF_PROG_LOAD, attr);
	n = strlen(log);
	while (n && log[n - 1] == '\n')
		log[--n] = '\0';
	for (line = log; line; line = strchr(line + 1, '\n'))
		if (strncmp(line, "\nprocessed", 10) != 0)
			last = line;
	error_set(why, EXIT_FAILED, "the kernel refused the program: %.200s",
		  last ? last + (*last == '\n') : "");
	free(log);
}

int bpf_load_program(struct bpf_code *c, enum bpf_prog_type type, struct error *why)
{
	struct bpf_func_info functions[BPF_FUNCTIONS + 1] = { { .type_id = 3 } };
	union bpf_attr attr;
	int fd, types = -1, ret;
	size_t i;

	link_jumps(c);
	if (c->failed)
		return error_set(why, EXIT_FAILED, "an in-kernel program does not fit");
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.insns = pointer(c->v);
	attr.insn_cnt = (uint32_t)c->n;
	attr.license = pointer("GPL");
	if (c->n_functions) {
		types = load_types();
		for (i = 0; i < c->n_functions; i++)
			functions[i + 1] =
			    (struct bpf_func_info){ .insn_off = (uint32_t)c->function[i],
						    .type_id = 3 };
		attr.prog_btf_fd = (uint32_t)types;
		attr.func_info = pointer(functions);
		attr.func_info_cnt = (uint32_t)c->n_functions + 1;
		attr.func_info_rec_size = sizeof(functions[0]);
	}
	fd = bpf(BPF_PROG_LOAD, &attr);
	ret = -errno;
	if (types >= 0)
		close(types); /* the program holds it */
	if (fd != -1)
		return fd;
	if (ret == -EPERM || ret == -EACCES) {
		bool verifier = ret == -EACCES && geteuid() == 0;

		error_set(why, EXIT_NO_PERMISSION,
			  "needs CAP_BPF and CAP_PERFMON (or root)");
		if (verifier)
			explain(&attr, why);
		return ret;
	}
	explain(&attr, why);
	return ret;
}

int bpf_map_open(enum bpf_map_type type, uint32_t key, uint32_t value, uint32_t entries,
		 uint32_t flags)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = key;
	attr.value_size = value;
	attr.max_entries = entries;
	attr.map_flags = flags;
	fd = bpf(BPF_MAP_CREATE, &attr);
	return fd == -1 ? -errno : fd;
}

int bpf_map_put(int map_fd, const void *key, const void *value)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map_fd;
	attr.key = pointer(key);
	attr.value = pointer(value);
	return bpf(BPF_MAP_UPDATE_ELEM, &attr) == -1 ? -errno : 0;
}

int bpf_map_remove(int map_fd, const void *key)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map_fd;
	attr.key = pointer(key);
	return bpf(BPF_MAP_DELETE_ELEM, &attr) == -1 ? -errno : 0;
}

int bpf_raw_tracepoint(const char *name, int program_fd)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.name = pointer(name);
	attr.raw_tracepoint.prog_fd = (uint32_t)program_fd;
	fd = bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);
	return fd == -1 ? -errno : fd;
}

static uint32_t uprobe_type(void)
{
	char line[32];

	if (!file_line("/sys/bus/event_source/devices/uprobe/type", line, sizeof(line)))
		return 0;
	return (uint32_t)strtoul(line, NULL, 10);
}

int bpf_uprobe(const char *path, uint64_t offset, pid_t pid, int program_fd)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = uprobe_type(),
		.sample_period = 1,
		.wakeup_events = 1,
	};
	int fd, ret;

	if (!attr.type)
		return -ENODEV;
	attr.config1 = pointer(path);
	attr.config2 = offset;
	fd = (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd == -1)
		return -errno;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, program_fd) == 0 &&
	    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) == 0)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

bool bpf_sees_our_pids(void)
{
	char link[64];
	ssize_t n = readlink("/proc/self/ns/pid", link, sizeof(link) - 1);

	if (n <= 0)
		return false;
	link[n] = '\0';
	return strcmp(link, "pid:[4026531836]") == 0; /* PROC_PID_INIT_INO */
}
