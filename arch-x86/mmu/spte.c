// SPDX-License-Identifier: GPL-2.0-only
/*
 * The three formats of an entry, and which is in use.
 */
#include "arch-x86/mmu/spte.h"

struct x86_spte_format x86_spte_fmt;

/*
 * Nested tables of AMD are legacy ones whose every access is a user's
 * (APM 2 15.25.5): U in all entries; W in tables, since the leaf decides. PAT
 * index 0 is write-back: the guest's own type then decides (APM 2 15.25.8).
 */
static const struct x86_spte_format npt_format = {
	.present	= BIT_ULL(0),
	.write		= BIT_ULL(1),
	.nx		= BIT_ULL(63),
	.accessed	= BIT_ULL(5),
	.dirty		= BIT_ULL(6),
	.table		= BIT_ULL(0) | BIT_ULL(1) | BIT_ULL(2),
	.leaf		= BIT_ULL(0) | BIT_ULL(2),
};

/*
 * Shadow tables are what any CPU walks (APM 2 5.3, SDM 3A 4.5): U, W and NX of the
 * leaf decide, and tables allow everything. PAT index 0 is write-back.
 */
static const struct x86_spte_format shadow_format = {
	.present	= BIT_ULL(0),
	.write		= BIT_ULL(1),
	.nx		= BIT_ULL(63),
	.user		= BIT_ULL(2),
	.accessed	= BIT_ULL(5),
	.dirty		= BIT_ULL(6),
	.table		= BIT_ULL(0) | BIT_ULL(1) | BIT_ULL(2),
	.leaf		= BIT_ULL(0),
};

/*
 * EPT (SDM 3C 29.3.2): R, W, X; write-back in bits 5:3; A and D in bits 8 and 9,
 * where EPTP turns them on.
 */
static const struct x86_spte_format ept_format = {
	.present	= BIT_ULL(0) | BIT_ULL(1) | BIT_ULL(2),
	.read		= BIT_ULL(0),
	.write		= BIT_ULL(1),
	.exec		= BIT_ULL(2),
	.accessed	= BIT_ULL(8),
	.dirty		= BIT_ULL(9),
	.table		= BIT_ULL(0) | BIT_ULL(1) | BIT_ULL(2),
	.leaf		= BIT_ULL(0) | (6ULL << 3),
};

void spte_choose_format(enum spte_kind kind, bool has_ad, u64 enc)
{
	switch (kind) {
	case SPTE_SHADOW: x86_spte_fmt = shadow_format; break;
	case SPTE_NPT: x86_spte_fmt = npt_format; break;
	case SPTE_EPT: x86_spte_fmt = ept_format; break;
	}
	if (!has_ad) {
		x86_spte_fmt.accessed = 0;
		x86_spte_fmt.dirty = 0;
	}
	x86_spte_fmt.enc = enc;
}
