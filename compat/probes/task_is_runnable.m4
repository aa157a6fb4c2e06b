dnl SPDX-License-Identifier: GPL-2.0-only
dnl task_is_runnable(): on a run queue, and not only until its lag has run out.
dnl Linux 6.12, "sched: Fix delayed_dequeue vs switched_from_fair()".
KVM_PROBE([TASK_IS_RUNNABLE], [[#include <linux/sched.h>]],
[[	(void)task_is_runnable((struct task_struct *)0);]])
