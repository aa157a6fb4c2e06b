dnl SPDX-License-Identifier: GPL-2.0-only
dnl get_unaligned_le32() and the like in linux/.
dnl Linux 6.12, "move asm/unaligned.h to linux/unaligned.h".
KVM_PROBE([UNALIGNED_HEADER], [[#include <linux/unaligned.h>]], [[]])
