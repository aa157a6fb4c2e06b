/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest that knows it runs on KVM may ask for: hypercalls, steal time.
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

#endif
