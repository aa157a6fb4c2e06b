/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TAP output for test programs. A program is a set of TEST()s; each runs in a
 * child process of its own with a time limit, so that a crash, a hang or a
 * leftover of one cannot colour the next, and prints one TAP line in plain
 * words. What a failed check saw follows as "# " lines.
 *
 * Knows nothing of KVM.
 */
#ifndef TEST_LIB_TAP_H
#define TEST_LIB_TAP_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

struct tap_test {
	const char *words;	/* what is tested, for a reader who knows KVM */
	void (*fn)(void);
	unsigned int seconds;	/* time limit; 0 means the default */
	bool timed;		/* judges the clock: see TEST_TIMED() */
	const char *file;
	int line;
	struct tap_test *next;
};

/**
 * tap_register() - add a test to the program; called by TEST() only.
 * @t: static storage.
 *
 * Tests run in the order of registration, which is the order in the file.
 */
void tap_register(struct tap_test *t);

/**
 * tap_note() - a "# " line after the result of the running test.
 * @fmt: as printf.
 */
void tap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * tap_fail() - note a failed check; the test goes on, and will be "not ok".
 */
void tap_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * tap_die() - as tap_fail(), and end the test here.
 */
void tap_die(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));

/**
 * tap_skip() - end the test as "ok ... # SKIP why".
 */
void tap_skip(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/**
 * tap_failed() - true once a check of the running test has failed.
 */
bool tap_failed(void);

#define TEST_DEFINE(id, text, ...)					\
	static void test_##id(void);					\
	static struct tap_test tap_##id = {				\
		.words = text, .fn = test_##id, __VA_ARGS__,		\
		.file = __FILE__, .line = __LINE__,			\
	};								\
	static void __attribute__((constructor)) tap_reg_##id(void)	\
	{								\
		tap_register(&tap_##id);				\
	}								\
	static void test_##id(void)

/* TEST(id, "in plain words") { body } */
#define TEST(id, text)	TEST_DEFINE(id, text, .seconds = 0)
#define TEST_LIMIT(id, limit, text)	TEST_DEFINE(id, text, .seconds = limit)
/*
 * A test that says how long something may take. A host that is busy can stop any
 * thread for long at any place, so it has three tries and says so: a clock that
 * is wrong fails them all.
 */
#define TEST_TIMED(id, text)	TEST_DEFINE(id, text, .timed = true)

/* ASSERT ends the test, EXPECT goes on. */
#define ASSERT(cond, ...)	do {					\
	if (!(cond))							\
		tap_die(__FILE__, __LINE__, #cond " is false"		\
			TAP_MORE(__VA_ARGS__));				\
} while (0)
#define EXPECT(cond, ...)	do {					\
	if (!(cond))							\
		tap_fail(__FILE__, __LINE__, #cond " is false"		\
			 TAP_MORE(__VA_ARGS__));			\
} while (0)
#define TAP_MORE(...)	TAP_MORE_(__VA_ARGS__)
#define TAP_MORE_(...)	__VA_OPT__(": " TAP_FIRST(__VA_ARGS__, ~) TAP_REST(__VA_ARGS__))
#define TAP_FIRST(a, ...)	a
#define TAP_REST(a, ...)	__VA_OPT__(, __VA_ARGS__)

#define EXPECT_EQ(a, b)	do {						\
	u64 a_ = (u64)(a), b_ = (u64)(b);				\
	if (a_ != b_)							\
		tap_fail(__FILE__, __LINE__,				\
			 "%s is 0x%llx, expected 0x%llx (%s)", #a,	\
			 (unsigned long long)a_,			\
			 (unsigned long long)b_, #b);			\
} while (0)
#define ASSERT_EQ(a, b)	do {						\
	u64 a_ = (u64)(a), b_ = (u64)(b);				\
	if (a_ != b_)							\
		tap_die(__FILE__, __LINE__,				\
			"%s is 0x%llx, expected 0x%llx (%s)", #a,	\
			(unsigned long long)a_,				\
			(unsigned long long)b_, #b);			\
} while (0)

/* A call that must fail with exactly this errno. */
#define EXPECT_ERRNO(call, err)	do {					\
	long r_;							\
	errno = 0;							\
	r_ = (long)(call);						\
	if (r_ != -1 || errno != (err))					\
		tap_fail(__FILE__, __LINE__,				\
			 "%s: returned %ld (%s), expected -1 (%s)",	\
			 #call, r_, r_ == -1 ? strerrorname_np(errno) : \
			 "no error", strerrorname_np(err));		\
} while (0)
/* A call that must not fail. */
#define EXPECT_OK(call)	do {						\
	errno = 0;							\
	if ((long)(call) < 0)						\
		tap_fail(__FILE__, __LINE__, "%s failed: %s", #call,	\
			 strerrorname_np(errno));			\
} while (0)
#define ASSERT_OK(call)	({						\
	long r_;							\
	errno = 0;							\
	r_ = (long)(call);						\
	if (r_ < 0)							\
		tap_die(__FILE__, __LINE__, "%s failed: %s", #call,	\
			strerrorname_np(errno));			\
	r_;								\
})

#endif
