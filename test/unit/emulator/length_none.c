// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stands in for length.c where libzydis isn't installed.
 */
#include "tests.h"

void test_length(const struct test_options *options, unsigned int bits)
{
	test_skip("decode: libzydis-dev is not installed");
}
