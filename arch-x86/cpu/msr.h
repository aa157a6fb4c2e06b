/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Model specific registers: those that arch-x86 owns, then the vendor's; lists
 * for user space; filters; registers that the host restores on return to user
 * mode.
 */
#ifndef ARCH_X86_CPU_MSR_H
#define ARCH_X86_CPU_MSR_H

#include "arch-x86/x86.h"

/* MSR_K7_HWCR (APM 2, PPR). */
#define X86_HWCR_MC_STATUS_WR_EN	BIT_ULL(18)
#define X86_HWCR_TSC_FREQ_SEL		BIT_ULL(24)

/* Module parameters: what is done with an MSR that nobody knows. */
extern bool x86_ignore_msrs, x86_report_ignored_msrs;

/**
 * x86_get_msr() / x86_set_msr() - read or write an MSR, whoever owns it
 * @vcpu: the vCPU, loaded; SRCU held
 * @index: MSR number
 * @data: value
 * @host: by user space, else by the guest
 *
 * Without the filter of user space. Return: 0; 1: #GP (unknown, read-only, bad value).
 */
int x86_get_msr(struct x86_vcpu *vcpu, u32 index, u64 *data, bool host);
int x86_set_msr(struct x86_vcpu *vcpu, u32 index, u64 data, bool host);

/** x86_msr_known() - does anybody own it? (KVM_MSR_EXIT_REASON_UNKNOWN) */
bool x86_msr_known(struct x86_vcpu *vcpu, u32 index);

/**
 * x86_msr_allowed() - KVM_X86_SET_MSR_FILTER's answer
 * @vcpu: the vCPU
 * @index: MSR number
 * @type: KVM_MSR_FILTER_READ or KVM_MSR_FILTER_WRITE
 *
 * Context: SRCU held, or an RCU reader (inner loop).
 */
bool x86_msr_allowed(struct x86_vcpu *vcpu, u32 index, u32 type);

/**
 * x86_msr_user_exit() - an access failed: does user space want to decide?
 * @vcpu: the vCPU
 * @index: MSR number
 * @write: WRMSR
 * @data: what it writes
 * @filtered: refused by the filter, else unknown or #GP
 *
 * The RDMSR or WRMSR at RIP is finished when user space has answered in kvm_run.msr,
 * whether it was intercepted or is being emulated.
 * Return: true: kvm_run is filled, X86_USER; false: #GP(0) is the caller's to inject.
 */
bool x86_msr_user_exit(struct x86_vcpu *vcpu, u32 index, bool write, u64 data, bool filtered);

/**
 * x86_set_msr_irqoff() - WRMSR in the inner loop, with the filter of user space
 * @vcpu: the vCPU; IRQs off, RCU watching
 * @index: MSR number
 * @data: value
 *
 * Return: true: done; false: nothing has happened, it is for the outer loop.
 */
bool x86_set_msr_irqoff(struct x86_vcpu *vcpu, u32 index, u64 data);

/*
 * Common MSRs only, for a vendor that puts itself before: without filter, without
 * asking the vendor. 0; 1: #GP, or not arch-x86's.
 */
int x86_get_msr_common(struct x86_vcpu *vcpu, u32 index, u64 *data, bool host);
int x86_set_msr_common(struct x86_vcpu *vcpu, u32 index, u64 data, bool host);

/**
 * x86_has_spec_ctrl() - may IA32_SPEC_CTRL be read and written?
 * @vcpu: the vCPU
 * @host: by user space, whatever the guest's CPUID says
 */
bool x86_has_spec_ctrl(struct x86_vcpu *vcpu, bool host);
/** x86_spec_ctrl_valid() - a value that may be written there (SDM 4 48H, APM 2 3.2.9) */
bool x86_spec_ctrl_valid(u64 data);

/**
 * x86_spec_commands() - bits that may be written to PRED_CMD or FLUSH_CMD, which do something
 *	now and keep nothing (SDM 4 49H, 10BH; APM 2 3.2.9)
 * @vcpu: the vCPU
 * @index: one of them
 * @host: by user space, whatever the guest's CPUID says
 *
 * Return: the bits; 0: there is no such MSR.
 */
u64 x86_spec_commands(struct x86_vcpu *vcpu, u32 index, bool host);

/**
 * x86_spec_command() - write to PRED_CMD or FLUSH_CMD for a guest: it is done
 * @data: value; the others as above
 *
 * Context: any that may write MSRs; loaded. Return: 0; 1: #GP.
 */
int x86_spec_command(struct x86_vcpu *vcpu, u32 index, u64 data, bool host);

/** x86_msr_init_lists() - make the index lists; at registration, after the caps */
void x86_msr_init_lists(void);
/** x86_msr_is_listed() - is it in KVM_GET_MSR_INDEX_LIST? */
bool x86_msr_is_listed(u32 index);
/** x86_msr_feature() - a feature MSR's value. 0; 1: unknown. */
int x86_msr_feature(u32 index, u64 *data);

/**
 * x86_get_msr_index_list() / x86_get_msr_feature_index_list() -
 *	KVM_GET_MSR_INDEX_LIST, KVM_GET_MSR_FEATURE_INDEX_LIST
 *
 * Return: 0; -E2BIG: nmsrs is too small, and now says how many there are; -EFAULT.
 */
int x86_get_msr_index_list(struct kvm_msr_list __user *arg);
int x86_get_msr_feature_index_list(struct kvm_msr_list __user *arg);

/**
 * x86_get_feature_msrs() / x86_vcpu_get_msrs() / x86_vcpu_set_msrs() -
 *	KVM_GET_MSRS on the system, KVM_GET_MSRS, KVM_SET_MSRS on a vCPU
 * @vcpu: mutex held, not loaded
 *
 * Return: how many entries were processed before the first that failed; -E2BIG,
 * -EFAULT, -ENOMEM.
 */
int x86_get_feature_msrs(struct kvm_msrs __user *arg);
int x86_vcpu_get_msrs(struct x86_vcpu *vcpu, struct kvm_msrs __user *arg);
int x86_vcpu_set_msrs(struct x86_vcpu *vcpu, struct kvm_msrs __user *arg);

/**
 * x86_vm_set_msr_filter() - KVM_X86_SET_MSR_FILTER
 * @vm: the VM; takes its lock
 * @user: a copy; its bitmaps are still user space's
 *
 * Return: 0; -EINVAL: flags, sizes, or "deny" without any range; -EFAULT, -ENOMEM.
 */
int x86_vm_set_msr_filter(struct x86_vm *vm, const struct kvm_msr_filter *user);
void x86_vm_free_msr_filter(struct x86_vm *vm);

/**
 * User-return MSRs: guest values stay in the CPU until this thread returns to
 * user mode (SYSCALL MSRs, TSC_AUX). cpu/user_return.c.
 *
 * x86_user_return_init() / _exit() - per-CPU state, when a vendor registers / goes.
 * 0, -ENOMEM.
 */
int x86_user_return_init(void);
void x86_user_return_exit(void);
/** x86_user_return_add() - slot for an MSR, or -1 if the CPU lacks it. At registration. */
int x86_user_return_add(u32 msr);
/** x86_user_return_find() - its slot or -1 */
int x86_user_return_find(u32 msr);
/**
 * x86_user_return_set() - load a guest value
 * @slot: by x86_user_return_add()
 * @value: wanted
 * @mask: bits of it that count; the others are the host's
 *
 * Preemption off. Return: 0; 1: WRMSR faulted, nothing changed.
 */
int x86_user_return_set(int slot, u64 value, u64 mask);
/** x86_user_return_cpu_online() / _offline() - on that CPU, when virtualization is
 *  turned on: read the host's values; off: restore them. */
void x86_user_return_cpu_online(void);
void x86_user_return_cpu_offline(void);

#endif
