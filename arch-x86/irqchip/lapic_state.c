// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's life: creation, reset, INIT and SIPI, the base MSR with its
 * modes (SDM 3A 10.12.5), and its state as KVM_GET_LAPIC and KVM_SET_LAPIC
 * carry it. The registers' daily work is lapic.c.
 */
#include <linux/slab.h>
#include <linux/string.h>

#include "arch-x86/irqchip/lapic.h"
#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/regs.h"
#include "arch-x86/run.h"
#include "arch-x86/vendor_call.h"

static const u16 lapic_lvts[] = {
	APIC_LVTT, APIC_LVTTHMR, APIC_LVTPC, APIC_LVT0, APIC_LVT1, APIC_LVTERR,
};

int x86_lapic_create(struct x86_vcpu *vcpu)
{
	struct x86_lapic *apic;

	if (!x86_irqchip_in_kernel(x86_vcpu_vm(vcpu)))
		return 0;
	apic = kzalloc(sizeof(*apic), GFP_KERNEL_ACCOUNT);
	if (!apic)
		return -ENOMEM;
	apic->vcpu = vcpu;
	apic->regs = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!apic->regs || lapic_posted_create(apic)) {
		free_page((unsigned long)apic->regs);
		kfree(apic);
		return -ENOMEM;
	}
	apic->isr_highest = -1;
	lapic_apicv_init(apic);
	lapic_timer_init(apic);
	vcpu->apic = apic;
	return 0;
}

void x86_lapic_destroy(struct x86_vcpu *vcpu)
{
	struct x86_lapic *apic = vcpu->apic;

	if (!apic)
		return;
	lapic_timer_cancel(apic);
	vcpu->apic = NULL;
	lapic_posted_free(apic);
	free_page((unsigned long)apic->regs);
	kfree(apic);
}

/* ---- reset ---------------------------------------------------------------------- */

static bool lapic_is_reset_bsp(const struct x86_vcpu *vcpu)
{
	return vcpu->core.id == x86_vcpu_vm(vcpu)->boot_vcpu_id;
}

/* The ID registers, as the mode shows them. */
static void lapic_reset_id(struct x86_lapic *apic)
{
	u32 id = apic->vcpu->core.id;

	if (lapic_x2apic(apic)) {
		lapic_set_reg(apic, APIC_ID, id);
		lapic_set_reg(apic, APIC_LDR, lapic_x2apic_ldr(id));
	} else {
		lapic_set_reg(apic, APIC_ID, id << 24);
	}
}

/* Power-up state of all registers but the ID (SDM 3A 10.4.7.1). */
static void lapic_reset_regs(struct x86_lapic *apic)
{
	struct x86_vm *vm = x86_vcpu_vm(apic->vcpu);
	u32 id = lapic_reg(apic, APIC_ID);
	int i;

	lapic_timer_cancel(apic);
	memset(apic->regs, 0, KVM_APIC_REG_SIZE);
	lapic_set_reg(apic, APIC_ID, id);
	if (lapic_x2apic(apic))
		lapic_set_reg(apic, APIC_LDR, lapic_x2apic_ldr(id));
	lapic_set_reg(apic, APIC_LVR, lapic_version(apic));
	lapic_set_reg(apic, APIC_DFR, 0xffffffff);

	apic->sw_enabled = true;	/* so that lapic_set_svr() sees a change */
	lapic_set_svr(apic, 0xff);
	for (i = 0; i < ARRAY_SIZE(lapic_lvts); i++)
		lapic_load_lvt(apic, lapic_lvts[i], APIC_LVT_MASKED);
	/* The ABI: firmware that never programs LINT0 still gets the PIC. */
	if (lapic_is_reset_bsp(apic->vcpu) &&
	    !(vm->disabled_quirks & KVM_X86_QUIRK_LINT0_REENABLED))
		lapic_load_lvt(apic, APIC_LVT0, APIC_DM_EXTINT);
	lapic_timer_tdcr_written(apic);

	WRITE_ONCE(apic->isr_highest, -1);
	WRITE_ONCE(apic->irr_pending, false);
	lapic_drop_posted(apic);
	lapic_apicv_stale(apic);
	apic->esr_pending = 0;
	atomic_set(&apic->lowest_prio_count, 0);
	lapic_set_reg(apic, APIC_PROCPRI, lapic_ppr(apic));
}

void x86_lapic_reset(struct x86_vcpu *vcpu, bool init_event)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct x86_lapic *apic = vcpu->apic;

	if (!init_event) {
		u64 base = APIC_DEFAULT_PHYS_BASE | MSR_IA32_APICBASE_ENABLE;

		if (lapic_is_reset_bsp(vcpu))
			base |= MSR_IA32_APICBASE_BSP;
		WRITE_ONCE(vcpu->apic_base, base);
	}
	vcpu->pv_eoi.msr = 0;
	vcpu->pv_eoi.pending = false;
	if (!apic)
		return;

	if (!init_event) {
		lapic_reset_id(apic);
		WRITE_ONCE(apic->pending_events, 0);
	}
	lapic_reset_regs(apic);
	WRITE_ONCE(apic->pv_unhalt, false);
	x86_apic_map_touch(vm);
	x86_apic_map_update(vm);
}

void x86_lapic_vcpu_online(struct x86_vcpu *vcpu)
{
	x86_apic_map_touch(x86_vcpu_vm(vcpu));
	x86_apic_map_update(x86_vcpu_vm(vcpu));
}

/* ---- INIT and SIPI ----------------------------------------------------------------- */

bool x86_lapic_init_sipi_pending(struct x86_vcpu *vcpu)
{
	return vcpu->apic && READ_ONCE(vcpu->apic->pending_events) && !READ_ONCE(vcpu->in_smm);
}

bool x86_lapic_init_latched(struct x86_vcpu *vcpu)
{
	return vcpu->apic && test_bit(LAPIC_EVENT_INIT, &vcpu->apic->pending_events);
}

void x86_lapic_latch_init(struct x86_vcpu *vcpu, bool latched)
{
	if (vcpu->apic)
		assign_bit(LAPIC_EVENT_INIT, &vcpu->apic->pending_events, latched);
}

void x86_lapic_set_sipi_pending(struct x86_vcpu *vcpu)
{
	if (vcpu->apic)
		set_bit(LAPIC_EVENT_SIPI, &vcpu->apic->pending_events);
}

u8 x86_lapic_sipi_vector(struct x86_vcpu *vcpu)
{
	return vcpu->apic ? READ_ONCE(vcpu->apic->sipi_vector) : 0;
}

void x86_lapic_set_sipi_vector(struct x86_vcpu *vcpu, u8 vector)
{
	if (vcpu->apic)
		WRITE_ONCE(vcpu->apic->sipi_vector, vector);
}

/* Start at page @vector in real mode (SDM 3A 8.4.4). */
static void lapic_start_ap(struct x86_vcpu *vcpu, u8 vector)
{
	struct kvm_segment cs;

	vendor_call(get_segment)(vcpu, &cs, X86_SEG_CS);
	cs.selector = vector << 8;
	cs.base = vector << 12;
	vendor_call(set_segment)(vcpu, &cs, X86_SEG_CS);
	x86_rip_write(vcpu, 0);
}

int x86_lapic_accept_events(struct x86_vcpu *vcpu)
{
	struct x86_lapic *apic = vcpu->apic;

	if (!apic || !READ_ONCE(apic->pending_events))
		return 0;

	if (vcpu->in_smm) {
		/* INIT waits for RSM (SDM 3C 31.7); SIPI finds nobody waiting. */
		clear_bit(LAPIC_EVENT_SIPI, &apic->pending_events);
		return 0;
	}

	if (test_and_clear_bit(LAPIC_EVENT_INIT, &apic->pending_events)) {
		x86_vcpu_reset(vcpu, true);
		x86_set_mp_state(vcpu, vcpu->apic_base & MSR_IA32_APICBASE_BSP ?
				 KVM_MP_STATE_RUNNABLE : KVM_MP_STATE_INIT_RECEIVED);
	}
	if (test_and_clear_bit(LAPIC_EVENT_SIPI, &apic->pending_events) &&
	    vcpu->mp_state == KVM_MP_STATE_INIT_RECEIVED) {
		smp_rmb();	/* pairs with lapic_accept(): the bit, then the vector */
		lapic_start_ap(vcpu, READ_ONCE(apic->sipi_vector));
		x86_set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
	}
	return 0;
}

/* ---- the base MSR -------------------------------------------------------------------- */

enum lapic_mode { LAPIC_DISABLED, LAPIC_XAPIC, LAPIC_X2APIC, LAPIC_INVALID };

static enum lapic_mode lapic_mode_of(u64 base)
{
	bool en = base & MSR_IA32_APICBASE_ENABLE;

	if (base & X2APIC_ENABLE)
		return en ? LAPIC_X2APIC : LAPIC_INVALID;
	return en ? LAPIC_XAPIC : LAPIC_DISABLED;
}

/* SDM 3A figure 10-27: what a guest may do from which mode. */
static bool lapic_mode_change_ok(enum lapic_mode from, enum lapic_mode to)
{
	return !(from == LAPIC_X2APIC && to == LAPIC_XAPIC) &&
	       !(from == LAPIC_DISABLED && to == LAPIC_X2APIC);
}

bool x86_lapic_enabled(struct x86_vcpu *vcpu)
{
	return vcpu->apic_base & MSR_IA32_APICBASE_ENABLE;
}

bool x86_lapic_sw_enabled(struct x86_vcpu *vcpu)
{
	return vcpu->apic && vcpu->apic->sw_enabled;
}

u64 x86_lapic_get_base(struct x86_vcpu *vcpu)
{
	return vcpu->apic_base;
}

int x86_lapic_set_base(struct x86_vcpu *vcpu, u64 base, bool host)
{
	struct x86_lapic *apic = vcpu->apic;
	enum lapic_mode from = lapic_mode_of(vcpu->apic_base);
	enum lapic_mode to = lapic_mode_of(base);
	u64 rsvd = vcpu->reserved_gpa_bits | GENMASK_ULL(7, 0) | BIT_ULL(9);

	if (!guest_cpuid_has(vcpu, X86_FEATURE_X2APIC))
		rsvd |= X2APIC_ENABLE;
	if ((base & rsvd) || to == LAPIC_INVALID)
		return 1;
	if (!host && !lapic_mode_change_ok(from, to))
		return 1;

	if (from != to || gpa_to_gfn(base) != gpa_to_gfn(vcpu->apic_base))
		x86_apic_map_touch(x86_vcpu_vm(vcpu));
	WRITE_ONCE(vcpu->apic_base, base);
	if (from == to) {
		x86_apic_map_update(x86_vcpu_vm(vcpu));
		return 0;
	}
	/* CPUID.1:EDX.APIC follows the enable bit. */
	x86_cpuid_update_runtime(vcpu);
	if (!apic)
		return 0;

	if (to == LAPIC_DISABLED) {
		lapic_timer_cancel(apic);
		apic->timer.period_ns = 0;
		WRITE_ONCE(apic->timer.tsc_deadline, 0);
	} else {
		lapic_reset_id(apic);
		/* SDM 3A 10.4.3: re-enabled, it is as after power-up. User
		 * space puts state in with KVM_SET_LAPIC, in any order. */
		if (from == LAPIC_DISABLED && !host)
			lapic_reset_regs(apic);
	}
	kvm_make_request(X86_REQ_EVENT, &vcpu->core);
	lapic_apicv_stale(apic);
	x86_apic_map_update(x86_vcpu_vm(vcpu));
	x86_make_scan_ioapic_request(x86_vcpu_vm(vcpu));
	return 0;
}

/* ---- state for user space ---------------------------------------------------------------- */

static u32 *state_reg(struct kvm_lapic_state *s, u32 reg)
{
	return (u32 *)(s->regs + reg);
}

int x86_vcpu_get_lapic(struct x86_vcpu *vcpu, struct kvm_lapic_state *s)
{
	struct x86_lapic *apic = vcpu->apic;

	if (!apic)
		return -EINVAL;
	lapic_withdraw_pv_eoi(apic);
	lapic_collect_posted(apic);
	/* Who posted it may have seen the guest run, and asked for nothing. */
	kvm_make_request(X86_REQ_EVENT, &vcpu->core);
	memcpy(s->regs, apic->regs, sizeof(s->regs));
	*state_reg(s, APIC_LVR) = lapic_version(apic);
	*state_reg(s, APIC_TMCCT) = lapic_timer_count(apic);
	*state_reg(s, APIC_PROCPRI) = lapic_ppr(apic);
	/* Old user space knows 8 bit IDs, in the top byte, in all modes. */
	if (lapic_x2apic(apic) && !x86_vcpu_vm(vcpu)->x2apic_format)
		*state_reg(s, APIC_ID) <<= 24;
	return 0;
}

int x86_vcpu_set_lapic(struct x86_vcpu *vcpu, const struct kvm_lapic_state *s)
{
	struct x86_lapic *apic = vcpu->apic;
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	u32 tmcct, id;
	int i;

	if (!apic)
		return -EINVAL;
	id = *(const u32 *)(s->regs + APIC_ID);
	/* Who knows 32 bit IDs (KVM_CAP_X2APIC_API) is told; else it is read-only. */
	if (lapic_x2apic(apic) && vm->x2apic_format && id != vcpu->core.id)
		return -EINVAL;

	lapic_timer_cancel(apic);
	lapic_drop_posted(apic);
	memcpy(apic->regs, s->regs, sizeof(s->regs));
	tmcct = lapic_reg(apic, APIC_TMCCT);

	if (lapic_x2apic(apic))
		lapic_reset_id(apic);	/* ID and LDR follow from the vCPU's id */
	else
		lapic_set_reg(apic, APIC_ID, id & GENMASK(31, 24));
	lapic_set_reg(apic, APIC_LVR, lapic_version(apic));
	lapic_set_reg(apic, APIC_TASKPRI, lapic_reg(apic, APIC_TASKPRI) & 0xff);
	lapic_set_reg(apic, APIC_TDCR, lapic_reg(apic, APIC_TDCR) & 0xb);
	lapic_set_reg(apic, APIC_ICR, lapic_reg(apic, APIC_ICR) & ~APIC_ICR_BUSY);

	/* Vectors 0-15 stay as they are: no priority class 0 is ever delivered. */
	WRITE_ONCE(apic->isr_highest, lapic_highest(apic, APIC_ISR));
	WRITE_ONCE(apic->irr_pending, true);
	apic->esr_pending = 0;
	vcpu->pv_eoi.pending = false;

	/* LVTs after SVR, which masks them all when its enable bit goes. */
	apic->timer.mode = lapic_reg(apic, APIC_LVTT) & lapic_lvt_mask(apic, APIC_LVTT) &
		(APIC_LVT_TIMER_PERIODIC | APIC_LVT_TIMER_TSCDEADLINE);
	lapic_set_svr(apic, lapic_reg(apic, APIC_SPIV) & lapic_svr_mask(apic));
	for (i = 0; i < ARRAY_SIZE(lapic_lvts); i++)
		lapic_load_lvt(apic, lapic_lvts[i],
			       *(const u32 *)(s->regs + lapic_lvts[i]));

	lapic_set_reg(apic, APIC_PROCPRI, lapic_ppr(apic));
	lapic_timer_tdcr_written(apic);
	lapic_timer_restore(apic, tmcct);

	lapic_apicv_stale(apic);
	kvm_make_request(X86_REQ_EVENT, &vcpu->core);
	x86_apic_map_touch(vm);
	x86_apic_map_update(vm);
	x86_make_scan_ioapic_request(vm);
	return 0;
}
