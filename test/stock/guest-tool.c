// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a stock guest does that a shell is too slow or too coarse for: forks,
 * sleeps, ticks, and clocks compared between CPUs. Runs in the guest; knows
 * nothing of its host.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* Each child executes a program, and must come back with its own status. */
static int forks(int count)
{
	int i, status, bad = 0;
	pid_t *pids = calloc(count, sizeof(*pids));
	char text[16];

	for (i = 0; i < count; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			snprintf(text, sizeof(text), "exit %d", i % 100);
			execl("/bin/busybox", "sh", "-c", text, NULL);
			_exit(127);
		}
		/* Ten at a time, so that a guest of 128M has room for them. */
		if (i >= 10)
			bad += waitpid(pids[i - 10], &status, 0) < 0 ||
			       !WIFEXITED(status) || WEXITSTATUS(status) != (i - 10) % 100;
	}
	for (i = count > 10 ? count - 10 : 0; i < count; i++)
		bad += waitpid(pids[i], &status, 0) < 0 ||
		       !WIFEXITED(status) || WEXITSTATUS(status) != i % 100;
	if (bad)
		printf("guest: forks-bad %d\n", bad);
	return bad != 0;
}

/* A second, and how many microseconds it took by this clock. */
static int sleep_once(void)
{
	struct timespec second = { .tv_sec = 1 };
	long long start = now_ns();

	nanosleep(&second, NULL);
	printf("guest: slept %lld\n", (now_ns() - start) / 1000);
	return 0;
}

/* A line a tenth of a second, from a counter that lives in memory only. */
static int tick(int count)
{
	struct timespec tenth = { .tv_nsec = 100000000 };
	int i;

	for (i = 0; i < count; i++) {
		printf("guest: tick %d\n", i);
		nanosleep(&tenth, NULL);
		getppid();
	}
	return 0;
}

/*
 * One thread per CPU takes turns, in the order of a lock, at reading the
 * clock: nobody may read less than the one before.
 */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static long long latest, until, reads, back, worst;

static void *reader(void *cpu)
{
	cpu_set_t set;
	long long now;
	int i;

	CPU_ZERO(&set);
	CPU_SET((long)cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	do {
		for (i = 0; i < 100; i++) {
			pthread_mutex_lock(&turn);
			now = now_ns();
			reads++;
			if (now < latest) {
				back++;
				if (latest - now > worst)
					worst = latest - now;
			} else {
				latest = now;
			}
			pthread_mutex_unlock(&turn);
			sched_yield();
		}
	} while (now < until);
	return NULL;
}

static int clocks(int seconds)
{
	long i, cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t *threads = calloc(cpus, sizeof(*threads));

	until = now_ns() + seconds * 1000000000LL;
	for (i = 0; i < cpus; i++)
		if (pthread_create(&threads[i], NULL, reader, (void *)i))
			return 1;
	for (i = 0; i < cpus; i++)
		pthread_join(threads[i], NULL);
	printf("guest: clock reads %lld back %lld worst-ns %lld\n", reads, back, worst);
	return back != 0;
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "forks"))
		return forks(n);
	if (argc == 2 && !strcmp(argv[1], "sleep"))
		return sleep_once();
	if (argc == 3 && !strcmp(argv[1], "tick"))
		return tick(n);
	if (argc == 3 && !strcmp(argv[1], "clock"))
		return clocks(n);
	fprintf(stderr, "usage: guest-tool forks N|sleep|tick N|clock N\n");
	return 2;
}
