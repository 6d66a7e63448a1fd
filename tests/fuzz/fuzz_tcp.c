/* /proc/net/tcp: ports and sockets. A line gives one socket at most, and without a port that is
 * listened on there is none. */
#include <stdint.h>
#include <stdlib.h>

#include "sample/requests.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tcp_table t;
	size_t i, lines = 1, ports = 0;

	t = (struct tcp_table){ .inodes = { 0 } };
	tcp_table_parse(&t, (struct bytes){ data, size }, false);
	if (t.inodes.n)
		abort();
	tcp_table_parse(&t, (struct bytes){ data, size }, true);
	tcp_table_parse(&t, (struct bytes){ data, size }, false);
	for (i = 0; i < size; i++)
		lines += data[i] == '\n';
	for (i = 0; i < sizeof(t.listens); i++)
		ports += t.listens[i] != 0;
	if (t.inodes.n > lines || (t.inodes.n && !ports))
		abort();
	VEC_DONE(&t.inodes);
	return 0;
}
