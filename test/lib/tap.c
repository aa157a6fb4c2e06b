// SPDX-License-Identifier: GPL-2.0-only
/*
 * The main() of every test program: runs each TEST() in a child of its own,
 * under a time limit, and prints TAP.
 *
 * Usage: PROGRAM [-l] [-v] [-f] [WORD]...
 *   -l lists the tests, -v shows notes of passed tests too, -f runs without
 *   a child (for gdb or strace); WORDs select tests by number or substring.
 *   TAP_SLOW=N in the environment makes all time limits N times as long, for
 *   hosts that are slow: a debug kernel in an emulator.
 */
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define DEFAULT_SECONDS	30
#define EXIT_SKIP	77
#define TIMED_TRIES	3

static struct tap_test *tests, **tests_tail = &tests;
static int nr_tests;
static bool no_fork;

/* Written by the child, read by the parent when the child is gone. */
static struct {
	bool failed;
	unsigned int len;
	char skip[256];
	char notes[16384];
} *shared;

void tap_register(struct tap_test *t)
{
	*tests_tail = t;
	tests_tail = &t->next;
	nr_tests++;
}

static void add_note(const char *prefix, const char *fmt, va_list ap)
{
	char line[1024];
	unsigned int n, room;

	n = snprintf(line, sizeof(line), "# %s", prefix);
	n += vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	room = sizeof(shared->notes) - shared->len;
	if (n > room)
		n = room;
	memcpy(shared->notes + shared->len, line, n);
	shared->len += n;
	if (no_fork)
		fwrite(line, 1, n, stdout);
}

void tap_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_note("", fmt, ap);
	va_end(ap);
}

static void vfail(const char *file, int line, const char *fmt, va_list ap)
{
	char where[128];
	const char *base = strrchr(file, '/');

	snprintf(where, sizeof(where), "%s:%d: ", base ? base + 1 : file, line);
	add_note(where, fmt, ap);
	shared->failed = true;
}

void tap_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfail(file, line, fmt, ap);
	va_end(ap);
}

void tap_die(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfail(file, line, fmt, ap);
	va_end(ap);
	_exit(1);
}

void tap_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(shared->skip, sizeof(shared->skip), fmt, ap);
	va_end(ap);
	_exit(EXIT_SKIP);
}

bool tap_failed(void)
{
	return shared->failed;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Wait for @pid; returns false if the limit passed and it was killed. */
static bool wait_limited(pid_t pid, unsigned int seconds, int *status)
{
	struct timespec limit = { .tv_sec = seconds };
	bool in_time = true;
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	while (waitpid(pid, status, WNOHANG) == 0) {
		if (sigtimedwait(&chld, NULL, &limit) < 0 && errno == EAGAIN) {
			in_time = false;
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			waitpid(pid, status, 0);
			break;
		}
	}
	kill(-pid, SIGKILL);	/* what the test itself left behind */
	return in_time;
}

static unsigned int limit_of(const struct tap_test *t)
{
	const char *slow = getenv("TAP_SLOW");
	unsigned int seconds = t->seconds ? t->seconds : DEFAULT_SECONDS;
	int factor = slow ? atoi(slow) : 1;

	return factor > 1 ? seconds * factor : seconds;
}

enum outcome { PASSED, SKIPPED, FAILED };

/* @status: of the child; @in_time: false if it had to be killed. */
static enum outcome try_once(struct tap_test *t, unsigned int seconds, int *status,
			     bool *in_time)
{
	sigset_t chld, old;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	*status = 0;
	*in_time = true;
	fflush(stdout);
	if (no_fork) {
		t->fn();
		return shared->failed ? FAILED : PASSED;
	}

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &old);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(1);
	}
	if (!pid) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		setpgid(0, 0);
		t->fn();
		_exit(shared->failed);
	}
	setpgid(pid, pid);
	*in_time = wait_limited(pid, seconds, status);
	sigprocmask(SIG_SETMASK, &old, NULL);

	if (!*in_time || !WIFEXITED(*status) || shared->failed)
		return FAILED;
	switch (WEXITSTATUS(*status)) {
	case 0:
		return PASSED;
	case EXIT_SKIP:
		return SKIPPED;
	default:
		return FAILED;
	}
}

static bool run_one(struct tap_test *t, int nr, bool verbose)
{
	unsigned int seconds = limit_of(t);
	int status, tries = t->timed ? TIMED_TRIES : 1;
	enum outcome outcome;
	double start = now();
	bool in_time;

	while ((outcome = try_once(t, seconds, &status, &in_time)) == FAILED && --tries) {
		printf("# %s: not in time; once more\n", t->words);
		fwrite(shared->notes, 1, shared->len, stdout);
	}
	printf("%s %d - %s", outcome == FAILED ? "not ok" : "ok", nr, t->words);
	if (outcome == SKIPPED)
		printf(" # SKIP %s", shared->skip);
	else if (outcome == FAILED || verbose)
		printf(" # %.1f s", now() - start);
	putchar('\n');
	if (outcome == FAILED || verbose)
		fwrite(shared->notes, 1, shared->len, stdout);
	if (!in_time)
		printf("# not done after %u s: killed (%s:%d)\n", seconds,
		       t->file, t->line);
	else if (WIFSIGNALED(status))
		printf("# killed by signal %d, %s (%s:%d)\n", WTERMSIG(status),
		       strsignal(WTERMSIG(status)), t->file, t->line);
	fflush(stdout);
	return outcome != FAILED;
}

static bool selected(struct tap_test *t, int nr, int argc, char **argv)
{
	char *end;

	if (argc == 0)
		return true;
	for (int i = 0; i < argc; i++) {
		long n = strtol(argv[i], &end, 10);

		if (!*end ? n == nr : !!strstr(t->words, argv[i]))
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	bool verbose = false, list = false, all_ok = true;
	struct tap_test *t;
	int opt, nr = 0;

	while ((opt = getopt(argc, argv, "lvf")) != -1) {
		switch (opt) {
		case 'l':
			list = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'f':
			no_fork = true;
			break;
		default:
			return 2;
		}
	}
	argc -= optind;
	argv += optind;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	if (list) {
		for (t = tests; t; t = t->next)
			printf("%d %s\n", ++nr, t->words);
		return 0;
	}
	if (argc == 0)
		printf("1..%d\n", nr_tests);
	for (t = tests; t; t = t->next) {
		nr++;
		if (selected(t, nr, argc, argv))
			all_ok &= run_one(t, nr, verbose);
	}
	return all_ok ? 0 : 1;
}
