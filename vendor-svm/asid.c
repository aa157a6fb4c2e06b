// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address space identifiers: the tag of a guest's translations in the TLB
 * (APM 2 15.16). Each CPU hands out 1 .. nr_asids-1 in turn; when they run out,
 * a new generation starts with a flush of all. A vCPU keeps its ASID while it stays
 * on the CPU and the generation lasts. 0 is the host's.
 */
#include <linux/percpu.h>

#include "vendor-svm/svm.h"

struct svm_asid_pool {
	u64 generation;		/* from 1: 0 in a vCPU means none */
	u32 next;
};

static DEFINE_PER_CPU(struct svm_asid_pool, svm_asid_pool);

void svm_asid_cpu_init(void)
{
	struct svm_asid_pool *pool = this_cpu_ptr(&svm_asid_pool);

	/* As if all had been handed out: the first user flushes what the firmware or kexec left. */
	pool->generation++;
	pool->next = svm_features.nr_asids;
}

void svm_asid_prepare(struct svm_vcpu *svm)
{
	struct svm_asid_pool *pool = this_cpu_ptr(&svm_asid_pool);
	int cpu = raw_smp_processor_id();

	if (likely(svm->asid_generation == pool->generation && svm->asid_cpu == cpu))
		return;

	if (pool->next >= svm_features.nr_asids) {
		pool->generation++;
		pool->next = 1;
		svm->vmcb->control.tlb_control = SVM_TLB_FLUSH_ALL;
	}
	svm->asid_generation = pool->generation;
	svm->asid_cpu = cpu;
	svm->vmcb->control.asid = pool->next++;
	svm_mark_dirty(svm, SVM_CLEAN_ASID);
}

void svm_flush_tlb_asid(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	/* A fresh ASID has nothing cached, on any CPU. */
	if (svm_features.flush_by_asid)
		svm->vmcb->control.tlb_control = SVM_TLB_FLUSH_ASID;
	else
		svm->asid_generation = 0;
}

void svm_flush_tlb_gva(struct x86_vcpu *vcpu, gva_t gva)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	/* Guest-virtual translations of this ASID (APM 2 15.16.2). */
	asm volatile("invlpga" : : "a" (gva), "c" (svm->vmcb->control.asid) : "memory");
}
