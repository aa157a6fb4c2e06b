/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a walk of the guest's page tables is asked, and what it depends on.
 */
#ifndef ARCH_X86_MMU_WALK_MODE_H
#define ARCH_X86_MMU_WALK_MODE_H

#include <linux/bits.h>
#include <linux/types.h>

/* Access asked for in a guest walk. */
#define X86_ACC_READ	0
#define X86_ACC_WRITE	BIT(1)		/* = PFERR_WRITE */
#define X86_ACC_USER	BIT(2)		/* = PFERR_USER */
#define X86_ACC_FETCH	BIT(4)		/* = PFERR_FETCH */
#define X86_ACC_IMPLICIT BIT(8)		/* implicit supervisor access (SMAP ignores AC) */

/* How the guest's tables are to be read. */
struct x86_walk_mode {
	u8 level;		/* 0 (paging off), 2, 3 (PAE), 4, 5 */
	bool pae, wp, nx, smep, smap, pse, pke;
	bool gbpages;		/* 1 GiB pages: PS is not reserved in a PDPTE */
	bool amd;		/* what AMD reserves and Intel ignores */
	u8 maxphyaddr;
};

#endif
