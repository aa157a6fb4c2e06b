// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's timer (SDM 3A 10.5.4): one-shot, periodic and TSC-deadline,
 * on a host hrtimer that fires in hard interrupt context on the CPU that runs
 * the vCPU. The callback delivers straight into the IRR, which any context may
 * do, so ticks need no help from the vCPU's thread. A TSC deadline of a vCPU that
 * runs is the vendor's timer instead, where there is one: no interrupt of the host's,
 * and no reprogramming of its clock. Before the vCPU sleeps it goes to the hrtimer.
 * Knows the APIC's registers and the guest's TSC, nothing else.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <asm/tsc.h>

#include "arch-x86/irqchip/lapic.h"
#include "arch-x86/run.h"
#include "arch-x86/time/time.h"
#include "arch-x86/vendor.h"

static unsigned int min_timer_period_us = 200;
module_param(min_timer_period_us, uint, 0644);
MODULE_PARM_DESC(min_timer_period_us,
		 "shortest period of a periodic guest timer, in microseconds");

/* Longest wait for a TSC deadline; the callback then looks again. */
#define MAX_DEADLINE_CYCLES	BIT_ULL(43)

#define LAPIC_HRTIMER_MODE	HRTIMER_MODE_ABS_PINNED_HARD

static u64 lapic_tick_ns(const struct x86_lapic *apic)
{
	return x86_vcpu_vm(apic->vcpu)->apic_bus_cycle_ns * apic->timer.divide;
}

u64 x86_min_timer_period_ns(void)
{
	/* A period of 0 would never let the callback end. */
	return max(READ_ONCE(min_timer_period_us), 1u) * (u64)NSEC_PER_USEC;
}

/* ---- TSC deadline -------------------------------------------------------------- */

/* Cycles of its TSC until the guest's deadline; 0: it has come. */
static u64 lapic_deadline_cycles(const struct x86_lapic *apic, u64 deadline)
{
	u64 now = x86_guest_tsc(apic->vcpu, rdtsc());

	return now >= deadline ? 0 : min(deadline - now, MAX_DEADLINE_CYCLES);
}

static u64 lapic_cycles_ns(const struct x86_lapic *apic, u64 cycles)
{
	u32 khz = READ_ONCE(apic->vcpu->virtual_tsc_khz);

	/* Rounded up: never early. */
	return cycles ? div_u64(cycles * 1000000, khz ? khz : 1) + 1 : 0;
}

/*
 * Will the vCPU be in the guest, or about to be, when the time comes? And is the host's
 * TSC, by which the vendor's timer counts, the guest's clock? In the C-states that MWAIT
 * enters the timer may stand still (SDM 3C 26.5.1).
 */
static bool lapic_may_use_hardware(const struct x86_lapic *apic)
{
	struct x86_vcpu *vcpu = apic->vcpu;
	bool mine;

	if (!x86_vendor_caps()->exit_timer || x86_vcpu_vm(vcpu)->mwait_in_guest ||
	    vcpu->mp_state != KVM_MP_STATE_RUNNABLE || vcpu->apf_halted || vcpu->emulated ||
	    READ_ONCE(x86_force_emulation) || vcpu->tsc_catchup || x86_tsc_unstable())
		return false;
	preempt_disable();
	mine = kvm_running_vcpu() == &vcpu->core;
	preempt_enable();
	return mine;
}

static void lapic_leave_hardware(struct x86_lapic *apic)
{
	if (!apic->timer.in_hardware)
		return;
	apic->timer.in_hardware = false;
	x86_vendor_ops()->set_timer(apic->vcpu, 0);
}

static void lapic_arm_deadline(struct x86_lapic *apic)
{
	struct x86_lapic_timer *t = &apic->timer;
	u64 deadline = READ_ONCE(t->tsc_deadline);
	u64 cycles;

	lapic_leave_hardware(apic);
	if (!deadline)
		return;
	cycles = lapic_deadline_cycles(apic, deadline);
	if (!cycles) {
		WRITE_ONCE(t->tsc_deadline, 0);
		lapic_local_deliver(apic, APIC_LVTT);
	} else if (lapic_may_use_hardware(apic)) {
		t->in_hardware = true;
		x86_vendor_ops()->set_timer(apic->vcpu,
					    rdtsc() + x86_host_cycles(apic->vcpu, cycles));
	} else {
		hrtimer_start(&t->hrtimer,
			      ktime_add_ns(ktime_get(), lapic_cycles_ns(apic, cycles)),
			      LAPIC_HRTIMER_MODE);
	}
}

void x86_lapic_timer_expired(struct x86_vcpu *vcpu)
{
	/* Delivers if the time has come; else the rest is waited for. */
	if (vcpu->apic && vcpu->apic->timer.in_hardware)
		lapic_arm_deadline(vcpu->apic);
}
EXPORT_SYMBOL_GPL(x86_lapic_timer_expired);

void x86_lapic_timer_leave(struct x86_vcpu *vcpu)
{
	/* It is not runnable any more, or it would not sleep. */
	if (vcpu->apic && vcpu->apic->timer.in_hardware)
		lapic_arm_deadline(vcpu->apic);
}

u64 x86_lapic_get_tsc_deadline(struct x86_vcpu *vcpu)
{
	struct x86_lapic *apic = vcpu->apic;

	if (!apic || apic->timer.mode != APIC_LVT_TIMER_TSCDEADLINE)
		return 0;
	return READ_ONCE(apic->timer.tsc_deadline);
}

void x86_lapic_set_tsc_deadline(struct x86_vcpu *vcpu, u64 tsc)
{
	struct x86_lapic *apic = vcpu->apic;

	/* SDM 3A 10.5.4.1: in other modes the write is ignored. */
	if (!apic || apic->timer.mode != APIC_LVT_TIMER_TSCDEADLINE)
		return;
	lapic_timer_cancel(apic);
	WRITE_ONCE(apic->timer.tsc_deadline, tsc);
	lapic_arm_deadline(apic);
}

void x86_lapic_tsc_changed(struct x86_vcpu *vcpu)
{
	x86_lapic_set_tsc_deadline(vcpu, x86_lapic_get_tsc_deadline(vcpu));
}

/* ---- the callback --------------------------------------------------------------- */

/* The next period after now. Ticks that were missed are lost, as in the IRR. */
static void lapic_next_period(struct hrtimer *hrtimer, u64 period)
{
	ktime_t next = ktime_add_ns(hrtimer_get_expires(hrtimer), period);
	s64 late = ktime_to_ns(ktime_sub(ktime_get(), next));

	if (late >= 0)
		next = ktime_add_ns(next, (div64_u64(late, period) + 1) * period);
	hrtimer_set_expires(hrtimer, next);
}

static enum hrtimer_restart lapic_timer_fn(struct hrtimer *hrtimer)
{
	struct x86_lapic *apic = container_of(hrtimer, struct x86_lapic, timer.hrtimer);
	struct x86_lapic_timer *t = &apic->timer;
	u32 mode = READ_ONCE(t->mode);
	u64 period = READ_ONCE(t->period_ns);

	if (mode == APIC_LVT_TIMER_TSCDEADLINE) {
		u64 deadline = READ_ONCE(t->tsc_deadline);
		u64 ns = deadline ? lapic_cycles_ns(apic, lapic_deadline_cycles(apic, deadline)) : 0;

		/* Host clock and TSC run apart a little, or the wait was cut. */
		if (ns) {
			hrtimer_set_expires(hrtimer, ktime_add_ns(ktime_get(), ns));
			return HRTIMER_RESTART;
		}
		WRITE_ONCE(t->tsc_deadline, 0);
		lapic_local_deliver(apic, APIC_LVTT);
		return HRTIMER_NORESTART;
	}

	lapic_local_deliver(apic, APIC_LVTT);
	if (mode != APIC_LVT_TIMER_PERIODIC || !period)
		return HRTIMER_NORESTART;
	lapic_next_period(hrtimer, period);
	return HRTIMER_RESTART;
}

void lapic_timer_init(struct x86_lapic *apic)
{
	hrtimer_setup(&apic->timer.hrtimer, lapic_timer_fn, CLOCK_MONOTONIC,
		      LAPIC_HRTIMER_MODE);
	apic->timer.divide = 2;
}

void lapic_timer_cancel(struct x86_lapic *apic)
{
	lapic_leave_hardware(apic);
	hrtimer_cancel(&apic->timer.hrtimer);
}

void x86_lapic_migrate_timer(struct x86_vcpu *vcpu)
{
	struct x86_lapic *apic = vcpu->apic;

	/* If it is just firing there is nothing left to move. */
	if (apic && hrtimer_try_to_cancel(&apic->timer.hrtimer) == 1)
		hrtimer_start_expires(&apic->timer.hrtimer, LAPIC_HRTIMER_MODE);
}

/* ---- one-shot and periodic --------------------------------------------------------- */

/* Count down @ticks of the TMICT that is set, then (periodic) whole periods. */
static void lapic_count_from(struct x86_lapic *apic, u32 ticks)
{
	struct x86_lapic_timer *t = &apic->timer;
	u64 period = lapic_reg(apic, APIC_TMICT) * lapic_tick_ns(apic);
	u64 first = ticks * lapic_tick_ns(apic);

	/* A guest must not make the host do nothing but ticks. */
	if (t->mode == APIC_LVT_TIMER_PERIODIC && period) {
		period = max(period, x86_min_timer_period_ns());
		if (ticks == lapic_reg(apic, APIC_TMICT))
			first = period;
	}
	WRITE_ONCE(t->period_ns, period);
	if (!period || !ticks)
		return;
	hrtimer_start(&t->hrtimer, ktime_add_ns(ktime_get(), first), LAPIC_HRTIMER_MODE);
}

void lapic_timer_start(struct x86_lapic *apic)
{
	lapic_count_from(apic, lapic_reg(apic, APIC_TMICT));
}

u32 lapic_timer_count(struct x86_lapic *apic)
{
	struct x86_lapic_timer *t = &apic->timer;
	u32 tmict = lapic_reg(apic, APIC_TMICT);
	s64 left;
	u64 past;

	if (t->mode == APIC_LVT_TIMER_TSCDEADLINE || !tmict || !t->period_ns)
		return 0;
	left = ktime_to_ns(hrtimer_get_remaining(&t->hrtimer));
	if (left <= 0) {
		if (t->mode != APIC_LVT_TIMER_PERIODIC || !hrtimer_active(&t->hrtimer))
			return 0;
		/* Due, the callback is on its way: already in the next period. */
		div64_u64_rem(-left, t->period_ns, &past);
		left = t->period_ns - past;
	}
	return min_t(u64, div64_u64(left, lapic_tick_ns(apic)), tmict);
}

void lapic_timer_restore(struct x86_lapic *apic, u32 tmcct)
{
	u32 tmict = lapic_reg(apic, APIC_TMICT);

	if (apic->timer.mode == APIC_LVT_TIMER_TSCDEADLINE) {
		lapic_arm_deadline(apic);
		return;
	}
	tmcct = min(tmcct, tmict);
	if (!tmcct && apic->timer.mode == APIC_LVT_TIMER_PERIODIC)
		tmcct = tmict;
	lapic_count_from(apic, tmcct);
}

void lapic_timer_tdcr_written(struct x86_lapic *apic)
{
	struct x86_lapic_timer *t = &apic->timer;
	u32 tdcr = lapic_reg(apic, APIC_TDCR);
	/* SDM 3A figure 10-10: 2, 4, ... 128, then 1. */
	u32 divide = 1 << ((((tdcr & 3) | (tdcr & 8) >> 1) + 1) & 7);
	u32 left;

	if (divide == t->divide)
		return;
	if (t->mode == APIC_LVT_TIMER_TSCDEADLINE || !hrtimer_active(&t->hrtimer)) {
		WRITE_ONCE(t->divide, divide);
		return;
	}
	lapic_timer_cancel(apic);
	left = lapic_timer_count(apic);
	WRITE_ONCE(t->divide, divide);
	lapic_timer_restore(apic, left);
}

void lapic_timer_lvtt_written(struct x86_lapic *apic)
{
	struct x86_lapic_timer *t = &apic->timer;
	u32 mode = lapic_reg(apic, APIC_LVTT) &
		   (APIC_LVT_TIMER_PERIODIC | APIC_LVT_TIMER_TSCDEADLINE);

	if (mode == t->mode)
		return;
	/* SDM 3A 10.5.4.1: into and out of TSC-deadline mode the timer is disarmed. */
	if ((mode | t->mode) & APIC_LVT_TIMER_TSCDEADLINE) {
		lapic_timer_cancel(apic);
		WRITE_ONCE(t->tsc_deadline, 0);
		WRITE_ONCE(t->period_ns, 0);
		lapic_set_reg(apic, APIC_TMICT, 0);
	}
	WRITE_ONCE(t->mode, mode);
	/* A short one-shot count must not become a short period. */
	if (mode == APIC_LVT_TIMER_PERIODIC && t->period_ns)
		WRITE_ONCE(t->period_ns, max(t->period_ns, x86_min_timer_period_ns()));
}
