dnl SPDX-License-Identifier: GPL-2.0-only
dnl kvzalloc() and kvfree() are in linux/slab.h.
dnl Linux 5.16, "mm: move kvmalloc-related functions to slab.h".
KVM_PROBE([KVZALLOC_IN_SLAB], [[#include <linux/slab.h>]],
[[	kvfree(kvzalloc(1, GFP_KERNEL));]])
