// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests that the emulator runs, events and all, and not the CPU. For two reasons:
 *
 * The CPU would refuse to enter, as VT-x without unrestricted guest does in real mode
 * and on the way out of it (SDM 3C 27.3.1.2): until the guest's state is one that it
 * accepts. Nothing is left for the CPU then.
 *
 * force_emulation, for tests: every instruction that the emulator knows, and every
 * event; the CPU gets only what is left, an instruction at a time. It makes a guest
 * some hundred times slower, and should make no other difference.
 *
 * Owns the parameter, and the order of events and instructions; knows no instruction.
 */
#include <linux/export.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>

#include "arch-x86/events.h"
#include "arch-x86/io.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/mmu/mmu.h"
#include "arch-x86/run.h"
#include "arch-x86/vendor_call.h"
#include "core/vcpu.h"

/* Neither X86_RESUME nor an exit: no event is to be delivered. */
#define NO_EVENT	3

/*
 * Deliver the next event, if there is one. The choice is that of an entry; then it is
 * taken back and delivered here.
 */
static int next_event(struct x86_vcpu *vcpu)
{
	struct kvm_vcpu *core = &vcpu->core;
	int r;

	kvm_clear_request(X86_REQ_EVENT, core);
	r = x86_lapic_accept_events(vcpu);
	if (r < 0)
		return r;
	if (vcpu->mp_state == KVM_MP_STATE_INIT_RECEIVED)
		return X86_RESUME;
	if (x86_lapic_apicv(vcpu))
		x86_lapic_update_apicv(vcpu);
	x86_lapic_take_posted(vcpu);
	x86_inject_events(vcpu);
	if (!x86_event_reinjection(vcpu))
		return NO_EVENT;
	vendor_call(cancel_injection)(vcpu);
	r = x86_emulate_delivery(vcpu);
	/* Others have not been looked at. */
	kvm_make_request(X86_REQ_EVENT, core);
	return r;
}

/* Instructions until the run loop looks around, and who waits for SRCU has his turn. */
#define AT_ONCE	256

/*
 * Instructions, with X86_EMUL_* @flags, as long as nothing else is to do: what lets an
 * event in (RFLAGS, the end of a shadow, IRET of an NMI) requests that it is looked for.
 */
static int emulate_some(struct x86_vcpu *vcpu, int flags)
{
	struct kvm_vcpu *core = &vcpu->core;
	bool refused = vcpu->emulated, root = x86_mmu_has_root(&vcpu->mmu);
	int r, n = 0;

	do {
		r = x86_emulate(vcpu, flags);
	} while (r == X86_RESUME && vcpu->mp_state == KVM_MP_STATE_RUNNABLE &&
		 ++n < AT_ONCE && !kvm_request_pending(core) &&
		 !signal_pending(current) && !need_resched() &&
		 x86_mmu_has_root(&vcpu->mmu) == root && x86_must_emulate(vcpu) == refused);
	kvm_vcpu_srcu_read_unlock(core);
	kvm_vcpu_srcu_read_lock(core);
	return r;
}

/* ---- the CPU refuses ------------------------------------------------------------ */

bool x86_must_emulate(struct x86_vcpu *vcpu)
{
	bool before = vcpu->emulated;

	if (likely(!vcpu->check_entry))
		return before;
	vcpu->check_entry = false;
	vcpu->emulated = !x86_vendor_ops()->can_enter(vcpu);
	/* The CPU's own timer ends the runs of those that it enters only. */
	if (vcpu->emulated && !before)
		x86_lapic_timer_leave(vcpu);
	return vcpu->emulated;
}

int x86_emulate_refused(struct x86_vcpu *vcpu)
{
	struct kvm_vcpu *core = &vcpu->core;
	int r = NO_EVENT;

	/* No exit has said where an instruction ends. */
	vcpu->next_rip = 0;
	if (kvm_test_request(X86_REQ_EVENT, core))
		r = next_event(vcpu);
	return r == NO_EVENT ? emulate_some(vcpu, 0) : r;
}

/* ---- force_emulation -------------------------------------------------------------- */

bool x86_force_emulation;
EXPORT_SYMBOL_GPL(x86_force_emulation);
module_param_named(force_emulation, x86_force_emulation, bool, 0644);
MODULE_PARM_DESC(force_emulation, "emulate every instruction that can be (for tests; slow)");

int x86_emulate_instead(struct x86_vcpu *vcpu)
{
	int r;

	/* As of guests that the CPU refuses; the parameter may just have been set. */
	x86_lapic_timer_leave(vcpu);
	/* The walk of the guest's tables is set up with the root. */
	r = x86_mmu_load(vcpu);
	if (r)
		return r;
	/* What the CPU has executed may have let an event in, and told nobody. */
	r = next_event(vcpu);
	return r == NO_EVENT ? emulate_some(vcpu, X86_EMUL_FORCED) : r;
}

void x86_step_once(struct x86_vcpu *vcpu)
{
	void (*step)(struct x86_vcpu *vcpu) = x86_vendor_ops()->step_once;

	/* The step must not be seen in the RFLAGS that a delivery pushes. */
	if (step && !x86_event_reinjection(vcpu) && !vcpu->core.guest_debug)
		step(vcpu);
}
