/* SPDX-License-Identifier: GPL-2.0-only */
/* Our copy of the ABI header wants one number that only the kernel knows. */
#ifndef COMPAT_LINUX_KVM_H
#define COMPAT_LINUX_KVM_H

#define KVM_STATS_NAME_SIZE	48
#include_next <linux/kvm.h>

#endif
