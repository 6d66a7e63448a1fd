/* Runs a command to which some system calls are refused, as in a sandbox:
 *
 *	denies perf,bpf,readv,ptrace,openat2,pidfd[,enosys] COMMAND ARGS
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	unsigned number;
} calls[] = {
	{ "perf", SYS_perf_event_open },   { "bpf", SYS_bpf },
	{ "readv", SYS_process_vm_readv }, { "ptrace", SYS_ptrace },
	{ "openat2", SYS_openat2 },	   { "pidfd", SYS_pidfd_open },
};

int main(int argc, char **argv)
{
	unsigned answer = SECCOMP_RET_ERRNO | EPERM;
	struct sock_filter code[32];
	struct sock_fprog program = { 0, code };
	size_t i;

	if (argc < 3)
		return 2;
	if (strstr(argv[1], "enosys"))
		answer = SECCOMP_RET_ERRNO | ENOSYS;
	code[program.len++] = (struct sock_filter)BPF_STMT(
	    BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (!strstr(argv[1], calls[i].name))
			continue;
		code[program.len++] = (struct sock_filter)BPF_JUMP(
		    BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1);
		code[program.len++] =
		    (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer);
	}
	code[program.len++] =
	    (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 3;
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
