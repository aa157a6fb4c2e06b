/* SPDX-License-Identifier: GPL-2.0-only */
/* cpuid_eax() and the like: in asm/processor.h, then asm/cpuid.h, before 6.16. */
#ifndef COMPAT_ASM_CPUID_API_H
#define COMPAT_ASM_CPUID_API_H

#if __has_include_next(<asm/cpuid/api.h>)
#include_next <asm/cpuid/api.h>
#elif __has_include(<asm/cpuid.h>)
#include <asm/cpuid.h>
#include <asm/processor.h>
#else
#include <asm/processor.h>
#endif

#endif
