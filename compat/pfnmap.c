// SPDX-License-Identifier: GPL-2.0-only
/*
 * follow_pfnmap_start() by way of follow_pte(), which sees small pages only:
 * those kernels map device memory into processes with no others.
 */
#include <linux/highmem.h>
#include <linux/mm.h>

#ifndef HAVE_FOLLOW_PFNMAP

int kvmc_follow_pfnmap_start(struct follow_pfnmap_args *args)
{
	struct vm_area_struct *vma = args->vma;
	pte_t pte;

	if (args->address < vma->vm_start || args->address >= vma->vm_end ||
	    !(vma->vm_flags & (VM_IO | VM_PFNMAP)) ||
	    follow_pte(vma->vm_mm, args->address, &args->ptep, &args->lock))
		return -EINVAL;
	pte = *args->ptep;
	args->pfn = pte_pfn(pte);
	args->pgprot = pte_pgprot(pte);
	args->writable = pte_write(pte);
	args->special = pte_special(pte);
	return 0;
}

void kvmc_follow_pfnmap_end(struct follow_pfnmap_args *args) __releases(args->lock)
{
	pte_unmap_unlock(args->ptep, args->lock);
}

#endif
