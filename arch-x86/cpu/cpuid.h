/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUID: what this host, kernel and vendor can offer (the caps), what user space
 * gave a vCPU, and flat answers for both.
 */
#ifndef ARCH_X86_CPU_CPUID_H
#define ARCH_X86_CPU_CPUID_H

#include "arch-x86/x86.h"
#include "arch-x86/cpu/features.h"

#define X86_MAX_CPUID_ENTRIES	256U

/*
 * KVM_CPUID_FEATURES' EAX: the paravirtual interfaces that exist here (the ABI's
 * cpuid.rst).
 */
#define X86_PV_FEATURES							\
	(BIT(KVM_FEATURE_CLOCKSOURCE) | BIT(KVM_FEATURE_NOP_IO_DELAY) |	\
	 BIT(KVM_FEATURE_CLOCKSOURCE2) | BIT(KVM_FEATURE_ASYNC_PF) |	\
	 BIT(KVM_FEATURE_ASYNC_PF_INT) | BIT(KVM_FEATURE_STEAL_TIME) |	\
	 BIT(KVM_FEATURE_PV_EOI) | BIT(KVM_FEATURE_PV_UNHALT) |		\
	 BIT(KVM_FEATURE_PV_TLB_FLUSH) |				\
	 BIT(KVM_FEATURE_POLL_CONTROL) | BIT(KVM_FEATURE_PV_SEND_IPI) |	\
	 BIT(KVM_FEATURE_PV_SCHED_YIELD) |				\
	 BIT(KVM_FEATURE_CLOCKSOURCE_STABLE_BIT))

/**
 * x86_cpu_cap_has() - may guests be offered a feature?
 * @feature: X86_FEATURE_* of a word that mirrors hardware, or GUEST_FEATURE_*
 *
 * Context: any, after registration. Return: whether.
 */
bool x86_cpu_cap_has(unsigned int feature);

/**
 * x86_cpu_cap_set() / _force() / _clear() - change what guests may be offered
 * @feature: as for x86_cpu_cap_has()
 *
 * _set: only if this CPU has it; _force: emulated, whatever it has.
 * Context: the vendor's adjust_caps() only.
 */
void x86_cpu_cap_set(unsigned int feature);
void x86_cpu_cap_force(unsigned int feature);
void x86_cpu_cap_clear(unsigned int feature);

/**
 * x86_cpuid_init_caps() - compute the caps, before the vendor's adjust_caps()
 *
 * Context: at registration; x86_vendor_caps() can be asked.
 */
void x86_cpuid_init_caps(void);

/**
 * guest_cpuid_has() - has user space given this vCPU the feature (and may it)?
 * @vcpu: the vCPU
 * @feature: as for x86_cpu_cap_has()
 *
 * O(1). False for what is not in the caps, whatever user space said.
 * Context: the vCPU's thread, or vcpu->mutex held.
 */
bool guest_cpuid_has(struct x86_vcpu *vcpu, unsigned int feature);

/** guest_cpuid_is_intel() / _is_amd() - by leaf 0's vendor string (amd: and Hygon) */
bool guest_cpuid_is_intel(struct x86_vcpu *vcpu);
bool guest_cpuid_is_amd(struct x86_vcpu *vcpu);

/**
 * guest_pv_has() - may this guest use a paravirtual feature?
 * @vcpu: the vCPU
 * @feature: KVM_FEATURE_*
 *
 * Without KVM_CAP_ENFORCE_PV_FEATURE_CPUID: yes, whatever its CPUID says.
 */
static inline bool guest_pv_has(const struct x86_vcpu *vcpu, unsigned int feature)
{
	return !vcpu->pv_cpuid.enforce || (vcpu->pv_cpuid.features & BIT(feature));
}

/**
 * x86_cpuid() - execute CPUID for the guest, with its fallback for leaves out of
 *	range (SDM 2A CPUID; AMD: zeros)
 * @vcpu: the vCPU
 * @eax: leaf, then result
 * @ebx: result
 * @ecx: subleaf, then result
 * @edx: result
 * @exact: NULL or receives whether the leaf exists
 *
 * Context: the vCPU's thread; no lock, inner loop.
 */
void x86_cpuid(struct x86_vcpu *vcpu, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx, bool *exact);

/**
 * x86_find_cpuid() - one entry as user space gave it, with runtime bits
 * @vcpu: the vCPU
 * @function: leaf
 * @index: subleaf; ignored where the entry has none
 *
 * Return: the entry or NULL; valid until the next KVM_SET_CPUID.
 */
const struct kvm_cpuid_entry2 *x86_find_cpuid(struct x86_vcpu *vcpu, u32 function, u32 index);

/**
 * x86_cpuid_update_runtime() - OSXSAVE, OSPKE, APIC, MWAIT bits and XSAVE sizes
 *	follow CR4, XCR0, XSS and MSRs
 * @vcpu: the vCPU, in its thread
 */
void x86_cpuid_update_runtime(struct x86_vcpu *vcpu);

/**
 * x86_cpuid_guest_xss() - bits that the guest may set in IA32_XSS
 * @vcpu: the vCPU
 */
u64 x86_cpuid_guest_xss(struct x86_vcpu *vcpu);

/**
 * x86_get_supported_cpuid() - KVM_GET_SUPPORTED_CPUID, KVM_GET_EMULATED_CPUID
 * @arg: user's list
 * @emulated: the second
 *
 * Return: 0; -E2BIG: nent is too small; -EFAULT, -ENOMEM.
 */
int x86_get_supported_cpuid(struct kvm_cpuid2 __user *arg, bool emulated);

/**
 * x86_vcpu_set_cpuid() / _set_cpuid2() - KVM_SET_CPUID, KVM_SET_CPUID2
 * @vcpu: the vCPU, mutex held, not loaded
 * @arg: user's list
 *
 * Return: 0; -E2BIG: too many entries; -EINVAL: an impossible address width, or
 * it differs from what the vCPU has already run with; -EFAULT, -ENOMEM. On error nothing
 * has changed.
 */
int x86_vcpu_set_cpuid(struct x86_vcpu *vcpu, struct kvm_cpuid __user *arg);
int x86_vcpu_set_cpuid2(struct x86_vcpu *vcpu, struct kvm_cpuid2 __user *arg);

/**
 * x86_vcpu_get_cpuid2() - KVM_GET_CPUID2, in user space's order
 * Return: 0; -E2BIG: too small, and nent says what it takes; -EFAULT.
 */
int x86_vcpu_get_cpuid2(struct x86_vcpu *vcpu, struct kvm_cpuid2 __user *arg);

/** x86_vcpu_init_cpuid() - an empty CPUID for a new vCPU. 0, -ENOMEM. */
int x86_vcpu_init_cpuid(struct x86_vcpu *vcpu);
void x86_vcpu_free_cpuid(struct x86_vcpu *vcpu);

#endif
