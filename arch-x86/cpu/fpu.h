/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's FPU and XSAVE state: swapped with the thread's on KVM_RUN, not
 * at every exit; XCR0, XSS and PKRU around each run of the inner loop.
 */
#ifndef ARCH_X86_CPU_FPU_H
#define ARCH_X86_CPU_FPU_H

#include "arch-x86/x86.h"

/** x86_fpu_init() - learn the host's XCR0 and XSS; at registration, before the caps */
void x86_fpu_init(void);

/** x86_fpu_create() - state of a new vCPU: as after FNINIT. 0, -ENOMEM. */
int x86_fpu_create(struct x86_vcpu *vcpu);
void x86_fpu_destroy(struct x86_vcpu *vcpu);

/**
 * x86_fpu_load_guest() / x86_fpu_put_guest() - KVM_RUN begins, ends
 * @vcpu: the vCPU, by the thread that runs it
 *
 * Between the two the thread's FPU state is the guest's, also across schedules; the
 * kernel's FPU users are no danger to it. Context: preemptible.
 */
void x86_fpu_load_guest(struct x86_vcpu *vcpu);
void x86_fpu_put_guest(struct x86_vcpu *vcpu);

/**
 * x86_fpu_ensure_loaded() - the CPU's FPU registers are this thread's (the guest's)
 *
 * Another thread, or the kernel itself, may have used them since. IRQs off, between
 * x86_fpu_load_guest() and x86_fpu_put_guest(); with the host's XCR0.
 */
void x86_fpu_ensure_loaded(struct x86_vcpu *vcpu);

/**
 * x86_load_guest_xstate() / x86_load_host_xstate() - XCR0, XSS, PKRU
 * @vcpu: the vCPU
 *
 * IRQs off, around the inner loop: nothing between them may touch the FPU or user
 * memory. (SDM 1 13.3, 13.11; SDM 3A 4.6.2.)
 */
void x86_load_guest_xstate(struct x86_vcpu *vcpu);
void x86_load_host_xstate(struct x86_vcpu *vcpu);

/** x86_fpu_reset() - RESET: XCR0 1, XSS and PKRU 0; INIT changes nothing (SDM 3A table 9-1) */
void x86_fpu_reset(struct x86_vcpu *vcpu, bool init_event);

/**
 * x86_vcpu_get_fpu() / x86_vcpu_set_fpu() - KVM_GET_FPU, KVM_SET_FPU
 * Return: 0; -ENOMEM; -EINVAL: reserved MXCSR bits.
 */
int x86_vcpu_get_fpu(struct x86_vcpu *vcpu, struct kvm_fpu *fpu);
int x86_vcpu_set_fpu(struct x86_vcpu *vcpu, const struct kvm_fpu *fpu);

/**
 * x86_vcpu_get_xsave() / x86_vcpu_set_xsave() - KVM_GET_XSAVE(2), KVM_SET_XSAVE
 * @state: kernel buffer in the standard format of XSAVE
 * @size: of the buffer, at least sizeof(struct kvm_xsave)
 * @xsave: x86_fpu_uabi_size() bytes
 *
 * Return: 0; -EINVAL: components that the host does not support, reserved bits.
 */
int x86_vcpu_get_xsave(struct x86_vcpu *vcpu, void *state, unsigned int size);
int x86_vcpu_set_xsave(struct x86_vcpu *vcpu, const struct kvm_xsave *xsave);

/** KVM_GET_XCRS, KVM_SET_XCRS. 0; -EINVAL: flags, too many, or XCR0 that can't be. */
int x86_vcpu_get_xcrs(struct x86_vcpu *vcpu, struct kvm_xcrs *xcrs);
int x86_vcpu_set_xcrs(struct x86_vcpu *vcpu, const struct kvm_xcrs *xcrs);

/** x86_fpu_uabi_size() - KVM_CAP_XSAVE2: bytes of KVM_GET_XSAVE2. @vm may be NULL. */
int x86_fpu_uabi_size(struct x86_vm *vm);

/** x86_supported_xcr0() - state components that guests may enable */
u64 x86_supported_xcr0(void);

#endif
