// SPDX-License-Identifier: GPL-2.0-only
/*
 * A local APIC that the CPU works on by itself: it reads and writes registers in the
 * APIC's page, delivers what is requested, and ends what is in service (SDM 3C chapter
 * 30). Owns when that may be, and what the CPU must be told; how is the vendor's.
 *
 * While the guest runs, IRR and ISR are the CPU's to write: everybody else posts
 * (posted.c).
 */
#include "arch-x86/irqchip/lapic.h"
#include "arch-x86/run.h"
#include "arch-x86/vendor.h"

enum x86_apic_mode x86_lapic_mode(const struct x86_vcpu *vcpu)
{
	if (!vcpu->apic || !lapic_hw_enabled(vcpu->apic))
		return X86_APIC_OFF;
	return lapic_x2apic(vcpu->apic) ? X86_APIC_MSRS : X86_APIC_PAGE;
}
EXPORT_SYMBOL_GPL(x86_lapic_mode);

bool x86_lapic_apicv(const struct x86_vcpu *vcpu)
{
	return vcpu->apic && vcpu->apic->apicv;
}
EXPORT_SYMBOL_GPL(x86_lapic_apicv);

/*
 * The CPU takes interrupts whatever SVR says, and at once: not with an APIC that is off
 * (SDM 3A 10.4.7.2), nor when a debugger holds them back, nor where the CPU does not run
 * the guest at all.
 */
static bool apicv_possible(const struct x86_lapic *apic)
{
	return apic->posts && lapic_hw_enabled(apic) && apic->sw_enabled &&
	       !(apic->vcpu->core.guest_debug & KVM_GUESTDBG_BLOCKIRQ) &&
	       !READ_ONCE(x86_force_emulation);
}

void lapic_apicv_init(struct x86_lapic *apic)
{
	apic->virtualized = x86_vendor_ops()->apicv;
}

/* ---- what the CPU is told ------------------------------------------------------ */

/* An EOI must exit if it matters to us: lapic_eoi_matters(). */
static void tell_eoi_exits(struct x86_lapic *apic, bool always)
{
	struct x86_vcpu *vcpu = apic->vcpu;
	u64 bitmap[4];
	int i;

	for (i = 0; i < 4; i++)
		bitmap[i] = vcpu->eoi_exit_bitmap[i] | lapic_reg(apic, APIC_TMR + i * 0x20) |
			    (u64)lapic_reg(apic, APIC_TMR + i * 0x20 + 0x10) << 32;
	if (!always && !memcmp(bitmap, apic->eoi_exits, sizeof(bitmap)))
		return;
	memcpy(apic->eoi_exits, bitmap, sizeof(bitmap));
	x86_vendor_ops()->apicv->set_eoi_exits(vcpu, bitmap);
}

void x86_lapic_take_posted(struct x86_vcpu *vcpu)
{
	struct x86_lapic *apic = vcpu->apic;

	if (!apic || !apic->posts)
		return;
	lapic_collect_posted(apic);
	if (!apic->apicv)
		return;
	/* TMR is written before a vector is posted. */
	tell_eoi_exits(apic, false);
	x86_vendor_ops()->apicv->set_requested(vcpu, lapic_highest(apic, APIC_IRR));
}

void x86_lapic_take_outstanding(struct x86_vcpu *vcpu)
{
	if (x86_lapic_apicv(vcpu))
		x86_lapic_take_posted(vcpu);
	else
		kvm_make_request(X86_REQ_EVENT, &vcpu->core);
}

void lapic_tell_in_service(struct x86_lapic *apic)
{
	x86_vendor_ops()->apicv->set_in_service(apic->vcpu, lapic_highest(apic, APIC_ISR));
}

void x86_lapic_update_apicv(struct x86_vcpu *vcpu)
{
	struct x86_lapic *apic = vcpu->apic;
	enum x86_apic_mode mode = x86_lapic_mode(vcpu);
	bool on, changed;

	if (!apic || !apic->virtualized)
		return;
	on = apicv_possible(apic);
	changed = on != apic->apicv || mode != apic->apicv_mode;
	if (on && !apic->apicv) {
		/* The CPU ends interrupts without looking at the guest's flag. */
		lapic_withdraw_pv_eoi(apic);
	} else if (!on && apic->apicv) {
		WRITE_ONCE(apic->isr_highest, lapic_highest(apic, APIC_ISR));
		WRITE_ONCE(apic->irr_pending, true);
	}
	WRITE_ONCE(apic->apicv, on);
	apic->apicv_mode = mode;
	lapic_set_reg(apic, APIC_PROCPRI, lapic_ppr(apic));
	if (changed) {
		x86_vendor_ops()->apicv->changed(vcpu);
		/* Translations of the APIC's page mean something else (SDM 3C 30.4.5). */
		kvm_make_request(KVM_REQ_TLB_FLUSH, &vcpu->core);
	}
	if (on) {
		tell_eoi_exits(apic, true);
		lapic_tell_in_service(apic);
	}
	kvm_make_request(X86_REQ_EVENT, &vcpu->core);
}

/* ---- what it tells us ------------------------------------------------------------ */

void x86_lapic_register_written(struct x86_vcpu *vcpu, u32 offset)
{
	struct x86_lapic *apic = vcpu->apic;

	if (apic && !lapic_reg_written(apic, offset & 0xff0))
		lapic_error(apic, APIC_ESR_ILLREGA);
}
EXPORT_SYMBOL_GPL(x86_lapic_register_written);

void x86_lapic_service_ended(struct x86_vcpu *vcpu, u8 vector)
{
	if (vcpu->apic)
		lapic_eoi_done(vcpu->apic, vector);
}
EXPORT_SYMBOL_GPL(x86_lapic_service_ended);

/* ---- the APIC's page --------------------------------------------------------------- */

int x86_apic_page_create(struct x86_vm *vm)
{
	if (!x86_vendor_caps()->apic_page)
		return 0;
	vm->apic_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	return vm->apic_page ? 0 : -ENOMEM;
}

void x86_apic_page_free(struct x86_vm *vm)
{
	if (vm->apic_page)
		__free_page(vm->apic_page);
	vm->apic_page = NULL;
}

/*
 * All vCPUs share the tables that map the page, and the CPU looks through it only for
 * those whose APIC is there. For another it would be memory: so all or none.
 */
static bool apic_page_usable(struct x86_vm *vm)
{
	struct kvm_vcpu *core;
	int i;

	kvm_for_each_vcpu(i, core, &vm->core) {
		struct x86_vcpu *vcpu = x86_vcpu_of(core);

		if (!vcpu->apic)
			continue;
		if (x86_lapic_mode(vcpu) != X86_APIC_PAGE ||
		    gpa_to_gfn(READ_ONCE(vcpu->apic_base)) != gpa_to_gfn(APIC_DEFAULT_PHYS_BASE))
			return false;
	}
	return true;
}

void lapic_update_page(struct x86_vm *vm)
{
	bool used = vm->apic_page && apic_page_usable(vm);

	lockdep_assert_held(&vm->apic_map_lock);
	if (used == vm->apic_page_used)
		return;
	WRITE_ONCE(vm->apic_page_used, used);
	if (!used)
		x86_mmu_unmap_apic_page(vm);
}
