/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * follow_pfnmap_start() (6.12) was follow_pte(); vm_flags_set() (6.3) was an
 * assignment; get_user_pages_remote() returned VMAs until 6.5.
 */
#ifndef COMPAT_LINUX_MM_H
#define COMPAT_LINUX_MM_H

#include_next <linux/mm.h>
#include <compat/config.h>

#ifndef HAVE_VM_FLAGS_SET
static inline void kvmc_vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags |= flags;
}
#define vm_flags_set kvmc_vm_flags_set
#endif

#ifndef HAVE_GUP_REMOTE_NO_VMAS
#define get_user_pages_remote(mm, start, nr, flags, pages, locked) \
	get_user_pages_remote(mm, start, nr, flags, pages, NULL, locked)
#endif

#ifndef HAVE_FOLLOW_PFNMAP
/* vma and address are the caller's; lock and ptep internal; the rest answers */
struct follow_pfnmap_args {
	struct vm_area_struct *vma;
	unsigned long address;
	spinlock_t *lock;
	pte_t *ptep;
	unsigned long pfn;
	pgprot_t pgprot;
	bool writable;
	bool special;
};

static inline int kvmc_follow_pfnmap_start(struct follow_pfnmap_args *args)
{
	struct vm_area_struct *vma = args->vma;
	pte_t pte;

	if (args->address < vma->vm_start || args->address >= vma->vm_end ||
	    !(vma->vm_flags & (VM_IO | VM_PFNMAP)) ||
	    follow_pte(vma->vm_mm, args->address, &args->ptep, &args->lock))
		return -EINVAL;
	pte = READ_ONCE(*args->ptep);
	args->pfn = pte_pfn(pte);
	args->pgprot = pte_pgprot(pte);
	args->writable = pte_write(pte);
	args->special = pte_special(pte);
	return 0;
}

static inline void kvmc_follow_pfnmap_end(struct follow_pfnmap_args *args)
{
	pte_unmap_unlock(args->ptep, args->lock);
}
#define follow_pfnmap_start kvmc_follow_pfnmap_start
#define follow_pfnmap_end kvmc_follow_pfnmap_end
#endif

#endif
