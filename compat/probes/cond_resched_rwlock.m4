dnl SPDX-License-Identifier: GPL-2.0-only
dnl cond_resched_rwlock_read(), _write() and rwlock_needbreak().
dnl Linux 5.12, "sched: Add cond_resched_rwlock".
KVM_PROBE([COND_RESCHED_RWLOCK], [[#include <linux/sched.h>
#include <linux/spinlock.h>]],
[[	(void)(rwlock_needbreak((rwlock_t *)0) || cond_resched_rwlock_write((rwlock_t *)0));]])
