/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MTRRs: stored and checked. What memory types they give is for a vendor whose
 * nested tables carry them (EPT); NPT takes them from the host.
 */
#ifndef ARCH_X86_CPU_MTRR_H
#define ARCH_X86_CPU_MTRR_H

#include "arch-x86/x86.h"

#define X86_NR_VAR_MTRRS	8
#define X86_PAT_RESET		0x0007040600070406ULL	/* SDM 3A 12.12.4 */

/** x86_mtrr_is_msr() - is it one of the MTRRs (IA32_MTRRCAP included)? */
bool x86_mtrr_is_msr(u32 index);

/**
 * x86_mtrr_get() / x86_mtrr_set() - RDMSR and WRMSR (SDM 3A 12.11)
 * @vcpu: the vCPU
 * @index: x86_mtrr_is_msr()
 * @data: value
 *
 * Return: 0; 1: #GP (read-only, reserved bits, a memory type that does not exist).
 */
int x86_mtrr_get(struct x86_vcpu *vcpu, u32 index, u64 *data);
int x86_mtrr_set(struct x86_vcpu *vcpu, u32 index, u64 data);

/** x86_mtrr_reset() - power-on: disabled, all else 0 */
void x86_mtrr_reset(struct x86_vcpu *vcpu);

/** x86_pat_valid() - each of the 8 types exists (SDM 3A 12.12.2) */
bool x86_pat_valid(u64 pat);

#endif
