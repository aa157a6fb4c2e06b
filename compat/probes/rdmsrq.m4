dnl SPDX-License-Identifier: GPL-2.0-only
dnl rdmsrq() and its family: the new names of rdmsrl() and its family.
dnl Linux 6.16, "x86/msr: Rename 'rdmsrl()' to 'rdmsrq()'".
KVM_PROBE([RDMSRQ], [[#include <asm/msr.h>]],
[[	u64 v;
	rdmsrq(MSR_EFER, v);
	(void)v;]])
