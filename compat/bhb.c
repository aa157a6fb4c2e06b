// SPDX-License-Identifier: GPL-2.0-only
/*
 * Branch history injection on kernels that know nothing of it: does this CPU let a guest's
 * branch history steer the host's indirect branches? Owns the answer; what is then done after
 * each exit is in bhb_64.S. Kernels that do it themselves patch it in (spec_asm.h).
 */
#include <linux/cpu.h>
#include <linux/jump_label.h>
#include <linux/kernel.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <compat/spec.h>

#if !defined(X86_FEATURE_CLEAR_BHB_LOOP) && defined(CONFIG_X86_64)

DEFINE_STATIC_KEY_FALSE(kvmc_bhb_affected);
unsigned int kvmc_bhb_outer = 5, kvmc_bhb_inner = 5;

#define ARCH_CAP_BIT_BHI_NO	BIT_ULL(20)
#define CPUID_7_2_EDX_BHI_CTRL	BIT(4)

void __init kvmc_bhb_init(void)
{
	u64 caps = 0;

	/* Without enhanced IBRS the kernel's indirect branches are retpolines. */
	if (cpu_mitigations_off() || boot_cpu_data.x86_vendor != X86_VENDOR_INTEL ||
	    !boot_cpu_has(X86_FEATURE_IBRS_ENHANCED))
		return;
	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrl(MSR_IA32_ARCH_CAPABILITIES, caps);
	if (caps & ARCH_CAP_BIT_BHI_NO)
		return;
	/* CPUs that could turn it off by a bit, which this kernel does not set, have a longer one. */
	if (cpuid_eax(7) >= 2) {
		u32 a, b, c, d;

		cpuid_count(7, 2, &a, &b, &c, &d);
		if (d & CPUID_7_2_EDX_BHI_CTRL) {
			kvmc_bhb_outer = 12;
			kvmc_bhb_inner = 7;
		}
	}
	static_branch_enable(&kvmc_bhb_affected);
	pr_info("kvm_intel: branch history is overwritten after each VM exit\n");
}

#endif
