/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of a VM and of a vCPU. Plain u64: a vCPU's are written by its own
 * thread only. Shown by the binary statistics fd and by debugfs, one
 * descriptor table per kind (core/stats.c and the architecture's list).
 */
#ifndef CORE_STATS_H
#define CORE_STATS_H

#include <linux/atomic.h>
#include <linux/types.h>

struct kvm;
struct kvm_vcpu;

#define KVM_HALT_POLL_HIST_BUCKETS	32

/* What a vCPU counts. The names are the ones that tools know. */
struct kvm_vcpu_stats {
	u64 halt_successful_poll, halt_attempted_poll, halt_poll_invalid;
	u64 halt_wakeup, halt_poll_success_ns, halt_poll_fail_ns, halt_wait_ns;
	u64 halt_poll_success_hist[KVM_HALT_POLL_HIST_BUCKETS];
	u64 halt_poll_fail_hist[KVM_HALT_POLL_HIST_BUCKETS];
	u64 halt_wait_hist[KVM_HALT_POLL_HIST_BUCKETS];
	u64 blocking;
	u64 pf_taken, pf_fixed, pf_emulate, pf_spurious, pf_fast, pf_mmio_spte_created;
	u64 pf_guest, tlb_flush, invlpg;
	u64 exits, io_exits, mmio_exits, signal_exits, irq_window_exits;
	u64 nmi_window_exits, l1d_flush, halt_exits, request_irq_exits, irq_exits;
	u64 host_state_reload, fpu_reload, insn_emulation, insn_emulation_fail;
	u64 hypercalls, irq_injections, nmi_injections, req_event, nested_run;
	u64 directed_yield_attempted, directed_yield_successful;
	u64 preemption_reported, preemption_other, guest_mode, notify_window_exits;
	u64 hw_timer_exits, apic_access_exits, apic_write_exits, apic_eoi_exits, pml_pages;
};

/* What a VM counts. */
struct kvm_vm_stats {
	atomic64_t remote_tlb_flush, remote_tlb_flush_requests;
	u64 mmu_shadow_zapped, mmu_pte_write, mmu_pde_zapped, mmu_flooded;
	u64 mmu_recycled, mmu_cache_miss, mmu_unsync;
	atomic64_t pages_4k, pages_2m, pages_1g;
	u64 nx_lpage_splits, max_mmu_page_hash_collisions, max_mmu_rmap_size;
};

/**
 * struct kvm_stat_entry - one counter, or one histogram
 * @name: as tools know it
 * @flags: KVM_STATS_TYPE_* | KVM_STATS_UNIT_* | KVM_STATS_BASE_*
 * @exponent: of the unit
 * @size: how many u64
 * @offset: in struct kvm_vcpu_stats or kvm_vm_stats
 */
struct kvm_stat_entry {
	const char *name;
	u32 flags;
	s16 exponent;
	u16 size;
	u32 offset;
};

extern const struct kvm_stat_entry kvm_vcpu_stat_entries[];
extern const unsigned int kvm_nr_vcpu_stat_entries;
extern const struct kvm_stat_entry kvm_vm_stat_entries[];
extern const unsigned int kvm_nr_vm_stat_entries;

/**
 * kvm_vm_stats_fd() / kvm_vcpu_stats_fd() - KVM_GET_STATS_FD
 *
 * The file holds a reference to the VM. Return: fd, -EMFILE, -ENOMEM.
 */
int kvm_vm_stats_fd(struct kvm *kvm);
int kvm_vcpu_stats_fd(struct kvm_vcpu *vcpu);

/** kvm_debugfs_init() / kvm_debugfs_exit() - <debugfs>/kvm and its totals */
void kvm_debugfs_init(void);
void kvm_debugfs_exit(void);

/**
 * kvm_debugfs_add_vm() - make <debugfs>/kvm/<pid>-<fd>; failure is harmless
 * @kvm: the VM, not yet visible to user space
 * @fd: number that its file descriptor will have
 */
void kvm_debugfs_add_vm(struct kvm *kvm, int fd);
void kvm_debugfs_remove_vm(struct kvm *kvm);

/** kvm_debugfs_add_vcpu() - make vcpu<id> in the VM's folder */
void kvm_debugfs_add_vcpu(struct kvm_vcpu *vcpu);

#endif
