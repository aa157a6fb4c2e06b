// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why the guest stopped: one flat switch over the exit code, each case one call.
 * What an instruction does is arch-x86's business; here it is only taken apart.
 */
#include <linux/moduleparam.h>
#include <linux/nospec.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/msr.h"
#include "arch-x86/events.h"
#include "arch-x86/inner.h"
#include "arch-x86/io.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/mmu/mmu.h"
#include "arch-x86/peek.h"
#include "arch-x86/run.h"
#include "core/vcpu.h"
#include "vendor-svm/svm.h"

static bool dump_invalid_vmcb;
module_param(dump_invalid_vmcb, bool, 0644);
MODULE_PARM_DESC(dump_invalid_vmcb, "log the VMCB when the CPU refuses it");

void svm_exit_info(struct x86_vcpu *vcpu, u32 *reason, u64 *info1, u64 *info2,
		   u32 *intr_info, u32 *error_code)
{
	const struct vmcb_control *control = &svm_vcpu_of(vcpu)->vmcb->control;

	*reason = control->exit_code;
	*info1 = control->exit_info_1;
	*info2 = control->exit_info_2;
	*intr_info = control->exit_int_info;
	*error_code = control->exit_int_info >> 32;
}

static int svm_npf(struct svm_vcpu *svm)
{
	const struct vmcb_control *control = &svm->vmcb->control;
	bool bytes = svm_features.decode_assists;

	return x86_mmu_page_fault(&svm->x86, control->exit_info_2, control->exit_info_1,
				  bytes ? control->insn_bytes : NULL,
				  bytes ? control->insn_len & 0xf : 0);
}

/* #PF, with shadow tables: the fault of the guest's, or of ours. */
static int svm_pf(struct svm_vcpu *svm)
{
	const struct vmcb_control *control = &svm->vmcb->control;
	bool bytes = svm_features.decode_assists;

	return x86_mmu_page_fault(&svm->x86, control->exit_info_2, (u32)control->exit_info_1,
				  bytes ? control->insn_bytes : NULL,
				  bytes ? control->insn_len & 0xf : 0);
}

static int svm_invlpg(struct svm_vcpu *svm)
{
	if (!svm_features.decode_assists)
		return x86_emulate(&svm->x86, 0);
	x86_mmu_invlpg(&svm->x86, svm->vmcb->control.exit_info_1);
	return x86_skip_insn(&svm->x86);
}

static int svm_ioio(struct svm_vcpu *svm)
{
	u32 info = svm->vmcb->control.exit_info_1;

	svm->x86.core.stat.io_exits++;
	if (info & SVM_IOIO_STR)
		return x86_emulate(&svm->x86, 0);

	/* Here the CPU always tells the next RIP (APM 2 15.10.2). */
	svm->x86.next_rip = svm->vmcb->control.exit_info_2;
	return x86_fast_pio(&svm->x86, (info >> SVM_IOIO_SIZE_SHIFT) & SVM_IOIO_SIZE_MASK,
			    info >> SVM_IOIO_PORT_SHIFT, info & SVM_IOIO_IN);
}

static int svm_msr(struct svm_vcpu *svm)
{
	if (svm->vmcb->control.exit_info_1)
		return x86_emulate_wrmsr(&svm->x86);
	return x86_emulate_rdmsr(&svm->x86);
}

/*
 * MOV to and from CR. With decode assists the operand is known; else, and for
 * LMSW and CLTS, the instruction is decoded.
 */
static int svm_cr_access(struct svm_vcpu *svm)
{
	struct x86_vcpu *vcpu = &svm->x86;
	u64 info = svm->vmcb->control.exit_info_1;
	u32 code = svm->vmcb->control.exit_code;
	enum x86_reg reg;
	int r = 0;
	u64 val;

	if (!svm_features.decode_assists || !(info & SVM_CR_MOV))
		return x86_emulate(vcpu, 0);

	reg = array_index_nospec((unsigned int)info & SVM_CR_GPR_MASK, 16);
	if (code == SVM_EXIT_CR0_SEL_WRITE)
		code = SVM_EXIT_WRITE_CR0;
	if (code >= SVM_EXIT_WRITE_CR0) {
		val = x86_reg_read(vcpu, reg);
		if (!x86_is_64bit_mode(vcpu))
			val = (u32)val;
		switch (code) {
		case SVM_EXIT_WRITE_CR0: r = x86_set_cr0(vcpu, val); break;
		case SVM_EXIT_WRITE_CR3: r = x86_set_cr3(vcpu, val); break;
		case SVM_EXIT_WRITE_CR4: r = x86_set_cr4(vcpu, val); break;
		default: return x86_emulate(vcpu, 0);
		}
	} else {
		val = code == SVM_EXIT_READ_CR0 ? x86_cr0(vcpu) :
		      code == SVM_EXIT_READ_CR3 ? x86_cr3(vcpu) : x86_cr4(vcpu);
		if (!x86_is_64bit_mode(vcpu))
			val = (u32)val;
		x86_reg_write(vcpu, reg, val);
	}
	return x86_complete_insn_gp(vcpu, r);
}

static int svm_cr8_write(struct svm_vcpu *svm)
{
	struct x86_vcpu *vcpu = &svm->x86;
	u64 before = x86_get_cr8(vcpu);
	int r = svm_features.decode_assists
		? x86_complete_insn_gp(vcpu, x86_set_cr8(vcpu,
			x86_reg_read(vcpu, svm->vmcb->control.exit_info_1 & SVM_CR_GPR_MASK)))
		: x86_emulate(vcpu, 0);

	return x86_cr8_written(vcpu, before, r);
}

static int svm_db(struct svm_vcpu *svm)
{
	struct x86_vcpu *vcpu = &svm->x86;
	u64 dr6 = svm->vmcb->save.dr6;

	if (svm_end_nmi_singlestep(svm) && !vcpu->core.guest_debug &&
	    (dr6 ^ DR6_ACTIVE_LOW) == DR6_BS) {
		/* The step was ours: the guest never hears of it. */
		svm_set_dr6(vcpu, vcpu->dr6);
		return X86_RESUME;
	}
	if (!(vcpu->core.guest_debug & (KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_HW_BP))) {
		x86_queue_exception_p(vcpu, DB_VECTOR, dr6 ^ DR6_ACTIVE_LOW);
		return X86_RESUME;
	}
	return x86_handle_guest_debug_exit(vcpu, dr6,
					   svm->vmcb->save.cs.base + svm->vmcb->save.rip,
					   DB_VECTOR);
}

static int svm_bp(struct svm_vcpu *svm)
{
	return x86_handle_guest_debug_exit(&svm->x86, 0,
					   svm->vmcb->save.cs.base + svm->vmcb->save.rip,
					   BP_VECTOR);
}

static int svm_task_switch(struct svm_vcpu *svm)
{
	struct x86_vcpu *vcpu = &svm->x86;
	const struct vmcb_control *control = &svm->vmcb->control;
	u64 info2 = control->exit_info_2;
	u64 vectoring = control->exit_int_info;
	u64 type = vectoring & SVM_EVENT_TYPE;
	bool has_error_code = info2 & SVM_TASK_HAS_ERROR_CODE;
	bool skip = true;
	int vector = -1;
	int reason;

	if (info2 & SVM_TASK_IRET) {
		reason = X86_EMULATOR_TASK_IRET;
	} else if (info2 & SVM_TASK_JMP) {
		reason = X86_EMULATOR_TASK_JMP;
	} else if (vectoring & SVM_EVENT_VALID) {
		reason = X86_EMULATOR_TASK_GATE;
		vector = vectoring & SVM_EVENT_VECTOR;
		skip = type == SVM_EVENT_SOFT_INT ||
		       (type == SVM_EVENT_EXCEPTION &&
			(vector == BP_VECTOR || vector == OF_VECTOR));
		/* The switch is its delivery: it must not come again. */
		vcpu->nmi_injected = false;
		x86_clear_exception_queue(vcpu);
		x86_clear_interrupt_queue(vcpu);
	} else {
		reason = X86_EMULATOR_TASK_CALL;
	}

	/* The old task goes on behind the instruction that switched away. */
	if (skip && x86_skip_insn_only(vcpu) != X86_RESUME)
		return X86_USER;
	return x86_task_switch(vcpu, control->exit_info_1, vector, reason,
			       has_error_code, info2);
}

static int svm_shutdown(struct svm_vcpu *svm)
{
	struct x86_vcpu *vcpu = &svm->x86;

	/* The VMCB is undefined now (APM 2 15.14.3): make it an INIT's. */
	memset(&svm->vmcb->save, 0, sizeof(svm->vmcb->save));
	x86_vcpu_reset(vcpu, true);
	vcpu->core.run->exit_reason = KVM_EXIT_SHUTDOWN;
	return X86_USER;
}

static int svm_invalid_op(struct svm_vcpu *svm)
{
	x86_queue_exception(&svm->x86, UD_VECTOR);
	return X86_RESUME;
}

static int svm_ac(struct svm_vcpu *svm)
{
	x86_queue_exception_e(&svm->x86, AC_VECTOR, 0);
	return X86_RESUME;
}

static int svm_irq_window(struct svm_vcpu *svm)
{
	svm_clear_irq_window(svm);
	kvm_make_request(X86_REQ_EVENT, &svm->x86.core);
	svm->x86.core.stat.irq_window_exits++;
	return X86_RESUME;
}

static int svm_pause(struct svm_vcpu *svm)
{
	kvm_vcpu_on_spin(&svm->x86.core, svm_get_cpl(&svm->x86) == 0);
	return x86_skip_insn(&svm->x86);
}

static int svm_entry_failed(struct svm_vcpu *svm)
{
	if (dump_invalid_vmcb)
		svm_dump_state(&svm->x86);
	return x86_exit_fail_entry(&svm->x86, svm->vmcb->control.exit_code);
}

/* ---- IRQs off ---------------------------------------------------------------- */

static enum x86_fastpath svm_fast_ioio(struct svm_vcpu *svm)
{
	u32 info = svm->vmcb->control.exit_info_1;

	svm->x86.next_rip = svm->vmcb->control.exit_info_2;
	if ((info & SVM_IOIO_STR) || !svm->x86.next_rip)
		return X86_FASTPATH_NONE;
	return x86_inner_pio(&svm->x86, (info >> SVM_IOIO_SIZE_SHIFT) & SVM_IOIO_SIZE_MASK,
			     info >> SVM_IOIO_PORT_SHIFT, info & SVM_IOIO_IN);
}

static enum x86_fastpath svm_fast_msr(struct svm_vcpu *svm)
{
	if (svm->vmcb->control.exit_info_1)
		return svm_insn_ends(svm, X86_PEEK_0F(0x30)) ? x86_inner_wrmsr(&svm->x86)
							     : X86_FASTPATH_NONE;
	return svm_insn_ends(svm, X86_PEEK_0F(0x32)) ? x86_inner_rdmsr(&svm->x86)
						     : X86_FASTPATH_NONE;
}

/* MOV to and from CR0 and CR4; its operands are the CPU's to tell, or the bytes'. */
static enum x86_fastpath svm_fast_cr(struct svm_vcpu *svm)
{
	struct x86_vcpu *vcpu = &svm->x86;
	u64 info = svm->vmcb->control.exit_info_1;
	u32 code = svm->vmcb->control.exit_code;
	bool write = code >= SVM_EXIT_WRITE_CR0;
	unsigned int cr = code - (write ? SVM_EXIT_WRITE_CR0 : SVM_EXIT_READ_CR0);
	const struct x86_peek *p;
	enum x86_reg reg;
	u64 val;

	if (code == SVM_EXIT_CR0_SEL_WRITE)
		cr = 0;
	if (svm_features.nrips && svm_features.decode_assists) {
		if (!(info & SVM_CR_MOV))
			return X86_FASTPATH_NONE;
		vcpu->next_rip = svm->vmcb->control.next_rip;
		reg = info & SVM_CR_GPR_MASK;
	} else {
		p = x86_peek_insn(vcpu);
		if (!p || x86_peek_reg(p) != cr ||
		    p->opcode != (write ? X86_PEEK_0F(0x22) : X86_PEEK_0F(0x20)))
			return X86_FASTPATH_NONE;
		vcpu->next_rip = x86_peek_next_rip(vcpu, p);
		reg = x86_peek_rm(p);
	}
	if (!vcpu->next_rip)
		return X86_FASTPATH_NONE;
	reg = array_index_nospec((unsigned int)reg, 16);
	if (!write)
		return x86_inner_get_cr(vcpu, cr, reg);
	val = x86_reg_read(vcpu, reg);
	return x86_inner_set_cr(vcpu, cr, x86_is_64bit_mode(vcpu) ? val : (u32)val);
}

enum x86_fastpath svm_fast_exit(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	const struct vmcb_control *control = &svm->vmcb->control;

	if (unlikely(!x86_inner_allowed(vcpu, svm->vmcb->save.rflags)))
		return X86_FASTPATH_NONE;

	switch (control->exit_code) {
	case SVM_EXIT_NPF:
		return x86_inner_page_fault(vcpu, control->exit_info_2, control->exit_info_1);
	case SVM_EXIT_IOIO:
		return svm_fast_ioio(svm);
	case SVM_EXIT_MSR:
		return svm_fast_msr(svm);
	case SVM_EXIT_CPUID:
		return svm_insn_ends(svm, X86_PEEK_0F(0xa2)) ? x86_inner_cpuid(vcpu)
							     : X86_FASTPATH_NONE;
	case SVM_EXIT_VMMCALL:
		return svm_insn_ends(svm, X86_PEEK_0F01(0xd9)) ? x86_inner_hypercall(vcpu)
							       : X86_FASTPATH_NONE;
	case SVM_EXIT_READ_CR0:
	case SVM_EXIT_READ_CR4:
	case SVM_EXIT_WRITE_CR0:
	case SVM_EXIT_WRITE_CR4:
	case SVM_EXIT_CR0_SEL_WRITE:
		return svm_fast_cr(svm);
	}
	return X86_FASTPATH_NONE;
}

/* ---- the switch --------------------------------------------------------------- */

int svm_handle_exit(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	u64 code = svm->vmcb->control.exit_code;

	switch (code) {
	case SVM_EXIT_NPF:		return svm_npf(svm);
	case SVM_EXIT_IOIO:		return svm_ioio(svm);
	case SVM_EXIT_MSR:		return svm_msr(svm);
	case SVM_EXIT_HLT:		return x86_emulate_hlt(vcpu);
	case SVM_EXIT_CPUID:		return x86_emulate_cpuid(vcpu);
	case SVM_EXIT_VMMCALL:		return x86_emulate_hypercall(vcpu);
	case SVM_EXIT_VINTR:		return svm_irq_window(svm);

	case SVM_EXIT_INTR:
		vcpu->core.stat.irq_exits++;
		return X86_RESUME;
	case SVM_EXIT_NMI:
	case SVM_EXIT_SMI:
	case SVM_EXIT_INIT:
		/* Held by GIF: the host took it at STGI. */
		return X86_RESUME;

	case SVM_EXIT_READ_CR0:
	case SVM_EXIT_READ_CR3:
	case SVM_EXIT_READ_CR4:
	case SVM_EXIT_WRITE_CR0:
	case SVM_EXIT_WRITE_CR3:
	case SVM_EXIT_WRITE_CR4:
	case SVM_EXIT_CR0_SEL_WRITE:	return svm_cr_access(svm);
	case SVM_EXIT_WRITE_CR8:	return svm_cr8_write(svm);
	case SVM_EXIT_READ_DR0 ... SVM_EXIT_WRITE_DR15:
					return x86_debug_reg_access(vcpu);

	case SVM_EXIT_EXCP_BASE + DB_VECTOR: return svm_db(svm);
	case SVM_EXIT_EXCP_BASE + BP_VECTOR: return svm_bp(svm);
	case SVM_EXIT_EXCP_BASE + UD_VECTOR: return x86_emulate(vcpu, X86_EMUL_TRAP_UD);
	case SVM_EXIT_EXCP_BASE + PF_VECTOR: return svm_pf(svm);
	case SVM_EXIT_EXCP_BASE + AC_VECTOR: return svm_ac(svm);
	case SVM_EXIT_EXCP_BASE + MC_VECTOR: return X86_RESUME;	/* the host's: done in enter() */

	case SVM_EXIT_RDPMC:		return x86_emulate_rdpmc(vcpu);
	case SVM_EXIT_IRET:		return svm_handle_iret(svm);
	case SVM_EXIT_INVLPG:		return svm_invlpg(svm);
	case SVM_EXIT_INVD:		return x86_emulate_invd(vcpu);
	case SVM_EXIT_WBINVD:		return x86_emulate_wbinvd(vcpu);
	case SVM_EXIT_PAUSE:		return svm_pause(svm);
	case SVM_EXIT_MONITOR:		return x86_emulate_monitor(vcpu);
	case SVM_EXIT_MWAIT:		return x86_emulate_mwait(vcpu);
	case SVM_EXIT_XSETBV:		return x86_emulate_xsetbv(vcpu);
	case SVM_EXIT_RSM:		return x86_emulate(vcpu, 0);
	case SVM_EXIT_TASK_SWITCH:	return svm_task_switch(svm);
	case SVM_EXIT_SHUTDOWN:		return svm_shutdown(svm);

	case SVM_EXIT_VMRUN:
	case SVM_EXIT_VMLOAD:
	case SVM_EXIT_VMSAVE:
	case SVM_EXIT_STGI:
	case SVM_EXIT_CLGI:
	case SVM_EXIT_SKINIT:
	case SVM_EXIT_INVLPGA:
	case SVM_EXIT_RDTSCP:
	case SVM_EXIT_RDPRU:
	case SVM_EXIT_INVLPGB:
	case SVM_EXIT_INVPCID:
	case SVM_EXIT_TLBSYNC:		return svm_invalid_op(svm);

	case SVM_EXIT_INVALID:		return svm_entry_failed(svm);
	default:			return x86_exit_unexpected(vcpu, code);
	}
}
