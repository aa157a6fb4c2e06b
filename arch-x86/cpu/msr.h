/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Model specific registers: those that arch-x86 owns, then the vendor's; lists
 * for user space; filters; registers that the host restores on return to user
 * mode.
 */
#ifndef ARCH_X86_CPU_MSR_H
#define ARCH_X86_CPU_MSR_H

#include "arch-x86/x86.h"

/** x86_get_msr() / x86_set_msr() - @host: by user space, else by the guest.
 *  0; 1: #GP (unknown, read-only, bad value). Context: loaded, SRCU held. */
int x86_get_msr(struct x86_vcpu *vcpu, u32 index, u64 *data, bool host);
int x86_set_msr(struct x86_vcpu *vcpu, u32 index, u64 data, bool host);
/** x86_msr_allowed() - KVM_X86_SET_MSR_FILTER's answer. @type: KVM_MSR_FILTER_READ/WRITE */
bool x86_msr_allowed(struct x86_vcpu *vcpu, u32 index, u32 type);
/** x86_fastpath_wrmsr() - inner loop, IRQs off: x2APIC ICR/EOI.., TSC deadline. */
int x86_fastpath_wrmsr(struct x86_vcpu *vcpu);	/* enum x86_fastpath */

/* Common MSRs, for exported use by arch rooms and vendors only: without filter. */
int x86_get_msr_common(struct x86_vcpu *vcpu, u32 index, u64 *data, bool host);
int x86_set_msr_common(struct x86_vcpu *vcpu, u32 index, u64 data, bool host);

/* ioctls: KVM_GET_MSR_INDEX_LIST, KVM_GET_MSR_FEATURE_INDEX_LIST, KVM_GET/SET_MSRS. */
void x86_msr_init_lists(void);
int x86_get_msr_index_list(struct kvm_msr_list __user *arg);
int x86_get_msr_feature_index_list(struct kvm_msr_list __user *arg);
int x86_get_feature_msrs(struct kvm_msrs __user *arg);
int x86_vcpu_get_msrs(struct x86_vcpu *vcpu, struct kvm_msrs __user *arg);
int x86_vcpu_set_msrs(struct x86_vcpu *vcpu, struct kvm_msrs __user *arg);
int x86_vm_set_msr_filter(struct x86_vm *vm, void __user *arg);
void x86_vm_free_msr_filter(struct x86_vm *vm);

/**
 * User-return MSRs: guest values stay in the CPU until this thread returns to
 * user mode or is scheduled out (SYSCALL MSRs, TSC_AUX). cpu/user_return.c.
 */
int x86_user_return_init(void);
void x86_user_return_exit(void);
/** x86_user_return_add() - slot for an MSR, or -1 if the CPU lacks it. At registration. */
int x86_user_return_add(u32 msr);
int x86_user_return_find(u32 msr);
/** x86_user_return_set() - load a guest value. Preemption off. 0 or 1 (WRMSR faulted) */
int x86_user_return_set(int slot, u64 value, u64 mask);
/** x86_user_return_cpu_online()/_offline() - read the host's values / restore them. */
void x86_user_return_cpu_online(void);
void x86_user_return_cpu_offline(void);

#endif
