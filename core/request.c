// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kicks and requests to many vCPUs: the requester's half of the protocol in
 * request.h. Owns the per-CPU masks that collect whom to interrupt. Does not
 * know what a request means.
 */
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <trace/events/ipi.h>	/* smp_send_reschedule() traces */

#include "core/arch.h"
#include "core/main.h"
#include "core/request.h"

/* Used by the thread on this CPU, preemption off, never from an interrupt. */
static DEFINE_PER_CPU(cpumask_var_t, kick_mask);

void kvm_vcpu_kick(struct kvm_vcpu *vcpu)
{
	int cpu, me;

	if (kvm_vcpu_wake_up(vcpu))
		return;

	me = get_cpu();
	/*
	 * The cpu is read after the mode: a vCPU in guest mode does not migrate,
	 * and one that left it since needs no IPI, on whatever CPU it is now.
	 * On our own CPU it has left it too, else we would not be running.
	 */
	if (kvm_arch_vcpu_should_kick(vcpu)) {
		cpu = READ_ONCE(vcpu->cpu);
		if (cpu != me && cpu >= 0 && cpu_online(cpu))
			smp_send_reschedule(cpu);
	}
	put_cpu();
}
EXPORT_SYMBOL_GPL(kvm_vcpu_kick);

void kvm_vcpu_leave_at_once(struct kvm_vcpu *vcpu)
{
	lockdep_assert_irqs_disabled();
	smp_send_reschedule(vcpu->cpu);
}

/* Taking the IPI is the answer: its target has left guest mode. */
static void kick_ack(void *unused)
{
}

/* Must this vCPU, whose request bit is set, be interrupted? */
static bool needs_ipi(struct kvm_vcpu *vcpu, unsigned int req)
{
	int mode;

	/* set the bit, full barrier (cmpxchg), read the mode: see request.h */
	mode = cmpxchg(&vcpu->mode, KVM_VCPU_IN_GUEST, KVM_VCPU_EXITING);

	/*
	 * A waiter also waits for those that were kicked by someone else and
	 * have not left yet, and for a lockless walk of page tables.
	 */
	if (req & KVM_REQUEST_WAIT)
		return mode != KVM_VCPU_OUTSIDE_GUEST;
	return mode == KVM_VCPU_IN_GUEST;
}

static void request_one(struct kvm_vcpu *vcpu, unsigned int req,
			struct cpumask *mask, int me)
{
	int cpu;

	kvm_make_request(req, vcpu);
	smp_mb__after_atomic();
	if (!(req & KVM_REQUEST_NO_WAKEUP) && kvm_vcpu_wake_up(vcpu))
		return;
	if (!needs_ipi(vcpu, req))
		return;
	cpu = READ_ONCE(vcpu->cpu);
	if (cpu >= 0 && cpu != me)
		__cpumask_set_cpu(cpu, mask);
}

static bool send_kicks(const struct cpumask *mask, unsigned int req)
{
	if (cpumask_empty(mask))
		return false;
	smp_call_function_many(mask, kick_ack, NULL, req & KVM_REQUEST_WAIT);
	return true;
}

bool kvm_make_all_cpus_request(struct kvm *kvm, unsigned int req)
{
	struct kvm_vcpu *vcpu;
	struct cpumask *mask;
	bool sent;
	int i, me;

	me = get_cpu();
	mask = this_cpu_cpumask_var_ptr(kick_mask);
	cpumask_clear(mask);
	kvm_for_each_vcpu(i, vcpu, kvm)
		request_one(vcpu, req, mask, me);
	sent = send_kicks(mask, req);
	put_cpu();
	return sent;
}
EXPORT_SYMBOL_GPL(kvm_make_all_cpus_request);

bool kvm_make_vcpus_request_mask(struct kvm *kvm, unsigned int req,
				 const unsigned long *vcpus)
{
	struct kvm_vcpu *vcpu;
	struct cpumask *mask;
	unsigned int i;
	bool sent;
	int me;

	me = get_cpu();
	mask = this_cpu_cpumask_var_ptr(kick_mask);
	cpumask_clear(mask);
	for_each_set_bit(i, vcpus, KVM_MAX_VCPUS) {
		vcpu = kvm_get_vcpu(kvm, i);
		if (vcpu)
			request_one(vcpu, req, mask, me);
	}
	sent = send_kicks(mask, req);
	put_cpu();
	return sent;
}
EXPORT_SYMBOL_GPL(kvm_make_vcpus_request_mask);

void kvm_flush_remote_tlbs(struct kvm *kvm)
{
	atomic64_inc(&kvm->stat.remote_tlb_flush_requests);
	if (kvm_make_all_cpus_request(kvm, KVM_REQ_TLB_FLUSH))
		atomic64_inc(&kvm->stat.remote_tlb_flush);
}
EXPORT_SYMBOL_GPL(kvm_flush_remote_tlbs);

void kvm_mark_dead(struct kvm *kvm)
{
	struct kvm_vcpu *vcpu;
	int i;

	WRITE_ONCE(kvm->dead, true);
	/* Kicks, not a wait: the caller may hold any lock, IRQs off. */
	kvm_for_each_vcpu(i, vcpu, kvm) {
		kvm_make_request(KVM_REQ_VM_DEAD, vcpu);
		kvm_vcpu_kick(vcpu);
	}
}
EXPORT_SYMBOL_GPL(kvm_mark_dead);

int kvm_request_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		if (!zalloc_cpumask_var_node(&per_cpu(kick_mask, cpu), GFP_KERNEL,
					     cpu_to_node(cpu))) {
			kvm_request_exit();
			return -ENOMEM;
		}
	}
	return 0;
}

void kvm_request_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		free_cpumask_var(per_cpu(kick_mask, cpu));
}
