/* SPDX-License-Identifier: GPL-2.0-only */
/* What arch-x86/mmu/spte.h and vendor-vmx/vmcs.h want of the kernel's linux/bits.h. */
#ifndef TEST_UNIT_SPTE_SHIM_H
#define TEST_UNIT_SPTE_SHIM_H

#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define GENMASK(h, l)		((~0UL >> (63 - (h))) & (~0UL << (l)))
#define GENMASK_ULL(h, l)	((~0ULL >> (63 - (h))) & (~0ULL << (l)))

#endif
