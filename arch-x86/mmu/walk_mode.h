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

/* Bits of the guest's page table entries, in all modes that have them (SDM 3A 4.3 to 4.5). */
#define GPTE_PRESENT	BIT_ULL(0)
#define GPTE_WRITE	BIT_ULL(1)
#define GPTE_USER	BIT_ULL(2)
#define GPTE_ACCESSED	BIT_ULL(5)
#define GPTE_DIRTY	BIT_ULL(6)
#define GPTE_LARGE	BIT_ULL(7)
#define GPTE_NX		BIT_ULL(63)
#define GPTE_PKEY_SHIFT	59

/* Bytes of an entry of the guest's. */
static inline unsigned int x86_gpte_size(const struct x86_walk_mode *m)
{
	return m->level == 2 ? 4 : 8;
}

/**
 * x86_gpte_is_leaf() - does a present entry of the guest's name a page (not a table)?
 * @m: mode
 * @level: of the table that it is in, 1 to 5
 * @entry: the entry
 */
bool x86_gpte_is_leaf(const struct x86_walk_mode *m, int level, u64 entry);

/**
 * x86_gpte_reserved() - bits that must be 0 in a present entry (SDM 3A 4.3 to 4.5,
 *	APM 2 5.2, 5.3)
 * @m: mode
 * @level: of the table that it is in
 * @entry: the entry
 */
u64 x86_gpte_reserved(const struct x86_walk_mode *m, int level, u64 entry);

#endif
