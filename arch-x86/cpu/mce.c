// SPDX-License-Identifier: GPL-2.0-only
/*
 * Machine check architecture (SDM 3B chapter 15, APM 2 chapter 9): per-vCPU banks
 * that the guest reads and clears and into which user space puts errors. Knows
 * nothing of the host's own machine checks.
 */
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <asm/mce.h>

#include "arch-x86/cpu/mce.h"
#include "arch-x86/cpu/msr.h"
#include "arch-x86/events.h"
#include "arch-x86/regs.h"

/* Registers of a bank, in the order of their MSRs. */
enum { BANK_CTL, BANK_STATUS, BANK_ADDR, BANK_MISC, BANK_REGS };

#define CAP_COUNT(cap)	((cap) & 0xff)
/* CMCI and LMCE need an APIC entry and MSRs that are not here. */
#define CAP_SUPPORTED	(MCG_CTL_P | MCG_SER_P)

u64 x86_mce_cap_supported(void)
{
	return CAP_SUPPORTED;
}

int x86_mce_create(struct x86_vcpu *vcpu)
{
	vcpu->mce_banks = kcalloc(X86_MAX_MCE_BANKS * BANK_REGS, sizeof(u64),
				  GFP_KERNEL_ACCOUNT);
	if (!vcpu->mce_banks)
		return -ENOMEM;
	vcpu->mcg_cap = X86_MAX_MCE_BANKS;
	return 0;
}

void x86_mce_destroy(struct x86_vcpu *vcpu)
{
	kfree(vcpu->mce_banks);
	vcpu->mce_banks = NULL;
}

static u64 *bank(struct x86_vcpu *vcpu, unsigned int nr)
{
	return &vcpu->mce_banks[array_index_nospec(nr, X86_MAX_MCE_BANKS) * BANK_REGS];
}

int x86_mce_setup(struct x86_vcpu *vcpu, u64 mcg_cap)
{
	unsigned int i, count = CAP_COUNT(mcg_cap);

	if (!count || count > X86_MAX_MCE_BANKS)
		return -EINVAL;
	/* Bits 23:16 are the number of extended registers: any. */
	if (mcg_cap & ~(CAP_SUPPORTED | 0xffULL | 0xff0000ULL))
		return -EINVAL;
	vcpu->mcg_cap = mcg_cap;
	if (mcg_cap & MCG_CTL_P)
		vcpu->mcg_ctl = ~0ULL;
	for (i = 0; i < count; i++)
		bank(vcpu, i)[BANK_CTL] = ~0ULL;
	return 0;
}

static void log_error(u64 *regs, const struct kvm_x86_mce *mce)
{
	u64 status = mce->status;

	if (regs[BANK_STATUS] & MCI_STATUS_VAL)
		status |= MCI_STATUS_OVER;
	regs[BANK_ADDR] = mce->addr;
	regs[BANK_MISC] = mce->misc;
	regs[BANK_STATUS] = status;
}

int x86_mce_report(struct x86_vcpu *vcpu, const struct kvm_x86_mce *mce)
{
	u64 *regs;

	if (mce->bank >= CAP_COUNT(vcpu->mcg_cap) || !(mce->status & MCI_STATUS_VAL))
		return -EINVAL;
	regs = bank(vcpu, mce->bank);

	if (!(mce->status & MCI_STATUS_UC)) {
		/* A corrected error never overwrites an uncorrected one. */
		if ((regs[BANK_STATUS] & MCI_STATUS_VAL) && (regs[BANK_STATUS] & MCI_STATUS_UC))
			regs[BANK_STATUS] |= MCI_STATUS_OVER;
		else
			log_error(regs, mce);
		return 0;
	}
	/* Reporting turned off, all of it or this bank's. */
	if ((vcpu->mcg_cap & MCG_CTL_P) && vcpu->mcg_ctl != ~0ULL)
		return 0;
	if (regs[BANK_CTL] != ~0ULL)
		return 0;
	if ((vcpu->mcg_status & MCG_STATUS_MCIP) || !x86_cr4_is(vcpu, X86_CR4_MCE)) {
		kvm_make_request(X86_REQ_TRIPLE_FAULT, &vcpu->core);
		return 0;
	}
	log_error(regs, mce);
	vcpu->mcg_status = mce->mcg_status;
	x86_queue_exception(vcpu, MC_VECTOR);
	return 0;
}

/* The place of a bank's register in mce_banks, or -1. */
static int bank_index(struct x86_vcpu *vcpu, u32 index)
{
	u32 offset = index - MSR_IA32_MC0_CTL;
	u32 end = CAP_COUNT(vcpu->mcg_cap) * BANK_REGS;

	if (index < MSR_IA32_MC0_CTL || offset >= end)
		return -1;
	return array_index_nospec(offset, end);
}

bool x86_mce_is_msr(struct x86_vcpu *vcpu, u32 index)
{
	switch (index) {
	case MSR_IA32_MCG_CAP:
	case MSR_IA32_MCG_STATUS:
	case MSR_IA32_MCG_CTL:
	case MSR_IA32_P5_MC_ADDR:
	case MSR_IA32_P5_MC_TYPE:
		return true;
	default:
		return bank_index(vcpu, index) >= 0;
	}
}

int x86_mce_get_msr(struct x86_vcpu *vcpu, u32 index, u64 *data)
{
	int i;

	switch (index) {
	case MSR_IA32_P5_MC_ADDR:
	case MSR_IA32_P5_MC_TYPE:
		*data = 0;
		return 0;
	case MSR_IA32_MCG_CAP:
		*data = vcpu->mcg_cap;
		return 0;
	case MSR_IA32_MCG_STATUS:
		*data = vcpu->mcg_status;
		return 0;
	case MSR_IA32_MCG_CTL:
		if (!(vcpu->mcg_cap & MCG_CTL_P))
			return 1;
		*data = vcpu->mcg_ctl;
		return 0;
	}
	i = bank_index(vcpu, index);
	if (i < 0)
		return 1;
	*data = vcpu->mce_banks[i];
	return 0;
}

int x86_mce_set_msr(struct x86_vcpu *vcpu, u32 index, u64 data, bool host)
{
	int i;

	switch (index) {
	case MSR_IA32_P5_MC_ADDR:
	case MSR_IA32_P5_MC_TYPE:
	case MSR_IA32_MCG_CAP:
		return 1;
	case MSR_IA32_MCG_STATUS:
		vcpu->mcg_status = data;
		return 0;
	case MSR_IA32_MCG_CTL:
		if (!(vcpu->mcg_cap & MCG_CTL_P) || (data != 0 && data != ~0ULL))
			return 1;
		vcpu->mcg_ctl = data;
		return 0;
	}
	i = bank_index(vcpu, index);
	if (i < 0)
		return 1;
	switch (i % BANK_REGS) {
	case BANK_CTL:
		/*
		 * All or nothing (SDM 3B 15.3.2.1). Two known bits may be missing: old
		 * kernels clear bit 10 of bank 4 (K8's GART), and bit 0 of bank 0.
		 */
		if (data != 0 && (data | BIT_ULL(10) | BIT_ULL(0)) != ~0ULL)
			return 1;
		break;
	case BANK_STATUS:
		/* Only 0, unless HWCR.McStatusWrEn (APM 2 9.3.2.2). */
		if (!host && data != 0 && !(vcpu->hwcr & X86_HWCR_MC_STATUS_WR_EN))
			return 1;
		break;
	}
	vcpu->mce_banks[i] = data;
	return 0;
}
