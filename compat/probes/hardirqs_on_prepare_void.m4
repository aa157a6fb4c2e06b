dnl SPDX-License-Identifier: GPL-2.0-only
dnl lockdep_hardirqs_on_prepare(void): no longer takes the caller's address.
dnl Linux 5.18, "lockdep: Fix -Wunused-parameter for _THIS_IP_".
KVM_PROBE([HARDIRQS_ON_PREPARE_VOID], [[#include <linux/irqflags.h>]],
[[	lockdep_hardirqs_on_prepare();]])
