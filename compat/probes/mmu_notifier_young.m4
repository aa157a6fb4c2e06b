dnl SPDX-License-Identifier: GPL-2.0-only
dnl The *_young operations of an MMU notifier return bool.
dnl Linux 7.2, "mm/mmu_notifier: make the young operations return bool".
KVM_PROBE([MMU_NOTIFIER_YOUNG_BOOL], [[#include <linux/mmu_notifier.h>
static bool young(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long a) { return false; }
static const struct mmu_notifier_ops ops = { .test_young = young };]],
[[	(void)ops;]])
