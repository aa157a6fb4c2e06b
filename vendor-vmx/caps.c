// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this CPU's VT-x can do: the capability MSRs (SDM 3D appendix A), read once
 * into vmx_has, less what module parameters turn off. Owns the minimum without which
 * the module refuses to load, and what is told to arch-x86.
 */
#include <linux/cpu.h>
#include <linux/module.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>

#include "arch-x86/cpu/cpuid.h"
#include "vendor-vmx/vmx.h"

static bool ept = true;
module_param(ept, bool, 0444);
MODULE_PARM_DESC(ept, "use extended page tables; off: shadow paging");

static bool eptad = true;
module_param(eptad, bool, 0444);
MODULE_PARM_DESC(eptad, "use accessed and dirty bits of extended page tables");

static bool unrestricted_guest = true;
module_param(unrestricted_guest, bool, 0444);
MODULE_PARM_DESC(unrestricted_guest, "let guests run in real mode and without paging on the CPU");

static bool vpid = true;
module_param(vpid, bool, 0444);
MODULE_PARM_DESC(vpid, "tag translations with the virtual CPU");

static bool vnmi = true;
module_param(vnmi, bool, 0444);
MODULE_PARM_DESC(vnmi, "leave the blocking of NMIs to the CPU");

static unsigned int hide_controls[VMX_NR_CONTROLS];
module_param_array(hide_controls, uint, NULL, 0444);
MODULE_PARM_DESC(hide_controls, "for tests: pin, primary, secondary, exit and entry controls to be taken for absent");

struct vmx_capabilities vmx_has __ro_after_init;

struct x86_vendor_caps vmx_caps __ro_after_init = {
	.tdp_ept_format = true,
	/* TSC multiplier: 16.48 fixed point (SDM 3C 26.3). */
	.tsc_scaling_frac_bits = 48,
	.tsc_scaling_max_ratio = ~0ULL,
	/* An exit tells what an instruction's operands are. */
	.decode_assist = true,
};

/* Without one of these nothing works, or not safely. */
static const struct vmx_minimum {
	enum vmx_control_word word;
	u32 bit;
	const char *name;
} vmx_minimum[] __initconst = {
	{ VMX_PIN, VMX_PIN_EXT_INTR, "external-interrupt exiting" },
	{ VMX_PIN, VMX_PIN_NMI, "NMI exiting" },
	{ VMX_PROC, VMX_PROC_INTR_WINDOW, "interrupt-window exiting" },
	{ VMX_PROC, VMX_PROC_TSC_OFFSET, "TSC offsetting" },
	{ VMX_PROC, VMX_PROC_HLT, "HLT exiting" },
	{ VMX_PROC, VMX_PROC_MWAIT, "MWAIT exiting" },
	{ VMX_PROC, VMX_PROC_MONITOR, "MONITOR exiting" },
	{ VMX_PROC, VMX_PROC_RDPMC, "RDPMC exiting" },
	{ VMX_PROC, VMX_PROC_MOV_DR, "MOV-DR exiting" },
	{ VMX_PROC, VMX_PROC_UNCOND_IO, "unconditional I/O exiting" },
	{ VMX_PROC, VMX_PROC_MSR_BITMAP, "MSR bitmaps" },
	{ VMX_PROC, VMX_PROC_SECONDARY, "secondary controls" },
	{ VMX_EXIT, VMX_EXIT_LOAD_EFER, "loading of EFER at exits" },
	{ VMX_ENTRY, VMX_ENTRY_LOAD_EFER, "loading of EFER at entries" },
};

/* Likewise, where tables of ours are in the place of the guest's. */
static const struct vmx_minimum vmx_minimum_own_tables[] __initconst = {
	{ VMX_PROC, VMX_PROC_CR3_LOAD, "CR3-load exiting" },
	{ VMX_PROC, VMX_PROC_CR3_STORE, "CR3-store exiting" },
	{ VMX_PROC, VMX_PROC_INVLPG, "INVLPG exiting" },
};

/* Likewise, of 64 bit hosts. */
static const struct vmx_minimum vmx_minimum_64[] __initconst = {
	{ VMX_PROC, VMX_PROC_CR8_LOAD, "CR8-load exiting" },
	{ VMX_PROC, VMX_PROC_CR8_STORE, "CR8-store exiting" },
	{ VMX_EXIT, VMX_EXIT_HOST_64, "64-bit hosts" },
	{ VMX_ENTRY, VMX_ENTRY_IA32E, "64-bit guests" },
};

static int __init check_minimum(const struct vmx_minimum *min, unsigned int n)
{
	for (; n; n--, min++) {
		if (vmx_can(min->word, min->bit))
			continue;
		pr_err("kvm_intel: this CPU's VT-x has no %s, which is needed\n", min->name);
		return -EOPNOTSUPP;
	}
	return 0;
}

/* Low half: what must be 1; high half: what may be (appendix A.3). */
static void __init read_controls(enum vmx_control_word word, u32 msr)
{
	u64 value;

	if (rdmsrq_safe(msr, &value))
		value = 0;
	vmx_has.must[word] = value;
	vmx_has.may[word] = value >> 32;
	vmx_has.may[word] &= ~(hide_controls[word] & ~vmx_has.must[word]);
}

static void __init read_capabilities(void)
{
	u64 basic;
	bool is_true;

	rdmsrq(MSR_IA32_VMX_BASIC, basic);
	vmx_has.revision = VMX_BASIC_REVISION(basic);
	vmx_has.vmcs_size = VMX_BASIC_SIZE(basic);
	/* The "true" MSRs know which of the once mandatory controls are none (A.2). */
	is_true = basic & VMX_BASIC_TRUE_CONTROLS;
	read_controls(VMX_PIN, is_true ? MSR_IA32_VMX_TRUE_PINBASED_CTLS
				       : MSR_IA32_VMX_PINBASED_CTLS);
	read_controls(VMX_PROC, is_true ? MSR_IA32_VMX_TRUE_PROCBASED_CTLS
					: MSR_IA32_VMX_PROCBASED_CTLS);
	read_controls(VMX_EXIT, is_true ? MSR_IA32_VMX_TRUE_EXIT_CTLS : MSR_IA32_VMX_EXIT_CTLS);
	read_controls(VMX_ENTRY, is_true ? MSR_IA32_VMX_TRUE_ENTRY_CTLS : MSR_IA32_VMX_ENTRY_CTLS);
	if (vmx_can(VMX_PROC, VMX_PROC_SECONDARY))
		read_controls(VMX_PROC2, MSR_IA32_VMX_PROCBASED_CTLS2);
	if (vmx_can(VMX_PROC2, VMX_PROC2_EPT) || vmx_can(VMX_PROC2, VMX_PROC2_VPID))
		rdmsrq(MSR_IA32_VMX_EPT_VPID_CAP, vmx_has.ept_vpid);
	rdmsrq(MSR_IA32_VMX_MISC, vmx_has.misc);
	rdmsrq(MSR_IA32_VMX_CR0_FIXED0, vmx_has.cr0_must);
	rdmsrq(MSR_IA32_VMX_CR0_FIXED1, vmx_has.cr0_may);
	rdmsrq(MSR_IA32_VMX_CR4_FIXED0, vmx_has.cr4_must);
	rdmsrq(MSR_IA32_VMX_CR4_FIXED1, vmx_has.cr4_may);
}

/* Users read in the parameters what is in use. */
static void __init check_paging(void)
{
	u64 need = VMX_EPT_WALK_4 | VMX_EPT_WRITE_BACK | VMX_EPT_INVEPT;
	u64 have = vmx_has.ept_vpid;

	ept &= vmx_can(VMX_PROC2, VMX_PROC2_EPT) && (have & need) == need &&
	       (have & (VMX_EPT_INVEPT_SINGLE | VMX_EPT_INVEPT_ALL));
	/* It can't be without EPT (SDM 3C 27.2.1.1). */
	unrestricted_guest &= ept && vmx_can(VMX_PROC2, VMX_PROC2_UNRESTRICTED);
	eptad &= ept && (have & VMX_EPT_AD);

	vmx_caps.npt = ept;
	vmx_caps.always_paging = !unrestricted_guest;
	vmx_has.unrestricted = unrestricted_guest;
	/* Unrestricted guests may run without protection and paging (SDM 3C 24.8). */
	if (unrestricted_guest)
		vmx_has.cr0_must &= ~(u64)(X86_CR0_PE | X86_CR0_PG);

	vmx_caps.tdp_max_level = 4;
	if (!ept)
		return;
	if ((have & VMX_EPT_WALK_5) && boot_cpu_data.x86_phys_bits > 48)
		vmx_caps.tdp_max_level = 5;
	vmx_caps.tdp_max_page_shift = have & VMX_EPT_1G ? 30 : have & VMX_EPT_2M ? 21 : 12;
	/*
	 * Where a page's size may not change under executing code (erratum: machine check),
	 * large pages must not be executable; they are not used at all.
	 */
	if (boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) && !cpu_mitigations_off()) {
		pr_info("kvm_intel: guests get small pages only, because this CPU has the ITLB multihit erratum\n");
		vmx_caps.tdp_max_page_shift = 12;
	}
	vmx_caps.tdp_has_ad = eptad;
}

static void __init check_vpid(void)
{
	u64 types = VMX_VPID_INVVPID_SINGLE | VMX_VPID_INVVPID_ALL;

	vmx_has.vpid = vpid && vmx_can(VMX_PROC2, VMX_PROC2_VPID) &&
		       (vmx_has.ept_vpid & VMX_VPID_INVVPID) && (vmx_has.ept_vpid & types);
	if (!vmx_has.vpid)
		vmx_has.may[VMX_PROC2] &= ~VMX_PROC2_VPID;
}

int __init vmx_caps_init(void)
{
	u64 control;
	int r;

	if (!boot_cpu_has(X86_FEATURE_VMX)) {
		pr_err("kvm_intel: this CPU has no VT-x (VMX), or it is hidden from this system\n");
		return -EOPNOTSUPP;
	}
	/* SDM 3C 24.7. */
	if (rdmsrq_safe(MSR_IA32_FEAT_CTL, &control) || !(control & FEAT_CTL_LOCKED) ||
	    !(control & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX)) {
		pr_err("kvm_intel: VT-x is disabled by the firmware: enable it in its setup\n");
		return -EOPNOTSUPP;
	}

	read_capabilities();
	r = check_minimum(vmx_minimum, ARRAY_SIZE(vmx_minimum));
	if (!r && IS_ENABLED(CONFIG_X86_64))
		r = check_minimum(vmx_minimum_64, ARRAY_SIZE(vmx_minimum_64));
	if (r)
		return r;
	check_paging();
	if (!unrestricted_guest)
		r = check_minimum(vmx_minimum_own_tables, ARRAY_SIZE(vmx_minimum_own_tables));
	if (r)
		return r;
	if (vmx_has.vmcs_size > PAGE_SIZE) {
		pr_err("kvm_intel: this CPU's VMCS is larger than a page\n");
		return -EOPNOTSUPP;
	}
	check_vpid();

	vnmi = vnmi && vmx_can(VMX_PIN, VMX_PIN_VIRTUAL_NMI) &&
	       vmx_can(VMX_PROC, VMX_PROC_NMI_WINDOW);
	vmx_has.virtual_nmis = vnmi;
	vmx_apicv_init();
	vmx_caps.dirty_log = vmx_pml_init();
	vmx_caps.exit_timer = vmx_timer_init();
	vmx_caps.tsc_scaling = vmx_can(VMX_PROC2, VMX_PROC2_TSC_SCALING);
	vmx_caps.pause_loop_exit = vmx_can(VMX_PROC2, VMX_PROC2_PAUSE_LOOP);
	return 0;
}

void vmx_adjust_cpu_caps(void)
{
	/* Nested guests are not offered. */
	x86_cpu_cap_clear(X86_FEATURE_VMX);
	/* Instructions that are #UD in a guest unless a control says otherwise. */
	if (!vmx_can(VMX_PROC2, VMX_PROC2_RDTSCP)) {
		x86_cpu_cap_clear(X86_FEATURE_RDTSCP);
		x86_cpu_cap_clear(X86_FEATURE_RDPID);
	}
	if (!vmx_can(VMX_PROC2, VMX_PROC2_INVPCID))
		x86_cpu_cap_clear(X86_FEATURE_INVPCID);
	if (!vmx_can(VMX_PROC2, VMX_PROC2_XSAVES))
		x86_cpu_cap_clear(X86_FEATURE_XSAVES);
	/* A bit of CR4 that a guest can't set is a feature that it has not. */
	if (!(vmx_has.cr4_may & X86_CR4_UMIP))
		x86_cpu_cap_clear(X86_FEATURE_UMIP);
	if (!(vmx_has.cr4_may & X86_CR4_PCIDE))
		x86_cpu_cap_clear(X86_FEATURE_PCID);
}
