dnl SPDX-License-Identifier: GPL-2.0-only
dnl vtime_account_guest_enter(), context_tracking_guest_enter(): time and context apart.
dnl Linux 5.18, "kvm: add guest_state_{enter,exit}_irqoff()".
KVM_PROBE([GUEST_TIMING], [[#include <linux/vtime.h>
#include <linux/context_tracking.h>]],
[[	vtime_account_guest_enter();
	(void)context_tracking_guest_enter();]])
