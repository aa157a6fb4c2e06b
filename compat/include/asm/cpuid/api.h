/* SPDX-License-Identifier: GPL-2.0-only */
/* cpuid_eax() and the like: in asm/processor.h, or in what that includes, before 6.16. */
#ifndef COMPAT_ASM_CPUID_API_H
#define COMPAT_ASM_CPUID_API_H

#include <compat/config.h>

#ifdef HAVE_CPUID_API_HEADER
#include_next <asm/cpuid/api.h>
#else
#include <asm/processor.h>
#endif

#endif
