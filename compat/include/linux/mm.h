/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * follow_pfnmap_start() (6.12) was follow_pte(); vm_flags_set() (6.3) was an
 * assignment; get_user_pages_remote() returned VMAs until 6.5; vma_lookup() is
 * of 5.14.
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

#ifndef HAVE_VMA_LOOKUP
static inline struct vm_area_struct *kvmc_vma_lookup(struct mm_struct *mm,
						     unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(mm, addr);

	return vma && addr >= vma->vm_start ? vma : NULL;
}
#define vma_lookup kvmc_vma_lookup
#endif

#ifndef HAVE_GUP_REMOTE_NO_VMAS
#define get_user_pages_remote(mm, start, nr, flags, pages, locked) \
	get_user_pages_remote(mm, start, nr, flags, pages, NULL, locked)
#endif

#ifndef HAVE_FOLL_INTERRUPTIBLE
/* only fatal signals end the wait there: the same answer, later */
#define FOLL_INTERRUPTIBLE	0
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

int kvmc_follow_pfnmap_start(struct follow_pfnmap_args *args);
void kvmc_follow_pfnmap_end(struct follow_pfnmap_args *args);
#define follow_pfnmap_start kvmc_follow_pfnmap_start
#define follow_pfnmap_end kvmc_follow_pfnmap_end
#endif

#endif
