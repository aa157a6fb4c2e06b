// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the interrupt controllers call outside: recorded, so that tests can look.
 */
#include "stubs.h"

struct stub_device stub_devices[8];
int stub_nr_devices;
int stub_acked[3][24];
bool stub_notifier[24];

int kvm_io_bus_register_dev(struct kvm *kvm, int bus, gpa_t addr, int len, struct kvm_io_device *dev)
{
	stub_devices[stub_nr_devices++] = (struct stub_device){ bus, addr, len, dev };
	return 0;
}

int kvm_io_bus_unregister_dev(struct kvm *kvm, int bus, struct kvm_io_device *dev)
{
	return 0;
}

int kvm_make_all_cpus_request(struct kvm *kvm, unsigned int req)
{
	struct kvm_vcpu *v;
	int i;

	kvm_for_each_vcpu(i, v, kvm)
		v->requests |= BIT(req);
	return 0;
}

int kvm_irq_map_gsi(struct kvm *kvm, struct kvm_kernel_irq_routing_entry *e, u32 gsi) { return 0; }
int kvm_set_irq_routing(struct kvm *kvm, const struct kvm_irq_routing_entry *e, unsigned int nr,
			unsigned int flags) { return 0; }
void kvm_notify_acked_irq(struct kvm *kvm, unsigned int chip, unsigned int pin) { stub_acked[chip][pin]++; }
bool kvm_irq_has_notifier(struct kvm *kvm, unsigned int chip, unsigned int pin) { return stub_notifier[pin]; }
void kvm_vcpu_kick(struct kvm_vcpu *v) { v->kicks++; }
int smp_processor_id(void) { return 0; }
void __apic_send_IPI_mask(int cpu, int vector) { }

const struct x86_vendor_caps *x86_vendor_caps(void)
{
	static const struct x86_vendor_caps caps = {
		.irq_delivery = true, .apic_page = true,
	};

	return &caps;
}

struct stub_apicv stub_apicv;

static void apicv_changed(struct x86_vcpu *vcpu) { stub_apicv.changed++; }
static void apicv_set_requested(struct x86_vcpu *vcpu, int vector) { stub_apicv.requested = vector; }
static void apicv_set_in_service(struct x86_vcpu *vcpu, int vector) { stub_apicv.in_service = vector; }
static void apicv_set_eoi_exits(struct x86_vcpu *vcpu, const u64 bitmap[4])
{
	memcpy(stub_apicv.eoi_exits, bitmap, sizeof(stub_apicv.eoi_exits));
}

const struct x86_vendor_ops *x86_vendor_ops(void)
{
	static const struct x86_apicv_ops apicv = {
		apicv_changed, apicv_set_requested, apicv_set_in_service, apicv_set_eoi_exits,
	};
	static const struct x86_vendor_ops ops = { .apicv = &apicv };

	return &ops;
}

bool x86_force_emulation;
void x86_mmu_unmap_apic_page(struct x86_vm *vm) { stub_apicv.unmapped++; }
void lapic_withdraw_pv_eoi(struct x86_lapic *apic) { apic->vcpu->pv_eoi.pending = false; }
void x86_inject_nmi(struct x86_vcpu *vcpu) { vcpu->nmis++; }
void x86_inject_smi(struct x86_vcpu *vcpu) { vcpu->smis++; }
void fake_update_cr8_intercept(struct x86_vcpu *vcpu, int tpr, int irr) { }

/* lapic_timer.c, lapic_pv.c: tested in the lab, where there is time. */
void lapic_timer_cancel(struct x86_lapic *apic) { }
void lapic_timer_start(struct x86_lapic *apic) { }
u32 lapic_timer_count(struct x86_lapic *apic) { return 0; }
void lapic_timer_lvtt_written(struct x86_lapic *apic) { }
void lapic_timer_tdcr_written(struct x86_lapic *apic) { }
u64 x86_lapic_get_tsc_deadline(struct x86_vcpu *vcpu) { return 0; }
void x86_lapic_set_tsc_deadline(struct x86_vcpu *vcpu, u64 tsc) { }
void lapic_report_tpr(struct x86_lapic *apic, bool write) { }
