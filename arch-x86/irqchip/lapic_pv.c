// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest shares of its local APIC to save exits: the TPR page of
 * KVM_SET_VAPIC_ADDR, the end-of-interrupt flag of MSR_KVM_PV_EOI_EN, and IPIs
 * to many by one hypercall. Touches guest memory, so it runs in the outer loop
 * only, under SRCU.
 */
#include <linux/kvm_para.h>

#include "arch-x86/irqchip/lapic.h"
#include "arch-x86/regs.h"

/* ---- the TPR page ----------------------------------------------------------------- */

int x86_vcpu_set_vapic_addr(struct x86_vcpu *vcpu, gpa_t gpa)
{
	struct x86_lapic *apic = vcpu->apic;
	struct kvm *kvm = vcpu->core.kvm;
	int idx, ret = 0;

	if (!apic)
		return -EINVAL;
	idx = srcu_read_lock(&kvm->srcu);
	apic->vapic.active = false;
	if (gpa) {
		/* Also refuses what does not lie in one piece of memory. */
		if (kvm_gpa_cache_init(kvm, &apic->vapic.cache, gpa, sizeof(u32)))
			ret = -EINVAL;
		else
			apic->vapic.active = true;
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return ret;
}

int x86_lapic_set_tpr_reporting(struct x86_vcpu *vcpu, bool enable)
{
	if (!vcpu->apic)
		return -EINVAL;
	vcpu->apic->vapic.report_tpr = enable;
	return 0;
}

void lapic_report_tpr(struct x86_lapic *apic, bool write)
{
	struct x86_vcpu *vcpu = apic->vcpu;

	if (!apic->vapic.report_tpr)
		return;
	/* kvm_run is filled at the exit: until then other exits may use it. */
	apic->vapic.rip = x86_rip_read(vcpu);
	apic->vapic.write = write;
	kvm_make_request(X86_REQ_REPORT_TPR_ACCESS, &vcpu->core);
}

void x86_lapic_tpr_exit(struct x86_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->core.run;

	run->exit_reason = KVM_EXIT_TPR_ACCESS;
	run->tpr_access.rip = vcpu->apic->vapic.rip;
	run->tpr_access.is_write = vcpu->apic->vapic.write;
}

/* Bytes: TPR, class in service, 0, highest requested (KVM_SET_VAPIC_ADDR). */
static void vapic_write(struct x86_lapic *apic)
{
	u32 tpr = lapic_reg(apic, APIC_TASKPRI) & 0xff;
	int irr = max(lapic_highest_irr(apic), 0);
	int isr = max(lapic_highest_isr(apic), 0);
	u32 data = tpr | (isr & 0xf0) << 8 | (u32)irr << 24;

	kvm_write_guest_cached(apic->vcpu->core.kvm, &apic->vapic.cache, &data, 0,
			       sizeof(data));
}

static void vapic_read(struct x86_lapic *apic)
{
	u32 data;

	if (!kvm_read_guest_cached(apic->vcpu->core.kvm, &apic->vapic.cache, &data, 0,
				   sizeof(data)))
		lapic_write_tpr(apic, data & 0xff);
}

/* ---- end of interrupt without an exit ------------------------------------------------ */

int x86_lapic_set_pv_eoi(struct x86_vcpu *vcpu, u64 data)
{
	struct kvm *kvm = vcpu->core.kvm;
	gpa_t gpa = data & ~(u64)KVM_MSR_ENABLED;
	int ret = 0, idx;

	if (!vcpu->apic || !IS_ALIGNED(gpa, 4))
		return 1;
	if (data & KVM_MSR_ENABLED) {
		idx = srcu_read_lock(&kvm->srcu);
		ret = kvm_gpa_cache_init(kvm, &vcpu->pv_eoi.cache, gpa, sizeof(u8));
		srcu_read_unlock(&kvm->srcu, idx);
	}
	if (ret)
		return 1;
	vcpu->pv_eoi.msr = data;
	vcpu->pv_eoi.pending = false;
	return 0;
}

/*
 * May the guest end the interrupt in service by clearing a flag? Only if nobody
 * here has anything to do then: no other interrupt waits for it, no IOAPIC.
 */
static bool pv_eoi_possible(struct x86_vcpu *vcpu)
{
	struct x86_lapic *apic = vcpu->apic;
	int vec = lapic_highest_isr(apic);

	return vec >= 0 && !apic->apicv && lapic_highest_irr(apic) < 0 && !lapic_eoi_matters(apic, vec);
}

static void pv_eoi_offer(struct x86_vcpu *vcpu)
{
	u8 flag = KVM_PV_EOI_ENABLED;

	if (!pv_eoi_possible(vcpu))
		return;
	if (!kvm_write_guest_cached(vcpu->core.kvm, &vcpu->pv_eoi.cache, &flag, 0, sizeof(flag)))
		vcpu->pv_eoi.pending = true;
}

/*
 * After an exit: has the guest used the offer? It is withdrawn at once, so that
 * the state that user space saves is complete without the flag.
 */
static void pv_eoi_collect(struct x86_vcpu *vcpu)
{
	u8 flag;

	vcpu->pv_eoi.pending = false;
	if (kvm_read_guest_cached(vcpu->core.kvm, &vcpu->pv_eoi.cache, &flag, 0, sizeof(flag)))
		return;
	if (flag & KVM_PV_EOI_MASK) {
		flag = KVM_PV_EOI_DISABLED;
		kvm_write_guest_cached(vcpu->core.kvm, &vcpu->pv_eoi.cache, &flag, 0,
				       sizeof(flag));
	} else {
		lapic_eoi(vcpu->apic);
	}
}

/* ---- around an entry --------------------------------------------------------------------- */

void x86_lapic_sync_to_vapic(struct x86_vcpu *vcpu)
{
	struct x86_lapic *apic = vcpu->apic;

	if (!apic)
		return;
	/*
	 * An entry that was called off leaves an offer behind. If an interrupt has
	 * arrived since, its EOI must exit, or that one would wait for the next exit.
	 */
	if (vcpu->pv_eoi.pending && !pv_eoi_possible(vcpu))
		pv_eoi_collect(vcpu);
	else if ((vcpu->pv_eoi.msr & KVM_MSR_ENABLED) && !vcpu->pv_eoi.pending)
		pv_eoi_offer(vcpu);
	if (unlikely(apic->vapic.active))
		vapic_write(apic);
}

void lapic_withdraw_pv_eoi(struct x86_lapic *apic)
{
	struct kvm *kvm = apic->vcpu->core.kvm;
	int idx;

	if (!apic->vcpu->pv_eoi.pending)
		return;
	idx = srcu_read_lock(&kvm->srcu);
	pv_eoi_collect(apic->vcpu);
	srcu_read_unlock(&kvm->srcu, idx);
}

void x86_lapic_sync_from_vapic(struct x86_vcpu *vcpu)
{
	struct x86_lapic *apic = vcpu->apic;

	if (!apic)
		return;
	if (vcpu->pv_eoi.pending)
		pv_eoi_collect(vcpu);
	if (unlikely(apic->vapic.active))
		vapic_read(apic);
}

/* ---- KVM_HC_KICK_CPU: a lock's holder wakes the next in the queue ------------------------- */

void x86_lapic_pv_kick(struct x86_vcpu *vcpu)
{
	if (!vcpu->apic)
		return;
	WRITE_ONCE(vcpu->apic->pv_unhalt, true);
	kvm_make_request(X86_REQ_EVENT, &vcpu->core);
	kvm_vcpu_kick(&vcpu->core);
}

bool x86_lapic_pv_unhalted(struct x86_vcpu *vcpu, bool consume)
{
	bool kicked = vcpu->apic && READ_ONCE(vcpu->apic->pv_unhalt);

	if (kicked && consume)
		WRITE_ONCE(vcpu->apic->pv_unhalt, false);
	return kicked;
}

/* ---- KVM_HC_SEND_IPI ----------------------------------------------------------------------- */

int x86_pv_send_ipi(struct x86_vm *vm, unsigned long bitmap_low, unsigned long bitmap_high,
		    u32 min, unsigned long icr, bool op64)
{
	unsigned long bitmap[2] = { bitmap_low, bitmap_high };
	unsigned int width = op64 ? 64 : 32;
	struct x86_irq_msg msg = {
		.vector = icr & APIC_VECTOR_MASK,
		.mode = GET_APIC_DELIVERY_MODE(icr),
		.assert = true,
	};
	int i, n = 0;

	if ((icr & (APIC_DEST_LOGICAL | APIC_DEST_ALLBUT)) ||
	    (msg.mode != X86_DM_FIXED && msg.mode != X86_DM_NMI) ||
	    (msg.mode == X86_DM_FIXED && msg.vector < 16))
		return -KVM_EINVAL;

	rcu_read_lock();
	for (i = 0; i < 2; i++) {
		unsigned int bit;

		for_each_set_bit(bit, &bitmap[i], min_t(unsigned int, width, BITS_PER_LONG)) {
			u64 id = (u64)min + i * width + bit;
			struct x86_lapic *apic;

			if (id > U32_MAX)
				break;
			apic = x86_apic_map_find(vm, id);
			if (apic && lapic_accept(apic, msg.mode, msg.vector, false, true) > 0)
				n++;
		}
	}
	rcu_read_unlock();
	return n;
}
