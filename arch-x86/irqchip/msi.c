// SPDX-License-Identifier: GPL-2.0-only
/*
 * Message signalled interrupts: what address and data mean (SDM 3A 10.11), and
 * the routes and atomic deliveries that are made of them.
 */
#include "arch-x86/irqchip/lapic.h"
#include "core/arch.h"

#define MSI_ADDR_LOGICAL	BIT(2)
#define MSI_ADDR_REDIR_HINT	BIT(3)
#define MSI_DATA_LEVEL		BIT(15)

void x86_msi_decode(const struct x86_vm *vm, const struct kvm_kernel_irq_routing_entry *e,
		    struct x86_irq_msg *msg)
{
	*msg = (struct x86_irq_msg) {
		.dest = (e->msi.address_lo >> 12) & 0xff,
		.vector = e->msi.data & 0xff,
		.mode = (e->msi.data >> 8) & 7,
		.logical = e->msi.address_lo & MSI_ADDR_LOGICAL,
		.level = e->msi.data & MSI_DATA_LEVEL,
		.assert = true,
	};
	if (vm->x2apic_format)
		msg->dest |= e->msi.address_hi & 0xffffff00;
	/* The hint lets the hardware choose among a logical group. */
	if ((e->msi.address_lo & MSI_ADDR_REDIR_HINT) && msg->logical &&
	    msg->mode == X86_DM_FIXED)
		msg->mode = X86_DM_LOWEST;
}

/* KVM_CAP_X2APIC_API: with 32 bit IDs the low byte of the high address is reserved. */
static bool msi_address_ok(const struct x86_vm *vm, u32 address_hi)
{
	return !vm->x2apic_format || !(address_hi & 0xff);
}

int x86_set_msi(struct kvm_kernel_irq_routing_entry *e, struct kvm *kvm,
		int irq_source_id, int level, bool line_status)
{
	struct x86_vm *vm = x86_vm_of(kvm);
	struct x86_irq_msg msg;

	if (!level || !msi_address_ok(vm, e->msi.address_hi))
		return -1;
	x86_msi_decode(vm, e, &msg);
	return x86_irq_deliver(vm, NULL, &msg);
}

int x86_msi_set_route(struct x86_vm *vm, struct kvm_kernel_irq_routing_entry *e,
		      const struct kvm_irq_routing_entry *ue)
{
	if (!msi_address_ok(vm, ue->u.msi.address_hi))
		return -EINVAL;
	e->set = x86_set_msi;
	e->msi.address_lo = ue->u.msi.address_lo;
	e->msi.address_hi = ue->u.msi.address_hi;
	e->msi.data = ue->u.msi.data;
	e->msi.flags = ue->flags;
	e->msi.devid = ue->u.msi.devid;
	return 0;
}

int kvm_arch_set_irq_inatomic(struct kvm_kernel_irq_routing_entry *e, struct kvm *kvm,
			      int irq_source_id, int level, bool line_status)
{
	struct x86_vm *vm = x86_vm_of(kvm);
	struct x86_irq_msg msg;
	int result;

	/* The chips' locks sleep on PREEMPT_RT; only messages need none. */
	if (e->type != KVM_IRQ_ROUTING_MSI)
		return -EWOULDBLOCK;
	if (!level || !msi_address_ok(vm, e->msi.address_hi))
		return -1;
	x86_msi_decode(vm, e, &msg);
	if (!x86_irq_deliver_fast(vm, NULL, &msg, &result))
		return -EWOULDBLOCK;
	return result;
}
