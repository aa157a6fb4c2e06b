dnl SPDX-License-Identifier: GPL-2.0-only
dnl FOLL_INTERRUPTIBLE: any signal ends the wait for a page.
dnl Linux 6.2, "mm/gup: Add FOLL_INTERRUPTIBLE".
KVM_PROBE([FOLL_INTERRUPTIBLE], [[#include <linux/mm.h>]],
[[	int f = FOLL_INTERRUPTIBLE;
	(void)f;]])
KVM_WITHOUT([FOLL_INTERRUPTIBLE], [waits for pages that any signal ends (only fatal ones do)], [the kernel has no FOLL_INTERRUPTIBLE])
