/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's FPU and XSAVE state: swapped with the thread's on KVM_RUN, not
 * at every exit; XCR0, XSS and PKRU around each run of the inner loop.
 */
#ifndef ARCH_X86_CPU_FPU_H
#define ARCH_X86_CPU_FPU_H

#include "arch-x86/x86.h"

int x86_fpu_create(struct x86_vcpu *vcpu);
void x86_fpu_destroy(struct x86_vcpu *vcpu);
void x86_fpu_load_guest(struct x86_vcpu *vcpu);	/* KVM_RUN begins */
void x86_fpu_put_guest(struct x86_vcpu *vcpu);	/* KVM_RUN ends */
/** x86_load_guest_xstate() / x86_load_host_xstate() - XCR0, XSS, PKRU. IRQs off. */
void x86_load_guest_xstate(struct x86_vcpu *vcpu);
void x86_load_host_xstate(struct x86_vcpu *vcpu);
void x86_fpu_reset(struct x86_vcpu *vcpu, bool init_event);

int x86_vcpu_get_fpu(struct x86_vcpu *vcpu, struct kvm_fpu *fpu);
int x86_vcpu_set_fpu(struct x86_vcpu *vcpu, const struct kvm_fpu *fpu);
int x86_vcpu_get_xsave(struct x86_vcpu *vcpu, void *state, unsigned int size);
int x86_vcpu_set_xsave(struct x86_vcpu *vcpu, const struct kvm_xsave *xsave);
int x86_vcpu_get_xcrs(struct x86_vcpu *vcpu, struct kvm_xcrs *xcrs);
int x86_vcpu_set_xcrs(struct x86_vcpu *vcpu, const struct kvm_xcrs *xcrs);
/** x86_fpu_uabi_size() - KVM_CAP_XSAVE2 */
int x86_fpu_uabi_size(struct x86_vm *vm);
u64 x86_supported_xcr0(void);

#endif
