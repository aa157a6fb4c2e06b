/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the process maps its memory: with pages how large, and may it write? The kernel
 * exports no function for it on all versions, but the tables can be walked inline.
 */
#ifndef COMPAT_HOST_MAP_H
#define COMPAT_HOST_MAP_H

#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/pgtable.h>
#include <compat/config.h>

#ifndef HAVE_PMD_LEAF
#define kvmc_pud_leaf(pud)	pud_large(pud)
#define kvmc_pmd_leaf(pmd)	pmd_large(pmd)
#else
#define kvmc_pud_leaf(pud)	pud_leaf(pud)
#define kvmc_pmd_leaf(pmd)	pmd_leaf(pmd)
#endif

/**
 * kvmc_host_map() - what a process's page tables say of an address
 * @mm: the process
 * @hva: the address
 * @leaf: the entry that maps it, or NULL; 0 where entries can't be read in one piece
 *
 * Context: IRQs off, so that the tables stay; what it says can change at once
 * unless the MMU notifier protocol is followed around it.
 * Return: log2 of the size in bytes of the page (PAGE_SHIFT, PMD_SHIFT, PUD_SHIFT), or 0
 * if nothing is mapped there.
 */
static inline unsigned int kvmc_host_map(struct mm_struct *mm, unsigned long hva, u64 *leaf)
{
	pgd_t pgd = READ_ONCE(*pgd_offset(mm, hva));
	unsigned int shift;
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;
	u64 val;

	if (pgd_none(pgd))
		return 0;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (p4d_none(p4d) || !p4d_present(p4d))
		return 0;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (pud_none(pud) || !pud_present(pud))
		return 0;
	val = pud_val(pud);
	shift = PUD_SHIFT;
	if (!kvmc_pud_leaf(pud)) {
		pmd = READ_ONCE(*pmd_offset(&pud, hva));
		if (pmd_none(pmd) || !pmd_present(pmd))
			return 0;
		val = pmd_val(pmd);
		shift = PMD_SHIFT;
		if (!kvmc_pmd_leaf(pmd)) {
			shift = PAGE_SHIFT;
			if (leaf && IS_ENABLED(CONFIG_X86_64))
				val = pte_val(READ_ONCE(*pte_offset_kernel(&pmd, hva)));
		}
	}
	if (leaf)
		*leaf = IS_ENABLED(CONFIG_X86_64) ? val : 0;
	return shift;
}

#define KVMC_LEAF_READY	(_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY)
#ifdef _PAGE_DEVMAP
#define KVMC_LEAF_ODD	(_PAGE_SPECIAL | _PAGE_DEVMAP)
#else
#define KVMC_LEAF_ODD	_PAGE_SPECIAL
#endif

/**
 * kvmc_host_leaf_ready() - is it memory that the process may write as it is, and that is
 *	known to be in use and dirty?
 * @leaf: from kvmc_host_map()
 *
 * What get_user_pages_fast_only() with FOLL_WRITE asks, and stricter: no protection key, since
 * PKRU may be a guest's.
 */
static inline bool kvmc_host_leaf_ready(u64 leaf)
{
	return (leaf & KVMC_LEAF_READY) == KVMC_LEAF_READY && !(leaf & KVMC_LEAF_ODD) &&
	       !pte_flags_pkey(leaf);
}

/** kvmc_host_leaf_pfn() - the frame at an address that an entry of that size maps */
static inline unsigned long kvmc_host_leaf_pfn(u64 leaf, unsigned int shift, unsigned long hva)
{
	unsigned long base = (leaf & PTE_PFN_MASK) >> PAGE_SHIFT;
	unsigned long offset = (1UL << (shift - PAGE_SHIFT)) - 1;

	return (base & ~offset) | (hva >> PAGE_SHIFT & offset);
}

/** kvmc_page_swaps() - is it anonymous memory, or a tmpfs's: not a file system's, a device's
 *  or secret */
static inline bool kvmc_page_swaps(struct page *page)
{
#ifdef page_folio
	return folio_test_swapbacked(page_folio(page));
#else
	return PageSwapBacked(compound_head(page));
#endif
}

#endif
