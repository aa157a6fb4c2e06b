/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MMU's front door: two machines per vCPU, one that maps guest memory for
 * the hardware (nested tables, or shadow tables where there is no nested paging),
 * one that walks the guest's own tables. Owns struct x86_mmu and struct x86_vm_mmu.
 */
#ifndef ARCH_X86_MMU_H
#define ARCH_X86_MMU_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include "core/types.h"
#include "core/kvm.h"
#include "arch-x86/mmu/walk_mode.h"

struct x86_vcpu;
struct x86_vm;
struct x86_fault_info;
struct x86_table;
struct shadow_page;
struct tlb_model;
struct tlb_model_vcpu;

/**
 * struct x86_mmu - the MMU of a vCPU (v)
 * @root: what the hardware runs on; INVALID_HPA: none loaded
 * @root_level: its level
 * @root_table: its struct, if nested
 * @root_page: its struct, if shadow
 * @private_root: shadow: root of this vCPU alone, outside long mode; always there (m)
 * @page_cache: tables (shadow pages) allocated before mmu_lock is taken
 * @page_cache_count: how many
 * @link_cache: shadow: links of entries, likewise
 * @link_cache_count: how many
 * @writing: shadow: frame that is being written for the guest, for audit.c
 * @tlb_model: what it may hold in a TLB, if that is modelled
 * @spurious_gpa: the last fault that had nothing to mend
 * @spurious_count: how often in a row
 */
struct x86_mmu {
	hpa_t root;
	u8 root_level;
	struct x86_table *root_table;
	struct shadow_page *root_page;
	struct shadow_page *private_root;
	struct list_head page_cache;
	unsigned int page_cache_count;
	struct hlist_head link_cache;
	unsigned int link_cache_count;
	gfn_t writing;
	struct tlb_model_vcpu *tlb_model;
	gpa_t spurious_gpa;
	unsigned int spurious_count;
};

/**
 * struct x86_vm_mmu - what the vCPUs of a VM share
 * @tdp_root: the nested tree of each address space; made by the first vCPU that
 *	loads it, empty but never replaced as long as the VM lives (m)
 * @nr_pages: tables allocated (a)
 * @max_pages: KVM_SET_NR_MMU_PAGES (a)
 * @nr_logged: slots that log dirty pages (a: written under slots_lock)
 * @shadow_hash: shadow pages by gfn (m)
 * @shadow_pages: all of them, the most recently used first (m)
 * @shadow_unsync: those that are unsync (m)
 * @nr_shadow: how many there are (m)
 * @audit_bucket, @audit_entry, @audit_gfn: where an audit in turn goes on (m)
 * @audits: how often all was to be looked at (m)
 * @shadow_scratch: a page to compare a guest's table in (m)
 * @identity: table for a guest without paging (own_tables.c), or NULL (c)
 * @tlb_model: likewise, of all its vCPUs
 * @nx_huge: large pages are not executable (nx_huge.c) (m)
 * @nx_huge_disabled: KVM_CAP_VM_DISABLE_NX_HUGE_PAGES (c: since before the first vCPU)
 * @dead_lock: guards @dead, @split and @nr_split; taken under mmu_lock
 * @dead: detached tables, flushed, to be freed after an RCU grace period
 * @reaper: does that
 * @split: tables where only X keeps a large page away, the oldest first
 * @nr_split: how many
 * @recovery: tries large pages there again
 */
struct x86_vm_mmu {
	struct x86_table *tdp_root[KVM_ADDRESS_SPACE_NUM];
	atomic64_t nr_pages;
	unsigned long max_pages;
	unsigned int nr_logged;
	struct hlist_head *shadow_hash;
	struct list_head shadow_pages, shadow_unsync;
	unsigned long nr_shadow;
	unsigned int audit_bucket, audit_entry, audits;
	gfn_t audit_gfn;
	void *shadow_scratch;
	struct page *identity;
	struct tlb_model *tlb_model;
	spinlock_t dead_lock;
	struct list_head dead;
	struct work_struct reaper;
	bool nx_huge, nx_huge_disabled;
	struct list_head split;
	unsigned long nr_split;
	struct delayed_work recovery;
};

/**
 * x86_mmu_module_init() / x86_mmu_module_exit() - kvm.ko comes and goes
 *
 * Sleeps. Return: 0, -ENOMEM.
 */
int x86_mmu_module_init(void);
void x86_mmu_module_exit(void);

/**
 * x86_mmu_vendor_init() - formats and limits from the registered vendor's caps
 *
 * Context: a vendor registers; no VM exists.
 */
void x86_mmu_vendor_init(void);

/**
 * x86_mmu_vm_init() / x86_mmu_vm_destroy() - a VM's share of the MMU
 * @vm: the VM; to destroy: no vCPU and no MMU notifier is left
 *
 * Sleeps. Return: 0, -ENOMEM.
 */
int x86_mmu_vm_init(struct x86_vm *vm);
void x86_mmu_vm_destroy(struct x86_vm *vm);

/**
 * x86_mmu_vm_stop() - the end of what works in the background
 * @vm: the VM, whose MMU notifier is gone; its vCPUs, which these look at, are not
 *
 * Sleeps.
 */
void x86_mmu_vm_stop(struct x86_vm *vm);

/**
 * x86_mmu_vcpu_create() / x86_mmu_vcpu_destroy() - a vCPU's share
 * @vcpu: the vCPU, run by nobody
 *
 * Return: 0, -ENOMEM.
 */
int x86_mmu_vcpu_create(struct x86_vcpu *vcpu);
void x86_mmu_vcpu_destroy(struct x86_vcpu *vcpu);

/**
 * x86_mmu_load() - have a root and, if it is a new one, hand it to the vendor
 * @vcpu: the vCPU
 *
 * Context: before each entry: loaded, preemptible, SRCU held. Sleeps.
 * Return: 0, -ENOMEM.
 */
int x86_mmu_load(struct x86_vcpu *vcpu);

/**
 * x86_mmu_unload() - let go of the vCPU's root: x86_mmu_load() finds the right one
 * @vcpu: the vCPU, not in guest mode
 */
void x86_mmu_unload(struct x86_vcpu *vcpu);

static inline bool x86_mmu_has_root(const struct x86_mmu *mmu)
{
	return mmu->root != INVALID_HPA;
}

/**
 * x86_mmu_reset_context() - CR0, CR4, EFER, CPUID or SMM changed what
 *	translations mean
 * @vcpu: the vCPU, in its own thread
 */
void x86_mmu_reset_context(struct x86_vcpu *vcpu);

/**
 * x86_mmu_new_cr3() - the guest loaded CR3, or PDPTEs (nothing to do with nested tables)
 * @vcpu: the vCPU
 * @cr3: checked
 */
void x86_mmu_new_cr3(struct x86_vcpu *vcpu, u64 cr3);

/**
 * x86_mmu_invlpg() - INVLPG by the guest (SDM 3A 4.10.4)
 * @vcpu: the vCPU, loaded
 * @gva: any address; a non-canonical one does nothing
 */
void x86_mmu_invlpg(struct x86_vcpu *vcpu, gva_t gva);

/**
 * x86_mmu_sync() - the guest flushes its TLB: shadow tables forget what its own no
 *	longer say
 * @vcpu: the vCPU, loaded; SRCU held
 */
void x86_mmu_sync(struct x86_vcpu *vcpu);

/**
 * x86_mmu_guest_writes() - guest memory is about to be written for the guest
 * @mmu: the vCPU's; x86_mmu_guest_wrote() follows, if it was
 * @gpa: where, in one page
 */
static inline void x86_mmu_guest_writes(struct x86_mmu *mmu, gpa_t gpa)
{
	WRITE_ONCE(mmu->writing, gpa_to_gfn(gpa));
	smp_wmb();	/* who finds it written knows why */
}

/**
 * x86_mmu_guest_wrote() - guest memory was written for the guest: if there are its page
 *	tables, our copies follow
 * @vcpu: the vCPU; SRCU held
 * @gpa: where
 * @len: bytes, in one page
 */
void x86_mmu_guest_wrote(struct x86_vcpu *vcpu, gpa_t gpa, unsigned int len);

/**
 * x86_mmu_prefault() - map a page as a read by the guest would, before there is one
 * @vcpu: the vCPU, loaded; SRCU held
 * @gpa: an address in the page
 * @end: where what is mapped now ends: a large page holds more than was asked for
 *
 * Sleeps. Return: 0; -ENOENT: no memory in the slots there; -EOPNOTSUPP: shadow tables
 * follow the guest's own; -EINTR; -EFAULT, -EHWPOISON: the process has no page there;
 * -ENOMEM; -EIO: the VM is broken.
 */
int x86_mmu_prefault(struct x86_vcpu *vcpu, gpa_t gpa, gpa_t *end);

/**
 * x86_mmu_page_fault() - a page fault that the vendor intercepts, from start to finish:
 *	map the page; emulate the access if there is no memory (APM 2 15.25.6); with
 *	shadow tables, #PF is the guest's if its own tables forbid the access
 * @vcpu: the vCPU
 * @addr: gpa of a nested page fault; with shadow tables the gva
 * @error_code: PFERR_*
 * @insn: bytes that the hardware fetched, or NULL
 * @insn_len: how many
 *
 * Context: the exit handler: loaded, SRCU held. Sleeps.
 * Return: X86_RESUME, X86_USER; -EFAULT: the process has no memory there, or may
 * not write it; -ENOMEM: no memory for tables; -EIO: the VM is broken.
 */
int x86_mmu_page_fault(struct x86_vcpu *vcpu, u64 addr, u64 error_code,
		       const void *insn, int insn_len);

/**
 * x86_mmu_page_fault_irqoff() - likewise in the inner loop, if the process has the page in
 *	use and nothing needs to sleep
 * @vcpu: the vCPU
 * @gpa: of a nested page fault
 * @error_code: PFERR_*
 *
 * Context: IRQs off, loaded. Not on PREEMPT_RT.
 * Return: true: the guest may try again; false: nothing has happened, it is for
 * x86_mmu_page_fault().
 */
bool x86_mmu_page_fault_irqoff(struct x86_vcpu *vcpu, gpa_t gpa, u64 error_code);

/**
 * x86_mmu_apic_access() - the guest has accessed the APIC's page, and the CPU leaves it to us
 * @vcpu: the vCPU
 * @gpa: where
 * @error_code: PFERR_*
 *
 * Emulates the instruction. Context, return: as x86_mmu_page_fault().
 */
int x86_mmu_apic_access(struct x86_vcpu *vcpu, gpa_t gpa, u64 error_code);

/**
 * x86_mmu_unmap_apic_page() - vm->apic_page_used is false now: nobody sees the page through
 *	old translations. Takes mmu_lock.
 */
void x86_mmu_unmap_apic_page(struct x86_vm *vm);

/**
 * x86_mmu_page_written() - the CPU says that the guest has written a page (PML)
 * @vcpu: the vCPU that did
 * @gpa: in the page
 *
 * Context: SRCU held.
 */
void x86_mmu_page_written(struct x86_vcpu *vcpu, gpa_t gpa);

/**
 * x86_gva_to_gpa() - walk the guest's tables (SDM 3A chapter 4)
 * @vcpu: the vCPU
 * @gva: linear address
 * @access: X86_ACC_*
 * @fault: filled with #PF (vector, error code, address) on failure
 *
 * Sets A and D as the hardware would. Context: loaded, SRCU held. Sleeps.
 * Return: gpa or INVALID_GPA.
 */
gpa_t x86_gva_to_gpa(struct x86_vcpu *vcpu, u64 gva, u32 access,
		     struct x86_fault_info *fault);

/**
 * x86_load_pdptrs() - read and check the four PDPTEs that CR3 names (SDM 3A 4.4.1)
 * @vcpu: the vCPU; ->pdptrs are filled and marked dirty if all are good
 * @cr3: bits 31:5 count
 *
 * Context: SRCU held. Sleeps.
 * Return: true; false: #GP, a reserved bit is set or there is no memory.
 */
bool x86_load_pdptrs(struct x86_vcpu *vcpu, u64 cr3);

/**
 * x86_mmu_own_tables() - does the hardware's CR3 name tables of ours, not the guest's?
 * @vcpu: the vCPU; the guest's CR0.PG counts, which no vendor lets it change unseen
 *
 * Then the guest's CR3 and PDPTEs are in @vcpu alone. Any context.
 */
bool x86_mmu_own_tables(const struct x86_vcpu *vcpu);

/**
 * x86_hw_cr0() ... x86_hw_efer() - what the hardware runs with when the guest has @vcpu's
 *	cr0, cr4 and efer
 * @vcpu: the vCPU; these three are current
 *
 * To which the vendor adds what its hardware insists on. Any context.
 */
u64 x86_hw_cr0(const struct x86_vcpu *vcpu);
u64 x86_hw_cr4(const struct x86_vcpu *vcpu);
u64 x86_hw_efer(const struct x86_vcpu *vcpu);

/** x86_mmu_identity_cr3() - what a guest without paging runs on, with the capability
 *  always_paging: 32-bit paging with PSE */
u64 x86_mmu_identity_cr3(const struct x86_vcpu *vcpu);

/**
 * x86_mmu_set_nr_pages() - KVM_SET_NR_MMU_PAGES: a bound for page tables
 * @vm: the VM
 * @nr: what is more is dropped, and made again when used
 *
 * Context: takes slots_lock; sleeps. Return: 0; -EINVAL: fewer than 64.
 */
int x86_mmu_set_nr_pages(struct x86_vm *vm, unsigned long nr);

/**
 * x86_mmu_disable_nx_huge_pages() - KVM_CAP_VM_DISABLE_NX_HUGE_PAGES: this VM's large pages
 *	are executable, whatever the CPU
 * @vm: the VM
 * @arg: the capability's
 *
 * Context: takes kvm->lock. Return: 0; -EINVAL: @arg is not 0, or there are vCPUs; -EPERM:
 * without CAP_SYS_BOOT.
 */
int x86_mmu_disable_nx_huge_pages(struct x86_vm *vm, u64 arg);

#endif
