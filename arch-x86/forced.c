// SPDX-License-Identifier: GPL-2.0-only
/*
 * force_emulation: every instruction that the emulator knows goes through it, and
 * so does every event that is delivered; the CPU gets only what is left, an
 * instruction at a time. For tests: it makes a guest some hundred times slower,
 * and should make no other difference. Owns the parameter; knows no instruction.
 */
#include <linux/export.h>
#include <linux/moduleparam.h>

#include "arch-x86/events.h"
#include "arch-x86/io.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/mmu/mmu.h"
#include "arch-x86/run.h"
#include "arch-x86/vendor_call.h"

bool x86_force_emulation;
EXPORT_SYMBOL_GPL(x86_force_emulation);
module_param_named(force_emulation, x86_force_emulation, bool, 0644);
MODULE_PARM_DESC(force_emulation, "emulate every instruction that can be (for tests; slow)");

int x86_emulate_instead(struct x86_vcpu *vcpu)
{
	struct kvm_vcpu *core = &vcpu->core;
	int r;

	/* The walk of the guest's tables is set up with the root. */
	r = x86_mmu_load(vcpu);
	if (r)
		return r;

	/*
	 * Nothing tells when IF or a shadow let an interrupt in: look each time.
	 * The choice is that of an entry; then it is taken back and delivered here.
	 */
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
	if (x86_event_reinjection(vcpu)) {
		vendor_call(cancel_injection)(vcpu);
		r = x86_emulate_delivery(vcpu);
		if (r == X86_FOR_CPU)
			kvm_make_request(X86_REQ_EVENT, core);
		return r;
	}
	return x86_emulate(vcpu, X86_EMUL_FORCED);
}

void x86_step_once(struct x86_vcpu *vcpu)
{
	void (*step)(struct x86_vcpu *vcpu) = x86_vendor_ops()->step_once;

	/* The step must not be seen in the RFLAGS that a delivery pushes. */
	if (step && !x86_event_reinjection(vcpu) && !vcpu->core.guest_debug)
		step(vcpu);
}
