dnl SPDX-License-Identifier: GPL-2.0-only
dnl rcu_virt_note_context_switch(void): no longer takes the CPU.
dnl Linux 6.2, "rcu: Remove the unused cpu argument of rcu_virt_note_context_switch()".
KVM_PROBE([RCU_VIRT_VOID], [[#include <linux/rcupdate.h>]],
[[	rcu_virt_note_context_switch();]])
