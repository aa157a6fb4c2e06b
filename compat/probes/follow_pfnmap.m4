dnl SPDX-License-Identifier: GPL-2.0-only
dnl follow_pfnmap_start(): the page table walk for raw pfn mappings, of any size.
dnl Linux 6.12, "mm: new follow_pfnmap API".
KVM_PROBE([FOLLOW_PFNMAP], [[#include <linux/mm.h>]],
[[	struct follow_pfnmap_args a = {};
	(void)follow_pfnmap_start(&a);]])
