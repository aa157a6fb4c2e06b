dnl SPDX-License-Identifier: GPL-2.0-only
dnl register_syscore(): an object with operations and data.
dnl Linux 6.19, "syscore: Pass context data to callbacks"; in 6.12 stable.
KVM_PROBE([REGISTER_SYSCORE], [[#include <linux/syscore_ops.h>]],
[[	register_syscore((struct syscore *)0);]])
