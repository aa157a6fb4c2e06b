/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The run loop's small doors: for vendors and for rooms that end an exit.
 */
#ifndef ARCH_X86_RUN_H
#define ARCH_X86_RUN_H

#include "arch-x86/x86.h"

/** x86_exit_request() - must the inner loop be left before the next entry?
 *  Pending requests, or work of the host's for this thread. IRQs off. */
bool x86_exit_request(struct x86_vcpu *vcpu);

/** x86_set_mp_state() - KVM_MP_STATE_*, seen by other threads */
void x86_set_mp_state(struct x86_vcpu *vcpu, u32 state);

#endif
