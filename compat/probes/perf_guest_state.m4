dnl SPDX-License-Identifier: GPL-2.0-only
dnl perf_guest_info_callbacks.state: one question instead of two.
dnl Linux 5.17, "perf: Add wrappers for invoking guest callbacks".
KVM_PROBE([PERF_GUEST_STATE], [[#include <linux/perf_event.h>
static unsigned int state(void) { return PERF_GUEST_ACTIVE; }
static struct perf_guest_info_callbacks cbs = { .state = state };]],
[[	perf_register_guest_info_callbacks(&cbs);]])
