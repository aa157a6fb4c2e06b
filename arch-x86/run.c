// SPDX-License-Identifier: GPL-2.0-only
/*
 * The run loop: KVM_RUN from start to finish. Two loops: the inner one, IRQs
 * off, enters the guest and comes back for as long as exits need nothing that
 * sleeps; the outer one does what may. Owns the order of things: requests,
 * injection, entry, exit. Knows no exit reason.
 *
 * A requester and this loop meet in vcpu->mode and vcpu->requests, see
 * core/request.h. SRCU is never held in guest mode: who waits for its readers
 * would wait for a guest that never exits.
 */
#include <linux/entry-virt.h>
#include <asm/fpu/api.h>
#include <compat/guest_entry.h>
#include <compat/spec.h>

#include "arch-x86/cpu/fpu.h"
#include "arch-x86/cpu/smm.h"
#include "arch-x86/events.h"
#include "arch-x86/io.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/irqchip/posted.h"
#include "arch-x86/mmu/mmu.h"
#include "arch-x86/mmu/tlb_model.h"
#include "arch-x86/pv/pv.h"
#include "arch-x86/regs.h"
#include "arch-x86/run.h"
#include "arch-x86/time/time.h"
#include "arch-x86/trace.h"
#include "arch-x86/vendor_call.h"
#include "core/arch.h"
#include "core/dirty_ring.h"
#include "core/vcpu.h"

void x86_set_mp_state(struct x86_vcpu *vcpu, u32 state)
{
	WRITE_ONCE(vcpu->mp_state, state);
}

/* The last look before an entry, IRQs off, IN_GUEST published: does anybody want us elsewhere? */
static bool x86_entry_called_off(struct x86_vcpu *vcpu)
{
	if (vcpu->posted && unlikely(x86_posted_outstanding(vcpu->posted)))
		x86_lapic_take_outstanding(vcpu);
	return READ_ONCE(vcpu->core.mode) == KVM_VCPU_EXITING ||
	       kvm_request_pending(&vcpu->core) || xfer_to_guest_mode_work_pending();
}

/* ---- requests ------------------------------------------------------------ */

/*
 * NMIs that other threads queued become pending: two at most, one being
 * handled or blocked and one latched behind it (SDM 3A 6.7.1).
 */
static void x86_take_nmis(struct x86_vcpu *vcpu)
{
	unsigned int limit = 2;

	if (vendor_call(get_nmi_mask)(vcpu) || vcpu->nmi_injected)
		limit = 1;
	vcpu->nmi_pending = min(vcpu->nmi_pending + atomic_xchg(&vcpu->nmi_queued, 0), limit);
	kvm_make_request(X86_REQ_EVENT, &vcpu->core);
}

static void x86_flush_requests(struct x86_vcpu *vcpu)
{
	struct kvm_vcpu *core = &vcpu->core;
	bool all = false;

	/* What it has to drop adds to the requests. */
	if (kvm_test_request(X86_REQ_TLB_FLUSH_GUEST, core))
		x86_mmu_sync(vcpu);
	tlb_model_flush_begin(vcpu);
	/* The widest that is asked for makes the narrower ones moot. */
	if (kvm_check_request(KVM_REQ_TLB_FLUSH, core)) {
		core->stat.tlb_flush++;
		vendor_call(flush_tlb_all)(vcpu);
		kvm_clear_request(X86_REQ_TLB_FLUSH_CURRENT, core);
		kvm_clear_request(X86_REQ_TLB_FLUSH_GUEST, core);
		all = true;
	}
	if (kvm_check_request(X86_REQ_TLB_FLUSH_CURRENT, core)) {
		core->stat.tlb_flush++;
		vendor_call(flush_tlb_current)(vcpu);
		all = true;
	}
	if (kvm_check_request(X86_REQ_TLB_FLUSH_GUEST, core)) {
		core->stat.tlb_flush++;
		vendor_call(flush_tlb_guest)(vcpu);
	}
	tlb_model_flush_end(vcpu, all);
}

/*
 * All that was asked of this vCPU but event injection. X86_RESUME, X86_USER or
 * -errno.
 */
static int x86_process_requests(struct x86_vcpu *vcpu)
{
	struct kvm_vcpu *core = &vcpu->core;
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct kvm_run *run = core->run;

	if (kvm_check_request(KVM_REQ_VM_DEAD, core))
		return -EIO;
	if (kvm_check_request(X86_REQ_MMU_RELOAD, core))
		x86_mmu_unload(vcpu);
	if (kvm_check_request(X86_REQ_MASTERCLOCK_UPDATE, core))
		x86_masterclock_update(vm);
	if (kvm_check_request(X86_REQ_GLOBAL_CLOCK_UPDATE, core))
		x86_kvmclock_global_update(vcpu);
	if (kvm_check_request(X86_REQ_CLOCK_UPDATE, core) && x86_kvmclock_update(vcpu))
		return -EFAULT;
	if (kvm_check_request(X86_REQ_APICV_UPDATE, core))
		x86_lapic_update_apicv(vcpu);
	x86_flush_requests(vcpu);
	if (kvm_check_request(X86_REQ_TRIPLE_FAULT, core)) {
		run->exit_reason = KVM_EXIT_SHUTDOWN;
		core->mmio_needed = false;
		return X86_USER;
	}
	if (kvm_check_request(KVM_REQ_DIRTY_RING_SOFT_FULL, core) &&
	    kvm_dirty_ring_soft_full(core)) {
		/* Again at the next KVM_RUN, until there is room. */
		kvm_make_request(KVM_REQ_DIRTY_RING_SOFT_FULL, core);
		run->exit_reason = KVM_EXIT_DIRTY_RING_FULL;
		return X86_USER;
	}
	if (kvm_check_request(X86_REQ_REPORT_TPR_ACCESS, core)) {
		x86_lapic_tpr_exit(vcpu);
		return X86_USER;
	}
	if (kvm_check_request(X86_REQ_STEAL_UPDATE, core))
		x86_steal_time_update(vcpu);
	if (kvm_check_request(X86_REQ_APF_READY, core))
		x86_async_pf_ready(vcpu);
	if (kvm_check_request(X86_REQ_SMI, core)) {
		vcpu->smi_pending = true;
		kvm_make_request(X86_REQ_EVENT, core);
	}
	if (kvm_check_request(X86_REQ_NMI, core))
		x86_take_nmis(vcpu);
	if (kvm_check_request(X86_REQ_IOAPIC_EOI_EXIT, core)) {
		run->exit_reason = KVM_EXIT_IOAPIC_EOI;
		run->eoi.vector = vcpu->pending_ioapic_eoi;
		return X86_USER;
	}
	if (kvm_check_request(X86_REQ_SCAN_IOAPIC, core))
		x86_vcpu_scan_ioapic(vcpu);
	if (kvm_check_request(X86_REQ_MSR_FILTER_CHANGED, core))
		vendor_call(msr_filter_changed)(vcpu);
	if (kvm_check_request(X86_REQ_RECALC_INTERCEPTS, core))
		vendor_call(intercepts_changed)(vcpu);
	return X86_RESUME;
}

/* ---- injection ----------------------------------------------------------- */

/* Faults restart their instruction: breakpoints on it are done (SDM 3B 17.3.1.1). */
static bool x86_exception_sets_rf(u8 vector)
{
	switch (vector) {
	case DB_VECTOR:		/* a trap or a fault: whoever raised it knows */
	case BP_VECTOR:
	case OF_VECTOR:
	case DF_VECTOR:
	case MC_VECTOR:
		return false;
	}
	return true;
}

static void x86_inject_pending_exception(struct x86_vcpu *vcpu)
{
	struct x86_exception_state *ex = &vcpu->exception;

	trace_kvm_inj_exception(ex->vector, ex->has_error_code, ex->error_code, ex->injected);
	if (!ex->injected) {
		if (x86_exception_sets_rf(ex->vector))
			x86_set_rflags(vcpu, x86_get_rflags(vcpu) | X86_EFLAGS_RF);
		x86_deliver_exception_payload(vcpu);
		if (ex->vector == DB_VECTOR && (vcpu->dr7 & DR7_GD)) {
			vcpu->dr7 &= ~DR7_GD;
			x86_update_dr7(vcpu);
		}
		ex->pending = false;
		ex->injected = true;
	}
	vendor_call(inject_exception)(vcpu);
}

static void x86_inject_pending_nmi(struct x86_vcpu *vcpu, bool can_inject)
{
	if (!vcpu->nmi_pending)
		return;
	if (can_inject && vendor_call(nmi_allowed)(vcpu, true) > 0) {
		vcpu->nmi_pending--;
		vcpu->nmi_injected = true;
		vendor_call(inject_nmi)(vcpu);
	}
	if (vcpu->nmi_pending)
		vendor_call(enable_nmi_window)(vcpu);
}

static void x86_inject_pending_irq(struct x86_vcpu *vcpu, bool can_inject)
{
	if (!x86_cpu_has_injectable_interrupt(vcpu))
		return;
	if (can_inject && vendor_call(irq_allowed)(vcpu, true) > 0) {
		int vector = x86_cpu_get_interrupt(vcpu);

		if (vector >= 0) {
			x86_queue_interrupt(vcpu, vector, false);
			trace_kvm_inj_virq(vector, false, false);
			vendor_call(inject_irq)(vcpu, false);
		}
	}
	if (x86_cpu_has_injectable_interrupt(vcpu))
		vendor_call(enable_irq_window)(vcpu);
}

/*
 * One event an entry. What an exit interrupted comes first: it has already begun;
 * then exceptions, which belong to the last instruction; SMI, which is no event for the
 * CPU; NMIs; interrupts (SDM 3A table 6-2). What must wait gets a window.
 */
void x86_inject_events(struct x86_vcpu *vcpu)
{
	bool can_inject = true;

	if (unlikely(vcpu->smi_pending))
		x86_take_smi(vcpu);
	if (vcpu->exception.injected || vcpu->exception.pending) {
		x86_inject_pending_exception(vcpu);
		can_inject = false;
	} else if (vcpu->nmi_injected) {
		vendor_call(inject_nmi)(vcpu);
		can_inject = false;
	} else if (vcpu->interrupt.injected) {
		trace_kvm_inj_virq(vcpu->interrupt.vector, vcpu->interrupt.soft, true);
		vendor_call(inject_irq)(vcpu, true);
		can_inject = false;
	}

	if (vcpu->core.guest_debug & KVM_GUESTDBG_BLOCKIRQ)
		return;
	if (vcpu->nmi_pending) {
		x86_inject_pending_nmi(vcpu, can_inject);
		can_inject = can_inject && !vcpu->nmi_injected;
	}
	x86_inject_pending_irq(vcpu, can_inject);
}

/* ---- interrupts from user space (no in-kernel PIC) ------------------------ */

static bool x86_user_wants_irq_window(struct x86_vcpu *vcpu)
{
	/* A window that the APIC keeps shut (LVT0) would only make the guest exit for ever. */
	return READ_ONCE(vcpu->core.run->request_interrupt_window) &&
	       !x86_irqchip_full(x86_vcpu_vm(vcpu)) && x86_cpu_accepts_extint(vcpu);
}

static bool x86_ready_for_user_irq(struct x86_vcpu *vcpu)
{
	return vendor_call(irq_allowed)(vcpu, false) > 0 && !x86_event_reinjection(vcpu) &&
	       !vcpu->exception.pending && !x86_cpu_has_extint(vcpu) &&
	       x86_cpu_accepts_extint(vcpu);
}

/* ---- exits that are errors -------------------------------------------------- */

int x86_exit_fail_entry(struct x86_vcpu *vcpu, u64 reason)
{
	struct kvm_run *run = vcpu->core.run;

	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason = reason;
	run->fail_entry.cpu = vcpu->core.cpu;
	return X86_USER;
}
EXPORT_SYMBOL_GPL(x86_exit_fail_entry);

int x86_exit_unexpected(struct x86_vcpu *vcpu, u64 reason)
{
	struct kvm_run *run = vcpu->core.run;

	pr_err_ratelimited("kvm: unexpected exit %#llx\n", reason);
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
	run->internal.ndata = 2;
	run->internal.data[0] = reason;
	run->internal.data[1] = vcpu->core.cpu;
	return X86_USER;
}
EXPORT_SYMBOL_GPL(x86_exit_unexpected);

/* ---- entry ---------------------------------------------------------------- */

/*
 * Into the guest and out again, IRQs off throughout, for as long as the exits
 * are handled by the vendor's fast path and nobody wants us elsewhere.
 */
static enum x86_fastpath x86_inner_loop(struct x86_vcpu *vcpu)
{
	enum x86_fastpath fast;

	kvmc_guest_timing_enter_irqoff();
	do {
		trace_kvm_entry(vcpu);
		vcpu->next_rip = 0;
		vendor_call(enter)(vcpu);
		kvmc_guest_ran();
		vcpu->core.stat.exits++;
		trace_kvm_exit(vcpu);
		fast = vendor_call(fast_exit)(vcpu);
	} while (fast == X86_FASTPATH_REENTER && likely(!x86_entry_called_off(vcpu)));
	return fast;
}

/* Back from the guest, IRQs off: the host's state, then its interrupts. */
static void x86_leave_guest(struct x86_vcpu *vcpu)
{
	vcpu->last_host_tsc = rdtsc();
	vcpu->last_guest_tsc = x86_guest_tsc(vcpu, vcpu->last_host_tsc);
	WRITE_ONCE(vcpu->core.mode, KVM_VCPU_OUTSIDE_GUEST);
	smp_wmb();	/* mode before what the exit handler writes */

	x86_load_host_xstate(vcpu);
	vendor_call(exit_irqoff)(vcpu);

	/*
	 * The interrupt that ended the guest's run is taken here, while the time
	 * is still the guest's: a tick must find it so.
	 */
	local_irq_enable();
	/* An IRQ is taken behind the instruction that follows STI. */
	nop();
	local_irq_disable();
	kvmc_guest_timing_exit_irqoff();
	local_irq_enable();
}

/* One turn of the outer loop: X86_RESUME, X86_USER, -errno. */
static int x86_enter_guest(struct x86_vcpu *vcpu)
{
	struct kvm_vcpu *core = &vcpu->core;
	bool user_irq_window = x86_user_wants_irq_window(vcpu);
	bool has_apic = x86_has_lapic(vcpu);
	bool injected = false, step = false, smi_waits = false;
	enum x86_fastpath fast;
	int r;

	if (kvm_request_pending(core)) {
		r = x86_process_requests(vcpu);
		if (r <= 0)
			return r;
	}
	if (unlikely(x86_must_emulate(vcpu)))
		return x86_emulate_refused(vcpu);
	if (unlikely(READ_ONCE(x86_force_emulation))) {
		r = x86_emulate_instead(vcpu);
		if (r != X86_FOR_CPU)
			return r;
		step = true;
	}

	if (kvm_check_request(X86_REQ_EVENT, core) || user_irq_window) {
		core->stat.req_event++;
		r = x86_lapic_accept_events(vcpu);
		if (r < 0)
			return r;
		if (vcpu->mp_state == KVM_MP_STATE_INIT_RECEIVED)
			return X86_RESUME;

		x86_lapic_take_posted(vcpu);
		x86_inject_events(vcpu);
		smi_waits = vcpu->smi_pending && x86_smi_due(vcpu);
		injected = true;
		if (user_irq_window)
			vendor_call(enable_irq_window)(vcpu);
		if (has_apic) {
			x86_lapic_update_cr8_intercept(vcpu);
			x86_lapic_sync_to_vapic(vcpu);
		}
	}

	r = x86_mmu_load(vcpu);
	if (unlikely(r))
		goto cancel;
	tlb_model_enter(vcpu);
	if (unlikely(step))
		x86_step_once(vcpu);

	preempt_disable();
	if (unlikely(!kvm_cpu_usable())) {
		core->run->exit_reason = KVM_EXIT_FAIL_ENTRY;
		core->run->fail_entry.hardware_entry_failure_reason = 0;
		core->run->fail_entry.cpu = smp_processor_id();
		preempt_enable();
		r = X86_USER;
		goto cancel;
	}
	vendor_call(prepare_enter)(vcpu);
	local_irq_disable();
	xfer_to_guest_mode_prepare();

	kvm_vcpu_srcu_read_unlock(core);
	/* Pairs with the requester's barrier: one of us sees the other. */
	WRITE_ONCE(core->mode, KVM_VCPU_IN_GUEST);
	smp_mb();
	if (unlikely(x86_entry_called_off(vcpu))) {
		WRITE_ONCE(core->mode, KVM_VCPU_OUTSIDE_GUEST);
		smp_wmb();
		local_irq_enable();
		preempt_enable();
		kvm_vcpu_srcu_read_lock(core);
		r = X86_RESUME;
		goto cancel;
	}

	/* The IPI is taken as soon as the event has been delivered. */
	if (unlikely(smi_waits)) {
		kvm_make_request(X86_REQ_EVENT, core);
		kvm_vcpu_leave_at_once(core);
	}
	x86_fpu_ensure_loaded(vcpu);
	x86_load_guest_xstate(vcpu);
	x86_debug_load(vcpu);
	fast = x86_inner_loop(vcpu);
	x86_debug_unload(vcpu);
	x86_leave_guest(vcpu);
	preempt_enable();

	kvm_vcpu_srcu_read_lock(core);
	if (unlikely(vcpu->tsc_always_catchup))
		kvm_make_request(X86_REQ_CLOCK_UPDATE, core);
	if (has_apic)
		x86_lapic_sync_from_vapic(vcpu);
	if (fast == X86_FASTPATH_NONE)
		return vendor_call(handle_exit)(vcpu);
	return fast == X86_FASTPATH_USER ? X86_USER : X86_RESUME;

cancel:
	if (injected) {
		kvm_make_request(X86_REQ_EVENT, core);
		vendor_call(cancel_injection)(vcpu);
	}
	return r;
}

/* ---- the outer loop -------------------------------------------------------- */

/* The vCPU halts, waits for SIPI or for user space: sleep until there is a reason to run. */
static int x86_wait(struct x86_vcpu *vcpu)
{
	struct kvm_vcpu *core = &vcpu->core;
	int r;

	/* It no longer sleeps for anything: don't turn in circles here. */
	if (kvm_test_request(KVM_REQ_VM_DEAD, core))
		return -EIO;
	if (kvm_check_request(X86_REQ_APF_READY, core))
		x86_async_pf_ready(vcpu);
	x86_lapic_timer_leave(vcpu);
	if (!kvm_arch_vcpu_runnable(core)) {
		kvm_vcpu_srcu_read_unlock(core);
		/* A guest that polls itself asks us not to (MSR_KVM_POLL_CONTROL). */
		if (vcpu->mp_state == KVM_MP_STATE_HALTED && (vcpu->pv_poll_control & 1))
			kvm_vcpu_halt(core);
		else
			kvm_vcpu_block(core);
		kvm_vcpu_srcu_read_lock(core);

		/* A signal, or a timer that has not made an interrupt yet. */
		if (!kvm_arch_vcpu_runnable(core))
			return X86_RESUME;
	}

	r = x86_lapic_accept_events(vcpu);
	if (r < 0)
		return r;
	switch (vcpu->mp_state) {
	case KVM_MP_STATE_HALTED:
		vcpu->halted_at_smi = x86_smi_due(vcpu);
		fallthrough;
	case KVM_MP_STATE_AP_RESET_HOLD:
		x86_lapic_pv_unhalted(vcpu, true);	/* a kick ends one halt */
		x86_set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
		kvm_make_request(X86_REQ_EVENT, core);
		break;
	case KVM_MP_STATE_RUNNABLE:
		/* Something came before the page that it halted for: back to that later. */
		vcpu->apf_halted = false;
		break;
	case KVM_MP_STATE_INIT_RECEIVED:
		break;
	default:
		return -EINTR;
	}
	return X86_RESUME;
}

static int x86_host_work(struct x86_vcpu *vcpu)
{
	int r;

	kvm_vcpu_srcu_read_unlock(&vcpu->core);
	r = xfer_to_guest_mode_handle_work();
	kvm_vcpu_srcu_read_lock(&vcpu->core);
	if (r == -EINTR) {
		vcpu->core.run->exit_reason = KVM_EXIT_INTR;
		vcpu->core.stat.signal_exits++;
	}
	return r;
}

static int x86_outer_loop(struct x86_vcpu *vcpu)
{
	struct kvm_vcpu *core = &vcpu->core;
	int r;

	for (;;) {
		/* First: what is emulated instead of entered might exit for itself for ever. */
		if (x86_user_wants_irq_window(vcpu) && x86_ready_for_user_irq(vcpu)) {
			core->run->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
			core->stat.request_irq_exits++;
			return X86_USER;
		}
		if (likely(vcpu->mp_state == KVM_MP_STATE_RUNNABLE && !vcpu->apf_halted))
			r = x86_enter_guest(vcpu);
		else
			r = x86_wait(vcpu);
		if (r <= 0)
			return r;

		kvm_clear_request(KVM_REQ_UNBLOCK, core);
		if (xfer_to_guest_mode_work_pending()) {
			r = x86_host_work(vcpu);
			if (r)
				return r;
		}
	}
}

/* ---- KVM_RUN --------------------------------------------------------------- */

/* A vCPU that waits for INIT and SIPI: KVM_RUN sleeps once, then says -EAGAIN. */
static int x86_wait_for_init(struct x86_vcpu *vcpu)
{
	struct kvm_vcpu *core = &vcpu->core;
	int r;

	if (READ_ONCE(core->run->immediate_exit__unsafe))
		return -EINTR;

	x86_lapic_timer_leave(vcpu);
	kvm_vcpu_srcu_read_unlock(core);
	kvm_vcpu_block(core);
	kvm_vcpu_srcu_read_lock(core);
	r = x86_lapic_accept_events(vcpu);
	if (r < 0)
		return r;
	kvm_clear_request(KVM_REQ_UNBLOCK, core);
	if (signal_pending(current)) {
		core->run->exit_reason = KVM_EXIT_INTR;
		core->stat.signal_exits++;
		return -EINTR;
	}
	return -EAGAIN;
}

/* Finish the instruction that user space has done its part of. */
static int x86_complete_user_io(struct x86_vcpu *vcpu)
{
	int (*complete)(struct x86_vcpu *) = vcpu->complete_userspace_io;

	if (!complete)
		return X86_RESUME;
	vcpu->complete_userspace_io = NULL;
	return complete(vcpu);
}

/* What every return to user space shows in kvm_run. */
static void x86_show_state(struct x86_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->core.run;

	run->if_flag = vendor_call(get_if_flag)(vcpu);
	run->flags = vcpu->in_smm ? KVM_RUN_X86_SMM : 0;
	run->cr8 = x86_get_cr8(vcpu);
	run->apic_base = vcpu->apic_base;
	run->ready_for_interrupt_injection = x86_irqchip_full(x86_vcpu_vm(vcpu)) ||
					     x86_ready_for_user_irq(vcpu);
}

int kvm_arch_vcpu_run(struct kvm_vcpu *core)
{
	struct x86_vcpu *vcpu = x86_vcpu_of(core);
	struct kvm_run *run = core->run;
	int r;

	r = x86_sync_regs_take(vcpu);
	if (r)
		return r;
	vcpu->has_run = true;
	x86_fpu_load_guest(vcpu);
	kvm_vcpu_srcu_read_lock(core);
	run->flags = 0;

	if (unlikely(vcpu->mp_state == KVM_MP_STATE_UNINITIALIZED)) {
		r = x86_wait_for_init(vcpu);
		goto out;
	}
	/* Without an APIC of ours user space owns the TPR. */
	if (!x86_has_lapic(vcpu) && x86_set_cr8(vcpu, READ_ONCE(run->cr8))) {
		r = -EINVAL;
		goto out;
	}
	r = x86_complete_user_io(vcpu);
	if (r <= 0)
		goto out;
	r = READ_ONCE(run->immediate_exit__unsafe) ? -EINTR : x86_outer_loop(vcpu);
out:
	x86_fpu_put_guest(vcpu);
	x86_sync_regs_show(vcpu);
	x86_show_state(vcpu);
	kvm_vcpu_srcu_read_unlock(core);
	return r;
}
