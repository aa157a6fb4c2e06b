// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debug registers and the debugger outside (KVM_SET_GUEST_DEBUG). Two sets: what the
 * guest believes (db, dr6, dr7) and what it runs with (eff_db and the effective DR7),
 * which are the debugger's while it uses hardware breakpoints. DR0-DR3 are loaded into
 * the CPU only while some breakpoint is enabled.
 */
#include <linux/hw_breakpoint.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include <asm/debugreg.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/events.h"
#include "arch-x86/io.h"
#include "arch-x86/regs.h"
#include "arch-x86/vendor_call.h"

/* SDM 3B 17.2.3, 17.2.4. */
#define DR6_WRITABLE	(0xfULL | DR6_BD | DR6_BS | DR6_BT)
#define DR7_WRITABLE	0xffff23ffULL
#define DR7_RTM		BIT_ULL(11)
#define DR7_ENABLES	0xffULL

static bool use_hw_bp(const struct x86_vcpu *vcpu)
{
	return vcpu->core.guest_debug & KVM_GUESTDBG_USE_HW_BP;
}

void x86_update_dr7(struct x86_vcpu *vcpu)
{
	u64 dr7 = use_hw_bp(vcpu) ? vcpu->guest_debug_dr7 : vcpu->dr7;

	vendor_call(set_dr7)(vcpu, dr7);
	vcpu->switch_db_regs = dr7 & DR7_ENABLES;
}
EXPORT_SYMBOL_GPL(x86_update_dr7);

static u64 dr6_value(struct x86_vcpu *vcpu, u64 val)
{
	u64 writable = DR6_WRITABLE;

	if (guest_cpuid_has(vcpu, X86_FEATURE_RTM))
		writable |= DR6_RTM;
	return (val & writable) | (DR6_ACTIVE_LOW & ~writable);
}

static u64 dr7_value(struct x86_vcpu *vcpu, u64 val)
{
	u64 writable = DR7_WRITABLE;

	if (guest_cpuid_has(vcpu, X86_FEATURE_RTM))
		writable |= DR7_RTM;
	return (val & writable) | DR7_FIXED_1;
}

int x86_set_dr(struct x86_vcpu *vcpu, int dr, u64 val)
{
	switch (dr) {
	case 0 ... 3:
		dr = array_index_nospec(dr, 4);
		vcpu->db[dr] = val;
		if (!use_hw_bp(vcpu))
			vcpu->eff_db[dr] = val;
		return 0;
	case 4:
	case 6:
		if (val >> 32)
			return 1;
		vcpu->dr6 = dr6_value(vcpu, val);
		vendor_call(set_dr6)(vcpu, vcpu->dr6);
		return 0;
	case 5:
	case 7:
		if (val >> 32)
			return 1;
		vcpu->dr7 = dr7_value(vcpu, val);
		x86_update_dr7(vcpu);
		return 0;
	default:
		return 1;
	}
}
EXPORT_SYMBOL_GPL(x86_set_dr);

u64 x86_get_dr(struct x86_vcpu *vcpu, int dr)
{
	switch (dr) {
	case 0 ... 3:
		return vcpu->db[array_index_nospec(dr, 4)];
	case 4:
	case 6:
		return vcpu->dr6;
	default:
		return vcpu->dr7;
	}
}
EXPORT_SYMBOL_GPL(x86_get_dr);

bool x86_require_dr(struct x86_vcpu *vcpu, int dr)
{
	if ((dr != 4 && dr != 5) || !x86_cr4_is(vcpu, X86_CR4_DE))
		return true;
	x86_queue_exception(vcpu, UD_VECTOR);
	return false;
}
EXPORT_SYMBOL_GPL(x86_require_dr);

/* ---- entry and exit ------------------------------------------------------- */

void x86_debug_load(struct x86_vcpu *vcpu)
{
	if (likely(!vcpu->switch_db_regs && !vcpu->dr_dirty))
		return;
	/* The host's breakpoints must not fire on the guest's addresses. */
	set_debugreg(0, 7);
	set_debugreg(vcpu->eff_db[0], 0);
	set_debugreg(vcpu->eff_db[1], 1);
	set_debugreg(vcpu->eff_db[2], 2);
	set_debugreg(vcpu->eff_db[3], 3);
}

void x86_debug_unload(struct x86_vcpu *vcpu)
{
	if (unlikely(vcpu->dr_dirty)) {
		/* The guest had them for itself: what it has left there. */
		vendor_call(sync_dirty_debug_regs)(vcpu);
		vcpu->dr_dirty = false;
		memcpy(vcpu->eff_db, vcpu->db, sizeof(vcpu->eff_db));
		x86_update_dr7(vcpu);
	}
	/* An exit leaves DR7 disabled; DR0-DR3 may be the guest's. */
	if (hw_breakpoint_active())
		hw_breakpoint_restore();
}

int x86_debug_reg_access(struct x86_vcpu *vcpu)
{
	if (vcpu->core.guest_debug)
		return x86_emulate(vcpu, 0);
	vcpu->dr_dirty = true;
	vcpu->switch_db_regs = true;
	vendor_call(intercepts_changed)(vcpu);
	x86_update_dr7(vcpu);
	return X86_RESUME;
}
EXPORT_SYMBOL_GPL(x86_debug_reg_access);

/* ---- the debugger outside ------------------------------------------------- */

int x86_handle_guest_debug_exit(struct x86_vcpu *vcpu, u64 dr6, unsigned long pc, u8 vector)
{
	struct kvm_run *run = vcpu->core.run;

	run->exit_reason = KVM_EXIT_DEBUG;
	run->debug.arch.exception = vector;
	run->debug.arch.pad = 0;
	run->debug.arch.pc = pc;
	run->debug.arch.dr6 = dr6;
	run->debug.arch.dr7 = use_hw_bp(vcpu) ? vcpu->guest_debug_dr7 : vcpu->dr7;
	return X86_USER;
}
EXPORT_SYMBOL_GPL(x86_handle_guest_debug_exit);

int x86_skip_insn_singlestep(struct x86_vcpu *vcpu)
{
	if (vcpu->core.guest_debug & KVM_GUESTDBG_SINGLESTEP)
		return x86_handle_guest_debug_exit(vcpu, DR6_BS | DR6_ACTIVE_LOW,
						   x86_get_linear_rip(vcpu), DB_VECTOR);
	x86_queue_exception_p(vcpu, DB_VECTOR, DR6_BS);
	return X86_RESUME;
}
EXPORT_SYMBOL_GPL(x86_skip_insn_singlestep);

#define KNOWN_GUESTDBG	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | \
			 KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_USE_HW_BP | \
			 KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP | \
			 KVM_GUESTDBG_BLOCKIRQ)

int x86_vcpu_set_guest_debug(struct x86_vcpu *vcpu, const struct kvm_guest_debug *dbg)
{
	unsigned long rflags;

	if (dbg->control & ~KNOWN_GUESTDBG)
		return -EINVAL;
	if (dbg->control & (KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP)) {
		if (vcpu->exception.pending || vcpu->exception.injected)
			return -EBUSY;
		if (dbg->control & KVM_GUESTDBG_INJECT_DB)
			x86_queue_exception(vcpu, DB_VECTOR);
		else
			x86_queue_exception(vcpu, BP_VECTOR);
	}

	/* The guest's own TF, before the debugger's is added or taken away. */
	rflags = x86_get_rflags(vcpu);

	vcpu->core.guest_debug = dbg->control;
	if (!(dbg->control & KVM_GUESTDBG_ENABLE))
		vcpu->core.guest_debug = 0;
	/* It may hold interrupts back. */
	kvm_make_request(X86_REQ_APICV_UPDATE, &vcpu->core);

	if (use_hw_bp(vcpu)) {
		memcpy(vcpu->eff_db, dbg->arch.debugreg, sizeof(vcpu->eff_db));
		/* The guest must not be told of GD, nor may undefined bits reach the CPU. */
		vcpu->guest_debug_dr7 = (dbg->arch.debugreg[7] & DR7_WRITABLE & ~DR7_GD) |
					DR7_FIXED_1;
	} else {
		memcpy(vcpu->eff_db, vcpu->db, sizeof(vcpu->eff_db));
	}
	x86_update_dr7(vcpu);

	if (vcpu->core.guest_debug & KVM_GUESTDBG_SINGLESTEP)
		vcpu->singlestep_rip = x86_get_linear_rip(vcpu);
	x86_set_rflags(vcpu, rflags);

	vendor_call(update_exception_bitmap)(vcpu);
	vendor_call(intercepts_changed)(vcpu);
	return 0;
}

void x86_vcpu_get_debugregs(struct x86_vcpu *vcpu, struct kvm_debugregs *regs)
{
	x86_exception_payload_quirk(vcpu);
	memset(regs, 0, sizeof(*regs));
	memcpy(regs->db, vcpu->db, sizeof(regs->db));
	regs->dr6 = vcpu->dr6;
	regs->dr7 = vcpu->dr7;
}

int x86_vcpu_set_debugregs(struct x86_vcpu *vcpu, const struct kvm_debugregs *regs)
{
	if (regs->flags || regs->dr6 >> 32 || regs->dr7 >> 32)
		return -EINVAL;
	memcpy(vcpu->db, regs->db, sizeof(vcpu->db));
	if (!use_hw_bp(vcpu))
		memcpy(vcpu->eff_db, regs->db, sizeof(vcpu->eff_db));
	vcpu->dr6 = dr6_value(vcpu, regs->dr6);
	vendor_call(set_dr6)(vcpu, vcpu->dr6);
	vcpu->dr7 = dr7_value(vcpu, regs->dr7);
	x86_update_dr7(vcpu);
	return 0;
}
