/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What both MMUs, nested tables (tdp.h) and shadow tables (shadow.h), have in
 * common between the rooms of mmu/: a fault in progress, and the batch of
 * translations that became weaker. Nobody outside mmu/ includes it.
 */
#ifndef ARCH_X86_MMU_INTERNAL_H
#define ARCH_X86_MMU_INTERNAL_H

#include "core/memslot.h"
#include "arch-x86/x86.h"

struct x86_walk;
struct x86_table;

/* What the vendor's hardware can do: constant while any VM exists (mmu.c). */
struct x86_mmu_limits {
	bool shadow;			/* no nested paging: shadow tables */
	u8 root_level;			/* of the nested tree */
	u8 max_leaf_level;		/* 1, 2 (2 MiB), 3 (1 GiB) */
	gfn_t max_gfn;			/* first one that can't be mapped */
};
extern struct x86_mmu_limits x86_mmu_limits;
extern struct workqueue_struct *x86_mmu_wq;

/* ---- a fault --------------------------------------------------------------- */

/** struct mmu_fault - a fault on its way to becoming an entry */
struct mmu_fault {
	gfn_t gfn;
	bool write, exec;
	bool prefault;				/* no guest waits for it */
	struct x86_walk *walk;			/* shadow tables: how the guest got to @gfn, ... */
	u64 gva;				/* ... from where */
	struct kvm_memory_slot *slot;
	const struct kvm_memslots *slots;	/* where @slot was found, ... */
	u64 slots_gen;				/* ... and its generation then */
	unsigned long invalidate_seq;
	kvm_pfn_t pfn;				/* of @gfn itself */
	bool host_writable;
	u8 host_shift;				/* of the size of the host's page; 0: not known */
	u8 level;				/* largest page that fits */
	u8 split;				/* ... if it were not for a fetch; 0: the same */
};

enum mmu_result {
	MMU_MAPPED,		/* the entry is new or stronger */
	MMU_SPURIOUS,		/* it allowed this already */
	MMU_BROKEN,		/* an invariant does not hold; the VM is dead */
	MMU_TOO_LARGE,		/* a larger page is in the way: tdp_split() */
	MMU_NO_TABLES,		/* the vCPU's cache of tables is empty */
	MMU_RETRY,		/* the guest's tables or our root have changed: look again */
	MMU_EMULATE,		/* a write to a page that must stay write-protected */
};

/* ---- weaker (zap.c) --------------------------------------------------------- */

/**
 * struct mmu_batch - translations that became weaker under one hold of mmu_lock
 * @vm: the VM
 * @flush: TLBs may hold what is no more
 * @dead: detached nested tables
 * @dead_pages: shadow pages that nothing names any more
 *
 * mmu_batch_flush() must come before mmu_lock is dropped.
 */
struct mmu_batch {
	struct x86_vm *vm;
	bool flush;
	struct list_head dead;
	struct list_head dead_pages;
};

#define MMU_BATCH(name, _vm)						\
	struct mmu_batch name = { .vm = (_vm),				\
				  .dead = LIST_HEAD_INIT(name.dead),	\
				  .dead_pages = LIST_HEAD_INIT(name.dead_pages) }

/** mmu_weaken() - take @bits from an entry and note that TLBs must be flushed
 *  Return: what was there, with the A and D bits of the last moment.
 *  Context: mmu_lock held for write. */
u64 mmu_weaken(struct mmu_batch *b, u64 *sptep, u64 bits);

/** mmu_batch_flush() - make the TLBs forget; free what is dead, or hand it to the
 *  reaper. Context: mmu_lock held for write, before it is dropped. */
void mmu_batch_flush(struct mmu_batch *b);

/** mmu_zap_all() - drop every translation of a VM. Nested trees are cut at their roots,
 *  flushed, and freed in the background. Takes mmu_lock. */
void mmu_zap_all(struct x86_vm *vm);

/* ---- nx_huge.c ---------------------------------------------------------------- */

/** nx_module_init() / nx_module_exit() - kvm.ko comes and goes; tell the kernel */
void nx_module_init(void);
void nx_module_exit(void);
/** nx_vm_init() / nx_vm_destroy() - a VM's share; to destroy: in no list any more. Sleeps. */
void nx_vm_init(struct x86_vm *vm);
void nx_vm_destroy(struct x86_vm *vm);
/** nx_vm_update() - nothing is mapped: vm->mmu.nx_huge becomes what is wanted now.
 *  Context: mmu_lock held for write; the VM is in the list of all, or will never map. */
void nx_vm_update(struct x86_vm *vm);
/** nx_split_add() - a fetch made this table where a large page would fit. Context: mmu_lock,
 *  in the section that linked it. */
void nx_split_add(struct x86_vm *vm, struct x86_table *table);
/** nx_split_del() - it goes, for whatever reason. */
void nx_split_del(struct x86_vm *vm, struct x86_table *table);

/* ---- own_tables.c ------------------------------------------------------------- */

/** identity_alloc() / identity_free() - a VM's identity table, where the CPU needs one.
 *  0, -ENOMEM. Sleeps */
int identity_alloc(struct x86_vm *vm);
void identity_free(struct x86_vm *vm);
/** identity_page() - it, if it is at @gfn, or NULL */
struct page *identity_page(struct x86_vm *vm, gfn_t gfn);

/* ---- audit.c ---------------------------------------------------------------- */

/** x86_mmu_audit() / x86_mmu_audit_all() - check the invariants as far as the parameter
 *  mmu_audit says; _all: when much has changed at once. Context: mmu_lock held for write,
 *  about to be dropped. */
void x86_mmu_audit(struct x86_vm *vm, const char *where);
void x86_mmu_audit_all(struct x86_vm *vm, const char *where);

#endif
