dnl SPDX-License-Identifier: GPL-2.0-only
dnl unsafe_try_cmpxchg_user(): compare and exchange in user memory.
dnl Linux 5.18, "x86/uaccess: Implement macros for CMPXCHG on user addresses".
KVM_PROBE([UNSAFE_TRY_CMPXCHG_USER], [[#include <linux/uaccess.h>]],
[[	u32 old = 0;
	(void)unsafe_try_cmpxchg_user((u32 __user *)0, &old, 1, out);
out:;]])
