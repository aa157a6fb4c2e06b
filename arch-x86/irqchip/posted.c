// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts for a vCPU whose IRR may be in the CPU's hands: they are posted beside it,
 * and moved there before the next entry; by the CPU itself, without an exit, if it can and
 * may. Owns both ways to post, who is told and how; not what the CPU is told of the IRR.
 *
 * What others write while the guest runs, the CPU takes when the notification vector
 * arrives. One that arrives late finds the guest gone, and is nothing but an interrupt of
 * the host's: so before each entry, once IN_GUEST is published, the thread looks whether
 * anything is outstanding. That closes the race as requests do (core/request.h): a poster
 * writes, then reads the mode; a runner writes the mode, then reads what is posted.
 */
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <asm/apic.h>
#include <asm/irq_vectors.h>

#include "arch-x86/irqchip/lapic.h"
#include "arch-x86/vendor.h"

int lapic_posted_create(struct x86_lapic *apic)
{
	apic->posts = x86_vendor_caps()->irq_delivery;
	if (!x86_vendor_caps()->irq_posting)
		return 0;
	/* 64 bytes so aligned would do for a CPU; an emulator of one wants a page. */
	apic->vcpu->posted = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	return apic->vcpu->posted ? 0 : -ENOMEM;
}

void lapic_posted_free(struct x86_lapic *apic)
{
	free_page((unsigned long)apic->vcpu->posted);
	apic->vcpu->posted = NULL;
}

/* ---- posting ---------------------------------------------------------------- */

/*
 * The vector is in PIR. Nobody who finds ON set sends an IPI: so between ON and the IPI
 * this thread stays on its CPU.
 */
static void notify_cpu(struct x86_vcpu *vcpu)
{
	bool first, running;
	int cpu;

	preempt_disable();
	first = x86_posted_ask(vcpu->posted);
	running = READ_ONCE(vcpu->core.mode) == KVM_VCPU_IN_GUEST;
	/* As in kvm_vcpu_kick(): on our own CPU it is our thread, or has left the guest. */
	cpu = READ_ONCE(vcpu->core.cpu);
	if (running && first && cpu >= 0 && cpu != smp_processor_id())
		__apic_send_IPI_mask(cpumask_of(cpu), POSTED_INTR_VECTOR);
	preempt_enable();
	if (!running)
		lapic_notify(vcpu->apic);
}

bool lapic_post(struct x86_lapic *apic, u8 vector, bool level)
{
	struct x86_posted *to = level ? NULL : apic->vcpu->posted;

	/* The end of a level-triggered one must exit, and the CPU be told so before. */
	if (!x86_posted_add(to ?: &apic->posted, vector))
		return false;
	if (to) {
		notify_cpu(apic->vcpu);
	} else {
		x86_posted_ask(&apic->posted);
		lapic_notify(apic);
	}
	return true;
}

/* ---- taking ------------------------------------------------------------------- */

static void collect(struct x86_lapic *apic, struct x86_posted *p)
{
	unsigned int i, bit;

	if (!p || !x86_posted_outstanding(p))
		return;
	x86_posted_begin(p);
	for (i = 0; i < ARRAY_SIZE(p->pir); i++) {
		unsigned long word = x86_posted_take(p, i);

		for_each_set_bit(bit, &word, BITS_PER_LONG) {
			u8 vector = i * BITS_PER_LONG + bit;

			set_bit(vector & 31, lapic_vec_word(apic, APIC_IRR, vector));
		}
	}
	WRITE_ONCE(apic->irr_pending, true);
}

void lapic_collect_posted(struct x86_lapic *apic)
{
	collect(apic, &apic->posted);
	collect(apic, apic->vcpu->posted);
}

static void drop(struct x86_posted *p)
{
	unsigned int i;

	x86_posted_begin(p);
	for (i = 0; i < ARRAY_SIZE(p->pir); i++)
		x86_posted_take(p, i);
}

void lapic_drop_posted(struct x86_lapic *apic)
{
	drop(&apic->posted);
	if (apic->vcpu->posted)
		drop(apic->vcpu->posted);
}

static int highest(const struct x86_posted *p)
{
	unsigned int bit;

	if (!p || !x86_posted_outstanding(p))
		return -1;
	bit = find_last_bit(p->pir, 256);
	return bit < 256 ? bit : -1;
}

int lapic_highest_posted(const struct x86_lapic *apic)
{
	return max(highest(&apic->posted), highest(apic->vcpu->posted));
}
