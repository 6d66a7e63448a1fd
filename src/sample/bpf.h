/* Small in-kernel programs, put together instruction by instruction, and their memory. No
 * compiler, no library, no BTF: what they do fits on a page. Needs CAP_BPF and CAP_PERFMON.
 *
 * All a program and a map are is a file descriptor: when ptop ends, however it does, the kernel
 * drops them. */
#ifndef PTOP_SAMPLE_BPF_H
#define PTOP_SAMPLE_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define BPF_CODE_MAX 1024u
#define BPF_LABELS 48u
#define BPF_JUMPS 128u
#define BPF_FUNCTIONS 4u

/* A program being written. Labels are small numbers of the writer's choice; jumps go forward
 * or back. `failed` is set when it does not fit. */
struct bpf_code {
	struct bpf_insn v[BPF_CODE_MAX];
	size_t n;
	int label[BPF_LABELS];
	struct {
		size_t at;
		int label;
	} jump[BPF_JUMPS];
	size_t n_jumps;
	/* Where functions begin that bpf_loop() calls. */
	size_t function[BPF_FUNCTIONS];
	size_t n_functions;
	bool failed;
};

void bpf_start(struct bpf_code *c);
void bpf_emit(struct bpf_code *c, struct bpf_insn insn);
void bpf_mov(struct bpf_code *c, int to, int from);
void bpf_set(struct bpf_code *c, int to, int32_t value);
/* op: BPF_ADD, BPF_SUB, BPF_LSH ...; with a register or a number. */
void bpf_alu(struct bpf_code *c, int op, int to, int from);
void bpf_alu_k(struct bpf_code *c, int op, int to, int32_t value);
/* size: BPF_DW, BPF_W, BPF_H, BPF_B. */
void bpf_load(struct bpf_code *c, int size, int to, int from, int16_t offset);
void bpf_store(struct bpf_code *c, int size, int to, int16_t offset, int from);
/* *(u64 *)(to + offset) += from; with fetch, from becomes what was there. */
void bpf_atomic_add(struct bpf_code *c, int to, int16_t offset, int from, bool fetch);
void bpf_call(struct bpf_code *c, int helper);
void bpf_map(struct bpf_code *c, int to, int map_fd);
/* The address of the only value of an array map. */
void bpf_map_value(struct bpf_code *c, int to, int map_fd);
/* r0 = what the map has under the key at this place of the stack; 0: nothing. */
void bpf_look_up(struct bpf_code *c, int map_fd, int key);
void bpf_label(struct bpf_code *c, int label);
void bpf_go(struct bpf_code *c, int label);
/* op: BPF_JEQ, BPF_JNE, BPF_JGT, BPF_JGE, BPF_JLT, BPF_JLE: unsigned. */
void bpf_if(struct bpf_code *c, int op, int a, int b, int label);
void bpf_if_k(struct bpf_code *c, int op, int a, int32_t value, int label);
void bpf_exit(struct bpf_code *c);
/* A function (u32 number, void *arg) begins, behind the program's exit; it returns 0 to be called
 * again. Linux 5.17. */
void bpf_function(struct bpf_code *c, int label);
void bpf_function_address(struct bpf_code *c, int to, int label);

/* An fd, or -errno; why tells what the verifier said. */
int bpf_load_program(struct bpf_code *c, enum bpf_prog_type type, struct error *why);
int bpf_map_open(enum bpf_map_type type, uint32_t key, uint32_t value, uint32_t entries,
		 uint32_t flags);
int bpf_map_put(int map_fd, const void *key, const void *value);
int bpf_map_remove(int map_fd, const void *key);
/* A program for all calls of a kernel's raw tracepoint: an fd or -errno. */
int bpf_raw_tracepoint(const char *name, int program_fd);
/* A uprobe in a file, for the processes that map it as pid does: an event fd, or -errno. There is
 * no way here to ask for one at a function's return: those exchange return addresses, which kills
 * programs that switch stacks, throw through it, or return twice. */
int bpf_uprobe(const char *path, uint64_t offset, pid_t pid, int program_fd);
/* Process numbers inside of programs are those of the initial namespace. */
bool bpf_sees_our_pids(void);

#endif
