dnl SPDX-License-Identifier: GPL-2.0-only
dnl xfer_to_guest_mode_prepare(): wakes deferred RCU work before a guest is entered.
dnl Linux 5.12, "entry/kvm: Explicitly flush pending rcuog wakeup before last rescheduling point".
KVM_PROBE([XFER_PREPARE], [[#if __has_include(<linux/entry-virt.h>)
#include <linux/entry-virt.h>
#else
#include <linux/entry-kvm.h>
#endif]],
[[	xfer_to_guest_mode_prepare();]])
