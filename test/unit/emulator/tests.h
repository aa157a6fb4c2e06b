/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the emulator's test share: options and TAP output.
 */
#ifndef TEST_UNIT_EMULATOR_TESTS_H
#define TEST_UNIT_EMULATOR_TESTS_H

#include "arch-x86/emulator/types.h"

/**
 * struct test_options - how much to do
 * @seed: first seed of random parts.
 * @cases: run so many random cases (0: for @seconds).
 * @seconds: time limit of each random part.
 * @verbose: progress.
 * @jobs: processes among which differential cases are divided.
 * @full: all encodings instead of random ones.
 * @lab: the CPU is the lab's: leave out what that is known to do wrong.
 */
struct test_options {
	u64 seed, cases;
	double seconds;
	bool verbose, full, lab;
	unsigned int jobs;
};

/**
 * test_result - one line of TAP
 * @ok: passed.
 * @format: what was tested.
 */
void test_result(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * test_skip - a test that can't run here
 * @what: what, and why.
 */
void test_skip(const char *what);

/**
 * test_diff - random instructions, against this CPU
 * @options: how much.
 * @bits: 64, 32 or 16 bit mode.
 */
void test_diff(const struct test_options *options, unsigned int bits);

/**
 * test_length - random bytes, against libzydis: length and validity
 * @options: how much.
 * @bits: 64, 32 or 16 bit mode.
 */
void test_length(const struct test_options *options, unsigned int bits);

/**
 * test_fuzz - random bytes in all modes, for the sanitizers
 * @options: how much.
 */
void test_fuzz(const struct test_options *options);

/**
 * fuzz_case - one case of test_fuzz()
 * @seed: decides the machine, and what of the code isn't given.
 * @code: the first bytes of the instruction.
 * @len: how many, at most 16; 0: all follow from the seed.
 *
 * Return: false if something was left half done.
 */
bool fuzz_case(u64 seed, const u8 *code, unsigned int len);

/**
 * diff_init - make ready for diff_case()
 * @bits: 64, 32 or 16 bit mode.
 *
 * Return: false if this machine can't: no AVX2, or no such mode for a process.
 */
bool diff_init(unsigned int bits);

/**
 * diff_case - one case of test_diff()
 * @seed: decides registers and memory, and what of the code isn't given.
 * @code: the instruction's bytes.
 * @len: how many, at most 16; 0: they follow from the seed.
 *
 * Return: false if emulator and CPU differ; it has been printed.
 */
bool diff_case(u64 seed, const u8 *code, unsigned int len);

/**
 * test_directed - cases by hand: what a process can't run natively
 */
void test_directed(void);

#endif
