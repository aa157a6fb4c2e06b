// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages at one local APIC: what it does with one that arrives (SDM 3A
 * 10.8.4), how it sends its own (10.6), and the acknowledge cycle that hands a
 * vector to the CPU. Who the destinations are is apic_map.c's business.
 */
#include "arch-x86/irqchip/lapic.h"
#include "arch-x86/cpu/smm.h"
#include "arch-x86/events.h"
#include "arch-x86/vendor.h"

static int lapic_accept_fixed(struct x86_lapic *apic, u8 vector, bool level)
{
	/* SDM 3A 10.4.7.2: software-disabled, only INIT, NMI, SMI and SIPI are taken. */
	if (!READ_ONCE(apic->sw_enabled))
		return -1;
	if (vector < 16) {
		lapic_error(apic, APIC_ESR_RECVILL);
		return -1;
	}
	/* TMR first: whoever sees the vector in IRR knows how to end it. */
	if (level != lapic_test_vec(apic, APIC_TMR, vector)) {
		unsigned long *tmr = lapic_vec_word(apic, APIC_TMR, vector);

		if (level)
			set_bit(vector & 31, tmr);
		else
			clear_bit(vector & 31, tmr);
	}
	if (apic->posts) {
		/* In the IRR already: one of the two is lost, unless that is just delivered. */
		bool merged = lapic_test_vec(apic, APIC_IRR, vector);

		return lapic_post(apic, vector, level) && !merged;
	}
	if (test_and_set_bit(vector & 31, lapic_vec_word(apic, APIC_IRR, vector)))
		return 0;
	/* After the bit: pairs with x86_lapic_ack(). */
	WRITE_ONCE(apic->irr_pending, true);
	lapic_notify(apic);
	return 1;
}

static int lapic_accept_init(struct x86_lapic *apic, bool level, bool assert)
{
	/* Level de-assert only set the arbitration IDs of old CPUs. */
	if (level && !assert)
		return 1;
	/* INIT takes back a SIPI that came before it. */
	WRITE_ONCE(apic->pending_events, BIT(LAPIC_EVENT_INIT));
	lapic_notify(apic);
	return 1;
}

int lapic_accept(struct x86_lapic *apic, u32 mode, u8 vector, bool level, bool assert)
{
	struct x86_vcpu *vcpu = apic->vcpu;

	switch (mode) {
	case X86_DM_LOWEST:
		atomic_inc(&apic->lowest_prio_count);
		fallthrough;
	case X86_DM_FIXED:
		return lapic_accept_fixed(apic, vector, level);
	case X86_DM_SMI:
		x86_inject_smi(vcpu);
		return 1;
	case X86_DM_NMI:
		x86_inject_nmi(vcpu);
		return 1;
	case X86_DM_INIT:
		return lapic_accept_init(apic, level, assert);
	case X86_DM_SIPI:
		WRITE_ONCE(apic->sipi_vector, vector);
		smp_wmb();	/* pairs with x86_lapic_accept_events() */
		set_bit(LAPIC_EVENT_SIPI, &apic->pending_events);
		lapic_notify(apic);
		return 1;
	default:
		/* ExtINT comes from the PIC's own wire; 3 is reserved. */
		return -1;
	}
}

int lapic_local_deliver(struct x86_lapic *apic, u32 lvt)
{
	u32 val = lapic_reg(apic, lvt);

	if (!lapic_hw_enabled(apic) || (val & APIC_LVT_MASKED))
		return -1;
	return lapic_accept(apic, GET_APIC_DELIVERY_MODE(val), val & APIC_VECTOR_MASK,
			    val & APIC_LVT_LEVEL_TRIGGER, true);
}

int x86_lapic_local_vector(struct x86_vcpu *vcpu, u8 vector)
{
	if (!lapic_hw_enabled(vcpu->apic))
		return -1;
	return lapic_accept(vcpu->apic, X86_DM_FIXED, vector, false, true);
}

void x86_lapic_local_nmi(struct x86_vcpu *vcpu)
{
	if (vcpu->apic)
		lapic_local_deliver(vcpu->apic, APIC_LVT1);
	else
		x86_inject_nmi(vcpu);
}

void x86_lapic_nmi_wd_deliver(struct x86_vcpu *vcpu)
{
	struct x86_lapic *apic = vcpu->apic;

	if (apic && READ_ONCE(apic->lvt0_nmi))
		lapic_local_deliver(apic, APIC_LVT0);
}

void lapic_send_icr(struct x86_lapic *apic, u32 lo, u32 dest)
{
	struct x86_irq_msg msg = {
		.dest = dest,
		.vector = lo & APIC_VECTOR_MASK,
		.mode = GET_APIC_DELIVERY_MODE(lo),
		.shorthand = (lo >> 18) & 3,
		.logical = lo & APIC_DEST_LOGICAL,
		.assert = lo & APIC_INT_ASSERT,
	};

	/* IPIs are edge-triggered, whatever bit 15 says (SDM 3A 10.6.1); only
	 * INIT looks at it. */
	if (msg.mode == X86_DM_INIT)
		msg.level = lo & APIC_INT_LEVELTRIG;

	if ((msg.mode == X86_DM_FIXED || msg.mode == X86_DM_LOWEST) && msg.vector < 16) {
		lapic_error(apic, APIC_ESR_SENDILL);
		return;
	}
	/* SDM 3A table 10-3: "self" and "all including self" go with fixed only; an NMI
	 * and an SMI to itself work in practice. Nobody can reset or start itself. */
	if ((msg.shorthand == X86_DEST_SELF || msg.shorthand == X86_DEST_ALL) &&
	    msg.mode != X86_DM_FIXED && msg.mode != X86_DM_NMI && msg.mode != X86_DM_SMI)
		return;

	x86_irq_deliver(x86_vcpu_vm(apic->vcpu), apic, &msg);
}

/* ---- acknowledge ---------------------------------------------------------------- */

int x86_lapic_pending(struct x86_vcpu *vcpu)
{
	struct x86_lapic *apic = vcpu->apic;
	int irr;

	if (!apic || !lapic_hw_enabled(apic))
		return -1;
	irr = lapic_highest_irr(apic);
	return irr >= 0 && (irr & 0xf0) > (lapic_ppr(apic) & 0xf0) ? irr : -1;
}

int x86_lapic_ack(struct x86_vcpu *vcpu)
{
	struct x86_lapic *apic = vcpu->apic;
	int vec;

	if (apic)
		lapic_collect_posted(apic);
	vec = x86_lapic_pending(vcpu);
	if (vec < 0)
		return -1;

	/*
	 * Forget the hint before looking for what is left: whoever sets a bit
	 * afterwards sets the hint after it.
	 */
	clear_bit(vec & 31, lapic_vec_word(apic, APIC_IRR, vec));
	WRITE_ONCE(apic->irr_pending, false);
	smp_mb();
	if (lapic_highest(apic, APIC_IRR) >= 0)
		WRITE_ONCE(apic->irr_pending, true);

	/* Its class is above PPR, so nothing higher is in service. */
	set_bit(vec & 31, lapic_vec_word(apic, APIC_ISR, vec));
	WRITE_ONCE(apic->isr_highest, vec);
	lapic_update_ppr(apic);
	return vec;
}
