dnl SPDX-License-Identifier: GPL-2.0-only
dnl vma_lookup(): the VMA that an address is in, or none.
dnl Linux 5.14, "mm: add vma_lookup(), update find_vma_intersection() comments".
KVM_PROBE([VMA_LOOKUP], [[#include <linux/mm.h>]],
[[	(void)vma_lookup(NULL, 0);]])
