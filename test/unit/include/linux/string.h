/* SPDX-License-Identifier: GPL-2.0-only */
/* User space's stand-in for the kernel's header. */
#ifndef TEST_UNIT_LINUX_STRING_H
#define TEST_UNIT_LINUX_STRING_H

#include <string.h>

#endif
