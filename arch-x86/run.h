/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The run loop's small doors: for vendors and for rooms that end an exit.
 */
#ifndef ARCH_X86_RUN_H
#define ARCH_X86_RUN_H

#include "arch-x86/x86.h"

/** x86_set_mp_state() - KVM_MP_STATE_*, seen by other threads */
void x86_set_mp_state(struct x86_vcpu *vcpu, u32 state);

/**
 * x86_inject_events() - choose what enters the guest next, and have the vendor inject it
 * @vcpu: the vCPU, before its entry
 *
 * One event at most, by priority; what must wait gets a window. Taken back by
 * vendor_call(cancel_injection). Context: loaded, SRCU held.
 */
void x86_inject_events(struct x86_vcpu *vcpu);

/**
 * x86_must_emulate() - would the CPU refuse the guest's state? (forced.c)
 * @vcpu: the vCPU, loaded
 */
bool x86_must_emulate(struct x86_vcpu *vcpu);

/**
 * x86_emulate_refused() - an event is delivered, or instructions are executed, for a guest
 *	that x86_must_emulate()
 * @vcpu: the vCPU; requests but events have been seen to
 *
 * Drops SRCU. Context: as x86_emulate_instruction(). Return: X86_RESUME, X86_USER, -errno.
 */
int x86_emulate_refused(struct x86_vcpu *vcpu);

/* kvm.ko's parameter force_emulation */
extern bool x86_force_emulation;

/**
 * x86_emulate_instead() - one instruction, or the delivery of one event, without an
 *	entry
 * @vcpu: the vCPU, about to enter; requests but events have been seen to
 *
 * Context: as x86_emulate_instruction(). Return: X86_RESUME, X86_USER, -errno;
 * X86_FOR_CPU: the guest is to be entered for one step.
 */
int x86_emulate_instead(struct x86_vcpu *vcpu);

/** x86_step_once() - the entry that follows is for one instruction. IRQs on. */
void x86_step_once(struct x86_vcpu *vcpu);

/**
 * x86_exit_fail_entry() - KVM_EXIT_FAIL_ENTRY: the CPU has refused to enter
 * @vcpu: the vCPU
 * @reason: the vendor's
 *
 * Return: X86_USER.
 */
int x86_exit_fail_entry(struct x86_vcpu *vcpu, u64 reason);

/** x86_exit_unexpected() - KVM_EXIT_INTERNAL_ERROR: an exit that nothing here asked for.
 *  Return: X86_USER. */
int x86_exit_unexpected(struct x86_vcpu *vcpu, u64 reason);

/**
 * x86_sync_regs_take() - before the vCPU runs: the sets of registers that kvm_run says
 *	are dirty
 * @vcpu: the vCPU, loaded; SRCU not needed
 *
 * Each as its ioctl would. Return: 0, kvm_dirty_regs is 0 now; -EINVAL: unknown bits in
 * kvm_dirty_regs or kvm_valid_regs, or values that the ioctl refuses.
 */
int x86_sync_regs_take(struct x86_vcpu *vcpu);

/** x86_sync_regs_show() - when KVM_RUN returns: store what kvm_valid_regs asks for. Loaded. */
void x86_sync_regs_show(struct x86_vcpu *vcpu);

#endif
