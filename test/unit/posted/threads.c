// SPDX-License-Identifier: GPL-2.0-only
/*
 * The posted-interrupt descriptor between real threads, with real barriers: what is posted
 * is taken once, and a poster who need not notify has somebody else's notification. For
 * ThreadSanitizer, too.
 */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint8_t u8;
typedef uint32_t u32;
#define BITS_PER_LONG	64
#define BIT(n)		(1UL << (n))
#define __aligned(n)	__attribute__((__aligned__(n)))
#define READ_ONCE(x)	__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define xchg(p, v)	__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define smp_mb__after_atomic() ((void)0)	/* a locked instruction is one */

/* 32 bits of ON are a word of their own here: no other part of it is written. */
static bool test_and_set_bit(unsigned int n, unsigned long *p)
{
	return __atomic_fetch_or((u32 *)p + n / 32, 1u << n % 32, __ATOMIC_SEQ_CST) >> n % 32 & 1;
}

static void clear_bit(unsigned int n, unsigned long *p)
{
	__atomic_fetch_and((u32 *)p + n / 32, ~(1u << n % 32), __ATOMIC_SEQ_CST);
}

#include "arch-x86/irqchip/posted.h"

#define POSTERS	3
#define ROUNDS	20000

static struct x86_posted posted;
static long notifications;		/* sent, not yet received */
static long added[POSTERS][256], taken[256];
static int running = POSTERS;

static void *poster(void *arg)
{
	long me = (long)arg;
	unsigned int seed = me + 1;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		u8 vec;

		seed = seed * 1103515245 + 12345;
		vec = seed >> 16;
		if (!x86_posted_add(&posted, vec)) {
			sched_yield();
			continue;
		}
		added[me][vec]++;
		if (x86_posted_ask(&posted))
			__atomic_fetch_add(&notifications, 1, __ATOMIC_SEQ_CST);
	}
	__atomic_fetch_sub(&running, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void take(void)
{
	unsigned int i;

	x86_posted_begin(&posted);
	for (i = 0; i < 4; i++) {
		unsigned long word = x86_posted_take(&posted, i);

		for (; word; word &= word - 1)
			taken[i * 64 + __builtin_ctzl(word)]++;
	}
}

int main(void)
{
	pthread_t thread[POSTERS];
	bool ok = true, last;
	long i, n, v, rounds = 0;

	for (i = 0; i < POSTERS; i++)
		pthread_create(&thread[i], NULL, poster, (void *)i);
	/* Only when notified: nothing may be left when nobody notifies any more. */
	do {
		last = !__atomic_load_n(&running, __ATOMIC_SEQ_CST);
		while (__atomic_exchange_n(&notifications, 0, __ATOMIC_SEQ_CST)) {
			take();
			rounds++;
		}
	} while (!last);
	for (i = 0; i < POSTERS; i++)
		pthread_join(thread[i], NULL);
	if (x86_posted_outstanding(&posted))
		ok = false;
	for (v = 0; v < 256; v++) {
		for (n = i = 0; i < POSTERS; i++)
			n += added[i][v];
		if (n != taken[v]) {
			printf("# vector %#lx: posted %ld times, taken %ld times\n", v, n, taken[v]);
			ok = false;
		}
	}
	printf("1..1\n%s 1 - threads: what is posted is taken once, in %ld notifications\n",
	       ok ? "ok" : "not ok", rounds);
	return !ok;
}
