/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place where the emulator meets the world it is built in: fixed
 * width integers, bool, memcpy and a 64 bit division. The kernel supplies these
 * three headers; a user-space build puts its own small ones of the same names
 * first in the include path (test/unit/include). Nothing else is included from
 * outside this directory.
 */
#ifndef ARCH_X86_EMULATOR_TYPES_H
#define ARCH_X86_EMULATOR_TYPES_H

#include <linux/types.h>
#include <linux/string.h>
#include <linux/math64.h>

#endif
