dnl SPDX-License-Identifier: GPL-2.0-only
dnl struct fpu_guest and fpu_alloc_guest_fpstate(): the kernel swaps a guest's FPU.
dnl Linux 5.17, "x86/fpu: Replace KVMs home brewed FPU copy to user" and the series
dnl around it.
KVM_PROBE([FPU_GUEST], [[#include <asm/fpu/api.h>
#include <asm/fpu/types.h>]],
[[	struct fpu_guest g = {};
	(void)fpu_alloc_guest_fpstate(&g);]])
KVM_WITHOUT([FPU_GUEST], [AMX in guests], [the kernel does not know XFD])
