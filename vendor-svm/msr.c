// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MSRs that AMD-V keeps for the guest: in the VMCB, in the TSC_AUX slot,
 * and the permission map that says which accesses exit (APM 2 15.11).
 */
#include <linux/gfp.h>
#include <linux/nospec.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <compat/spec.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/msr.h"
#include "vendor-svm/svm.h"

#define MSRPM_ORDER	1	/* two pages */
#define MSRPM_BYTES	(PAGE_SIZE << MSRPM_ORDER)

int svm_tsc_aux_slot __read_mostly = -1;

/* Two bits an MSR in three ranges of 8,192 (APM 2 15.11): reads, writes. */
static int svm_msrpm_bit(u32 msr)
{
	static const u32 base[] = { 0, 0xc0000000, 0xc0010000 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(base); i++)
		if (msr - base[i] < 8192)
			return (i * 8192 + (msr - base[i])) * 2;
	return -1;
}

unsigned long *svm_msrpm_alloc(void)
{
	void *map = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT, MSRPM_ORDER);

	if (map)
		memset(map, 0xff, MSRPM_BYTES);
	return map;
}

void svm_msrpm_free(unsigned long *msrpm)
{
	free_pages((unsigned long)msrpm, MSRPM_ORDER);
}

static void svm_msrpm_set(struct svm_vcpu *svm, u32 msr, bool pass)
{
	struct x86_vcpu *vcpu = &svm->x86;
	int bit = svm_msrpm_bit(msr);

	if (pass && x86_msr_allowed(vcpu, msr, KVM_MSR_FILTER_READ))
		__clear_bit(bit, svm->msrpm);
	else
		__set_bit(bit, svm->msrpm);
	if (pass && x86_msr_allowed(vcpu, msr, KVM_MSR_FILTER_WRITE))
		__clear_bit(bit + 1, svm->msrpm);
	else
		__set_bit(bit + 1, svm->msrpm);
}

void svm_msr_recalc(struct x86_vcpu *vcpu)
{
	/* What VMLOAD, VMSAVE and VMRUN switch needs no exit. */
	static const u32 pass[] = {
		MSR_STAR, MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
		MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK,
		MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
	};
	/* Those behind SYSENTER's exist in long mode only. */
	unsigned int n = IS_ENABLED(CONFIG_X86_64) ? ARRAY_SIZE(pass) : 4;
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	unsigned int i;

	for (i = 0; i < n; i++)
		svm_msrpm_set(svm, pass[i], true);
	svm_msrpm_set(svm, MSR_IA32_SPEC_CTRL, svm->spec_ctrl_passthrough);
	svm_mark_dirty(svm, SVM_CLEAN_PERM_MAP);
}

bool svm_has_msr(u32 index)
{
	switch (index) {
	case MSR_STAR:
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_SYSCALL_MASK:
	case MSR_KERNEL_GS_BASE:
	case MSR_IA32_SYSENTER_CS:
	case MSR_IA32_SYSENTER_ESP:
	case MSR_IA32_SYSENTER_EIP:
	case MSR_VM_CR:
	case MSR_IA32_DEBUGCTLMSR:
	case MSR_IA32_LASTBRANCHFROMIP:
	case MSR_IA32_LASTBRANCHTOIP:
	case MSR_IA32_LASTINTFROMIP:
	case MSR_IA32_LASTINTTOIP:
	case MSR_AMD64_DE_CFG:
		return true;
	case MSR_TSC_AUX:
		return svm_tsc_aux_slot >= 0;
	case MSR_IA32_SPEC_CTRL:
		return boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL);
	case MSR_AMD64_VIRT_SPEC_CTRL:
		return x86_cpu_cap_has(X86_FEATURE_VIRT_SSBD);
	}
	return false;
}

static u64 *svm_save_msr(struct svm_vcpu *svm, u32 index)
{
	struct vmcb_save *save = &svm->vmcb->save;

	switch (index) {
	case MSR_STAR: return &save->star;
	case MSR_LSTAR: return &save->lstar;
	case MSR_CSTAR: return &save->cstar;
	case MSR_SYSCALL_MASK: return &save->sfmask;
	case MSR_KERNEL_GS_BASE: return &save->kernel_gs_base;
	case MSR_FS_BASE: return &save->fs.base;
	case MSR_GS_BASE: return &save->gs.base;
	case MSR_IA32_SYSENTER_CS: return &save->sysenter_cs;
	case MSR_IA32_SYSENTER_ESP: return &save->sysenter_esp;
	case MSR_IA32_SYSENTER_EIP: return &save->sysenter_eip;
	}
	return NULL;
}

/* SSBD for guests on CPUs that have it elsewhere than in SPEC_CTRL (AMD's SSBD white paper). */
static bool has_virt_ssbd(struct x86_vcpu *vcpu, bool host)
{
	return x86_cpu_cap_has(X86_FEATURE_VIRT_SSBD) &&
	       (host || guest_cpuid_has(vcpu, X86_FEATURE_VIRT_SSBD));
}

int svm_get_msr(struct x86_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	u64 *field = svm_save_msr(svm, index);

	if (field) {
		*data = *field;
		return 0;
	}

	switch (index) {
	case MSR_TSC_AUX:
		if (svm_tsc_aux_slot < 0 ||
		    (!host && !guest_cpuid_has(vcpu, X86_FEATURE_RDTSCP) &&
		     !guest_cpuid_has(vcpu, X86_FEATURE_RDPID)))
			return 1;
		*data = vcpu->tsc_aux;
		return 0;
	case MSR_IA32_SPEC_CTRL:
		if (!x86_has_spec_ctrl(vcpu, host))
			return 1;
		*data = svm_features.v_spec_ctrl ? svm->vmcb->save.spec_ctrl
						 : svm->enter.guest_spec_ctrl;
		return 0;
	case MSR_AMD64_VIRT_SPEC_CTRL:
		if (!has_virt_ssbd(vcpu, host))
			return 1;
		*data = svm->virt_spec_ctrl;
		return 0;
	case MSR_VM_CR:
		/* SVM is not offered to guests: as if locked off (APM 2 15.30.1). */
		*data = 0;
		return 0;
	case MSR_IA32_DEBUGCTLMSR:
		*data = svm->vmcb->save.dbgctl;
		return 0;
	case MSR_IA32_LASTBRANCHFROMIP:
	case MSR_IA32_LASTBRANCHTOIP:
	case MSR_IA32_LASTINTFROMIP:
	case MSR_IA32_LASTINTTOIP:
		*data = 0;
		return 0;
	case MSR_AMD64_DE_CFG:
		/* LFENCE serialises wherever the host's does; nothing else is shown. */
		*data = boot_cpu_has(X86_FEATURE_LFENCE_RDTSC) ? MSR_AMD64_DE_CFG_LFENCE_SERIALIZE : 0;
		return 0;
	}
	return 1;
}

static int svm_set_spec_ctrl(struct svm_vcpu *svm, u64 data, bool host)
{
	struct x86_vcpu *vcpu = &svm->x86;

	if (!x86_has_spec_ctrl(vcpu, host) || !x86_spec_ctrl_valid(data))
		return 1;
	if (svm_features.v_spec_ctrl)
		svm->vmcb->save.spec_ctrl = data;
	else
		svm->enter.guest_spec_ctrl = data;
	/* A guest that uses it once will use it at every switch: stop exiting. */
	if (data && !svm->spec_ctrl_passthrough) {
		svm->spec_ctrl_passthrough = true;
		svm_msr_recalc(vcpu);
	}
	return 0;
}

int svm_set_msr(struct x86_vcpu *vcpu, u32 index, u64 data, bool host)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	u64 *field = svm_save_msr(svm, index);

	if (field) {
		switch (index) {
		case MSR_LSTAR:
		case MSR_CSTAR:
		case MSR_KERNEL_GS_BASE:
		case MSR_FS_BASE:
		case MSR_GS_BASE:
		case MSR_IA32_SYSENTER_ESP:
		case MSR_IA32_SYSENTER_EIP:
			/* APM 2 6.1.1, 6.1.2: canonical, else #GP. */
			if (x86_is_noncanonical(vcpu, data))
				return 1;
			break;
		case MSR_SYSCALL_MASK:
			data = (u32)data;
			break;
		}
		*field = data;
		return 0;
	}

	switch (index) {
	case MSR_TSC_AUX:
		if (svm_tsc_aux_slot < 0 ||
		    (!host && !guest_cpuid_has(vcpu, X86_FEATURE_RDTSCP) &&
		     !guest_cpuid_has(vcpu, X86_FEATURE_RDPID)))
			return 1;
		/* Bits 63:32 are ignored or must be zero, by model: AMD keeps 32. */
		vcpu->tsc_aux = (u32)data;
		svm->host_saved = false;	/* load it at the next entry */
		return 0;
	case MSR_IA32_SPEC_CTRL:
		return svm_set_spec_ctrl(svm, data, host);
	case MSR_AMD64_VIRT_SPEC_CTRL:
		if (!has_virt_ssbd(vcpu, host) || (data & ~(u64)SPEC_CTRL_SSBD))
			return 1;
		svm->virt_spec_ctrl = data;
		return 0;
	case MSR_VM_CR:
		return data ? 1 : 0;
	case MSR_IA32_DEBUGCTLMSR:
		/* LBR virtualization is not offered: BTF could not be honoured either. */
		return data ? 1 : 0;
	case MSR_AMD64_DE_CFG: {
		u64 has;

		if (svm_get_msr(vcpu, index, &has, host))
			return 1;
		return data != has && data ? 1 : 0;
	}
	}
	return 1;
}

int svm_get_msr_feature(u32 index, u64 *data)
{
	if (index != MSR_AMD64_DE_CFG)
		return 1;
	*data = boot_cpu_has(X86_FEATURE_LFENCE_RDTSC) ? MSR_AMD64_DE_CFG_LFENCE_SERIALIZE : 0;
	return 0;
}
