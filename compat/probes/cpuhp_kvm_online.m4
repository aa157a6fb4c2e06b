dnl SPDX-License-Identifier: GPL-2.0-only
dnl CPUHP_AP_KVM_ONLINE: virtualization is turned on in a state that may sleep and fail.
dnl Linux 6.4, "KVM: Rename and move CPUHP_AP_KVM_STARTING to ONLINE section".
KVM_PROBE([CPUHP_KVM_ONLINE], [[#include <linux/cpuhotplug.h>]],
[[	int s = CPUHP_AP_KVM_ONLINE;
	(void)s;]])
