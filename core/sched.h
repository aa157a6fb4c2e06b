/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What sched.c does for vcpu.c. The architecture's side is in vcpu.h.
 */
#ifndef CORE_SCHED_H
#define CORE_SCHED_H

#include "core/kvm.h"

/** kvm_vcpu_sched_init() / kvm_vcpu_sched_destroy() - at its birth and death */
void kvm_vcpu_sched_init(struct kvm_vcpu *vcpu);
void kvm_vcpu_sched_destroy(struct kvm_vcpu *vcpu);

/** kvm_vcpu_set_thread() - current runs it from now on. vcpu->mutex held */
void kvm_vcpu_set_thread(struct kvm_vcpu *vcpu);

#endif
