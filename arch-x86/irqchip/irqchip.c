// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is asked for an interrupt: a vCPU's APIC, the PIC behind it, or user
 * space; which GSI is which pin; and the VM's ioctls about interrupt
 * controllers. The controllers themselves are in rooms of their own.
 *
 * Lock order: kvm->lock, kvm->slots_lock, kvm->irq_lock; the chips' spinlocks
 * are innermost. vm->irq_sources_bitmap is guarded by kvm->irq_lock.
 */
#include <linux/bitmap.h>

#include "arch-x86/irqchip/lapic.h"
#include "arch-x86/vendor_call.h"
#include "core/arch.h"

/* ---- a vCPU's interrupts -------------------------------------------------------- */

bool x86_cpu_accepts_extint(struct x86_vcpu *vcpu)
{
	struct x86_lapic *apic = vcpu->apic;
	u32 lvt0;

	if (!apic || !lapic_hw_enabled(apic))
		return true;
	lvt0 = lapic_reg(apic, APIC_LVT0);
	return !(lvt0 & APIC_LVT_MASKED) && GET_APIC_DELIVERY_MODE(lvt0) == APIC_MODE_EXTINT;
}

bool x86_cpu_has_extint(struct x86_vcpu *vcpu)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);

	/* Without any controller of ours KVM_INTERRUPT queues what it brings. */
	if (!x86_irqchip_in_kernel(vm))
		return vcpu->interrupt.injected;
	if (!x86_cpu_accepts_extint(vcpu))
		return false;
	if (x86_irqchip_split(vm))
		return READ_ONCE(vcpu->pending_external_vector_valid);
	return x86_pic_output(vm);
}

bool x86_cpu_has_interrupt(struct x86_vcpu *vcpu)
{
	return x86_cpu_has_extint(vcpu) || x86_lapic_pending(vcpu) >= 0;
}

bool x86_cpu_has_injectable_interrupt(struct x86_vcpu *vcpu)
{
	/* What KVM_INTERRUPT has queued is on its way already: it waits for nothing. */
	return (x86_irqchip_in_kernel(x86_vcpu_vm(vcpu)) && x86_cpu_has_extint(vcpu)) ||
	       (!x86_lapic_apicv(vcpu) && x86_lapic_pending(vcpu) >= 0);
}

int x86_cpu_get_interrupt(struct x86_vcpu *vcpu)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);

	if (!x86_cpu_has_extint(vcpu))
		return x86_lapic_apicv(vcpu) ? -1 : x86_lapic_ack(vcpu);
	if (x86_irqchip_full(vm))
		return x86_pic_ack(vm);
	WRITE_ONCE(vcpu->pending_external_vector_valid, false);
	return vcpu->pending_external_vector;
}

void x86_lapic_update_cr8_intercept(struct x86_vcpu *vcpu)
{
	struct x86_lapic *apic = vcpu->apic;
	int irr;

	if (!apic)
		return;
	irr = lapic_highest_irr(apic);
	vendor_call(update_cr8_intercept)(vcpu, lapic_reg(apic, APIC_TASKPRI) >> 4 & 0xf,
					  irr < 0 ? -1 : irr >> 4);
}

/* ---- EOIs that somebody waits for ----------------------------------------------------- */

void x86_make_scan_ioapic_request(struct x86_vm *vm)
{
	kvm_make_all_cpus_request(&vm->core, X86_REQ_SCAN_IOAPIC);
}

/* Split irqchip: user space's IOAPIC pins are the first MSI routes. */
static void scan_routes(struct x86_vcpu *vcpu, unsigned long *bitmap)
{
	struct kvm_kernel_irq_routing_entry routes[KVM_MAX_IRQCHIPS];
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct x86_irq_msg msg;
	int idx, n, i, gsi;

	idx = srcu_read_lock(&vm->core.irq_srcu);
	for (gsi = 0; gsi < vm->nr_reserved_ioapic_pins; gsi++) {
		n = kvm_irq_map_gsi(&vm->core, routes, gsi);
		for (i = 0; i < n; i++) {
			if (routes[i].type != KVM_IRQ_ROUTING_MSI)
				continue;
			x86_msi_decode(vm, &routes[i], &msg);
			if (msg.level && x86_apic_match(vcpu->apic, NULL, &msg))
				__set_bit(msg.vector, bitmap);
		}
	}
	srcu_read_unlock(&vm->core.irq_srcu, idx);
}

void x86_vcpu_scan_ioapic(struct x86_vcpu *vcpu)
{
	DECLARE_BITMAP(bitmap, 256);
	struct x86_vm *vm = x86_vcpu_vm(vcpu);

	if (!vcpu->apic)
		return;
	bitmap_zero(bitmap, 256);
	if (lapic_hw_enabled(vcpu->apic)) {
		if (x86_irqchip_full(vm))
			x86_ioapic_scan(vm, vcpu->apic, bitmap);
		else
			scan_routes(vcpu, bitmap);
	}
	bitmap_copy((unsigned long *)vcpu->eoi_exit_bitmap, bitmap, 256);
	/* The CPU must learn of it, if it handles EOIs. */
	if (vcpu->apic->apicv)
		kvm_make_request(X86_REQ_EVENT, &vcpu->core);
}

/* ---- routes ------------------------------------------------------------------------------ */

static int set_pic_pin(struct kvm_kernel_irq_routing_entry *e, struct kvm *kvm,
		       int irq_source_id, int level, bool line_status)
{
	int irq = e->irqchip.pin;

	if (e->irqchip.irqchip == KVM_IRQCHIP_PIC_SLAVE)
		irq += 8;
	return x86_pic_set_irq(x86_vm_of(kvm), irq, irq_source_id, level);
}

static int set_ioapic_pin(struct kvm_kernel_irq_routing_entry *e, struct kvm *kvm,
			  int irq_source_id, int level, bool line_status)
{
	return x86_ioapic_set_irq(x86_vm_of(kvm), e->irqchip.pin, irq_source_id, level);
}

int kvm_arch_set_routing_entry(struct kvm *kvm, struct kvm_kernel_irq_routing_entry *e,
			       const struct kvm_irq_routing_entry *ue)
{
	struct x86_vm *vm = x86_vm_of(kvm);
	unsigned int pins;

	if (ue->type == KVM_IRQ_ROUTING_MSI)
		return ue->flags ? -EINVAL : x86_msi_set_route(vm, e, ue);
	/* The chips exist before irqchip_mode says so: the default table is made then. */
	if (ue->type != KVM_IRQ_ROUTING_IRQCHIP || !vm->ioapic)
		return -EINVAL;

	switch (ue->u.irqchip.irqchip) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		e->set = set_pic_pin;
		pins = 8;
		break;
	case KVM_IRQCHIP_IOAPIC:
		e->set = set_ioapic_pin;
		pins = KVM_IOAPIC_NUM_PINS;
		break;
	default:
		return -EINVAL;
	}
	if (ue->u.irqchip.pin >= pins)
		return -EINVAL;
	e->irqchip.irqchip = ue->u.irqchip.irqchip;
	e->irqchip.pin = ue->u.irqchip.pin;
	return 0;
}

void kvm_arch_irq_routing_updated(struct kvm *kvm)
{
	if (x86_irqchip_in_kernel(x86_vm_of(kvm)))
		x86_make_scan_ioapic_request(x86_vm_of(kvm));
}

bool kvm_arch_irqchip_in_kernel(struct kvm *kvm)
{
	return x86_irqchip_in_kernel(x86_vm_of(kvm));
}

bool kvm_arch_irq_routing_allowed(struct kvm *kvm)
{
	return x86_irqchip_in_kernel(x86_vm_of(kvm));
}

bool kvm_arch_irqfd_allowed(struct kvm *kvm, const struct kvm_irqfd *args)
{
	struct x86_vm *vm = x86_vm_of(kvm);

	/* Only an IOAPIC of ours can say when a level has been handled. */
	return args->flags & KVM_IRQFD_FLAG_RESAMPLE ? x86_irqchip_full(vm) :
						       x86_irqchip_in_kernel(vm);
}

/* ---- sources --------------------------------------------------------------------------------- */

int x86_request_irq_source_id(struct x86_vm *vm)
{
	int id;

	mutex_lock(&vm->core.irq_lock);
	id = find_next_zero_bit(&vm->irq_sources_bitmap, BITS_PER_LONG,
				KVM_ARCH_IRQ_SOURCE_BASE);
	if (id < BITS_PER_LONG)
		__set_bit(id, &vm->irq_sources_bitmap);
	mutex_unlock(&vm->core.irq_lock);
	return id < BITS_PER_LONG ? id : -EBUSY;
}

void x86_free_irq_source_id(struct x86_vm *vm, int id)
{
	if (id < KVM_ARCH_IRQ_SOURCE_BASE || id >= BITS_PER_LONG)
		return;
	/* The levels that it held fall. */
	x86_pic_drop_source(vm, id);
	x86_ioapic_drop_source(vm, id);
	mutex_lock(&vm->core.irq_lock);
	__clear_bit(id, &vm->irq_sources_bitmap);
	mutex_unlock(&vm->core.irq_lock);
}

/* ---- creation --------------------------------------------------------------------------------- */

#define ROUTE(g, chip, p) {						\
	.gsi = (g), .type = KVM_IRQ_ROUTING_IRQCHIP,			\
	.u.irqchip = { .irqchip = (chip), .pin = (p) },			\
}
#define ROUTE_IOAPIC(g)	ROUTE(g, KVM_IRQCHIP_IOAPIC, g)
#define ROUTE_MASTER(g)	ROUTE_IOAPIC(g), ROUTE(g, KVM_IRQCHIP_PIC_MASTER, g)
#define ROUTE_SLAVE(g)	ROUTE_IOAPIC(g), ROUTE(g, KVM_IRQCHIP_PIC_SLAVE, (g) - 8)

/* GSI 0-15: ISA interrupts at both controllers; 16-23: the IOAPIC's own. */
static const struct kvm_irq_routing_entry default_routes[] = {
	ROUTE_MASTER(0), ROUTE_MASTER(1), ROUTE_MASTER(2), ROUTE_MASTER(3),
	ROUTE_MASTER(4), ROUTE_MASTER(5), ROUTE_MASTER(6), ROUTE_MASTER(7),
	ROUTE_SLAVE(8), ROUTE_SLAVE(9), ROUTE_SLAVE(10), ROUTE_SLAVE(11),
	ROUTE_SLAVE(12), ROUTE_SLAVE(13), ROUTE_SLAVE(14), ROUTE_SLAVE(15),
	ROUTE_IOAPIC(16), ROUTE_IOAPIC(17), ROUTE_IOAPIC(18), ROUTE_IOAPIC(19),
	ROUTE_IOAPIC(20), ROUTE_IOAPIC(21), ROUTE_IOAPIC(22), ROUTE_IOAPIC(23),
};

static int create_chips(struct x86_vm *vm)
{
	int r;

	mutex_lock(&vm->core.slots_lock);
	r = x86_pic_create(vm);
	if (!r)
		r = x86_ioapic_create(vm);
	mutex_unlock(&vm->core.slots_lock);
	if (!r)
		r = kvm_set_irq_routing(&vm->core, default_routes,
					ARRAY_SIZE(default_routes), 0);
	if (!r)
		return 0;

	mutex_lock(&vm->core.slots_lock);
	x86_ioapic_unregister(vm);
	x86_pic_unregister(vm);
	mutex_unlock(&vm->core.slots_lock);
	x86_ioapic_free(vm);
	x86_pic_free(vm);
	return r;
}

int x86_vm_create_irqchip(struct x86_vm *vm)
{
	int r = -EEXIST;

	mutex_lock(&vm->core.lock);
	if (x86_irqchip_in_kernel(vm))
		goto out;
	r = -EINVAL;
	if (vm->core.created_vcpus)
		goto out;
	r = x86_apic_page_create(vm);
	if (r)
		goto out;
	r = create_chips(vm);
	if (r) {
		x86_apic_page_free(vm);
		goto out;
	}
	vm->apic_bus_cycle_ns = 1;
	smp_store_release(&vm->irqchip_mode, X86_IRQCHIP_KERNEL);
out:
	mutex_unlock(&vm->core.lock);
	return r;
}

int x86_vm_split_irqchip(struct x86_vm *vm, u64 nr_pins)
{
	int r = -EEXIST;

	if (nr_pins > KVM_MAX_IRQ_ROUTES)
		return -EINVAL;
	mutex_lock(&vm->core.lock);
	if (x86_irqchip_in_kernel(vm) || vm->core.created_vcpus)
		goto out;
	r = kvm_set_irq_routing(&vm->core, NULL, 0, 0);
	if (r)
		goto out;
	r = x86_apic_page_create(vm);
	if (r)
		goto out;
	vm->nr_reserved_ioapic_pins = nr_pins;
	vm->apic_bus_cycle_ns = 1;
	smp_store_release(&vm->irqchip_mode, X86_IRQCHIP_SPLIT);
out:
	mutex_unlock(&vm->core.lock);
	return r;
}

void x86_vm_stop_irqchip(struct x86_vm *vm)
{
	x86_ioapic_stop(vm);
}

void x86_vm_destroy_irqchip(struct x86_vm *vm)
{
	/* The buses are gone, and with them all who could reach the chips. */
	x86_ioapic_free(vm);
	x86_pic_free(vm);
	x86_apic_map_free(vm);
	x86_apic_page_free(vm);
}

/* ---- ioctls ------------------------------------------------------------------------------------- */

int x86_vm_get_irqchip(struct x86_vm *vm, struct kvm_irqchip *chip)
{
	if (!x86_irqchip_full(vm))
		return -ENXIO;
	memset(&chip->chip, 0, sizeof(chip->chip));
	switch (chip->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
		x86_pic_get_state(vm, 0, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_PIC_SLAVE:
		x86_pic_get_state(vm, 1, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_IOAPIC:
		x86_ioapic_get_state(vm, &chip->chip.ioapic);
		return 0;
	default:
		return -EINVAL;
	}
}

int x86_vm_set_irqchip(struct x86_vm *vm, const struct kvm_irqchip *chip)
{
	if (!x86_irqchip_full(vm))
		return -ENXIO;
	switch (chip->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
		x86_pic_set_state(vm, 0, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_PIC_SLAVE:
		x86_pic_set_state(vm, 1, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_IOAPIC:
		x86_ioapic_set_state(vm, &chip->chip.ioapic);
		return 0;
	default:
		return -EINVAL;
	}
}
