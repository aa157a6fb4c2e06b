// SPDX-License-Identifier: GPL-2.0-only
/*
 * RDMSR and WRMSR for the guest and for user space: the MSRs that arch-x86 owns, each
 * with the checks of the manuals, then those of other rooms (MTRR, MCE, APIC, clocks), then the
 * vendor's. The user's lists and batches are in msr_list.c, filters in msr_filter.c.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/mce.h"
#include "arch-x86/cpu/msr.h"
#include "arch-x86/cpu/mtrr.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/pv/pv.h"
#include "arch-x86/regs.h"
#include "arch-x86/time/time.h"
#include "arch-x86/vendor_call.h"

bool x86_ignore_msrs;
module_param_named(ignore_msrs, x86_ignore_msrs, bool, 0644);
MODULE_PARM_DESC(ignore_msrs, "Unknown MSRs read as 0 and ignore writes instead of #GP");
bool x86_report_ignored_msrs = true;
module_param_named(report_ignored_msrs, x86_report_ignored_msrs, bool, 0644);
MODULE_PARM_DESC(report_ignored_msrs, "Log accesses that ignore_msrs lets pass");

/* What a room says of an MSR that isn't its: ask the next. Never leaves this file. */
#define NOT_MINE	2

/* MSRs that lack a name in some kernel's headers. */
#define MSR_FEATURES_ENABLES		0x140	/* IA32_MISC_FEATURES_ENABLES */
#define FEATURES_CPUID_FAULT		BIT_ULL(0)
#define PLATFORM_INFO_CPUID_FAULT	BIT_ULL(31)
#define MSR_IA32_UCODE_WRITE_NR		0x79
#define MSR_X2APIC_FIRST		0x800
#define MSR_X2APIC_LAST			0x8ff

/* IA32_MISC_ENABLE: "not available" bits, which nobody can clear (SDM 4, 1A0H). */
#define MISC_ENABLE_FIXED	(MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL | \
				 MSR_IA32_MISC_ENABLE_BTS_UNAVAIL)

/* ---- what only has to be there --------------------------------------------- */

/*
 * Registers that stock kernels and firmware touch because the CPU's model has them,
 * and that control nothing in a virtual machine. @value is read; @write says what a
 * guest may write without #GP.
 */
enum { WRITE_NONE, WRITE_ZERO, WRITE_ANY };

struct benign_msr {
	u32 first, last;
	u8 write;
	u64 value;
};

static const struct benign_msr benign_msrs[] = {
	/* AMD (BKDG, PPR) */
	{ 0xc0010000, 0xc0010007, WRITE_ZERO },	/* K7 performance counters: no PMU */
	{ 0xc0010010, 0xc0010010, WRITE_ZERO },	/* SYSCFG */
	{ 0xc001001a, 0xc001001a, WRITE_NONE },	/* TOP_MEM */
	{ 0xc001001d, 0xc001001d, WRITE_NONE },	/* TOP_MEM2 */
	{ 0xc001001f, 0xc001001f, WRITE_ANY },	/* NB_CFG */
	{ 0xc0010020, 0xc0010020, WRITE_ANY },	/* PATCH_LOADER */
	{ 0xc0010022, 0xc0010022, WRITE_ANY },	/* MC redirection */
	{ 0xc0010041, 0xc0010042, WRITE_NONE },	/* K7 FID/VID control, status */
	{ 0xc0010055, 0xc0010055, WRITE_ZERO },	/* interrupt pending message: C1E */
	{ 0xc0010058, 0xc0010058, WRITE_ZERO },	/* MMIO configuration base */
	{ 0xc0010061, 0xc001006b, WRITE_NONE },	/* P-states */
	{ 0xc0010112, 0xc0010113, WRITE_NONE },	/* TSEG */
	{ 0xc0011021, 0xc0011023, WRITE_ANY },	/* IC_CFG, DC_CFG, TW_CFG */
	{ 0xc001102a, 0xc001102a, WRITE_ANY },	/* BU_CFG2 */
	{ 0xc001102c, 0xc001102c, WRITE_ANY },	/* EX_CFG */
	/* Intel (SDM 4) */
	{ 0x17, 0x17, WRITE_NONE },		/* PLATFORM_ID */
	{ 0x2a, 0x2a, WRITE_ZERO },		/* EBL_CR_POWERON */
	{ 0x2c, 0x2c, WRITE_NONE, 1 << 24 },	/* EBC_FREQUENCY_ID: P4's bus clock */
	{ 0xc1, 0xc2, WRITE_ZERO },		/* P6 performance counters */
	{ 0xcd, 0xcd, WRITE_NONE, 3 },		/* FSB_FREQ: 166 MHz */
	{ 0x119, 0x119, WRITE_ZERO },		/* BBL_CR_CTL */
	{ 0x11e, 0x11e, WRITE_ZERO, 0xbe702111 },	/* BBL_CR_CTL3: L2 is on */
	{ 0x186, 0x187, WRITE_ZERO },		/* P6 event selects */
	{ 0x198, 0x198, WRITE_NONE, 1000 | 4ULL << 40 },	/* PERF_STATUS */
	{ 0x1db, 0x1de, WRITE_NONE },		/* last branch, last exception */
	{ 0x1fc, 0x1fc, WRITE_ANY },		/* POWER_CTL: C1E */
	{ 0x606, 0x606, WRITE_NONE },		/* RAPL units */
	{ 0x611, 0x611, WRITE_NONE },		/* RAPL energy status */
	{ 0x619, 0x619, WRITE_NONE },
	{ 0x639, 0x639, WRITE_NONE },
	{ 0x641, 0x641, WRITE_NONE },
};

static const struct benign_msr *find_benign(u32 index)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(benign_msrs); i++)
		if (index >= benign_msrs[i].first && index <= benign_msrs[i].last)
			return &benign_msrs[i];
	return NULL;
}

/* ---- checks ---------------------------------------------------------------- */

static bool is_canonical(struct x86_vcpu *vcpu, u64 addr)
{
	/* An MSR takes what the CPU could ever use, not what CR4.LA57 says now. */
	int shift = 64 - (guest_cpuid_has(vcpu, X86_FEATURE_LA57) ? 57 : 48);

	return (s64)(addr << shift) >> shift == addr;
}

/*
 * An address in the wrong half makes WRMSR fault in the host, so it is looked at here,
 * for every vendor (SDM 4, APM 2 5.3.1).
 */
static int check_address_msr(struct x86_vcpu *vcpu, u32 index, u64 *data)
{
	switch (index) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
	case MSR_LSTAR:
	case MSR_CSTAR:
		return is_canonical(vcpu, *data) ? 0 : 1;
	case MSR_IA32_SYSENTER_EIP:
	case MSR_IA32_SYSENTER_ESP:
		/* AMD has 32 bits of it and no check: the upper ones are dropped there. */
		if (guest_cpuid_is_intel(vcpu))
			return is_canonical(vcpu, *data) ? 0 : 1;
		*data = (u32)*data;
		return 0;
	default:
		return 0;
	}
}

static int check_tsc_aux(struct x86_vcpu *vcpu, u64 *data, bool host)
{
	if (!host && !guest_cpuid_has(vcpu, X86_FEATURE_RDTSCP) &&
	    !guest_cpuid_has(vcpu, X86_FEATURE_RDPID))
		return 1;
	/* Intel: reserved, #GP. AMD: ignored. */
	if (guest_cpuid_is_intel(vcpu) && *data >> 32)
		return 1;
	*data = (u32)*data;
	return 0;
}

/* ---- kvm's own ------------------------------------------------------------- */

/* Which PV feature gives the guest this MSR; -1: none of them. */
static int pv_feature_of(u32 index)
{
	switch (index) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_SYSTEM_TIME:
		return KVM_FEATURE_CLOCKSOURCE;
	case MSR_KVM_WALL_CLOCK_NEW:
	case MSR_KVM_SYSTEM_TIME_NEW:
		return KVM_FEATURE_CLOCKSOURCE2;
	case MSR_KVM_ASYNC_PF_EN:
		return KVM_FEATURE_ASYNC_PF;
	case MSR_KVM_ASYNC_PF_INT:
	case MSR_KVM_ASYNC_PF_ACK:
		return KVM_FEATURE_ASYNC_PF_INT;
	case MSR_KVM_STEAL_TIME:
		return KVM_FEATURE_STEAL_TIME;
	case MSR_KVM_PV_EOI_EN:
		return KVM_FEATURE_PV_EOI;
	case MSR_KVM_POLL_CONTROL:
		return KVM_FEATURE_POLL_CONTROL;
	default:
		return -1;
	}
}

static int get_pv_msr(struct x86_vcpu *vcpu, u32 index, u64 *data)
{
	int feature = pv_feature_of(index);

	if (feature < 0)
		return NOT_MINE;
	if (!guest_pv_has(vcpu, feature))
		return 1;
	switch (index) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		*data = x86_vcpu_vm(vcpu)->wall_clock_msr;
		return 0;
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		*data = vcpu->kvmclock_msr;
		return 0;
	case MSR_KVM_ASYNC_PF_EN:
		*data = vcpu->apf.msr;
		return 0;
	case MSR_KVM_ASYNC_PF_INT:
		*data = vcpu->apf.vector;
		return 0;
	case MSR_KVM_ASYNC_PF_ACK:
		*data = 0;
		return 0;
	case MSR_KVM_STEAL_TIME:
		*data = vcpu->steal.msr;
		return 0;
	case MSR_KVM_PV_EOI_EN:
		*data = vcpu->pv_eoi.msr;
		return 0;
	default:
		*data = vcpu->pv_poll_control;
		return 0;
	}
}

static int set_pv_msr(struct x86_vcpu *vcpu, u32 index, u64 data, bool host)
{
	int feature = pv_feature_of(index);

	if (feature < 0)
		return NOT_MINE;
	if (!guest_pv_has(vcpu, feature))
		return 1;
	switch (index) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		x86_vcpu_vm(vcpu)->wall_clock_msr = data;
		/* A write asks for the time to be stored there, once (msr.rst). */
		x86_wall_clock_write(x86_vcpu_vm(vcpu), data);
		return 0;
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		return x86_kvmclock_set_msr(vcpu, data, index == MSR_KVM_SYSTEM_TIME, host);
	case MSR_KVM_ASYNC_PF_EN:
		return x86_async_pf_set_msr(vcpu, data, host);
	case MSR_KVM_ASYNC_PF_INT:
		return x86_async_pf_set_vector(vcpu, data);
	case MSR_KVM_ASYNC_PF_ACK:
		return x86_async_pf_ack(vcpu, data);
	case MSR_KVM_STEAL_TIME:
		return x86_steal_time_set_msr(vcpu, data);
	case MSR_KVM_PV_EOI_EN:
		return x86_lapic_set_pv_eoi(vcpu, data);
	default:
		/* Bit 0: the host may poll. */
		if (data & ~1ULL)
			return 1;
		vcpu->pv_poll_control = data;
		return 0;
	}
}

/* ---- those of arch-x86 ----------------------------------------------------- */

static int set_misc_enable(struct x86_vcpu *vcpu, u64 data, bool host)
{
	u64 changed = data ^ vcpu->misc_enable;

	if (!host && (changed & MISC_ENABLE_FIXED))
		return 1;
	if ((changed & MSR_IA32_MISC_ENABLE_MWAIT) &&
	    (x86_vcpu_vm(vcpu)->disabled_quirks & KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT)) {
		/* "ENABLE MONITOR FSM" needs SSE3 (SDM 4, 1A0H). */
		if (!guest_cpuid_has(vcpu, X86_FEATURE_XMM3))
			return 1;
		vcpu->misc_enable = data;
		x86_cpuid_update_runtime(vcpu);
		return 0;
	}
	vcpu->misc_enable = data;
	return 0;
}

static int set_hwcr(struct x86_vcpu *vcpu, u64 data)
{
	/* FFDIS, TLBCACHEDIS, MONMWAITUSEREN, IGNNE...: nothing to disable here. */
	data &= ~(BIT_ULL(3) | BIT_ULL(6) | BIT_ULL(8));
	if (data & ~(X86_HWCR_MC_STATUS_WR_EN | X86_HWCR_TSC_FREQ_SEL))
		return 1;
	vcpu->hwcr = data;
	return 0;
}

static int set_tsc_adjust(struct x86_vcpu *vcpu, u64 data, bool host)
{
	if (!host && !guest_cpuid_has(vcpu, X86_FEATURE_TSC_ADJUST))
		return 1;
	/* SDM 3B 17.17.3: the TSC moves by as much. User space sets the TSC itself. */
	if (!host)
		x86_adjust_tsc_offset(vcpu, data - vcpu->ia32_tsc_adjust);
	vcpu->ia32_tsc_adjust = data;
	return 0;
}

static int set_xss(struct x86_vcpu *vcpu, u64 data, bool host)
{
	if (!host && !guest_cpuid_has(vcpu, X86_FEATURE_XSAVES))
		return 1;
	if (data & ~(host ? x86_vendor_caps()->xss : x86_cpuid_guest_xss(vcpu)))
		return 1;
	vcpu->ia32_xss = data;
	x86_cpuid_update_runtime(vcpu);
	return 0;
}

static int set_arch_capabilities(struct x86_vcpu *vcpu, u64 data, bool host)
{
	u64 supported;

	if (!host || x86_msr_feature(MSR_IA32_ARCH_CAPABILITIES, &supported))
		return 1;
	if (data & ~supported)
		return 1;
	vcpu->arch_capabilities = data;
	return 0;
}

static int set_pat(struct x86_vcpu *vcpu, u64 data)
{
	if (!x86_pat_valid(data))
		return 1;
	vcpu->pat = data;	/* the vendor takes it from here at the next entry */
	return 0;
}

static int get_common(struct x86_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	int r;

	switch (index) {
	case MSR_EFER:
		*data = vcpu->efer;
		return 0;
	case MSR_IA32_CR_PAT:
		*data = vcpu->pat;
		return 0;
	case MSR_IA32_TSC:
		*data = x86_guest_tsc(vcpu, rdtsc());
		return 0;
	case MSR_IA32_TSC_ADJUST:
		if (!host && !guest_cpuid_has(vcpu, X86_FEATURE_TSC_ADJUST))
			return 1;
		*data = vcpu->ia32_tsc_adjust;
		return 0;
	case MSR_IA32_TSC_DEADLINE:
		*data = x86_lapic_get_tsc_deadline(vcpu);
		return 0;
	case MSR_IA32_APICBASE:
		*data = x86_lapic_get_base(vcpu);
		return 0;
	case MSR_X2APIC_FIRST ... MSR_X2APIC_LAST:
		return x86_lapic_msr_read(vcpu, index, data);
	case MSR_IA32_MISC_ENABLE:
		*data = vcpu->misc_enable;
		return 0;
	case MSR_IA32_UCODE_REV:
		*data = vcpu->microcode_version;
		return 0;
	case MSR_IA32_ARCH_CAPABILITIES:
		if (!x86_cpu_cap_has(X86_FEATURE_ARCH_CAPABILITIES) ||
		    (!host && !guest_cpuid_has(vcpu, X86_FEATURE_ARCH_CAPABILITIES)))
			return 1;
		*data = vcpu->arch_capabilities;
		return 0;
	case MSR_PLATFORM_INFO:
		/* KVM_CAP_MSR_PLATFORM_INFO may have taken it from the guest. */
		if (!host && READ_ONCE(x86_vcpu_vm(vcpu)->hide_platform_info))
			return 1;
		*data = vcpu->msr_platform_info;
		return 0;
	case MSR_FEATURES_ENABLES:
		*data = vcpu->msr_misc_features;
		return 0;
	case MSR_IA32_XSS:
		if (!host && !guest_cpuid_has(vcpu, X86_FEATURE_XSAVES))
			return 1;
		*data = vcpu->ia32_xss;
		return 0;
	case MSR_K7_HWCR:
		*data = vcpu->hwcr;
		return 0;
	case MSR_IA32_SMBASE:
		/* The guest's is in SMRAM (SDM 4: only an SMM monitor reads it). */
		if (!host)
			return 1;
		*data = vcpu->smbase;
		return 0;
	case MSR_SMI_COUNT:
		*data = vcpu->smi_count;
		return 0;
	}
	if (x86_mtrr_is_msr(index))
		return x86_mtrr_get(vcpu, index, data);
	if (x86_mce_is_msr(vcpu, index))
		return x86_mce_get_msr(vcpu, index, data);
	r = get_pv_msr(vcpu, index, data);
	if (r != NOT_MINE)
		return r;
	return NOT_MINE;
}

static int set_common(struct x86_vcpu *vcpu, u32 index, u64 data, bool host)
{
	switch (index) {
	case MSR_EFER:
		return x86_set_efer(vcpu, data, host);
	case MSR_IA32_CR_PAT:
		return set_pat(vcpu, data);
	case MSR_IA32_TSC:
		x86_write_guest_tsc(vcpu, data, host);
		return 0;
	case MSR_IA32_TSC_ADJUST:
		return set_tsc_adjust(vcpu, data, host);
	case MSR_IA32_TSC_DEADLINE:
		x86_lapic_set_tsc_deadline(vcpu, data);
		return 0;
	case MSR_IA32_APICBASE:
		return x86_lapic_set_base(vcpu, data, host);
	case MSR_X2APIC_FIRST ... MSR_X2APIC_LAST:
		return x86_lapic_msr_write(vcpu, index, data);
	case MSR_IA32_MISC_ENABLE:
		return set_misc_enable(vcpu, data, host);
	case MSR_IA32_UCODE_REV:
		/* The guest writes 0 before it reads; only user space changes it. */
		if (host)
			vcpu->microcode_version = data;
		return 0;
	case MSR_IA32_UCODE_WRITE_NR:
		return 0;	/* microcode is the host's: the update does nothing */
	case MSR_IA32_ARCH_CAPABILITIES:
		return set_arch_capabilities(vcpu, data, host);
	case MSR_IA32_PRED_CMD:
	case MSR_IA32_FLUSH_CMD:
		return x86_spec_command(vcpu, index, data, host);
	case MSR_PLATFORM_INFO:
		if (!host || (!(data & PLATFORM_INFO_CPUID_FAULT) &&
			      (vcpu->msr_misc_features & FEATURES_CPUID_FAULT)))
			return 1;
		vcpu->msr_platform_info = data;
		return 0;
	case MSR_FEATURES_ENABLES:
		if ((data & ~FEATURES_CPUID_FAULT) ||
		    ((data & FEATURES_CPUID_FAULT) &&
		     !(vcpu->msr_platform_info & PLATFORM_INFO_CPUID_FAULT)))
			return 1;
		vcpu->msr_misc_features = data;
		return 0;
	case MSR_IA32_XSS:
		return set_xss(vcpu, data, host);
	case MSR_K7_HWCR:
		return set_hwcr(vcpu, data);
	case MSR_IA32_SMBASE:
		if (!host || data >> 32)
			return 1;
		vcpu->smbase = data;
		return 0;
	case MSR_SMI_COUNT:
		if (!host)
			return 1;
		vcpu->smi_count = data;
		return 0;
	}
	if (x86_mtrr_is_msr(index))
		return x86_mtrr_set(vcpu, index, data);
	if (x86_mce_is_msr(vcpu, index))
		return x86_mce_set_msr(vcpu, index, data, host);
	return set_pv_msr(vcpu, index, data, host);
}

int x86_get_msr_common(struct x86_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	return get_common(vcpu, index, data, host) ? 1 : 0;
}
EXPORT_SYMBOL_GPL(x86_get_msr_common);

int x86_set_msr_common(struct x86_vcpu *vcpu, u32 index, u64 data, bool host)
{
	return set_common(vcpu, index, data, host) ? 1 : 0;
}
EXPORT_SYMBOL_GPL(x86_set_msr_common);

/* ---- the doors ------------------------------------------------------------- */

bool x86_msr_known(struct x86_vcpu *vcpu, u32 index)
{
	u64 data;

	return get_common(vcpu, index, &data, true) != NOT_MINE ||
	       vendor_call(has_msr)(index) || find_benign(index);
}

static bool ignored(struct x86_vcpu *vcpu, u32 index, const char *what, u64 data)
{
	if (!READ_ONCE(x86_ignore_msrs) || x86_msr_known(vcpu, index))
		return false;
	if (READ_ONCE(x86_report_ignored_msrs))
		pr_info_ratelimited("kvm: vcpu%d: ignored %s of MSR %#x, data %#llx\n",
				    vcpu->core.id, what, index, data);
	return true;
}

int x86_get_msr(struct x86_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	const struct benign_msr *b;
	int r;

	r = get_common(vcpu, index, data, host);
	if (r == NOT_MINE)
		r = vendor_call(get_msr)(vcpu, index, data, host);
	if (!r)
		return 0;

	b = find_benign(index);
	if (b) {
		*data = b->value;
		return 0;
	}
	/* What the index list names can be read, whatever this guest's CPUID has. */
	if ((host && x86_msr_is_listed(index)) || ignored(vcpu, index, "RDMSR", 0)) {
		*data = 0;
		return 0;
	}
	return 1;
}
EXPORT_SYMBOL_GPL(x86_get_msr);

int x86_set_msr(struct x86_vcpu *vcpu, u32 index, u64 data, bool host)
{
	const struct benign_msr *b;
	int r;

	if (check_address_msr(vcpu, index, &data))
		return 1;
	if (index == MSR_TSC_AUX && check_tsc_aux(vcpu, &data, host))
		return host && !data ? 0 : 1;

	r = set_common(vcpu, index, data, host);
	if (r == NOT_MINE)
		r = vendor_call(set_msr)(vcpu, index, data, host);
	if (!r)
		return 0;

	b = find_benign(index);
	if (b && (b->write == WRITE_ANY || (b->write == WRITE_ZERO && !data)))
		return 0;
	/* And 0, or what it reads as, can be written back to what it names. */
	if (host && !data && x86_msr_is_listed(index))
		return 0;
	return ignored(vcpu, index, "WRMSR", data) ? 0 : 1;
}
EXPORT_SYMBOL_GPL(x86_set_msr);

/* ---- inner loop ------------------------------------------------------------ */

bool x86_set_msr_irqoff(struct x86_vcpu *vcpu, u32 index, u64 data)
{
	if (index >= MSR_X2APIC_FIRST && index <= MSR_X2APIC_LAST)
		return x86_lapic_msr_write_irqoff(vcpu, index, data);
	if (!x86_msr_allowed(vcpu, index, KVM_MSR_FILTER_WRITE))
		return false;
	switch (index) {
	case MSR_IA32_TSC_DEADLINE:
	case MSR_IA32_SPEC_CTRL:
	case MSR_IA32_PRED_CMD:
	case MSR_IA32_CR_PAT:
	case MSR_IA32_UCODE_REV:
	case MSR_K7_HWCR:
	case MSR_KVM_POLL_CONTROL:
		/* What is refused has changed nothing: the outer loop says it to the guest. */
		return !x86_set_msr(vcpu, index, data, false);
	}
	return false;
}
