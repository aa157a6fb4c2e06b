/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Speculation around the VM entry, for assembly. Each macro is an alternative
 * that the kernel patches in where its mitigation state asks for it.
 *
 *	KVMC_VM_CLEAR_CPU_BUFFERS	last before VMRUN/VMLAUNCH; changes ZF
 *	KVMC_FILL_RSB reg		after the exit, before any RET; changes reg
 *	KVMC_SPEC_CTRL_BARRIER	after the host's SPEC_CTRL is back, or was left
 *	KVMC_UNTRAIN_RET		after that, before any RET; changes
 *					rax, rcx, rdx
 *	KVMC_CLEAR_BRANCH_HISTORY_VMEXIT  after the exit, before any indirect
 *					branch; changes rax, rcx
 */
#ifndef COMPAT_SPEC_ASM_H
#define COMPAT_SPEC_ASM_H

#ifdef __ASSEMBLY__

#include <linux/linkage.h>
#include <asm/alternative.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/nospec-branch.h>

/* Buffers that the guest could read out: MDS, MMIO, TSA. */
#if defined(VM_CLEAR_CPU_BUFFERS)
#define KVMC_VM_CLEAR_CPU_BUFFERS	VM_CLEAR_CPU_BUFFERS
#elif defined(X86_FEATURE_CLEAR_CPU_BUF_VM)
#define KVMC_VM_CLEAR_CPU_BUFFERS \
	ALTERNATIVE "", __CLEAR_CPU_BUFFERS, X86_FEATURE_CLEAR_CPU_BUF_VM
#else
#error "this kernel has no way to clear CPU buffers before a VM entry (X86_FEATURE_CLEAR_CPU_BUF_VM)"
#endif

/* Returns that the guest could have trained: all of the RSB, or one entry. */
.macro KVMC_FILL_RSB reg:req
	FILL_RETURN_BUFFER \reg, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE
.endm

/* No branch of the host's before SPEC_CTRL is the host's. */
.macro KVMC_SPEC_CTRL_BARRIER
	ALTERNATIVE "", "lfence", X86_FEATURE_MSR_SPEC_CTRL
.endm

/* Retbleed and SRSO: untrain the return thunk, or IBPB. */
#ifdef UNTRAIN_RET_VM
#define KVMC_UNTRAIN_RET	UNTRAIN_RET_VM
#else
.macro KVMC_UNTRAIN_RET
	UNTRAIN_RET
#ifdef X86_FEATURE_IBPB_ON_VMEXIT
	ALTERNATIVE "", "call entry_ibpb", X86_FEATURE_IBPB_ON_VMEXIT
#endif
.endm
#endif

/* Branch history injection (Intel; BHI_DIS_S absent). */
#ifdef X86_FEATURE_CLEAR_BHB_LOOP
#define KVMC_CLEAR_BRANCH_HISTORY_VMEXIT	CLEAR_BRANCH_HISTORY_VMEXIT
#else
#define KVMC_CLEAR_BRANCH_HISTORY_VMEXIT
#endif

#endif
#endif
