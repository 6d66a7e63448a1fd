/* TRUE: threads, child processes and mappings of executable files come and go, as many of each as
 * the arguments say and no more than a few at a time. A watcher that keeps anything for what is gone
 * has more of it after each thousand.
 *	changes FOLDER THREADS PROCESSES MAPPINGS [SECONDS they take]
 * It says how many there were once a second, and "done" at the end, and then waits. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static double began, lasts;
static char image[8192];
static size_t image_bytes;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void burn(double seconds)
{
	double end = now() + seconds;
	volatile unsigned long n = 0;

	while (now() < end)
		while (++n % 1000)
			;
}

static void *request(void *arg)
{
	burn(0.0004);
	return arg;
}

static void threads(long number)
{
	pthread_t t[8];
	int i, n;

	(void)number;
	for (n = 0; n < 8 && pthread_create(&t[n], NULL, request, NULL) == 0; n++)
		;
	for (i = 0; i < n; i++)
		pthread_join(t[i], NULL);
}

static void process(long number)
{
	char name[32], *argv[] = { name, (char *)"leaf", NULL };
	pid_t pid;

	snprintf(name, sizeof(name), "child-%ld", number);
	if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ) == 0)
		waitpid(pid, NULL, 0);
}

/* The last few stay mapped. */
static void mapping(const char *folder, long number)
{
	static void *kept[16];
	static char path[16][300];
	int slot = (int)(number % 16), fd;

	if (kept[slot]) {
		munmap(kept[slot], sizeof(image));
		unlink(path[slot]);
	}
	snprintf(path[slot], sizeof(path[slot]), "%s/lib-%ld.so", folder, number);
	fd = open(path[slot], O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || write(fd, image, sizeof(image)) != (ssize_t)sizeof(image))
		exit(1);
	kept[slot] = mmap(NULL, sizeof(image), PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	close(fd);
}

/* How many of a number there should have been by now. */
static long due(long number)
{
	double share = (now() - began) / lasts;

	return share >= 1 ? number : (long)(number * share);
}

int main(int argc, char **argv)
{
	long want[3], done[3] = { 0 };
	double said = 0;
	int fd, i;

	if (argc == 2) {
		burn(0.004);
		return 0;
	}
	if (argc < 5)
		return 2;
	for (i = 0; i < 3; i++)
		want[i] = atol(argv[2 + i]);
	lasts = argc > 5 ? atof(argv[5]) : 60;
	fd = open("/proc/self/exe", O_RDONLY);
	image_bytes = (size_t)read(fd, image, sizeof(image));
	close(fd);
	puts("ready");
	began = now();
	while (done[0] < want[0] || done[1] < want[1] || done[2] < want[2]) {
		for (; done[0] < due(want[0]); done[0] += 8)
			threads(done[0]);
		for (; done[1] < due(want[1]); done[1]++)
			process(done[1]);
		for (; done[2] < due(want[2]); done[2]++)
			mapping(argv[1], done[2]);
		burn(0.002);
		if (now() > said + 1) {
			said = now();
			printf("%ld %ld %ld\n", done[0], done[1], done[2]);
			fflush(stdout);
		}
	}
	puts("done");
	fflush(stdout);
	for (;;)
		burn(1), usleep(10000);
}
