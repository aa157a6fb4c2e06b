/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest that knows it runs on KVM may ask for: hypercalls, steal time,
 * asynchronous page faults.
 */
#ifndef ARCH_X86_PV_H
#define ARCH_X86_PV_H

#include "arch-x86/x86.h"

/**
 * x86_steal_time_set_msr() - MSR_KVM_STEAL_TIME
 * @vcpu: loaded
 * @data: gpa of a struct kvm_steal_time, aligned to 64, and the enable bit
 *
 * Return: 0; 1: #GP (reserved bits, no memory there, host without the counter).
 */
int x86_steal_time_set_msr(struct x86_vcpu *vcpu, u64 data);

/** x86_steal_time_update() - account what was stolen since the last time, and say that the
 *  vCPU runs. Request handler: its thread, SRCU held, may sleep. */
void x86_steal_time_update(struct x86_vcpu *vcpu);

/** x86_steal_time_set_preempted() - say that the vCPU does not run. At vcpu_put: preemption
 *  off, does not sleep; if the page is not there, nothing is said. */
void x86_steal_time_set_preempted(struct x86_vcpu *vcpu);

/**
 * x86_async_pf_set_msr() - MSR_KVM_ASYNC_PF_EN
 * @vcpu: loaded
 * @data: gpa of a struct kvm_vcpu_pv_apf_data, aligned to 64, and KVM_ASYNC_PF_*
 * @host: by user space
 *
 * Return: 0; 1: #GP (reserved bits, no memory there, no APIC in the kernel).
 */
int x86_async_pf_set_msr(struct x86_vcpu *vcpu, u64 data, bool host);
/** x86_async_pf_set_vector() / x86_async_pf_ack() - MSR_KVM_ASYNC_PF_INT, _ACK. 0; 1: #GP. */
int x86_async_pf_set_vector(struct x86_vcpu *vcpu, u64 data);
int x86_async_pf_ack(struct x86_vcpu *vcpu, u64 data);
/** x86_async_pf_reset() - RESET, INIT: switched off, nothing outstanding. */
void x86_async_pf_reset(struct x86_vcpu *vcpu);
/** x86_async_pf_ready() - X86_REQ_APF_READY: what has come is said, a halt for it ends.
 *  SRCU held, may sleep. */
void x86_async_pf_ready(struct x86_vcpu *vcpu);

#define X86_FAULTIN_LATER	1

/**
 * x86_faultin_pfn() - kvm_faultin_pfn() for the access at which a vCPU stands, which need
 *	not wait for a page that comes from afar
 * @vcpu: the vCPU, in its exit handler
 * @slot: usable slot that contains @gfn
 * @gfn: the frame
 * @write: the guest wants to write
 * @out: answer
 *
 * Return: as kvm_faultin_pfn(), never -EBUSY; X86_FAULTIN_LATER: there is no answer, and
 * the run loop goes on: the guest is told by a #PF, or the vCPU halts. Sleeps. SRCU held.
 */
int x86_faultin_pfn(struct x86_vcpu *vcpu, struct kvm_memory_slot *slot, gfn_t gfn, bool write,
		    struct kvm_faultin *out);

#endif
