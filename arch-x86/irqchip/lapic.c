// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's registers as the guest reads and writes them: the MMIO page
 * (xAPIC) and MSRs 0x800-0x8ff (x2APIC), priorities, EOI, LVTs, errors.
 * SDM 3A chapter 10; APM 2 chapter 16. Does not know who else exists:
 * messages go through lapic_deliver.c; life and state are lapic_state.c.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <asm/apicdef.h>

#include "arch-x86/irqchip/lapic.h"
#include "arch-x86/cpu/cpuid.h"

/* Delivery status (12) and remote IRR (14) are read-only and always 0 here. */
#define LVT_VECTOR_DM	(APIC_VECTOR_MASK | APIC_MODE_MASK)

/* ICR bits that x2APIC mode reserves (SDM 3A figure 10-28). */
#define X2APIC_ICR_RSVD	(GENMASK(31, 20) | GENMASK(17, 16) | BIT(13))

void lapic_error(struct x86_lapic *apic, u32 bit)
{
	/* An error interrupt that is itself in error ends here, too. */
	if (!test_and_set_bit(ilog2(bit), &apic->esr_pending))
		lapic_local_deliver(apic, APIC_LVTERR);
}

/* ---- priorities ------------------------------------------------------------- */

void lapic_update_ppr(struct x86_lapic *apic)
{
	u32 old = lapic_reg(apic, APIC_PROCPRI);
	u32 ppr = lapic_ppr(apic);

	if (ppr == old)
		return;
	lapic_set_reg(apic, APIC_PROCPRI, ppr);
	if (ppr < old && READ_ONCE(apic->irr_pending))
		kvm_make_request(X86_REQ_EVENT, &apic->vcpu->core);
}

void lapic_write_tpr(struct x86_lapic *apic, u32 tpr)
{
	lapic_set_reg(apic, APIC_TASKPRI, tpr & 0xff);
	lapic_update_ppr(apic);
}

u64 x86_lapic_get_cr8(struct x86_vcpu *vcpu)
{
	if (!vcpu->apic)
		return vcpu->cr8;
	return (lapic_reg(vcpu->apic, APIC_TASKPRI) & 0xf0) >> 4;
}
EXPORT_SYMBOL_GPL(x86_lapic_get_cr8);

void x86_lapic_set_tpr(struct x86_vcpu *vcpu, u64 cr8)
{
	/* SDM 3A 10.8.6.1: TPR[3:0] are cleared. */
	if (vcpu->apic)
		lapic_write_tpr(vcpu->apic, (cr8 & 0xf) << 4);
	else
		vcpu->cr8 = cr8 & 0xf;
}
EXPORT_SYMBOL_GPL(x86_lapic_set_tpr);

/* ---- EOI ---------------------------------------------------------------------- */

/* Take the highest vector out of service. Return: the vector or -1. */
static int lapic_end_service(struct x86_lapic *apic)
{
	int vec = lapic_highest_isr(apic);

	if (vec < 0)
		return -1;
	clear_bit(vec & 31, lapic_vec_word(apic, APIC_ISR, vec));
	if (apic->apicv)
		lapic_tell_in_service(apic);
	else
		WRITE_ONCE(apic->isr_highest, lapic_highest(apic, APIC_ISR));
	lapic_update_ppr(apic);
	return vec;
}

bool lapic_eoi_matters(const struct x86_lapic *apic, u8 vec)
{
	return lapic_test_vec(apic, APIC_TMR, vec) ||
	       test_bit(vec, (unsigned long *)apic->vcpu->eoi_exit_bitmap);
}

static void lapic_broadcast_eoi(struct x86_lapic *apic, u8 vec)
{
	struct x86_vcpu *vcpu = apic->vcpu;
	struct x86_vm *vm = x86_vcpu_vm(vcpu);

	if (x86_irqchip_full(vm)) {
		x86_ioapic_eoi(vm, apic, vec);
		return;
	}
	/* SDM 3A 10.8.5: the guest will write the IOAPIC's EOI register itself. */
	if (lapic_reg(apic, APIC_SPIV) & APIC_SPIV_DIRECTED_EOI)
		return;
	vcpu->pending_ioapic_eoi = vec;
	kvm_make_request(X86_REQ_IOAPIC_EOI_EXIT, &vcpu->core);
}

void lapic_eoi_done(struct x86_lapic *apic, u8 vec)
{
	if (lapic_eoi_matters(apic, vec))
		lapic_broadcast_eoi(apic, vec);
}

void lapic_eoi(struct x86_lapic *apic)
{
	int vec = lapic_end_service(apic);

	if (vec >= 0)
		lapic_eoi_done(apic, vec);
}

/* In the inner loop. False: nothing has happened, the IOAPIC must hear of it. */
static bool lapic_eoi_irqoff(struct x86_lapic *apic)
{
	int vec = lapic_highest_isr(apic);

	if (vec >= 0 && lapic_eoi_matters(apic, vec))
		return false;
	lapic_end_service(apic);
	return true;
}

/* ---- local vector table, SVR ------------------------------------------------------ */

u32 lapic_lvt_mask(const struct x86_lapic *apic, u32 reg)
{
	switch (reg) {
	case APIC_LVTT:
		return APIC_VECTOR_MASK | APIC_LVT_MASKED | APIC_LVT_TIMER_PERIODIC |
			(guest_cpuid_has(apic->vcpu, X86_FEATURE_TSC_DEADLINE_TIMER) ?
			 APIC_LVT_TIMER_TSCDEADLINE : 0);
	case APIC_LVTTHMR:
	case APIC_LVTPC:
		return LVT_VECTOR_DM | APIC_LVT_MASKED;
	case APIC_LVT0:
	case APIC_LVT1:
		return LVT_VECTOR_DM | APIC_LVT_MASKED | APIC_INPUT_POLARITY |
			APIC_LVT_LEVEL_TRIGGER;
	default:
		return APIC_VECTOR_MASK | APIC_LVT_MASKED;
	}
}

static void lapic_track_lvt0(struct x86_lapic *apic, u32 lvt0)
{
	bool nmi = !(lvt0 & APIC_LVT_MASKED) &&
		   GET_APIC_DELIVERY_MODE(lvt0) == APIC_MODE_NMI;

	if (nmi == apic->lvt0_nmi)
		return;
	apic->lvt0_nmi = nmi;
	atomic_add(nmi ? 1 : -1, &x86_vcpu_vm(apic->vcpu)->lvt0_nmi_count);
}

void lapic_load_lvt(struct x86_lapic *apic, u32 reg, u32 val)
{
	val &= lapic_lvt_mask(apic, reg);
	lapic_set_reg(apic, reg, val);

	if (reg == APIC_LVTT) {
		lapic_timer_lvtt_written(apic);
	} else if (reg == APIC_LVT0) {
		lapic_track_lvt0(apic, val);
		/* The PIC's INTR may have just become visible. */
		kvm_make_request(X86_REQ_EVENT, &apic->vcpu->core);
	}
}

void lapic_set_lvt(struct x86_lapic *apic, u32 reg, u32 val)
{
	/* SDM 3A 10.4.7.2: attempts to reset the mask bit are ignored. */
	if (!apic->sw_enabled)
		val |= APIC_LVT_MASKED;
	lapic_load_lvt(apic, reg, val);
}

void lapic_set_svr(struct x86_lapic *apic, u32 val)
{
	static const u16 lvts[] = {
		APIC_LVTT, APIC_LVTTHMR, APIC_LVTPC, APIC_LVT0, APIC_LVT1, APIC_LVTERR,
	};
	bool enable = val & APIC_SPIV_APIC_ENABLED;
	int i;

	lapic_set_reg(apic, APIC_SPIV, val);
	if (enable == apic->sw_enabled)
		return;
	WRITE_ONCE(apic->sw_enabled, enable);
	x86_apic_map_touch(x86_vcpu_vm(apic->vcpu));
	lapic_apicv_stale(apic);
	if (enable) {
		kvm_make_request(X86_REQ_EVENT, &apic->vcpu->core);
		return;
	}
	/* SDM 3A 10.4.7.2: the mask bits of all LVT entries are set. */
	for (i = 0; i < ARRAY_SIZE(lvts); i++)
		lapic_set_lvt(apic, lvts[i], lapic_reg(apic, lvts[i]));
}

/*
 * Version 0x14, six LVT entries. Directed EOI makes sense only where the IOAPIC
 * has an EOI register: user space's may, ours is the older kind.
 */
u32 lapic_version(const struct x86_lapic *apic)
{
	u32 version = 0x14 | 5 << 16;

	if (x86_irqchip_split(x86_vcpu_vm(apic->vcpu)) &&
	    guest_cpuid_has(apic->vcpu, X86_FEATURE_X2APIC))
		version |= APIC_LVR_DIRECTED_EOI;
	return version;
}

u32 lapic_svr_mask(const struct x86_lapic *apic)
{
	u32 mask = APIC_VECTOR_MASK | APIC_SPIV_APIC_ENABLED | APIC_SPIV_FOCUS_DISABLED;

	if (lapic_version(apic) & APIC_LVR_DIRECTED_EOI)
		mask |= APIC_SPIV_DIRECTED_EOI;
	return mask;
}

/* ---- one register -------------------------------------------------------------------- */

/*
 * Where registers are: bit n stands for offset n * 16 (SDM 3A table 10-1).
 * ARBPRI, DFR and ICR2 don't exist in x2APIC mode, SELF_IPI only there
 * (table 10-6).
 */
#define R(reg)		BIT_ULL((reg) >> 4)
#define R8(reg)		(0xffULL << ((reg) >> 4))
#define LAPIC_READABLE	(R(APIC_ID) | R(APIC_LVR) | R(APIC_TASKPRI) | R(APIC_PROCPRI) |	\
			 R(APIC_LDR) | R(APIC_SPIV) | R8(APIC_ISR) | R8(APIC_TMR) |	\
			 R8(APIC_IRR) | R(APIC_ESR) | R(APIC_ICR) | R(APIC_LVTT) |	\
			 R(APIC_LVTTHMR) | R(APIC_LVTPC) | R(APIC_LVT0) | R(APIC_LVT1) |\
			 R(APIC_LVTERR) | R(APIC_TMICT) | R(APIC_TMCCT) | R(APIC_TDCR))
#define XAPIC_READABLE	(LAPIC_READABLE | R(APIC_ARBPRI) | R(APIC_DFR) | R(APIC_ICR2) |	\
			 R(APIC_EOI) | R(APIC_RRR))

static u32 lapic_read(struct x86_lapic *apic, u32 reg)
{
	switch (reg) {
	case APIC_TASKPRI:
		lapic_report_tpr(apic, false);
		return lapic_reg(apic, reg) & 0xff;
	case APIC_PROCPRI:
	case APIC_ARBPRI:
		return lapic_ppr(apic);
	case APIC_LVR:
		return lapic_version(apic);
	case APIC_TMCCT:
		return lapic_timer_count(apic);
	case APIC_EOI:
	case APIC_RRR:
		return 0;
	default:
		return lapic_reg(apic, reg);
	}
}

/* Writing ESR shows what happened since the last write (SDM 3A 10.5.3). */
static void lapic_latch_esr(struct x86_lapic *apic)
{
	lapic_set_reg(apic, APIC_ESR, xchg(&apic->esr_pending, 0));
}

static void lapic_write_tmict(struct x86_lapic *apic, u32 val)
{
	if (apic->timer.mode == APIC_LVT_TIMER_TSCDEADLINE)
		return;
	lapic_timer_cancel(apic);
	lapic_set_reg(apic, APIC_TMICT, val);
	lapic_timer_start(apic);
}

/* lapic_write(), but the map of destinations may be out of date afterwards. */
static bool lapic_write_reg(struct x86_lapic *apic, u32 reg, u32 val)
{
	struct x86_vm *vm = x86_vcpu_vm(apic->vcpu);

	switch (reg) {
	case APIC_TASKPRI:
		lapic_report_tpr(apic, true);
		lapic_write_tpr(apic, val);
		break;
	case APIC_EOI:
		lapic_eoi(apic);
		break;
	case APIC_SPIV:
		lapic_set_svr(apic, val & lapic_svr_mask(apic));
		break;
	case APIC_ESR:
		lapic_latch_esr(apic);
		break;
	case APIC_LVTT:
	case APIC_LVTTHMR:
	case APIC_LVTPC:
	case APIC_LVT0:
	case APIC_LVT1:
	case APIC_LVTERR:
		lapic_set_lvt(apic, reg, val);
		break;
	case APIC_TMICT:
		lapic_write_tmict(apic, val);
		break;
	case APIC_TDCR:
		lapic_set_reg(apic, APIC_TDCR, val & 0xb);
		lapic_timer_tdcr_written(apic);
		break;
	/* The rest is reached in xAPIC mode only: see x2apic_write_ok(). */
	case APIC_ID:
		lapic_set_reg(apic, APIC_ID, val & GENMASK(31, 24));
		x86_apic_map_touch(vm);
		break;
	case APIC_LDR:
		lapic_set_reg(apic, APIC_LDR, val & APIC_LDR_MASK);
		x86_apic_map_touch(vm);
		break;
	case APIC_DFR:
		lapic_set_reg(apic, APIC_DFR, val | 0x0fffffff);
		x86_apic_map_touch(vm);
		break;
	case APIC_ICR:
		val &= ~APIC_ICR_BUSY;
		lapic_set_reg(apic, APIC_ICR, val);
		lapic_send_icr(apic, val, lapic_reg(apic, APIC_ICR2) >> 24);
		break;
	case APIC_ICR2:
		lapic_set_reg(apic, APIC_ICR2, val & GENMASK(31, 24));
		break;
	case APIC_LVR:
	case APIC_ARBPRI:
	case APIC_PROCPRI:
	case APIC_RRR:
	case APIC_TMCCT:
	case APIC_ISR ... APIC_ISR + 0x70:
	case APIC_TMR ... APIC_TMR + 0x70:
	case APIC_IRR ... APIC_IRR + 0x70:
		break;		/* read-only: ignored */
	default:
		return false;
	}
	return true;
}

/*
 * A write that has been found valid for the mode.
 * Return: false if there is no register to write at @reg.
 */
static bool lapic_write(struct x86_lapic *apic, u32 reg, u32 val)
{
	bool ok = lapic_write_reg(apic, reg, val);

	x86_apic_map_update(x86_vcpu_vm(apic->vcpu));
	return ok;
}

bool lapic_reg_written(struct x86_lapic *apic, u32 reg)
{
	u32 val = lapic_reg(apic, reg);

	switch (reg) {
	case APIC_TMICT:
		/* SDM 3A 10.5.4.1: there is no count in this mode. */
		if (apic->timer.mode == APIC_LVT_TIMER_TSCDEADLINE)
			lapic_set_reg(apic, APIC_TMICT, 0);
		break;
	case APIC_SELF_IPI:
		lapic_send_icr(apic, (u8)val | APIC_DEST_SELF | APIC_INT_ASSERT, 0);
		return true;
	}
	return lapic_write(apic, reg, val);
}

/* ---- in the inner loop ------------------------------------------------------------------ */

/* What the guest shares with us without an exit must be looked at first, by who may sleep. */
static bool lapic_shares(const struct x86_lapic *apic)
{
	return apic->vapic.active || apic->vcpu->pv_eoi.pending;
}

bool x86_lapic_ready_irqoff(struct x86_vcpu *vcpu)
{
	return !vcpu->apic || !lapic_shares(vcpu->apic);
}

/* Fixed interrupts to whom the map knows. */
static bool lapic_icr_irqoff(struct x86_lapic *apic, u32 lo, u32 dest)
{
	struct x86_irq_msg msg = {
		.dest = dest,
		.vector = lo & APIC_VECTOR_MASK,
		.mode = X86_DM_FIXED,
		.shorthand = (lo >> 18) & 3,
		.logical = lo & APIC_DEST_LOGICAL,
		.assert = true,
	};
	int result;

	if (GET_APIC_DELIVERY_MODE(lo) != X86_DM_FIXED || msg.vector < 16 ||
	    !x86_irq_deliver_fast(x86_vcpu_vm(apic->vcpu), apic, &msg, &result))
		return false;
	lapic_set_reg(apic, APIC_ICR, lo & ~APIC_ICR_BUSY);
	return true;
}

/*
 * The registers that guests write all the time. None of them changes the map.
 * False: nothing has happened.
 */
static bool lapic_write_irqoff(struct x86_lapic *apic, u32 reg, u32 val)
{
	switch (reg) {
	case APIC_TASKPRI:
	case APIC_TMICT:
		return !apic->vapic.report_tpr && lapic_write_reg(apic, reg, val);
	case APIC_EOI:
		return lapic_eoi_irqoff(apic);
	}
	return false;
}

/* ---- xAPIC: the MMIO page -------------------------------------------------------------- */

/* Is @gpa in the APIC's page? *@hole: yes, but the mode has no MMIO registers. */
static bool lapic_in_page(const struct x86_lapic *apic, gpa_t gpa, int len, bool *hole)
{
	u64 base = apic->vcpu->apic_base;

	if (gpa_to_gfn(gpa) != gpa_to_gfn(base) || offset_in_page(gpa) + len > PAGE_SIZE)
		return false;
	*hole = !lapic_hw_enabled(apic) || lapic_x2apic(apic);
	/* Without the quirk the page is memory, or nobody's, in these modes. */
	return !*hole || !(x86_vcpu_vm(apic->vcpu)->disabled_quirks &
			   KVM_X86_QUIRK_LAPIC_MMIO_HOLE);
}

int x86_lapic_mmio_read(struct x86_vcpu *vcpu, gpa_t gpa, int len, void *data)
{
	struct x86_lapic *apic = vcpu->apic;
	u32 off = offset_in_page(gpa);
	u32 val;
	bool hole;

	if (!apic || !lapic_in_page(apic, gpa, len, &hole))
		return -EOPNOTSUPP;
	if (hole) {
		memset(data, 0xff, len);
		return 0;
	}
	/* SDM 3A 10.4.1: 32 bits at multiples of 16; the rest is undefined. */
	memset(data, 0, len);
	if ((off & 0xf) + len > 4)
		return 0;
	if (off >= KVM_APIC_REG_SIZE || !(XAPIC_READABLE & BIT_ULL(off >> 4))) {
		lapic_error(apic, APIC_ESR_ILLREGA);
		return 0;
	}
	val = lapic_read(apic, array_index_nospec(off & ~0xf, KVM_APIC_REG_SIZE));
	memcpy(data, (u8 *)&val + (off & 3), len);
	return 0;
}

int x86_lapic_mmio_write(struct x86_vcpu *vcpu, gpa_t gpa, int len, const void *data)
{
	struct x86_lapic *apic = vcpu->apic;
	u32 off = offset_in_page(gpa);
	bool hole;
	u32 val;

	if (!apic || !lapic_in_page(apic, gpa, len, &hole))
		return -EOPNOTSUPP;
	if (hole || len != 4 || (off & 0xf))
		return 0;
	memcpy(&val, data, sizeof(val));
	if (!lapic_write(apic, off, val))
		lapic_error(apic, APIC_ESR_ILLREGA);
	return 0;
}

int x86_lapic_mmio_read_irqoff(struct x86_vcpu *vcpu, gpa_t gpa, int len, void *data)
{
	if (gpa_to_gfn(gpa) != gpa_to_gfn(vcpu->apic_base))
		return -EOPNOTSUPP;
	if (lapic_shares(vcpu->apic))
		return -EAGAIN;
	return x86_lapic_mmio_read(vcpu, gpa, len, data);
}

int x86_lapic_mmio_write_irqoff(struct x86_vcpu *vcpu, gpa_t gpa, int len, const void *data)
{
	struct x86_lapic *apic = vcpu->apic;
	u32 off = offset_in_page(gpa);
	bool hole, ok;
	u32 val;

	if (gpa_to_gfn(gpa) != gpa_to_gfn(vcpu->apic_base))
		return -EOPNOTSUPP;
	if (!lapic_in_page(apic, gpa, len, &hole) || hole || len != 4 || lapic_shares(apic))
		return -EAGAIN;
	memcpy(&val, data, sizeof(val));
	switch (off) {
	case APIC_ICR:
		ok = lapic_icr_irqoff(apic, val, lapic_reg(apic, APIC_ICR2) >> 24);
		break;
	case APIC_ICR2:
		ok = lapic_write_reg(apic, off, val);
		break;
	default:
		ok = lapic_write_irqoff(apic, off, val);
	}
	return ok ? 0 : -EAGAIN;
}

/* ---- x2APIC: MSRs 0x800-0x8ff ---------------------------------------------------------- */

/* Are address and value allowed in x2APIC mode (SDM 3A table 10-6)? */
static bool x2apic_write_ok(const struct x86_lapic *apic, u32 reg, u64 val)
{
	if (val >> 32)
		return false;
	switch (reg) {
	case APIC_TASKPRI:
		return !(val & ~0xffULL);
	case APIC_EOI:
	case APIC_ESR:
		return !val;
	case APIC_SPIV:
		return !(val & ~(u64)lapic_svr_mask(apic));
	case APIC_LVTT:
	case APIC_LVTTHMR:
	case APIC_LVTPC:
	case APIC_LVT0:
	case APIC_LVT1:
	case APIC_LVTERR:
		/* Delivery status and remote IRR are read-only, not reserved. */
		return !(val & ~(u64)(lapic_lvt_mask(apic, reg) | APIC_SEND_PENDING |
				      APIC_LVT_REMOTE_IRR));
	case APIC_TMICT:
		return true;
	case APIC_TDCR:
		return !(val & ~0xbULL);
	default:
		return false;
	}
}

static bool x2apic_icr_ok(u64 icr)
{
	return !((u32)icr & X2APIC_ICR_RSVD);
}

static void x2apic_write_icr(struct x86_lapic *apic, u64 icr)
{
	u32 lo = (u32)icr & ~APIC_ICR_BUSY;

	lapic_set_reg(apic, APIC_ICR, lo);
	lapic_set_reg(apic, APIC_ICR2, icr >> 32);
	lapic_send_icr(apic, lo, icr >> 32);
}

static void x2apic_self_ipi(struct x86_lapic *apic, u8 vector)
{
	lapic_send_icr(apic, vector | APIC_DEST_SELF | APIC_INT_ASSERT, 0);
}

int x86_lapic_msr_read(struct x86_vcpu *vcpu, u32 index, u64 *data)
{
	struct x86_lapic *apic = vcpu->apic;
	u32 reg;

	if (index == MSR_IA32_TSC_DEADLINE) {
		*data = x86_lapic_get_tsc_deadline(vcpu);
		return 0;
	}
	if (!apic || !lapic_x2apic(apic) || index - 0x800 > 0x3f)
		return 1;
	reg = array_index_nospec(index - 0x800, 0x40) << 4;
	if (!(LAPIC_READABLE & BIT_ULL(reg >> 4)))
		return 1;
	*data = lapic_read(apic, reg);
	if (reg == APIC_ICR)
		*data |= (u64)lapic_reg(apic, APIC_ICR2) << 32;
	return 0;
}

int x86_lapic_msr_write(struct x86_vcpu *vcpu, u32 index, u64 data)
{
	struct x86_lapic *apic = vcpu->apic;
	u32 reg;

	if (index == MSR_IA32_TSC_DEADLINE) {
		x86_lapic_set_tsc_deadline(vcpu, data);
		return 0;
	}
	if (!apic || !lapic_x2apic(apic) || index - 0x800 > 0x3f)
		return 1;
	reg = (index - 0x800) << 4;
	if (reg == APIC_ICR) {
		if (!x2apic_icr_ok(data))
			return 1;
		x2apic_write_icr(apic, data);
		return 0;
	}
	if (reg == APIC_SELF_IPI) {
		if (data & ~0xffULL)
			return 1;
		x2apic_self_ipi(apic, data);
		return 0;
	}
	if (!x2apic_write_ok(apic, reg, data))
		return 1;
	return !lapic_write(apic, reg, data);
}

bool x86_lapic_msr_write_irqoff(struct x86_vcpu *vcpu, u32 index, u64 data)
{
	struct x86_lapic *apic = vcpu->apic;
	u32 reg = (index - 0x800) << 4;

	if (!apic || !lapic_x2apic(apic) || index - 0x800 > 0x3f || lapic_shares(apic))
		return false;
	switch (reg) {
	case APIC_ICR:
		if (!x2apic_icr_ok(data) || !lapic_icr_irqoff(apic, data, data >> 32))
			return false;
		lapic_set_reg(apic, APIC_ICR2, data >> 32);
		return true;
	case APIC_SELF_IPI:
		return !(data & ~0xffULL) && data >= 16 &&
		       x86_lapic_local_vector(vcpu, data) >= 0;
	}
	return x2apic_write_ok(apic, reg, data) && lapic_write_irqoff(apic, reg, data);
}
