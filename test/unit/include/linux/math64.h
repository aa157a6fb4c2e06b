/* SPDX-License-Identifier: GPL-2.0-only */
/* User space's stand-in for the kernel's header. */
#ifndef TEST_UNIT_LINUX_MATH64_H
#define TEST_UNIT_LINUX_MATH64_H

#include <linux/types.h>

static inline u64 div64_u64_rem(u64 dividend, u64 divisor, u64 *remainder)
{
	*remainder = dividend % divisor;
	return dividend / divisor;
}

#endif
