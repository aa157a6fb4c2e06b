/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How large a page the process maps its memory with: the kernel exports no
 * function for it on all versions, but the tables can be walked inline.
 */
#ifndef COMPAT_HOST_MAP_H
#define COMPAT_HOST_MAP_H

#include <linux/mm.h>
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
 * kvmc_host_map_shift() - size of the page that maps an address of a process
 * @mm: the process
 * @hva: the address
 *
 * Context: IRQs off, so that the tables stay; what it says can change at once
 * unless the MMU notifier protocol is followed around it.
 * Return: log2 of the size in bytes (PAGE_SHIFT, PMD_SHIFT, PUD_SHIFT), or 0
 * if nothing is mapped there.
 */
static inline unsigned int kvmc_host_map_shift(struct mm_struct *mm,
					       unsigned long hva)
{
	pgd_t pgd = READ_ONCE(*pgd_offset(mm, hva));
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	if (pgd_none(pgd))
		return 0;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (p4d_none(p4d) || !p4d_present(p4d))
		return 0;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (pud_none(pud) || !pud_present(pud))
		return 0;
	if (kvmc_pud_leaf(pud))
		return PUD_SHIFT;
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if (pmd_none(pmd) || !pmd_present(pmd))
		return 0;
	return kvmc_pmd_leaf(pmd) ? PMD_SHIFT : PAGE_SHIFT;
}

#endif
