/* SPDX-License-Identifier: GPL-2.0-only */
/* User space's stand-in for the kernel's header: only what pure rooms need. */
#ifndef TEST_UNIT_LINUX_TYPES_H
#define TEST_UNIT_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As the kernel has them: 64 bits are long long everywhere. */
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;

#endif
