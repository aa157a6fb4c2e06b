dnl SPDX-License-Identifier: GPL-2.0-only
dnl pmd_leaf() and pud_leaf(), once pmd_large() and pud_large().
dnl Linux 5.7, "mm: add generic p?d_leaf() macros"; complete on x86 since 6.9.
KVM_PROBE([PMD_LEAF], [[#include <linux/mm.h>
#include <linux/pgtable.h>]],
[[	(void)(pmd_leaf((pmd_t){ }) || pud_leaf((pud_t){ }));]])
