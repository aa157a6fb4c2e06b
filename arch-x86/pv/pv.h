/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest that knows it runs on KVM may ask for: hypercalls, steal time.
 */
#ifndef ARCH_X86_PV_H
#define ARCH_X86_PV_H

#include "arch-x86/x86.h"

int x86_steal_time_set_msr(struct x86_vcpu *vcpu, u64 data);	/* 0, 1 (#GP) */
void x86_steal_time_update(struct x86_vcpu *vcpu);		/* request handler, may sleep */
void x86_steal_time_set_preempted(struct x86_vcpu *vcpu);	/* vcpu_put */

#endif
