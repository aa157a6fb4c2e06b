// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which MSRs there are, for user space that saves and restores them, and its batches:
 * KVM_GET_MSR_INDEX_LIST, KVM_GET_MSR_FEATURE_INDEX_LIST, KVM_GET_MSRS, KVM_SET_MSRS.
 * Knows no MSR's meaning.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>
#include <asm/msr.h>

#include "core/vcpu.h"
#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/msr.h"
#include "arch-x86/vendor_call.h"

/* Of arch-x86, always there. MTRRs and MCE banks are known by other means. */
static const u32 common_list[] = {
	MSR_IA32_TSC, MSR_IA32_CR_PAT, MSR_EFER, MSR_IA32_MISC_ENABLE, MSR_IA32_UCODE_REV,
	MSR_IA32_TSC_ADJUST, MSR_IA32_TSC_DEADLINE, MSR_PLATFORM_INFO,
	0x140,	/* IA32_MISC_FEATURES_ENABLES */
	MSR_IA32_MCG_STATUS, MSR_IA32_MCG_CTL, MSR_K7_HWCR, MSR_IA32_SMBASE, MSR_SMI_COUNT,
	MSR_KVM_WALL_CLOCK, MSR_KVM_SYSTEM_TIME,
	MSR_KVM_WALL_CLOCK_NEW, MSR_KVM_SYSTEM_TIME_NEW,
	MSR_KVM_ASYNC_PF_EN, MSR_KVM_ASYNC_PF_INT, MSR_KVM_ASYNC_PF_ACK,
	MSR_KVM_STEAL_TIME, MSR_KVM_PV_EOI_EN, MSR_KVM_POLL_CONTROL,
	MSR_MTRRdefType,
	MSR_MTRRfix64K_00000, MSR_MTRRfix16K_80000, MSR_MTRRfix16K_A0000,
	MSR_MTRRfix4K_C0000, MSR_MTRRfix4K_C8000, MSR_MTRRfix4K_D0000, MSR_MTRRfix4K_D8000,
	MSR_MTRRfix4K_E0000, MSR_MTRRfix4K_E8000, MSR_MTRRfix4K_F0000, MSR_MTRRfix4K_F8000,
	0x200, 0x201, 0x202, 0x203, 0x204, 0x205, 0x206, 0x207,
	0x208, 0x209, 0x20a, 0x20b, 0x20c, 0x20d, 0x20e, 0x20f,
};

/* Listed if the vendor has them. */
static const u32 vendor_list[] = {
	MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK, MSR_KERNEL_GS_BASE,
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
	MSR_TSC_AUX, MSR_IA32_SPEC_CTRL, MSR_AMD64_VIRT_SPEC_CTRL, MSR_VM_HSAVE_PA,
	MSR_AMD64_DE_CFG, MSR_AMD64_TSC_RATIO, MSR_IA32_FEAT_CTL, MSR_IA32_TSX_CTRL,
	MSR_IA32_DEBUGCTLMSR, MSR_IA32_LASTBRANCHFROMIP, MSR_IA32_LASTBRANCHTOIP,
	MSR_IA32_LASTINTFROMIP, MSR_IA32_LASTINTTOIP,
};

static const u32 feature_candidates[] = {
	MSR_IA32_UCODE_REV, MSR_IA32_ARCH_CAPABILITIES, MSR_AMD64_DE_CFG,
	MSR_IA32_VMX_BASIC, MSR_IA32_VMX_PINBASED_CTLS, MSR_IA32_VMX_PROCBASED_CTLS,
	MSR_IA32_VMX_EXIT_CTLS, MSR_IA32_VMX_ENTRY_CTLS, MSR_IA32_VMX_MISC,
	MSR_IA32_VMX_CR0_FIXED0, MSR_IA32_VMX_CR0_FIXED1,
	MSR_IA32_VMX_CR4_FIXED0, MSR_IA32_VMX_CR4_FIXED1, MSR_IA32_VMX_VMCS_ENUM,
	MSR_IA32_VMX_PROCBASED_CTLS2, MSR_IA32_VMX_EPT_VPID_CAP,
	MSR_IA32_VMX_TRUE_PINBASED_CTLS, MSR_IA32_VMX_TRUE_PROCBASED_CTLS,
	MSR_IA32_VMX_TRUE_EXIT_CTLS, MSR_IA32_VMX_TRUE_ENTRY_CTLS, MSR_IA32_VMX_VMFUNC,
};

static u32 listed[ARRAY_SIZE(common_list) + ARRAY_SIZE(vendor_list) + 2];
static unsigned int nr_listed;
static u32 features[ARRAY_SIZE(feature_candidates)];
static unsigned int nr_features;

int x86_msr_feature(u32 index, u64 *data)
{
	switch (index) {
	case MSR_IA32_UCODE_REV:
		if (rdmsrq_safe(index, data))
			*data = 0;
		return 0;
	case MSR_IA32_ARCH_CAPABILITIES:
		/* What the host's mitigations rely on is for the vendor to say. */
		if (!x86_cpu_cap_has(X86_FEATURE_ARCH_CAPABILITIES))
			return 1;
		return vendor_call(get_msr_feature)(index, data);
	default:
		return vendor_call(get_msr_feature)(index, data);
	}
}

bool x86_msr_is_listed(u32 index)
{
	unsigned int i;

	for (i = 0; i < nr_listed; i++)
		if (listed[i] == index)
			return true;
	return false;
}

void x86_msr_init_lists(void)
{
	unsigned int i;
	u64 data;

	nr_listed = 0;
	nr_features = 0;
	memcpy(listed, common_list, sizeof(common_list));
	nr_listed = ARRAY_SIZE(common_list);
	if (x86_cpu_cap_has(X86_FEATURE_XSAVES))
		listed[nr_listed++] = MSR_IA32_XSS;
	if (x86_cpu_cap_has(X86_FEATURE_ARCH_CAPABILITIES))
		listed[nr_listed++] = MSR_IA32_ARCH_CAPABILITIES;
	for (i = 0; i < ARRAY_SIZE(vendor_list); i++)
		if (vendor_call(has_msr)(vendor_list[i]))
			listed[nr_listed++] = vendor_list[i];

	for (i = 0; i < ARRAY_SIZE(feature_candidates); i++)
		if (!x86_msr_feature(feature_candidates[i], &data))
			features[nr_features++] = feature_candidates[i];
}

static int give_list(struct kvm_msr_list __user *arg, const u32 *list, unsigned int nr)
{
	struct kvm_msr_list head;

	if (copy_from_user(&head, arg, sizeof(head)))
		return -EFAULT;
	if (put_user(nr, &arg->nmsrs))
		return -EFAULT;
	if (head.nmsrs < nr)
		return -E2BIG;
	if (copy_to_user(arg->indices, list, nr * sizeof(*list)))
		return -EFAULT;
	return 0;
}

int x86_get_msr_index_list(struct kvm_msr_list __user *arg)
{
	return give_list(arg, listed, nr_listed);
}

int x86_get_msr_feature_index_list(struct kvm_msr_list __user *arg)
{
	return give_list(arg, features, nr_features);
}

/* ---- batches --------------------------------------------------------------- */

#define MAX_BATCH	256	/* entries; the same as user space has always got */

/* A kernel copy of the user's entries; *nr of them. */
static struct kvm_msr_entry *copy_batch(struct kvm_msrs __user *arg, u32 *nr)
{
	struct kvm_msrs head;

	if (copy_from_user(&head, arg, sizeof(head)))
		return ERR_PTR(-EFAULT);
	if (head.nmsrs >= MAX_BATCH)
		return ERR_PTR(-E2BIG);
	*nr = head.nmsrs;
	return memdup_user(arg->entries, head.nmsrs * sizeof(struct kvm_msr_entry));
}

int x86_get_feature_msrs(struct kvm_msrs __user *arg)
{
	struct kvm_msr_entry *entries;
	u32 nr, i;
	int r;

	entries = copy_batch(arg, &nr);
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	for (i = 0; i < nr; i++)
		if (x86_msr_feature(entries[i].index, &entries[i].data))
			break;
	r = i;
	if (copy_to_user(arg->entries, entries, nr * sizeof(*entries)))
		r = -EFAULT;
	kfree(entries);
	return r;
}

static u32 do_batch(struct x86_vcpu *vcpu, struct kvm_msr_entry *entries, u32 nr, bool write)
{
	struct kvm *kvm = vcpu->core.kvm;
	int idx, r;
	u32 i;

	kvm_vcpu_load(&vcpu->core);
	idx = srcu_read_lock(&kvm->srcu);
	for (i = 0; i < nr; i++) {
		if (write)
			r = x86_set_msr(vcpu, entries[i].index, entries[i].data, true);
		else
			r = x86_get_msr(vcpu, entries[i].index, &entries[i].data, true);
		if (r)
			break;
	}
	srcu_read_unlock(&kvm->srcu, idx);
	kvm_vcpu_put(&vcpu->core);
	return i;
}

int x86_vcpu_get_msrs(struct x86_vcpu *vcpu, struct kvm_msrs __user *arg)
{
	struct kvm_msr_entry *entries;
	u32 nr;
	int r;

	entries = copy_batch(arg, &nr);
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	r = do_batch(vcpu, entries, nr, false);
	if (copy_to_user(arg->entries, entries, nr * sizeof(*entries)))
		r = -EFAULT;
	kfree(entries);
	return r;
}

int x86_vcpu_set_msrs(struct x86_vcpu *vcpu, struct kvm_msrs __user *arg)
{
	struct kvm_msr_entry *entries;
	u32 nr;
	int r;

	entries = copy_batch(arg, &nr);
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	r = do_batch(vcpu, entries, nr, true);
	kfree(entries);
	return r;
}
