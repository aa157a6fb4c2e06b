// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this CPU's AMD-V can do, and turning it on and off per CPU. Owns
 * svm_features, the capabilities told to arch-x86, and the host save areas.
 */
#include <linux/cpu.h>
#include <linux/module.h>
#include <linux/io.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/cpuid/api.h>
#include <asm/msr.h>
#include <compat/virt.h>

#include "arch-x86/cpu/cpuid.h"
#include "vendor-svm/svm.h"

static bool nrips = true;
module_param(nrips, bool, 0444);
MODULE_PARM_DESC(nrips, "use the next RIP that the CPU saves at an exit");

static bool npt = true;
module_param(npt, bool, 0444);
MODULE_PARM_DESC(npt, "use nested page tables");

static bool decode_assists = true;
module_param(decode_assists, bool, 0444);
MODULE_PARM_DESC(decode_assists, "use the instruction bytes that the CPU saves at an exit");

struct svm_features svm_features __ro_after_init;

struct x86_vendor_caps svm_caps __ro_after_init = {
	.tdp_max_level = 4,
	.tdp_max_page_shift = 30,
	.tdp_has_ad = true,	/* NPT tables are walked like any others (APM 2 15.25.5) */
	.nmi_window_needs_iret = true,
};

/* CPUID 8000_000A EDX (APM 3 E.4.9). */
#define SVM_CPUID_NP		BIT(0)
#define SVM_CPUID_NRIPS		BIT(3)
#define SVM_CPUID_TSC_RATE	BIT(4)
#define SVM_CPUID_CLEAN		BIT(5)
#define SVM_CPUID_FLUSH_ASID	BIT(6)
#define SVM_CPUID_DECODE	BIT(7)
#define SVM_CPUID_PAUSE		BIT(10)
#define SVM_CPUID_PAUSE_THRESH	BIT(12)
#define SVM_CPUID_V_SPEC_CTRL	BIT(20)

#define SVM_CPUID_LEAF		0x8000000a

#define VM_CR_SVMDIS		BIT_ULL(4)	/* APM 2 15.30.1 */

/* Page for the host's state at VMRUN, and one for its VMSAVE (APM 2 15.5, 15.5.2). */
struct svm_cpu_pages {
	struct page *hsave;
	struct page *save;
};

static DEFINE_PER_CPU(struct svm_cpu_pages, svm_cpu_pages);

int __init svm_caps_init(void)
{
	u32 eax, ebx, ecx, edx;
	u64 vm_cr;

	if (!boot_cpu_has(X86_FEATURE_SVM)) {
		pr_err("kvm_amd: this CPU has no AMD-V (SVM), or it is hidden from this system\n");
		return -EOPNOTSUPP;
	}
	if (!rdmsrq_safe(MSR_VM_CR, &vm_cr) && (vm_cr & VM_CR_SVMDIS)) {
		pr_err("kvm_amd: AMD-V is disabled by the firmware: enable SVM in its setup\n");
		return -EOPNOTSUPP;
	}

	cpuid(SVM_CPUID_LEAF, &eax, &ebx, &ecx, &edx);
	svm_caps.npt = npt && (edx & SVM_CPUID_NP);
	/* The encryption bit does not fit into CR3 of a guest outside long mode. */
	if (!svm_caps.npt && __sme_set(0ULL)) {
		pr_err("kvm_amd: memory encryption (SME) is on: guests need nested paging\n");
		return -EOPNOTSUPP;
	}

	svm_features.nr_asids = ebx;
	svm_features.nrips = nrips && (edx & SVM_CPUID_NRIPS);
	svm_features.decode_assists = decode_assists && (edx & SVM_CPUID_DECODE);
	svm_features.flush_by_asid = edx & SVM_CPUID_FLUSH_ASID;
	svm_features.clean_bits = edx & SVM_CPUID_CLEAN;
	svm_features.pause_filter = edx & SVM_CPUID_PAUSE;
	svm_features.pause_threshold = svm_features.pause_filter &&
				       (edx & SVM_CPUID_PAUSE_THRESH);
	svm_features.tsc_scaling = edx & SVM_CPUID_TSC_RATE;
	svm_features.v_spec_ctrl = edx & SVM_CPUID_V_SPEC_CTRL;
	if (svm_features.nr_asids < 2) {
		pr_err("kvm_amd: this CPU reports no usable ASID\n");
		return -EOPNOTSUPP;
	}

	svm_caps.tdp_max_level = boot_cpu_has(X86_FEATURE_LA57) ? 5 : 4;
	svm_caps.tdp_max_page_shift = boot_cpu_has(X86_FEATURE_GBPAGES) ? 30 : 21;
	svm_caps.decode_assist = svm_features.decode_assists;
	svm_caps.pause_loop_exit = svm_features.pause_filter;
	svm_caps.tsc_scaling = svm_features.tsc_scaling;
	/* TSC_RATIO is 8.32 fixed point (APM 2 15.30.5). */
	svm_caps.tsc_scaling_frac_bits = 32;
	svm_caps.tsc_scaling_max_ratio = 0xffffffffffULL;
	return 0;
}

void svm_adjust_cpu_caps(void)
{
	/* What the kernel knows by model and microcode, where CPUID does not say it. */
	static const struct {
		unsigned int host, guest;
	} known[] = {
		{ X86_FEATURE_SBPB, X86_FEATURE_SBPB },
		{ X86_FEATURE_IBPB_BRTYPE, X86_FEATURE_IBPB_BRTYPE },
		{ X86_FEATURE_SRSO_NO, X86_FEATURE_SRSO_NO },
		{ X86_FEATURE_VERW_CLEAR, X86_FEATURE_VERW_CLEAR },
		{ X86_FEATURE_TSA_SQ_NO, GUEST_FEATURE_TSA_SQ_NO },
		{ X86_FEATURE_TSA_L1_NO, GUEST_FEATURE_TSA_L1_NO },
	};
	int i;

	/* Nested guests are not offered; what needs a VMCB feature neither. */
	x86_cpu_cap_clear(X86_FEATURE_SVM);
	if (boot_cpu_has(X86_FEATURE_LS_CFG_SSBD) && !boot_cpu_has(X86_FEATURE_AMD_SSBD))
		x86_cpu_cap_force(X86_FEATURE_VIRT_SSBD);
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (boot_cpu_has(known[i].host))
			x86_cpu_cap_force(known[i].guest);
}

int svm_cpu_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct svm_cpu_pages *p = per_cpu_ptr(&svm_cpu_pages, cpu);

		p->hsave = alloc_pages_node(cpu_to_node(cpu), GFP_KERNEL | __GFP_ZERO, 0);
		p->save = alloc_pages_node(cpu_to_node(cpu), GFP_KERNEL | __GFP_ZERO, 0);
		if (!p->hsave || !p->save) {
			svm_cpu_exit();
			return -ENOMEM;
		}
	}
	return 0;
}

void svm_cpu_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct svm_cpu_pages *p = per_cpu_ptr(&svm_cpu_pages, cpu);

		if (p->hsave)
			__free_page(p->hsave);
		if (p->save)
			__free_page(p->save);
		p->hsave = p->save = NULL;
	}
}

u64 svm_host_save_pa(void)
{
	return page_to_phys(this_cpu_read(svm_cpu_pages.save));
}

int svm_cpu_enable(void)
{
	int r = kvmc_virt_get(X86_FEATURE_SVM);

	if (r)
		return r;

	wrmsrq(MSR_VM_HSAVE_PA, page_to_phys(this_cpu_read(svm_cpu_pages.hsave)));
	if (svm_features.tsc_scaling)
		wrmsrq(MSR_AMD64_TSC_RATIO, 1ULL << 32);
	svm_asid_cpu_init();
	svm_srso_cpu_on();
	return 0;
}

void svm_cpu_disable(void)
{
	if (svm_features.tsc_scaling)
		wrmsrq(MSR_AMD64_TSC_RATIO, 1ULL << 32);
	svm_srso_cpu_off();
	kvmc_virt_put(X86_FEATURE_SVM);
}
