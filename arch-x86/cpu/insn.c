// SPDX-License-Identifier: GPL-2.0-only
/*
 * Intercepted instructions, one function each: what the exit handler of either vendor
 * calls. They do the instruction on the vCPU's registers and move RIP behind it, or
 * queue its exception. Hypercalls are in pv/.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <asm/processor-flags.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/msr.h"
#include "arch-x86/events.h"
#include "arch-x86/io.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/regs.h"
#include "arch-x86/run.h"
#include "arch-x86/vendor_call.h"

static __always_inline void end_insn(struct x86_vcpu *vcpu, u64 next, unsigned long rflags)
{
	x86_rip_write(vcpu, next);
	if (unlikely(rflags & X86_EFLAGS_RF))
		vendor_call(set_rflags)(vcpu, rflags & ~X86_EFLAGS_RF);
	if (unlikely(vendor_call(get_interrupt_shadow)(vcpu))) {
		vendor_call(set_interrupt_shadow)(vcpu, 0);
		/* What waited for its end may come now. */
		kvm_make_request(X86_REQ_EVENT, &vcpu->core);
	}
}

void x86_end_insn(struct x86_vcpu *vcpu, u64 next)
{
	end_insn(vcpu, next, vendor_call(get_rflags)(vcpu));
}

static __always_inline int skip_insn(struct x86_vcpu *vcpu, unsigned long rflags)
{
	u64 next = vcpu->next_rip ?: vendor_call(next_rip)(vcpu);

	if (unlikely(!next))
		return x86_emulate(vcpu, X86_EMUL_SKIP);
	vcpu->next_rip = 0;
	end_insn(vcpu, next, rflags);
	return X86_RESUME;
}

int x86_skip_insn_only(struct x86_vcpu *vcpu)
{
	return skip_insn(vcpu, vendor_call(get_rflags)(vcpu));
}
EXPORT_SYMBOL_GPL(x86_skip_insn_only);

int x86_skip_insn(struct x86_vcpu *vcpu)
{
	unsigned long rflags = vendor_call(get_rflags)(vcpu);

	if (skip_insn(vcpu, rflags) != X86_RESUME)
		return X86_USER;
	/*
	 * TF as it was before the instruction decides (SDM 3B 17.3.1.4). It is the
	 * hardware's: the debugger's step ends here, too.
	 */
	if (unlikely(rflags & X86_EFLAGS_TF))
		return x86_skip_insn_singlestep(vcpu);
	return X86_RESUME;
}
EXPORT_SYMBOL_GPL(x86_skip_insn);

int x86_complete_insn_gp(struct x86_vcpu *vcpu, int err)
{
	if (err) {
		x86_inject_gp(vcpu, 0);
		return X86_RESUME;
	}
	return x86_skip_insn(vcpu);
}
EXPORT_SYMBOL_GPL(x86_complete_insn_gp);

int x86_cr8_written(struct x86_vcpu *vcpu, u64 before, int r)
{
	if (r != X86_RESUME || x86_irqchip_full(x86_vcpu_vm(vcpu)) ||
	    before <= x86_get_cr8(vcpu))
		return r;
	vcpu->core.run->exit_reason = KVM_EXIT_SET_TPR;
	return X86_USER;
}
EXPORT_SYMBOL_GPL(x86_cr8_written);

int x86_emulate_cpuid(struct x86_vcpu *vcpu)
{
	u32 eax, ebx, ecx, edx;

	/* CPUID faulting (SDM 4, 140H). */
	if (unlikely(vcpu->msr_misc_features & BIT_ULL(0)) && !x86_require_cpl(vcpu, 0))
		return X86_RESUME;

	eax = x86_rax_read(vcpu);
	ecx = x86_reg_read(vcpu, X86_REG_RCX);
	x86_cpuid(vcpu, &eax, &ebx, &ecx, &edx, NULL);
	x86_rax_write(vcpu, eax);
	x86_reg_write(vcpu, X86_REG_RBX, ebx);
	x86_reg_write(vcpu, X86_REG_RCX, ecx);
	x86_reg_write(vcpu, X86_REG_RDX, edx);
	return x86_skip_insn(vcpu);
}
EXPORT_SYMBOL_GPL(x86_emulate_cpuid);

/* ---- RDMSR, WRMSR ----------------------------------------------------------- */

static int complete_user_wrmsr(struct x86_vcpu *vcpu)
{
	if (!x86_io_still_there(vcpu))
		return X86_RESUME;
	return x86_complete_insn_gp(vcpu, READ_ONCE(vcpu->core.run->msr.error));
}

static int complete_user_rdmsr(struct x86_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->core.run;
	bool error = READ_ONCE(run->msr.error);
	u64 data = READ_ONCE(run->msr.data);

	if (!x86_io_still_there(vcpu))
		return X86_RESUME;
	if (!error) {
		x86_rax_write(vcpu, (u32)data);
		x86_reg_write(vcpu, X86_REG_RDX, data >> 32);
	}
	return x86_complete_insn_gp(vcpu, error);
}

bool x86_msr_user_exit(struct x86_vcpu *vcpu, u32 index, bool write, u64 data, bool filtered)
{
	struct kvm_run *run = vcpu->core.run;
	u32 reason;

	if (filtered)
		reason = KVM_MSR_EXIT_REASON_FILTER;
	else if (x86_msr_known(vcpu, index))
		reason = KVM_MSR_EXIT_REASON_INVAL;
	else
		reason = KVM_MSR_EXIT_REASON_UNKNOWN;
	if (!(READ_ONCE(x86_vcpu_vm(vcpu)->user_space_msr_mask) & reason))
		return false;

	run->exit_reason = write ? KVM_EXIT_X86_WRMSR : KVM_EXIT_X86_RDMSR;
	run->msr.error = 0;
	memset(run->msr.pad, 0, sizeof(run->msr.pad));
	run->msr.reason = reason;
	run->msr.index = index;
	run->msr.data = data;
	x86_io_remember(vcpu);
	vcpu->complete_userspace_io = write ? complete_user_wrmsr : complete_user_rdmsr;
	return true;
}

int x86_emulate_rdmsr(struct x86_vcpu *vcpu)
{
	u32 index = x86_reg_read(vcpu, X86_REG_RCX);
	bool filtered = !x86_msr_allowed(vcpu, index, KVM_MSR_FILTER_READ);
	u64 data;

	if (filtered || x86_get_msr(vcpu, index, &data, false)) {
		if (x86_msr_user_exit(vcpu, index, false, 0, filtered))
			return X86_USER;
		x86_inject_gp(vcpu, 0);
		return X86_RESUME;
	}
	x86_rax_write(vcpu, (u32)data);
	x86_reg_write(vcpu, X86_REG_RDX, data >> 32);
	return x86_skip_insn(vcpu);
}
EXPORT_SYMBOL_GPL(x86_emulate_rdmsr);

int x86_emulate_wrmsr(struct x86_vcpu *vcpu)
{
	u32 index = x86_reg_read(vcpu, X86_REG_RCX);
	u64 data = x86_edx_eax(vcpu);
	bool filtered = !x86_msr_allowed(vcpu, index, KVM_MSR_FILTER_WRITE);

	if (filtered || x86_set_msr(vcpu, index, data, false)) {
		if (x86_msr_user_exit(vcpu, index, true, data, filtered))
			return X86_USER;
		x86_inject_gp(vcpu, 0);
		return X86_RESUME;
	}
	return x86_skip_insn(vcpu);
}
EXPORT_SYMBOL_GPL(x86_emulate_wrmsr);

/* ---- the others ------------------------------------------------------------- */

int x86_emulate_xsetbv(struct x86_vcpu *vcpu)
{
	u32 index = x86_reg_read(vcpu, X86_REG_RCX);

	/* The intercept may come before the CPU's own checks (APM 2 table 15-7). */
	if (!x86_cr4_is(vcpu, X86_CR4_OSXSAVE)) {
		x86_queue_exception(vcpu, UD_VECTOR);
		return X86_RESUME;
	}
	if (!x86_require_cpl(vcpu, 0))
		return X86_RESUME;
	return x86_complete_insn_gp(vcpu, x86_set_xcr(vcpu, index, x86_edx_eax(vcpu)));
}
EXPORT_SYMBOL_GPL(x86_emulate_xsetbv);

int x86_emulate_halt_noskip(struct x86_vcpu *vcpu)
{
	vcpu->core.stat.halt_exits++;
	if (x86_has_lapic(vcpu)) {
		x86_set_mp_state(vcpu, KVM_MP_STATE_HALTED);
		return X86_RESUME;
	}
	vcpu->core.run->exit_reason = KVM_EXIT_HLT;
	return X86_USER;
}
EXPORT_SYMBOL_GPL(x86_emulate_halt_noskip);

int x86_emulate_hlt(struct x86_vcpu *vcpu)
{
	int r = x86_skip_insn(vcpu);

	/* The debugger is told first; the halt stands when it comes back. */
	if (r < 0)
		return r;
	return x86_emulate_halt_noskip(vcpu) && r ? X86_RESUME : X86_USER;
}
EXPORT_SYMBOL_GPL(x86_emulate_hlt);

/*
 * Guest memory is the process's and coherent, and no device writes to it behind the
 * cache's back: nothing to write back, and nothing that may be thrown away.
 */
int x86_emulate_wbinvd(struct x86_vcpu *vcpu)
{
	return x86_skip_insn(vcpu);
}
EXPORT_SYMBOL_GPL(x86_emulate_wbinvd);

int x86_emulate_invd(struct x86_vcpu *vcpu)
{
	return x86_skip_insn(vcpu);
}
EXPORT_SYMBOL_GPL(x86_emulate_invd);

/* No PMU: no counter exists (SDM 2B RDPMC). */
int x86_emulate_rdpmc(struct x86_vcpu *vcpu)
{
	x86_inject_gp(vcpu, 0);
	return X86_RESUME;
}
EXPORT_SYMBOL_GPL(x86_emulate_rdpmc);

/*
 * MONITOR and MWAIT do nothing, whatever CPUID says; with
 * KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS disabled they are #UD where CPUID lacks them
 * (api.rst, KVM_CAP_DISABLE_QUIRKS2).
 */
static int monitor_mwait(struct x86_vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *e = x86_find_cpuid(vcpu, 1, 0);

	if ((x86_vcpu_vm(vcpu)->disabled_quirks & KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS) &&
	    !(e && (e->ecx & BIT(3)))) {
		x86_queue_exception(vcpu, UD_VECTOR);
		return X86_RESUME;
	}
	return x86_skip_insn(vcpu);
}

int x86_emulate_monitor(struct x86_vcpu *vcpu)
{
	return monitor_mwait(vcpu);
}
EXPORT_SYMBOL_GPL(x86_emulate_monitor);

int x86_emulate_mwait(struct x86_vcpu *vcpu)
{
	return monitor_mwait(vcpu);
}
EXPORT_SYMBOL_GPL(x86_emulate_mwait);
