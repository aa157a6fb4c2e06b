dnl SPDX-License-Identifier: GPL-2.0-only
dnl x86_spec_ctrl_set_guest() takes VIRT_SPEC_CTRL only: SPEC_CTRL is switched by
dnl assembly.
dnl Linux 6.0, "x86/speculation: Remove x86_spec_ctrl_mask"; 5.10 stable has the old form.
KVM_PROBE([VIRT_SPEC_CTRL_2], [[#include <asm/spec-ctrl.h>]],
[[	x86_spec_ctrl_set_guest(0ULL);]])
