/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Machine check banks of a vCPU: registers, and errors that user space reports.
 */
#ifndef ARCH_X86_CPU_MCE_H
#define ARCH_X86_CPU_MCE_H

#include "arch-x86/x86.h"

#define X86_MAX_MCE_BANKS	32

/** x86_mce_cap_supported() - KVM_X86_GET_MCE_CAP_SUPPORTED: bits of IA32_MCG_CAP */
u64 x86_mce_cap_supported(void);

/** x86_mce_create() / x86_mce_destroy() - banks of a new vCPU. 0, -ENOMEM. */
int x86_mce_create(struct x86_vcpu *vcpu);
void x86_mce_destroy(struct x86_vcpu *vcpu);

/** x86_mce_setup() - KVM_X86_SETUP_MCE. 0; -EINVAL: banks, or bits not supported. */
int x86_mce_setup(struct x86_vcpu *vcpu, u64 mcg_cap);

/**
 * x86_mce_report() - KVM_X86_SET_MCE: an error in the guest's memory or CPU
 * @vcpu: the vCPU, loaded
 * @mce: a copy of user's
 *
 * An uncorrected error is #MC, or a triple fault where the guest can't take one
 * (SDM 3B 15.3, 15.10.4). Return: 0; -EINVAL: no such bank, not valid.
 */
int x86_mce_report(struct x86_vcpu *vcpu, const struct kvm_x86_mce *mce);

/** x86_mce_is_msr() - one of the registers of mce.c? */
bool x86_mce_is_msr(struct x86_vcpu *vcpu, u32 index);
/** x86_mce_get_msr() / x86_mce_set_msr() - 0; 1: #GP. @host: by user space. */
int x86_mce_get_msr(struct x86_vcpu *vcpu, u32 index, u64 *data);
int x86_mce_set_msr(struct x86_vcpu *vcpu, u32 index, u64 data, bool host);

#endif
