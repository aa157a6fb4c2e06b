/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Speculation between guests and host, the parts written in C; spec_asm.h has
 * those that belong around the VM entry itself. Each is what this kernel's own
 * mitigation state asks for, never less.
 */
#ifndef COMPAT_SPEC_H
#define COMPAT_SPEC_H

#include <linux/percpu.h>
#include <asm/cpufeature.h>
#include <asm/nospec-branch.h>
#include <asm/spec-ctrl.h>
#include <compat/config.h>

/**
 * kvmc_ibpb() - branch predictions of one guest must not serve the next
 *
 * Called when another vCPU comes onto this CPU. Context: preemption off.
 */
static inline void kvmc_ibpb(void)
{
#ifdef HAVE_SWITCH_VCPU_IBPB
	if (static_branch_likely(&switch_vcpu_ibpb))
		indirect_branch_prediction_barrier();
#else
	indirect_branch_prediction_barrier();
#endif
}

/**
 * kvmc_guest_ran() - a guest has run on this CPU since its last return to user
 *	mode, whose predictions it may have trained (VMSCAPE)
 *
 * Called after each VM exit, outside noinstr. Context: preemption off.
 */
static __always_inline void kvmc_guest_ran(void)
{
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
}

/**
 * kvmc_host_spec_ctrl() - what IA32_SPEC_CTRL holds on this CPU for the host
 *
 * Context: preemption off; noinstr-safe. Return: the value; write it back
 * after the VM exit if the guest's was another.
 */
static __always_inline u64 kvmc_host_spec_ctrl(void)
{
	return this_cpu_read(x86_spec_ctrl_current);
}

/**
 * kvmc_spec_ctrl_set_guest() - load the guest's SSBD where it is not in
 *	IA32_SPEC_CTRL (VIRT_SPEC_CTRL, LS_CFG; APM 2 3.2.9)
 * @virt_spec_ctrl: guest's MSR_AMD64_VIRT_SPEC_CTRL
 *
 * Context: IRQs off.
 */
static inline void kvmc_spec_ctrl_set_guest(u64 virt_spec_ctrl)
{
#ifdef HAVE_VIRT_SPEC_CTRL_2
	x86_spec_ctrl_set_guest(virt_spec_ctrl);
#else
	/* IA32_SPEC_CTRL is ours to switch: say that it does not change */
	x86_spec_ctrl_set_guest(kvmc_host_spec_ctrl(), virt_spec_ctrl);
#endif
}

/**
 * kvmc_spec_ctrl_restore_host() - undo kvmc_spec_ctrl_set_guest()
 * @virt_spec_ctrl: guest's MSR_AMD64_VIRT_SPEC_CTRL
 *
 * Context: IRQs off.
 */
static inline void kvmc_spec_ctrl_restore_host(u64 virt_spec_ctrl)
{
#ifdef HAVE_VIRT_SPEC_CTRL_2
	x86_spec_ctrl_restore_host(virt_spec_ctrl);
#else
	x86_spec_ctrl_restore_host(kvmc_host_spec_ctrl(), virt_spec_ctrl);
#endif
}

#endif
