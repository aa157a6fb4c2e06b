dnl SPDX-License-Identifier: GPL-2.0-only
dnl hrtimer_setup(): takes the function too; hrtimer_init() is gone in 6.16.
dnl Linux 6.13, "hrtimers: Introduce hrtimer_setup() to replace hrtimer_init()".
KVM_PROBE([HRTIMER_SETUP], [[#include <linux/hrtimer.h>]],
[[	struct hrtimer t;
	hrtimer_setup(&t, NULL, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);]])
