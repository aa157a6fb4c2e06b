/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUID: what this host, kernel and vendor can offer (the caps), what user space
 * gave a vCPU, and flat answers for both.
 */
#ifndef ARCH_X86_CPU_CPUID_H
#define ARCH_X86_CPU_CPUID_H

#include "arch-x86/x86.h"

/** x86_cpu_cap_has/set/clear() - may guests be offered X86_FEATURE_x (kernel's numbers
 *  where they are hardware words)? Set up once at registration. */
bool x86_cpu_cap_has(unsigned int feature);
void x86_cpu_cap_set(unsigned int feature);	/* only if the host CPU has it: "check and set" */
void x86_cpu_cap_force(unsigned int feature);	/* emulated: whatever the host has */
void x86_cpu_cap_clear(unsigned int feature);
void x86_cpuid_init_caps(void);

/** guest_cpuid_has() - has user space given this vCPU the feature (and may it)? O(1) */
bool guest_cpuid_has(struct x86_vcpu *vcpu, unsigned int feature);
bool guest_cpuid_is_intel(struct x86_vcpu *vcpu);
bool guest_cpuid_is_amd(struct x86_vcpu *vcpu);

/** x86_cpuid() - execute CPUID for the guest, with its fallback for leaves out of range.
 *  @exact: NULL or receives whether the leaf exists. Context: any; no lock, inner loop. */
void x86_cpuid(struct x86_vcpu *vcpu, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx, bool *exact);
const struct kvm_cpuid_entry2 *x86_find_cpuid(struct x86_vcpu *vcpu, u32 function, u32 index);
/** x86_cpuid_update_runtime() - OSXSAVE, OSPKE, APIC, MWAIT bits follow CR4 and MSRs */
void x86_cpuid_update_runtime(struct x86_vcpu *vcpu);

/* The ioctls. */
int x86_get_supported_cpuid(struct kvm_cpuid2 __user *arg, bool emulated);
int x86_vcpu_set_cpuid(struct x86_vcpu *vcpu, struct kvm_cpuid __user *arg);
int x86_vcpu_set_cpuid2(struct x86_vcpu *vcpu, struct kvm_cpuid2 __user *arg);
int x86_vcpu_get_cpuid2(struct x86_vcpu *vcpu, struct kvm_cpuid2 __user *arg);
void x86_vcpu_free_cpuid(struct x86_vcpu *vcpu);

#endif
