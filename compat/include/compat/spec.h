/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Speculation between guests and host, the parts written in C; spec_asm.h has
 * those that belong around the VM entry itself. Each is what this kernel's own
 * mitigation state asks for, never less.
 */
#ifndef COMPAT_SPEC_H
#define COMPAT_SPEC_H

#include <linux/cpu.h>
#include <linux/percpu.h>
#include <asm/cpufeature.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/segment.h>
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

static __always_inline bool kvmc_ssbd_elsewhere(void)
{
	return cpu_feature_enabled(X86_FEATURE_LS_CFG_SSBD) || cpu_feature_enabled(X86_FEATURE_VIRT_SSBD);
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
	if (!kvmc_ssbd_elsewhere())
		return;
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
	if (!kvmc_ssbd_elsewhere())
		return;
#ifdef HAVE_VIRT_SPEC_CTRL_2
	x86_spec_ctrl_restore_host(virt_spec_ctrl);
#else
	x86_spec_ctrl_restore_host(kvmc_host_spec_ctrl(), virt_spec_ctrl);
#endif
}

/**
 * kvmc_ibrs_needs_write() - does legacy IBRS take force only by a write of SPEC_CTRL
 *	after each exit, whatever the MSR holds?
 */
static __always_inline bool kvmc_ibrs_needs_write(void)
{
#ifdef X86_FEATURE_KERNEL_IBRS
	return cpu_feature_enabled(X86_FEATURE_KERNEL_IBRS);
#else
	return false;	/* this kernel knows no such mitigation */
#endif
}

/**
 * kvmc_clear_mmio_stale_data() - clear what buffers keep of device memory, where
 *	KVMC_VM_CLEAR_CPU_BUFFERS does not (VERW; Intel's "Processor MMIO Stale Data")
 *
 * Before a VM entry. Context: IRQs off.
 */
static __always_inline void kvmc_clear_mmio_stale_data(void)
{
	static const u16 selector = __KERNEL_DS;
#if defined(HAVE_MMIO_STALE_DATA_CLEAR)
	bool clear = static_branch_unlikely(&mmio_stale_data_clear);
#elif defined(X86_FEATURE_CLEAR_CPU_BUF_VM_MMIO)
	bool clear = cpu_feature_enabled(X86_FEATURE_CLEAR_CPU_BUF_VM_MMIO);
#else
#error "this kernel does not say whether MMIO stale data must be cleared"
#endif

	if (clear)
		asm volatile("verw %[selector]" : : [selector] "m" (selector) : "cc");
}

/** kvmc_clear_divider() - before a VM entry: the host's last quotient must not serve the guest's
 *  division by zero (AMD-SB-7008). noinstr-safe. */
static __always_inline void kvmc_clear_divider(void)
{
#ifdef X86_BUG_DIV0
	u32 low = 0, high = 0;

	if (static_cpu_has_bug(X86_BUG_DIV0))
		asm volatile("divl %[one]" : "+a" (low), "+d" (high) : [one] "r" (1) : "cc");
#endif
}

/** kvmc_srso_spec_reduce() - has the kernel chosen BP_CFG[BpSpecReduce] against SRSO, which is
 *  ours to set? (It takes the feature away where it has chosen something else.) */
static inline bool kvmc_srso_spec_reduce(void)
{
#ifdef X86_FEATURE_SRSO_BP_SPEC_REDUCE
	return boot_cpu_has(X86_FEATURE_SRSO_BP_SPEC_REDUCE);
#else
	return false;	/* this kernel does without */
#endif
}

/** kvmc_smt_rsb() - may a thread that halts leave its return predictions to its sibling? */
static inline bool kvmc_smt_rsb(void)
{
#ifdef X86_BUG_SMT_RSB
	return boot_cpu_has_bug(X86_BUG_SMT_RSB) && cpu_smt_possible();
#else
	return false;	/* this kernel does not know which CPUs do */
#endif
}

/* Whether large pages are executable for guests, for sysfs; some kernels declare it. */
extern bool itlb_multihit_kvm_mitigation;

/** kvmc_itlb_multihit_report() - tell the kernel that large pages are not executable */
static inline void kvmc_itlb_multihit_report(bool mitigated)
{
	itlb_multihit_kvm_mitigation = mitigated;
}

/**
 * kvmc_immunities() - what this host does not suffer from, or has mended in a way that holds for
 *	guests, as bits of IA32_ARCH_CAPABILITIES (SDM 4 10AH)
 */
static inline u64 kvmc_immunities(void)
{
	u64 caps = 0;

	if (!boot_cpu_has_bug(X86_BUG_CPU_MELTDOWN))
		caps |= BIT_ULL(0);	/* RDCL_NO */
	if (!boot_cpu_has_bug(X86_BUG_SPEC_STORE_BYPASS))
		caps |= BIT_ULL(4);	/* SSB_NO */
	if (!boot_cpu_has_bug(X86_BUG_MDS))
		caps |= BIT_ULL(5);	/* MDS_NO */
	if (boot_cpu_has(X86_FEATURE_RTM) && !boot_cpu_has_bug(X86_BUG_TAA))
		caps |= BIT_ULL(8);	/* TAA_NO */
#ifdef X86_BUG_GDS
	if (!boot_cpu_has_bug(X86_BUG_GDS) || gds_ucode_mitigated())
		caps |= BIT_ULL(26);	/* GDS_NO */
#endif
#ifdef X86_BUG_RFDS
	if (!boot_cpu_has_bug(X86_BUG_RFDS))
		caps |= BIT_ULL(27);	/* RFDS_NO */
#endif
#ifdef X86_BUG_ITS
	if (!boot_cpu_has_bug(X86_BUG_ITS))
		caps |= BIT_ULL(62);	/* ITS_NO */
#endif
	return caps;
}

/**
 * kvmc_bhb_init() - find out whether kvmc_clear_branch_history() has anything to do
 */
/**
 * kvmc_clear_branch_history() - after a VM exit, before any indirect branch, where the kernel has
 *	no KVMC_CLEAR_BRANCH_HISTORY_VMEXIT (Intel's "Branch History Injection")
 *
 * Context: IRQs off; noinstr.
 */
#if !defined(X86_FEATURE_CLEAR_BHB_LOOP) && defined(CONFIG_X86_64)
DECLARE_STATIC_KEY_FALSE(kvmc_bhb_affected);
extern unsigned int kvmc_bhb_outer, kvmc_bhb_inner;
void kvmc_bhb_overwrite(unsigned int outer, unsigned int inner);
void kvmc_bhb_init(void);

static __always_inline void kvmc_clear_branch_history(void)
{
	if (static_branch_unlikely(&kvmc_bhb_affected))
		kvmc_bhb_overwrite(kvmc_bhb_outer, kvmc_bhb_inner);
}
#else
static inline void kvmc_bhb_init(void)
{
}

static __always_inline void kvmc_clear_branch_history(void)
{
}
#endif

/*
 * How L1D is flushed before VM entries: values of a variable of the kernel's, which
 * sysfs shows, and whose header is one of the kernel's VMX ones.
 */
enum kvmc_l1d_flush {
	KVMC_L1D_AUTO,
	KVMC_L1D_NEVER,
	KVMC_L1D_COND,
	KVMC_L1D_ALWAYS,
	KVMC_L1D_EPT_DISABLED,
	KVMC_L1D_NOT_REQUIRED,
};
extern enum vmx_l1d_flush_state l1tf_vmx_mitigation;

/** kvmc_l1tf_report() - tell the kernel what is done, for sysfs */
static inline void kvmc_l1tf_report(enum kvmc_l1d_flush how)
{
	*(unsigned int *)&l1tf_vmx_mitigation = how;
}

/** kvmc_l1tf_flushes() - is L1D flushed, or need not be? */
static inline bool kvmc_l1tf_flushes(void)
{
	return *(unsigned int *)&l1tf_vmx_mitigation != KVMC_L1D_NEVER;
}

/** kvmc_l1tf_forced() - has the command line said l1tf=full,force? */
static inline bool kvmc_l1tf_forced(void)
{
	return l1tf_mitigation == L1TF_MITIGATION_FULL_FORCE;
}

/** kvmc_l1tf_wanted() - what the command line's l1tf= asks for */
static inline enum kvmc_l1d_flush kvmc_l1tf_wanted(void)
{
	switch (l1tf_mitigation) {
	case L1TF_MITIGATION_OFF:
		return KVMC_L1D_NEVER;
	case L1TF_MITIGATION_FULL:
	case L1TF_MITIGATION_FULL_FORCE:
		return KVMC_L1D_ALWAYS;
	default:
		return KVMC_L1D_COND;
	}
}

#endif
