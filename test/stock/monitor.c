// SPDX-License-Identifier: GPL-2.0-only
/*
 * Types commands at QEMU's human monitor, a UNIX socket, and prints what it
 * answers: monitor SOCKET COMMAND... Fails if the monitor doesn't answer
 * within a minute.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static const char prompt[] = "(qemu) ";

/* Reads up to the next prompt; prints it, but for the echo in its first line. */
static int answer(int fd, int print)
{
	static char text[1 << 20];
	size_t used = 0;
	char *start;
	ssize_t got;

	do {
		got = read(fd, text + used, sizeof(text) - 1 - used);
		if (got <= 0)
			return got ? -1 : 1;
		used += got;
		text[used] = 0;
	} while (used < sizeof(prompt) - 1 ||
		 strcmp(text + used - (sizeof(prompt) - 1), prompt));
	text[used - (sizeof(prompt) - 1)] = 0;
	start = strchr(text, '\n');
	if (print && start)
		fputs(start + 1, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 60 };
	int i, fd, ret;

	if (argc < 3)
		return 2;
	strncpy(to.sun_path, argv[1], sizeof(to.sun_path) - 1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) || answer(fd, 0)) {
		fprintf(stderr, "monitor: no prompt at %s\n", argv[1]);
		return 1;
	}
	for (i = 2; i < argc; i++) {
		if (write(fd, argv[i], strlen(argv[i])) < 0 || write(fd, "\n", 1) < 0)
			return 1;
		ret = answer(fd, 1);
		if (ret && strcmp(argv[i], "quit")) {
			fprintf(stderr, "monitor: no answer to '%s'\n", argv[i]);
			return 1;
		}
	}
	return 0;
}
