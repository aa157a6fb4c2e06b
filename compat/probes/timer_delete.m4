dnl SPDX-License-Identifier: GPL-2.0-only
dnl timer_delete(): the new name of del_timer().
dnl Linux 6.2, "timers: Rename del_timer() to timer_delete()"; in 6.1 stable.
KVM_PROBE([TIMER_DELETE], [[#include <linux/timer.h>]],
[[	timer_delete(NULL);]])
