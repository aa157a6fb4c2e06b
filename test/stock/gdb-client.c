// SPDX-License-Identifier: GPL-2.0-only
/*
 * A debugger's side of QEMU's gdbstub, as far as a test needs it: breaks,
 * steps, watches and reads memory, and says in TAP-like lines what went wrong.
 *
 *	gdb-client SOCKET BREAK-AT READ-AT READ-TEXT WATCH-AT [breakpoints]
 *
 * With the last word, breakpoints of software and hardware and a watchpoint,
 * too. Addresses are hexadecimal. BREAK-AT is a function that the guest calls
 * all the time, READ-AT holds READ-TEXT, WATCH-AT is written all the time. The
 * packets are those of GDB's manual, appendix "GDB Remote Serial Protocol".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int fd;
static char reply[1 << 16];

static void die(const char *what)
{
	printf("gdb: %s (last reply: %.60s)\n", what, reply);
	exit(1);
}

static int get(void)
{
	char c;

	if (read(fd, &c, 1) != 1)
		die("no answer from the stub");
	return (unsigned char)c;
}

static void receive(void)
{
	size_t used = 0;
	int c;

	while (get() != '$')
		;
	while ((c = get()) != '#' && used < sizeof(reply) - 1)
		reply[used++] = c;
	reply[used] = 0;
	get();
	get();
	if (write(fd, "+", 1) != 1)
		die("the stub is gone");
}

static void ask(const char *what)
{
	unsigned char sum = 0;
	const char *p;
	char packet[256];
	int len;

	for (p = what; *p; p++)
		sum += *p;
	len = snprintf(packet, sizeof(packet), "$%s#%02x", what, sum);
	if (write(fd, packet, len) != len)
		die("the stub is gone");
	receive();
}

static void must(const char *what, const char *start, const char *complaint)
{
	ask(what);
	if (strncmp(reply, start, strlen(start)))
		die(complaint);
}

/* RIP is register 16 of 8 bytes each in what 'g' returns, little-endian. */
static unsigned long long rip(void)
{
	unsigned long long value = 0;
	unsigned int byte;
	int i;

	ask("g");
	if (strlen(reply) < 17 * 16)
		die("'g' is too short for RIP");
	for (i = 7; i >= 0; i--) {
		sscanf(reply + 16 * 16 + i * 2, "%2x", &byte);
		value = value << 8 | byte;
	}
	return value;
}

static void steps(void)
{
	unsigned long long last;
	int i;

	for (i = 0; i < 5; i++) {
		last = rip();
		must("s", "T05", "no stop after 's'");
		if (rip() == last)
			die("a step that did not move");
	}
	printf("gdb: 5 steps\n");
}

static void break_with(int type, unsigned long long at)
{
	char packet[64];

	snprintf(packet, sizeof(packet), "Z%d,%llx,1", type, at);
	must(packet, "OK", "breakpoint refused");
	must("c", "T05", "no stop after 'c'");
	if (rip() != at)
		die("stopped, but not at the breakpoint");
	packet[0] = 'z';
	must(packet, "OK", "breakpoint not removed");
	printf("gdb: %s breakpoint\n", type ? "hardware" : "software");
	steps();
}

static void read_text(unsigned long long at, const char *text)
{
	char packet[64];
	unsigned int byte;
	size_t i;

	snprintf(packet, sizeof(packet), "m%llx,%zx", at, strlen(text));
	ask(packet);
	for (i = 0; i < strlen(text); i++)
		if (sscanf(reply + 2 * i, "%2x", &byte) != 1 || byte != (unsigned char)text[i])
			die("memory does not hold what the guest has there");
	printf("gdb: memory\n");
}

static void watch(unsigned long long at)
{
	char packet[64];

	snprintf(packet, sizeof(packet), "Z2,%llx,8", at);
	must(packet, "OK", "watchpoint refused");
	must("c", "T05", "no stop at the watchpoint");
	if (!strstr(reply, "watch:"))
		die("stopped, but for no watchpoint");
	packet[0] = 'z';
	must(packet, "OK", "watchpoint not removed");
	printf("gdb: watchpoint\n");
}

/*
 * The stub stops the machine as soon as somebody connects, and may report that
 * unasked: whatever it says within half a second is read and forgotten.
 */
static void settle(void)
{
	struct timeval limit = { .tv_usec = 500000 };
	char junk[256];

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	while (read(fd, junk, sizeof(junk)) > 0)
		;
	limit = (struct timeval){ .tv_sec = 30 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

int main(int argc, char **argv)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 6)
		return 2;
	strncpy(to.sun_path, argv[1], sizeof(to.sun_path) - 1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("cannot connect");
	settle();
	must("?", "T", "no stop reason");
	read_text(strtoull(argv[3], NULL, 16), argv[4]);
	steps();
	if (argc > 6) {
		break_with(0, strtoull(argv[2], NULL, 16));
		break_with(1, strtoull(argv[2], NULL, 16));
		watch(strtoull(argv[5], NULL, 16));
	}
	must("D", "OK", "not detached");
	printf("gdb: done\n");
	return 0;
}
