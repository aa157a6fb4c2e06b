dnl SPDX-License-Identifier: GPL-2.0-only
dnl get_user_pages_remote() no longer hands out VMAs.
dnl Linux 6.5, "mm/gup: remove vmas parameter from get_user_pages_remote()".
KVM_PROBE([GUP_REMOTE_NO_VMAS], [[#include <linux/mm.h>]],
[[	(void)get_user_pages_remote(NULL, 0, 1, 0, (struct page **)0, (int *)0);]])
