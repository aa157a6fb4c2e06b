dnl SPDX-License-Identifier: GPL-2.0-only
dnl WQ_PERCPU: the default said out loud.
dnl Linux 6.17, "workqueue: Add WQ_PERCPU to alloc_workqueue() users"; in 6.12 stable.
KVM_PROBE([WQ_PERCPU], [[#include <linux/workqueue.h>]],
[[	int f = WQ_PERCPU;
	(void)f;]])
