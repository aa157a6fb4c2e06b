/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System management mode: the way in (SMI), and out (RSM). The memory that only it sees
 * is address space 1 (core/memslot.h).
 */
#ifndef ARCH_X86_CPU_SMM_H
#define ARCH_X86_CPU_SMM_H

#include "arch-x86/x86.h"

/** x86_inject_smi() - SMI# for a vCPU: pending, and a kick. Any thread, any context. */
void x86_inject_smi(struct x86_vcpu *vcpu);

/**
 * x86_take_smi() - a pending SMI that nothing holds off: into SMM
 * @vcpu: the vCPU, loaded, before events are injected
 *
 * SMM itself holds an SMI off until RSM, and a debugger may (KVM_GUESTDBG_BLOCKIRQ). An
 * event whose delivery has begun, and an exception, which belongs to the last
 * instruction, come first: then the SMI stays due (x86_smi_due()), and the guest must be
 * left right behind that delivery. SDM 3C 31.4, APM 2 10.3.
 */
void x86_take_smi(struct x86_vcpu *vcpu);

/**
 * x86_smm_leave() - RSM: all state from SMRAM
 * @vcpu: the vCPU, loaded, in SMM
 *
 * State that no CPU can have is a shutdown (SDM 3C 31.3, APM 2 10.3.7): a triple fault
 * is requested.
 */
void x86_smm_leave(struct x86_vcpu *vcpu);

/**
 * x86_smm_switch() - the vCPU is in SMM from now on, or is not
 * @vcpu: the vCPU, loaded
 * @in_smm: which
 *
 * The memory that it sees is another one. Nothing else changes.
 */
void x86_smm_switch(struct x86_vcpu *vcpu, bool in_smm);

/** x86_smi_due() - is there an SMI that the vCPU would take now? Its thread only. */
bool x86_smi_due(struct x86_vcpu *vcpu);

#endif
