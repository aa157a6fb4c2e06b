/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupt controllers: what the run loop, the instruction handlers and the
 * ioctls ask of them. The rooms: pic.c ioapic.c lapic.c (registers), lapic_timer.c,
 * apic_map.c (destinations), msi.c, irqchip.c (who is asked for an interrupt),
 * state ioctls. The PIT is in time/pit.c.
 */
#ifndef ARCH_X86_IRQCHIP_H
#define ARCH_X86_IRQCHIP_H

#include "arch-x86/x86.h"
#include "core/irq_routing.h"

static inline bool x86_irqchip_in_kernel(const struct x86_vm *vm)
{
	return smp_load_acquire(&vm->irqchip_mode) != X86_IRQCHIP_NONE;
}
static inline bool x86_irqchip_full(const struct x86_vm *vm)
{
	return smp_load_acquire(&vm->irqchip_mode) == X86_IRQCHIP_KERNEL;
}
static inline bool x86_irqchip_split(const struct x86_vm *vm)
{
	return smp_load_acquire(&vm->irqchip_mode) == X86_IRQCHIP_SPLIT;
}
static inline bool x86_has_lapic(const struct x86_vcpu *vcpu) { return vcpu->apic; }

/* Where a vCPU's APIC registers are: nowhere, in their page, in MSRs. */
enum x86_apic_mode { X86_APIC_OFF, X86_APIC_PAGE, X86_APIC_MSRS };

/* -- VM ioctls. KVM_CREATE_IRQCHIP, KVM_CAP_SPLIT_IRQCHIP, KVM_GET/SET_IRQCHIP;
 *    errno as the ABI says. They take kvm->lock. */
int x86_vm_create_irqchip(struct x86_vm *vm);
int x86_vm_split_irqchip(struct x86_vm *vm, u64 nr_pins);
int x86_vm_get_irqchip(struct x86_vm *vm, struct kvm_irqchip *chip);
int x86_vm_set_irqchip(struct x86_vm *vm, const struct kvm_irqchip *chip);
/** x86_vm_stop_irqchip() - no controller delivers by itself after this. No vCPU runs any more,
 *  all still exist. */
void x86_vm_stop_irqchip(struct x86_vm *vm);
/** x86_vm_destroy_irqchip() - free them; vCPUs and buses are gone */
void x86_vm_destroy_irqchip(struct x86_vm *vm);

/* -- vCPU: does an interrupt wait, and which? (loaded) */
/** x86_cpu_has_extint() - PIC or user space has one (only if LVT0/no APIC accept it) */
bool x86_cpu_has_extint(struct x86_vcpu *vcpu);
/** x86_cpu_accepts_extint() - would an ExtINT from PIC or user space reach this vCPU now:
 *  it has no APIC, its APIC is off, or LVT0 is unmasked in ExtINT mode */
bool x86_cpu_accepts_extint(struct x86_vcpu *vcpu);
/** x86_cpu_has_interrupt() - any; for HLT too, any thread */
bool x86_cpu_has_interrupt(struct x86_vcpu *vcpu);
/** x86_cpu_has_injectable_interrupt() - any that must be injected by software */
bool x86_cpu_has_injectable_interrupt(struct x86_vcpu *vcpu);
/** x86_cpu_get_interrupt() - acknowledge: vector or -1 */
int x86_cpu_get_interrupt(struct x86_vcpu *vcpu);

/* -- local APIC */
int x86_lapic_create(struct x86_vcpu *vcpu);
void x86_lapic_destroy(struct x86_vcpu *vcpu);
void x86_lapic_reset(struct x86_vcpu *vcpu, bool init_event);
/** x86_lapic_vcpu_online() - a new vCPU can be found by the others: interrupts reach it. Sleeps. */
void x86_lapic_vcpu_online(struct x86_vcpu *vcpu);
bool x86_lapic_enabled(struct x86_vcpu *vcpu);
bool x86_lapic_sw_enabled(struct x86_vcpu *vcpu);
u64 x86_lapic_get_base(struct x86_vcpu *vcpu);
int x86_lapic_set_base(struct x86_vcpu *vcpu, u64 base, bool host);	/* 0, 1 (#GP) */
u64 x86_lapic_get_cr8(struct x86_vcpu *vcpu);
void x86_lapic_set_tpr(struct x86_vcpu *vcpu, u64 cr8);
/** x86_lapic_update_cr8_intercept() - tell the vendor from which TPR on an interrupt shows */
void x86_lapic_update_cr8_intercept(struct x86_vcpu *vcpu);
/** x86_lapic_accept_events() - INIT and SIPI, in the vCPU's thread. 0, -errno */
int x86_lapic_accept_events(struct x86_vcpu *vcpu);
bool x86_lapic_init_sipi_pending(struct x86_vcpu *vcpu);
/** x86_lapic_init_latched() / x86_lapic_latch_init() - does INIT wait for the end of SMM? */
bool x86_lapic_init_latched(struct x86_vcpu *vcpu);
void x86_lapic_latch_init(struct x86_vcpu *vcpu, bool latched);
/** x86_lapic_set_sipi_pending() - KVM_SET_MP_STATE with SIPI_RECEIVED: start at the
 *  SIPI vector once the vCPU is in INIT_RECEIVED */
void x86_lapic_set_sipi_pending(struct x86_vcpu *vcpu);
/** x86_lapic_sipi_vector() / x86_lapic_set_sipi_vector() - for KVM_GET/SET_VCPU_EVENTS */
u8 x86_lapic_sipi_vector(struct x86_vcpu *vcpu);
void x86_lapic_set_sipi_vector(struct x86_vcpu *vcpu, u8 vector);
/** MSRs: x2APIC 0x800-0x8ff, TSC deadline. 0, 1 (#GP) */
int x86_lapic_msr_read(struct x86_vcpu *vcpu, u32 index, u64 *data);
int x86_lapic_msr_write(struct x86_vcpu *vcpu, u32 index, u64 data);
u64 x86_lapic_get_tsc_deadline(struct x86_vcpu *vcpu);
void x86_lapic_set_tsc_deadline(struct x86_vcpu *vcpu, u64 tsc);
/** x86_lapic_tsc_changed() - the guest's TSC jumped: re-arm the deadline timer */
void x86_lapic_tsc_changed(struct x86_vcpu *vcpu);
/** x86_lapic_timer_expired() - the vendor's timer (set_timer) has run out. IRQs on or off */
void x86_lapic_timer_expired(struct x86_vcpu *vcpu);
/** x86_lapic_timer_leave() - the vCPU is about to sleep, or to be emulated: its timer goes on
 *  without it */
void x86_lapic_timer_leave(struct x86_vcpu *vcpu);
/** x86_min_timer_period_ns() - shortest period of periodic guest timers (module parameter) */
u64 x86_min_timer_period_ns(void);
int x86_vcpu_get_lapic(struct x86_vcpu *vcpu, struct kvm_lapic_state *s);
int x86_vcpu_set_lapic(struct x86_vcpu *vcpu, const struct kvm_lapic_state *s);
/** x86_lapic_nmi_wd() - PIT tick through LVT0 in NMI mode */
void x86_lapic_nmi_wd_deliver(struct x86_vcpu *vcpu);
/** x86_lapic_local_vector() - an edge at the APIC of the vCPU itself. >= 0 taken, -1 ignored:
 *  the APIC is off. Context: in-kernel APIC present; its thread. */
int x86_lapic_local_vector(struct x86_vcpu *vcpu, u8 vector);
void x86_lapic_local_nmi(struct x86_vcpu *vcpu);	/* LINT1, KVM_NMI */
void x86_lapic_migrate_timer(struct x86_vcpu *vcpu);
/** x86_lapic_sync_to_vapic/from_vapic - KVM_SET_VAPIC_ADDR's TPR page (tpr access reporting) */
int x86_vcpu_set_vapic_addr(struct x86_vcpu *vcpu, gpa_t gpa);	/* 0, -EINVAL */
/** x86_lapic_set_tpr_reporting() - KVM_TPR_ACCESS_REPORTING: each access to the TPR by MMIO
 *  makes X86_REQ_REPORT_TPR_ACCESS. 0, -EINVAL (no APIC) */
int x86_lapic_set_tpr_reporting(struct x86_vcpu *vcpu, bool enable);
/** x86_lapic_tpr_exit() - handler of that request: fill kvm_run; then exit to user space */
void x86_lapic_tpr_exit(struct x86_vcpu *vcpu);
void x86_lapic_sync_to_vapic(struct x86_vcpu *vcpu);
void x86_lapic_sync_from_vapic(struct x86_vcpu *vcpu);
/* -- APIC virtualization by the CPU (irqchip/apicv.c) */
/** x86_lapic_mode() - what APIC_BASE says. Any thread */
enum x86_apic_mode x86_lapic_mode(const struct x86_vcpu *vcpu);
/** x86_lapic_apicv() - does the CPU deliver this vCPU's interrupts, and handle its EOIs?
 *  Without an APIC of ours, false. The vCPU's thread */
bool x86_lapic_apicv(const struct x86_vcpu *vcpu);
/** x86_lapic_update_apicv() - handler of X86_REQ_APICV_UPDATE: what it depends on has changed
 *  (mode, SVR, state from user space, guest debugging). Loaded */
void x86_lapic_update_apicv(struct x86_vcpu *vcpu);
/** x86_lapic_take_posted() - before injection: what others have posted goes into the IRR, and
 *  the CPU learns of it. Loaded */
void x86_lapic_take_posted(struct x86_vcpu *vcpu);
/** x86_lapic_take_outstanding() - before an entry, IRQs off, IN_GUEST published: vcpu->posted
 *  has something for the CPU; where it does not deliver, X86_REQ_EVENT is asked for */
void x86_lapic_take_outstanding(struct x86_vcpu *vcpu);
/** x86_lapic_register_written() - the CPU has let the guest write the register at @offset of
 *  the APIC's page: what follows from it. Loaded, SRCU held, may sleep */
void x86_lapic_register_written(struct x86_vcpu *vcpu, u32 offset);
/** x86_lapic_service_ended() - the CPU has done an EOI of @vector that we want to hear of */
void x86_lapic_service_ended(struct x86_vcpu *vcpu, u8 vector);
/** pv EOI: MSR_KVM_PV_EOI_EN */
int x86_lapic_set_pv_eoi(struct x86_vcpu *vcpu, u64 data);
/** x86_pv_send_ipi() - KVM_HC_SEND_IPI: number delivered or -KVM_EINVAL */
int x86_pv_send_ipi(struct x86_vm *vm, unsigned long bitmap_low, unsigned long bitmap_high,
		    u32 min, unsigned long icr, bool op64);
/** x86_lapic_mmio_*: the APIC page on the MMIO bus is tried per vCPU before the bus.
 *  0 or -EOPNOTSUPP */
int x86_lapic_mmio_read(struct x86_vcpu *vcpu, gpa_t gpa, int len, void *data);
int x86_lapic_mmio_write(struct x86_vcpu *vcpu, gpa_t gpa, int len, const void *data);
/** x86_lapic_mmio_*_irqoff: likewise in the inner loop, IRQs off: 0; -EOPNOTSUPP: not its page;
 *  -EAGAIN: nothing has happened, it is for the outer loop */
int x86_lapic_mmio_read_irqoff(struct x86_vcpu *vcpu, gpa_t gpa, int len, void *data);
int x86_lapic_mmio_write_irqoff(struct x86_vcpu *vcpu, gpa_t gpa, int len, const void *data);
/** x86_lapic_ready_irqoff() - may its registers be read in the inner loop? Not while the guest
 *  changes them by memory (pv EOI, KVM_SET_VAPIC_ADDR) */
bool x86_lapic_ready_irqoff(struct x86_vcpu *vcpu);
/** x86_lapic_msr_write_irqoff() - x86_lapic_msr_write() in the inner loop: done, or nothing
 *  has happened */
bool x86_lapic_msr_write_irqoff(struct x86_vcpu *vcpu, u32 index, u64 data);
/** x86_apic_map_update() - rebuild the map of destinations if something it is made from has
 *  changed (APIC IDs, modes, a new vCPU after x86_lapic_reset()). Sleeps. */
void x86_apic_map_update(struct x86_vm *vm);
/** x86_vcpu_by_apic_id() - the vCPU with this APIC ID, or NULL. Context: RCU reader. */
struct x86_vcpu *x86_vcpu_by_apic_id(struct x86_vm *vm, u32 id);
/** x86_lapic_pv_kick() - KVM_HC_KICK_CPU: end @vcpu's HLT. Any context. */
void x86_lapic_pv_kick(struct x86_vcpu *vcpu);
/** x86_lapic_pv_unhalted() - has it been kicked? @consume: and forget it */
bool x86_lapic_pv_unhalted(struct x86_vcpu *vcpu, bool consume);
/** x86_vcpu_scan_ioapic() - recompute which EOIs the IOAPIC (or user space) must see */
void x86_vcpu_scan_ioapic(struct x86_vcpu *vcpu);
void x86_make_scan_ioapic_request(struct x86_vm *vm);

/* -- PIT (time/pit.c) */
int x86_pit_create(struct x86_vm *vm, const struct kvm_pit_config *config);	/* -EEXIST, -ENOENT.. */
void x86_pit_destroy(struct x86_vm *vm);
int x86_pit_get_state(struct x86_vm *vm, struct kvm_pit_state2 *s);
int x86_pit_set_state(struct x86_vm *vm, const struct kvm_pit_state2 *s, bool v1);
int x86_pit_reinject(struct x86_vm *vm, bool reinject);

/* -- irq sources for in-kernel devices: id, -EBUSY; freeing lowers what it held */
int x86_request_irq_source_id(struct x86_vm *vm);
void x86_free_irq_source_id(struct x86_vm *vm, int id);

#endif
