// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies standard input to standard output line by line, each with the host's
 * monotonic time in seconds in front: when a guest said what.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	char in[4096], line[8192];
	size_t used = 0;
	ssize_t i, got;

	while ((got = read(0, in, sizeof(in))) > 0) {
		for (i = 0; i < got; i++) {
			struct timespec ts;

			if (in[i] == '\r' || in[i] == '\0')
				continue;
			if (in[i] != '\n' && used < sizeof(line) - 1) {
				line[used++] = in[i];
				continue;
			}
			clock_gettime(CLOCK_MONOTONIC, &ts);
			printf("%lld.%06ld %.*s\n", (long long)ts.tv_sec,
			       ts.tv_nsec / 1000, (int)used, line);
			fflush(stdout);
			used = 0;
		}
	}
	if (used)
		printf("- %.*s\n", (int)used, line);
	return 0;
}
