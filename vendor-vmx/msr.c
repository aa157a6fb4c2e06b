// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MSRs that VT-x keeps for the guest: in the VMCS, in slots that are loaded by
 * hand, or only here; and the bitmap that says which accesses exit (SDM 3C 25.6.9).
 */
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <compat/spec.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/msr.h"
#include "vendor-vmx/vmx.h"

/* Slots of MSRs whose host value only user mode needs; -1: this CPU lacks it. */
static int user_slot[VMX_NR_USER_MSRS] __read_mostly = { -1, -1, -1, -1 };

/*
 * Bits of IA32_ARCH_CAPABILITIES that say what a CPU is immune to, or that need
 * nothing of ours (SDM 4 10AH). TSX_CTRL and others name MSRs that guests lack.
 */
#define ARCH_CAP_FOR_GUESTS						\
	(BIT_ULL(0) /* RDCL_NO */ | BIT_ULL(1) /* IBRS_ALL */ | BIT_ULL(2) /* RSBA */ | \
	 BIT_ULL(3) /* SKIP_L1DFL_VMENTRY */ | BIT_ULL(4) /* SSB_NO */ |	\
	 BIT_ULL(5) /* MDS_NO */ | BIT_ULL(6) /* PSCHANGE_MC_NO */ |	\
	 BIT_ULL(8) /* TAA_NO */ | BIT_ULL(13) /* SBDR_SSDP_NO */ |	\
	 BIT_ULL(14) /* FBSDP_NO */ | BIT_ULL(15) /* PSDP_NO */ |	\
	 BIT_ULL(17) /* FB_CLEAR */ | BIT_ULL(19) /* RRSBA */ |		\
	 BIT_ULL(20) /* BHI_NO */ | BIT_ULL(24) /* PBRSB_NO */ |	\
	 BIT_ULL(26) /* GDS_NO */ | BIT_ULL(27) /* RFDS_NO */ |		\
	 BIT_ULL(28) /* RFDS_CLEAR */ | BIT_ULL(62) /* ITS_NO */)

void __init vmx_msr_init(void)
{
	static const u32 msr[VMX_NR_USER_MSRS] __initconst = {
		[VMX_MSR_STAR] = MSR_STAR,
		[VMX_MSR_LSTAR] = MSR_LSTAR,
		[VMX_MSR_FMASK] = MSR_SYSCALL_MASK,
		[VMX_MSR_TSC_AUX] = MSR_TSC_AUX,
	};
	int i;

	/* SYSCALL is 64-bit mode's on Intel. */
	for (i = IS_ENABLED(CONFIG_X86_64) ? 0 : VMX_MSR_TSC_AUX; i < VMX_NR_USER_MSRS; i++)
		user_slot[i] = x86_user_return_add(msr[i]);
}

/* ---- the bitmap ----------------------------------------------------------- */

unsigned long *vmx_msr_bitmap_alloc(void)
{
	void *bitmap = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);

	if (bitmap)
		memset(bitmap, 0xff, PAGE_SIZE);
	return bitmap;
}

void vmx_msr_bitmap_free(unsigned long *bitmap)
{
	free_page((unsigned long)bitmap);
}

/* Four parts of 1 KiB: reads of 0-1FFF, of C0000000-C0001FFF, then writes. */
static void put_bit(struct vmx_vcpu *vmx, u32 msr, bool write, bool pass)
{
	unsigned int bit = msr & 0x1fff;

	if (msr & 0xc0000000)
		bit += 8192;
	if (write)
		bit += 16384;
	if (pass && x86_msr_allowed(&vmx->x86, msr, write ? KVM_MSR_FILTER_WRITE
						  : KVM_MSR_FILTER_READ))
		__clear_bit(bit, vmx->msr_bitmap);
	else
		__set_bit(bit, vmx->msr_bitmap);
}

static void pass_msr(struct vmx_vcpu *vmx, u32 msr, bool reads, bool writes)
{
	put_bit(vmx, msr, false, reads);
	put_bit(vmx, msr, true, writes);
}

void vmx_msr_recalc(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	/* The CPU adds the offset, and scales, also for RDMSR (SDM 3C 26.3). */
	pass_msr(vmx, MSR_IA32_TSC, true, false);
	/* In the VMCS, or in the CPU while the guest is. */
	pass_msr(vmx, MSR_IA32_SYSENTER_CS, true, true);
	pass_msr(vmx, MSR_IA32_SYSENTER_ESP, true, true);
	pass_msr(vmx, MSR_IA32_SYSENTER_EIP, true, true);
	if (IS_ENABLED(CONFIG_X86_64)) {
		pass_msr(vmx, MSR_FS_BASE, true, true);
		pass_msr(vmx, MSR_GS_BASE, true, true);
		pass_msr(vmx, MSR_KERNEL_GS_BASE, true, true);
	}
	pass_msr(vmx, MSR_IA32_SPEC_CTRL, vmx->spec_ctrl_passthrough, vmx->spec_ctrl_passthrough);
	pass_msr(vmx, MSR_IA32_PRED_CMD, false, x86_spec_commands(vcpu, MSR_IA32_PRED_CMD, false));
	pass_msr(vmx, MSR_IA32_FLUSH_CMD, false,
		 x86_spec_commands(vcpu, MSR_IA32_FLUSH_CMD, false));
}

/*
 * x2APIC's registers, 800H on: what the CPU reads in the virtual-APIC page, and writes
 * with all that follows (SDM 3C 30.5). Without the controls these would be the host's.
 * Not read there: the timer's count, which is none until it is asked for; ICR, whose
 * upper half is elsewhere (SDM 3A 10.12.9).
 */
#define X2APIC_TPR	0x808
#define X2APIC_EOI	0x80b
#define X2APIC_SELF_IPI	0x83f
#define R(msr)		BIT_ULL((msr) - 0x800)
#define X2APIC_READS	(R(0x802) | R(0x803) | R(X2APIC_TPR) | R(0x80a) | R(0x80d) | R(0x80f) | \
			 GENMASK_ULL(0x28, 0x10) | GENMASK_ULL(0x38, 0x32) | R(0x83e))

void vmx_msr_recalc_apic(struct vmx_vcpu *vmx)
{
	u32 controls = vmx->controls[VMX_PROC2];
	u64 reads = 0, writes = 0;
	int i;

	if (controls & VMX_PROC2_X2APIC) {
		reads = R(X2APIC_TPR);
		writes = R(X2APIC_TPR);
		if (controls & VMX_PROC2_APIC_REGISTERS)
			reads = X2APIC_READS;
		if (controls & VMX_PROC2_INTR_DELIVERY)
			writes |= R(X2APIC_EOI) | R(X2APIC_SELF_IPI);
	}
	if (vmx->x2apic_reads == reads && vmx->x2apic_writes == writes)
		return;
	vmx->x2apic_reads = reads;
	vmx->x2apic_writes = writes;
	for (i = 0; i < 64; i++)
		pass_msr(vmx, 0x800 + i, reads & BIT_ULL(i), writes & BIT_ULL(i));
}

/* ---- at entry --------------------------------------------------------------- */

void vmx_msr_load_guest(struct vmx_vcpu *vmx)
{
	int i = 0;

	/* SYSCALL's are used by nobody unless EFER lets them. */
	if (!(vmx->x86.efer & EFER_SCE))
		i = VMX_MSR_TSC_AUX;
	vmx->msr[VMX_MSR_TSC_AUX] = vmx->x86.tsc_aux;
	for (; i < VMX_NR_USER_MSRS; i++)
		if (user_slot[i] >= 0)
			x86_user_return_set(user_slot[i], vmx->msr[i], -1ULL);
}

/* ---- reading and writing ------------------------------------------------------ */

bool vmx_has_msr(u32 index)
{
	switch (index) {
	case MSR_STAR:
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_SYSCALL_MASK:
	case MSR_KERNEL_GS_BASE:
		return IS_ENABLED(CONFIG_X86_64);
	case MSR_IA32_SYSENTER_CS:
	case MSR_IA32_SYSENTER_ESP:
	case MSR_IA32_SYSENTER_EIP:
	case MSR_IA32_FEAT_CTL:
	case MSR_IA32_DEBUGCTLMSR:
		return true;
	case MSR_TSC_AUX:
		return user_slot[VMX_MSR_TSC_AUX] >= 0;
	case MSR_IA32_SPEC_CTRL:
		return boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL);
	}
	return false;
}

/* Where a value is that is only kept: in a variable of ours, or in a field. */
struct msr_home {
	u64 *variable;
	enum vmcs_field field;		/* of natural width */
	bool narrow;			/* 32 bits */
};

static bool find_home(struct vmx_vcpu *vmx, u32 index, struct msr_home *home)
{
	*home = (struct msr_home) {};
	switch (index) {
	case MSR_STAR:
		home->variable = &vmx->msr[VMX_MSR_STAR];
		break;
	case MSR_LSTAR:
		home->variable = &vmx->msr[VMX_MSR_LSTAR];
		break;
	case MSR_CSTAR:
		home->variable = &vmx->cstar;
		break;
	case MSR_SYSCALL_MASK:
		/* SDM 4, C0000084H */
		home->variable = &vmx->msr[VMX_MSR_FMASK];
		home->narrow = true;
		break;
	case MSR_IA32_SYSENTER_CS:
		home->field = VMCS_GUEST_SYSENTER_CS;
		home->narrow = true;
		break;
	case MSR_IA32_SYSENTER_ESP:
		home->field = VMCS_GUEST_SYSENTER_ESP;
		break;
	case MSR_IA32_SYSENTER_EIP:
		home->field = VMCS_GUEST_SYSENTER_EIP;
		break;
	default:
		return false;
	}
	return !home->variable || IS_ENABLED(CONFIG_X86_64);
}

/*
 * FS and GS bases are segments' bases; the other GS base is in the CPU from
 * prepare_enter() to vcpu_put(), which preemption may bring.
 */
static u64 get_base_msr(struct vmx_vcpu *vmx, u32 index)
{
	u64 value;

	if (index == MSR_FS_BASE)
		return vmx_get_segment_base(&vmx->x86, X86_SEG_FS);
	if (index == MSR_GS_BASE)
		return vmx_get_segment_base(&vmx->x86, X86_SEG_GS);
	preempt_disable();
	if (vmx->host.saved)
		rdmsrq(MSR_KERNEL_GS_BASE, value);
	else
		value = vmx->kernel_gs_base;
	preempt_enable();
	return value;
}

static void set_base_msr(struct vmx_vcpu *vmx, u32 index, u64 value)
{
	switch (index) {
	case MSR_FS_BASE:
		vmcs_write(VMCS_GUEST_ES_BASE + 2 * X86_SEG_FS, value);
		vmx->seg_avail = 0;
		return;
	case MSR_GS_BASE:
		vmcs_write(VMCS_GUEST_ES_BASE + 2 * X86_SEG_GS, value);
		vmx->seg_avail = 0;
		return;
	}
	preempt_disable();
	if (vmx->host.saved)
		wrmsrq(MSR_KERNEL_GS_BASE, value);
	else
		vmx->kernel_gs_base = value;
	preempt_enable();
}

int vmx_get_msr(struct x86_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);
	struct msr_home home;

	if (find_home(vmx, index, &home)) {
		*data = home.variable ? *home.variable : vmcs_read(home.field);
		return 0;
	}

	switch (index) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
		if (!IS_ENABLED(CONFIG_X86_64))
			return 1;
		*data = get_base_msr(vmx, index);
		return 0;
	case MSR_TSC_AUX:
		if (user_slot[VMX_MSR_TSC_AUX] < 0 ||
		    (!host && !guest_cpuid_has(vcpu, X86_FEATURE_RDTSCP) &&
		     !guest_cpuid_has(vcpu, X86_FEATURE_RDPID)))
			return 1;
		*data = vcpu->tsc_aux;
		return 0;
	case MSR_IA32_SPEC_CTRL:
		if (!x86_has_spec_ctrl(vcpu, host))
			return 1;
		*data = vmx->enter.guest_spec_ctrl;
		return 0;
	case MSR_IA32_FEAT_CTL:
		/* Locked, with VMX off, since that is not offered. */
		*data = FEAT_CTL_LOCKED;
		return 0;
	case MSR_IA32_DEBUGCTLMSR:
		*data = vmcs_read64(VMCS_GUEST_DEBUGCTL);
		return 0;
	}
	return 1;
}

static int set_spec_ctrl(struct vmx_vcpu *vmx, u64 data, bool host)
{
	struct x86_vcpu *vcpu = &vmx->x86;

	if (!x86_has_spec_ctrl(vcpu, host) || !x86_spec_ctrl_valid(data))
		return 1;
	vmx->enter.guest_spec_ctrl = data;
	/* A guest that uses it once will use it at every switch: stop exiting. */
	if (data && !vmx->spec_ctrl_passthrough) {
		vmx->spec_ctrl_passthrough = true;
		vmx_msr_recalc(vcpu);
	}
	return 0;
}

int vmx_set_msr(struct x86_vcpu *vcpu, u32 index, u64 data, bool host)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);
	struct msr_home home;

	if (find_home(vmx, index, &home)) {
		/* Addresses have been checked. */
		if (home.narrow)
			data = (u32)data;
		if (home.variable)
			*home.variable = data;
		else
			vmcs_write(home.field, data);
		return 0;
	}

	switch (index) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
		if (!IS_ENABLED(CONFIG_X86_64))
			return 1;
		set_base_msr(vmx, index, data);
		return 0;
	case MSR_TSC_AUX:
		if (user_slot[VMX_MSR_TSC_AUX] < 0)
			return 1;
		vcpu->tsc_aux = data;	/* loaded at the next entry */
		return 0;
	case MSR_IA32_SPEC_CTRL:
		return set_spec_ctrl(vmx, data, host);
	case MSR_IA32_FEAT_CTL:
		/* Locked: only what it is already can be restored. */
		return host && data == FEAT_CTL_LOCKED ? 0 : 1;
	case MSR_IA32_DEBUGCTLMSR:
		/* Neither branch records nor BTF are offered. */
		return data ? 1 : 0;
	}
	return 1;
}

int vmx_get_msr_feature(u32 index, u64 *data)
{
	u64 caps;

	if (index != MSR_IA32_ARCH_CAPABILITIES ||
	    rdmsrq_safe(MSR_IA32_ARCH_CAPABILITIES, &caps))
		return 1;
	caps &= ARCH_CAP_FOR_GUESTS;
	/* What the host's own ways with guests make good. */
	caps |= BIT_ULL(6);	/* PSCHANGE_MC_NO: no large executable pages where it matters */
	if (!boot_cpu_has_bug(X86_BUG_L1TF) || kvmc_l1tf_flushes())
		caps |= BIT_ULL(3);	/* SKIP_L1DFL_VMENTRY: a nested host need not */
	caps |= kvmc_immunities();
	*data = caps;
	return 0;
}
