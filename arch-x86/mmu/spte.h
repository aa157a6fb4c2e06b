/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the bits of a page table entry that the hardware walks for us (spte) mean,
 * in legacy format (shadow tables, NPT) and in EPT's; nothing else. Knows no tree,
 * no lock and no guest.
 *
 * Both formats are 64 bits of: permission, A and D bits, a frame number in bits
 * 51:12, bit 7 for a large leaf, and bits that hardware ignores, of which 11 is free
 * in both, PAE included, where 62:52 are reserved (SDM 3C 29.3.2, APM 2 5.3): that is
 * ours.
 */
#ifndef ARCH_X86_MMU_SPTE_H
#define ARCH_X86_MMU_SPTE_H

#include <linux/bits.h>
#include <linux/types.h>

#include "core/types.h"

#define SPTE_ENTRIES		512
#define SPTE_INDEX_BITS		9
#define SPTE_MAX_LEVEL		5
#define SPTE_LARGE		BIT_ULL(7)
#define SPTE_ADDR_MASK		GENMASK_ULL(51, 12)

/* Ours: the host may write the page, so W may be given back without asking it. */
#define SPTE_HOST_WRITABLE	BIT_ULL(11)

/**
 * struct x86_spte_format - one hardware's idea of an entry
 * @present: an entry with any of these bits is used by the hardware
 * @read: readable; 0 where every present entry is
 * @write: writable
 * @exec: executable; 0 where there is only @nx
 * @nx: not executable; 0 where there is only @exec
 * @user: CPL 3 may use it; 0 where entries don't tell
 * @accessed: set by hardware on use; 0: hardware doesn't
 * @dirty: likewise on a write
 * @table: constant bits of an entry that names another table
 * @leaf: constant bits of an entry that names a page
 * @enc: memory encryption bit of the host's, in all entries
 */
struct x86_spte_format {
	u64 present;
	u64 read, write;
	u64 exec, nx;
	u64 user;
	u64 accessed, dirty;
	u64 table, leaf;
	u64 enc;
};

/* The format in use: constant while any VM exists. */
extern struct x86_spte_format x86_spte_fmt;

enum spte_kind { SPTE_SHADOW, SPTE_NPT, SPTE_EPT };

/**
 * spte_choose_format() - set x86_spte_fmt
 * @kind: whose tables they are
 * @has_ad: does the hardware set the accessed and dirty bits?
 * @enc: the host's memory encryption bit, or 0
 *
 * Before any VM exists.
 */
void spte_choose_format(enum spte_kind kind, bool has_ad, u64 enc);

static inline bool spte_present(u64 spte)
{
	return spte & x86_spte_fmt.present;
}

/* Does a present entry of a table at this level name a page (not a table)? */
static inline bool spte_is_leaf(u64 spte, int level)
{
	return level == 1 || (spte & SPTE_LARGE);
}

static inline bool spte_present_leaf(u64 spte, int level)
{
	return spte_present(spte) && spte_is_leaf(spte, level);
}

static inline bool spte_present_table(u64 spte, int level)
{
	return spte_present(spte) && !spte_is_leaf(spte, level);
}

static inline bool spte_writable(u64 spte)
{
	return spte & x86_spte_fmt.write;
}

static inline bool spte_executable(u64 spte)
{
	return x86_spte_fmt.exec ? spte & x86_spte_fmt.exec : !(spte & x86_spte_fmt.nx);
}

static inline bool spte_accessed(u64 spte)
{
	return spte & x86_spte_fmt.accessed;
}

static inline kvm_pfn_t spte_pfn(u64 spte)
{
	return (spte & SPTE_ADDR_MASK & ~x86_spte_fmt.enc) >> GFN_SHIFT;
}

static inline int spte_level_shift(int level)
{
	return GFN_SHIFT + (level - 1) * SPTE_INDEX_BITS;
}

/* 4 KiB pages that one entry at this level covers. */
static inline gfn_t spte_level_pages(int level)
{
	return 1ULL << ((level - 1) * SPTE_INDEX_BITS);
}

static inline unsigned int spte_index(gfn_t gfn, int level)
{
	return (gfn >> ((level - 1) * SPTE_INDEX_BITS)) & (SPTE_ENTRIES - 1);
}

/* An entry for the table at @pa. */
static inline u64 spte_make_table(hpa_t pa)
{
	return (pa & SPTE_ADDR_MASK) | x86_spte_fmt.table | x86_spte_fmt.accessed |
	       x86_spte_fmt.enc;
}

/*
 * An entry for the page at @pfn, which has just been used (A) or written (D).
 * @write: to be mapped writable; @host_writable: could be; @exec: executable.
 */
static inline u64 spte_make_leaf(kvm_pfn_t pfn, int level, bool write, bool host_writable,
				 bool exec)
{
	const struct x86_spte_format *f = &x86_spte_fmt;
	u64 spte = ((pfn << GFN_SHIFT) & SPTE_ADDR_MASK) | f->leaf | f->enc | f->accessed;

	spte |= exec ? f->exec : f->nx;
	if (level > 1)
		spte |= SPTE_LARGE;
	if (write)
		spte |= f->write | f->dirty;
	if (host_writable)
		spte |= SPTE_HOST_WRITABLE;
	return spte;
}

/*
 * An entry of a shadow table for a 4 KiB page. @host_writable: W could be given. The
 * guest's D bit is its own affair, so D is set with W.
 */
static inline u64 spte_make_shadow(kvm_pfn_t pfn, bool write, bool user, bool exec,
				   bool host_writable)
{
	const struct x86_spte_format *f = &x86_spte_fmt;

	return ((pfn << GFN_SHIFT) & SPTE_ADDR_MASK) | f->leaf | f->enc | f->accessed |
	       (write ? f->write | f->dirty : 0) | (user ? f->user : 0) | (exec ? 0 : f->nx) |
	       (host_writable ? SPTE_HOST_WRITABLE : 0);
}

#endif
