dnl SPDX-License-Identifier: GPL-2.0-only
dnl cpuid_eax() and the like in a header of their own.
dnl Linux 6.16, "x86/cpuid: Refactor <asm/cpuid.h>".
KVM_PROBE([CPUID_API_HEADER], [[#include <asm/cpuid/api.h>]], [[]])
