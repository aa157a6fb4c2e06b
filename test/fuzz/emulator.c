// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer on the emulator, under the address and undefined-behaviour sanitizers:
 * coverage finds the bytes, a seed among them decides the machine around. Each
 * input runs in all modes on a machine of arrays; and in 64 bit mode on this
 * machine's CPU, too, which must do the same.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests.h"

static bool native;

/* The unit test's; here nobody reads TAP. */
void test_result(bool ok, const char *format, ...)
{
}

void test_skip(const char *what)
{
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	native = diff_init(64);
	if (!native)
		fprintf(stderr, "no AVX2: the emulator isn't compared with this CPU\n");
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	unsigned int len;
	u32 seed;

	if (size <= sizeof(seed))
		return -1;
	memcpy(&seed, data, sizeof(seed));
	data += sizeof(seed);
	size -= sizeof(seed);
	len = size > 16 ? 16 : size;
	if (!fuzz_case(seed, data, len) || (native && !diff_case(seed, data, len))) {
		fflush(stdout);
		abort();
	}
	return 0;
}
