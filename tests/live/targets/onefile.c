/* A file system of one file: onefile FILE MOUNTPOINT serves FILE as MOUNTPOINT/program, in the
 * foreground. While it is stopped its file answers nobody, as on a dead server. */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int file;

static int attributes(const char *path, struct stat *st, struct fuse_file_info *info)
{
	(void)info;
	memset(st, 0, sizeof(*st));
	if (strcmp(path, "/") == 0) {
		st->st_mode = S_IFDIR | 0755;
		st->st_nlink = 2;
		return 0;
	}
	if (strcmp(path, "/program") != 0)
		return -ENOENT;
	if (fstat(file, st))
		return -errno;
	st->st_mode = S_IFREG | 0755;
	return 0;
}

static int opened(const char *path, struct fuse_file_info *info)
{
	(void)path, (void)info;
	return 0;
}

static int bytes(const char *path, char *to, size_t n, off_t at,
		 struct fuse_file_info *info)
{
	ssize_t got = pread(file, to, n, at);

	(void)path, (void)info;
	return got < 0 ? -errno : (int)got;
}

int main(int argc, char **argv)
{
	static const struct fuse_operations operations = { .getattr = attributes,
							   .open = opened,
							   .read = bytes };
	char *args[] = { argv[0], argv[2], "-f", NULL };

	if (argc != 3)
		return 2;
	file = open(argv[1], O_RDONLY);
	return file == -1 ? 1 : fuse_main(3, args, &operations, NULL);
}
