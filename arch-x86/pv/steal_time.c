// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steal time: how long a vCPU was ready to run and did not get a CPU, and
 * whether it runs right now, in a page that the guest named (struct
 * kvm_steal_time, Documentation/virt/kvm/x86/msr.rst).
 */
#include <linux/sched/stat.h>
#include <linux/uaccess.h>

#include "arch-x86/pv/pv.h"
#include "arch-x86/cpu/cpuid.h"

#define FIELD(f)	offsetof(struct kvm_steal_time, f), \
			sizeof_field(struct kvm_steal_time, f)

static bool steal_enabled(const struct x86_vcpu *vcpu)
{
	return vcpu->steal.msr & KVM_MSR_ENABLED;
}

int x86_steal_time_set_msr(struct x86_vcpu *vcpu, u64 data)
{
	struct kvm *kvm = vcpu->core.kvm;
	int idx, r = 0;

	if (!sched_info_on() || (data & KVM_STEAL_RESERVED_MASK))
		return 1;
	if (data & KVM_MSR_ENABLED) {
		idx = srcu_read_lock(&kvm->srcu);
		r = kvm_gpa_cache_init(kvm, &vcpu->steal.cache, data & KVM_STEAL_VALID_BITS,
				       sizeof(struct kvm_steal_time));
		srcu_read_unlock(&kvm->srcu, idx);
	}
	if (r)
		return 1;
	vcpu->steal.msr = data;
	vcpu->steal.last_steal = current->sched_info.run_delay;
	if (steal_enabled(vcpu))
		kvm_make_request(X86_REQ_STEAL_UPDATE, &vcpu->core);
	return 0;
}

/*
 * Take back "preempted". Another vCPU may at the same time ask in that byte for a
 * TLB flush instead of sending an IPI, so it is exchanged, not overwritten.
 */
static int steal_clear_preempted(struct x86_vcpu *vcpu)
{
	gpa_t gpa = vcpu->steal.cache.gpa + offsetof(struct kvm_steal_time, preempted);
	u8 old, none = 0;
	int r;

	r = kvm_read_guest_cached(vcpu->core.kvm, &vcpu->steal.cache, &old, FIELD(preempted));
	if (r || !old)
		return r;
	do {
		r = kvm_vcpu_cmpxchg_guest(&vcpu->core, gpa, &old, &none, sizeof(old));
	} while (r > 0);
	if (!r && (old & KVM_VCPU_FLUSH_TLB))
		kvm_make_request(X86_REQ_TLB_FLUSH_GUEST, &vcpu->core);
	return r;
}

static int steal_write_time(struct x86_vcpu *vcpu)
{
	struct kvm_gpa_cache *cache = &vcpu->steal.cache;
	u64 delay = current->sched_info.run_delay;
	struct kvm *kvm = vcpu->core.kvm;
	u32 version;
	u64 steal;

	if (kvm_read_guest_cached(kvm, cache, &version, FIELD(version)) ||
	    kvm_read_guest_cached(kvm, cache, &steal, FIELD(steal)))
		return -EFAULT;

	/* Odd: being written. A version left odd by someone becomes even. */
	version += 1 + (version & 1);
	if (kvm_write_guest_cached(kvm, cache, &version, FIELD(version)))
		return -EFAULT;
	smp_wmb();
	steal += delay - vcpu->steal.last_steal;
	vcpu->steal.last_steal = delay;
	if (kvm_write_guest_cached(kvm, cache, &steal, FIELD(steal)))
		return -EFAULT;
	smp_wmb();
	version++;
	return kvm_write_guest_cached(kvm, cache, &version, FIELD(version));
}

void x86_steal_time_update(struct x86_vcpu *vcpu)
{
	if (!steal_enabled(vcpu))
		return;
	if (steal_clear_preempted(vcpu) || steal_write_time(vcpu))
		return;
	vcpu->steal.preempted = false;
}

void x86_steal_time_set_preempted(struct x86_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->core.kvm;
	u8 preempted = KVM_VCPU_PREEMPTED;
	int idx;

	if (!steal_enabled(vcpu) || vcpu->steal.preempted)
		return;
	/* At the process's end the last put comes from another address space. */
	if (current->mm != kvm->mm)
		return;

	idx = srcu_read_lock(&kvm->srcu);
	pagefault_disable();
	if (!kvm_write_guest_cached(kvm, &vcpu->steal.cache, &preempted, FIELD(preempted)))
		vcpu->steal.preempted = true;
	pagefault_enable();
	srcu_read_unlock(&kvm->srcu, idx);
}
