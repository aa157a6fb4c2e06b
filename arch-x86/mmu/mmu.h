/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MMU's front door: two machines per vCPU, one that maps guest memory for
 * the hardware (nested tables today, shadow tables later), one that walks the
 * guest's own tables. Owns struct x86_mmu and struct x86_vm_mmu.
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

/**
 * struct x86_mmu - the MMU of a vCPU (v)
 * @root: what the hardware runs on; INVALID_HPA: none loaded
 * @root_level: its level
 * @root_table: its struct
 * @page_cache: tables allocated before mmu_lock is taken
 * @page_cache_count: how many
 * @spurious_gpa: the last fault that had nothing to mend
 * @spurious_count: how often in a row
 */
struct x86_mmu {
	hpa_t root;
	u8 root_level;
	struct x86_table *root_table;
	struct list_head page_cache;
	unsigned int page_cache_count;
	gpa_t spurious_gpa;
	unsigned int spurious_count;
};

/**
 * struct x86_vm_mmu - what the vCPUs of a VM share
 * @tdp_root: the nested tree of each address space; made by the first vCPU that
 *	loads it, empty but never replaced as long as the VM lives (m)
 * @nr_pages: tables allocated (a)
 * @max_pages: KVM_SET_NR_MMU_PAGES (a)
 * @dead_lock: guards @dead; taken under mmu_lock
 * @dead: detached tables, flushed, to be freed after an RCU grace period
 * @reaper: does that
 */
struct x86_vm_mmu {
	struct x86_table *tdp_root[KVM_ADDRESS_SPACE_NUM];
	atomic64_t nr_pages;
	unsigned long max_pages;
	spinlock_t dead_lock;
	struct list_head dead;
	struct work_struct reaper;
};

/** x86_mmu_module_init() / _exit() - slab caches */
int x86_mmu_module_init(void);
void x86_mmu_module_exit(void);
/** x86_mmu_vendor_init() - formats and limits from the registered vendor's caps */
void x86_mmu_vendor_init(void);

int x86_mmu_vm_init(struct x86_vm *vm);
void x86_mmu_vm_destroy(struct x86_vm *vm);
int x86_mmu_vcpu_create(struct x86_vcpu *vcpu);
void x86_mmu_vcpu_destroy(struct x86_vcpu *vcpu);

/** x86_mmu_load() - have a valid root and, if it is a new one, hand it to the vendor
 *  (before each entry, preemptible, SRCU held). 0 or -ENOMEM. */
int x86_mmu_load(struct x86_vcpu *vcpu);
/** x86_mmu_unload() - drop the vCPU's root */
void x86_mmu_unload(struct x86_vcpu *vcpu);
static inline bool x86_mmu_has_root(const struct x86_mmu *mmu)
{
	return mmu->root != INVALID_HPA;
}

/** x86_mmu_reset_context() - CR0, CR4, EFER or CPUID changed what a walk means */
void x86_mmu_reset_context(struct x86_vcpu *vcpu);
/** x86_mmu_new_cr3() - the guest loaded CR3 (nothing to do with nested tables) */
void x86_mmu_new_cr3(struct x86_vcpu *vcpu, u64 cr3);
/** x86_mmu_invlpg() - INVLPG by the guest */
void x86_mmu_invlpg(struct x86_vcpu *vcpu, gva_t gva);

/**
 * x86_mmu_page_fault() - a nested (or shadow) page fault from start to finish:
 *	map the page, or emulate the access if it is MMIO
 * @vcpu: the vCPU; SRCU held, preemptible
 * @addr: gpa (nested) or gva (shadow)
 * @error_code: PFERR_*
 * @insn/@insn_len: bytes that the hardware fetched, or NULL/0
 *
 * Return: X86_RESUME, X86_USER, -errno (-EFAULT: the process has no memory there).
 */
int x86_mmu_page_fault(struct x86_vcpu *vcpu, u64 addr, u64 error_code,
		       const void *insn, int insn_len);

/**
 * x86_gva_to_gpa() - walk the guest's tables
 * @gva: linear address
 * @access: X86_ACC_*
 * @fault: filled with #PF (vector, error code, address) on failure
 *
 * Sets A/D bits as the hardware would. Sleeps. Return: gpa or INVALID_GPA.
 */
gpa_t x86_gva_to_gpa(struct x86_vcpu *vcpu, u64 gva, u32 access,
		     struct x86_fault_info *fault);

/** x86_load_pdptrs() - read and check the 4 PDPTEs that CR3 names (SDM 3A 4.4.1).
 *  true; false: reserved bits, #GP. Fills vcpu->pdptrs, marks X86_REG_PDPTRS dirty. */
bool x86_load_pdptrs(struct x86_vcpu *vcpu, u64 cr3);

/** x86_mmu_gpa_is_mmio() - is the gpa known not to be memory (cheap, may say no) */
bool x86_is_mmio_gpa(struct x86_vcpu *vcpu, gpa_t gpa);

/** x86_mmu_set_nr_pages() - KVM_SET_NR_MMU_PAGES: more page tables than @nr are
 *  dropped and made again. Takes slots_lock. 0; -EINVAL: fewer than 64. */
int x86_mmu_set_nr_pages(struct x86_vm *vm, unsigned long nr);

#endif
