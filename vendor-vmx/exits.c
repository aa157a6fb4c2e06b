// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why the guest stopped: one flat switch over the exit reason, each case one call.
 * What an instruction does is arch-x86's business; here it is only taken apart
 * (SDM 3C 28.2, appendix C). Fields are read by who needs them.
 */
#include <linux/moduleparam.h>
#include <linux/nospec.h>

#include "arch-x86/cpu/msr.h"
#include "arch-x86/events.h"
#include "arch-x86/inner.h"
#include "arch-x86/io.h"
#include "arch-x86/mmu/mmu.h"
#include "arch-x86/run.h"
#include "core/vcpu.h"
#include "vendor-vmx/vmx.h"

static bool dump_invalid_vmcs;
module_param(dump_invalid_vmcs, bool, 0644);
MODULE_PARM_DESC(dump_invalid_vmcs, "log the VMCS when the CPU refuses it");

/* DR6 bits that are active when clear are inverted in a qualification (table 28-1). */
#define DB_ACTIVE_HIGH	(0xf | DR6_BD | DR6_BS)
#define DB_ACTIVE_LOW	(DR6_RTM | DR6_BUS_LOCK)

void vmx_exit_info(struct x86_vcpu *vcpu, u32 *reason, u64 *info1, u64 *info2,
		   u32 *intr_info, u32 *error_code)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	*reason = vmx->exit_reason;
	*info1 = vmx_qualification(vmx);
	*info2 = vmx->idt_info;
	*error_code = 0;
	/* An event whose delivery was cut off says more than none at all. */
	*intr_info = vmx->idt_info & VMX_EVENT_VALID ? vmx->idt_info : vmx_intr_info(vmx);
	if ((*intr_info & (VMX_EVENT_VALID | VMX_EVENT_ERROR_CODE)) ==
	    (VMX_EVENT_VALID | VMX_EVENT_ERROR_CODE))
		*error_code = vmcs_read(vmx->idt_info & VMX_EVENT_VALID ?
					VMCS_IDT_VECTORING_ERROR_CODE :
					VMCS_EXIT_INTR_ERROR_CODE);
}

/* Does this kind of exit tell the length of the instruction (SDM 3C 28.2.5)? */
static bool length_is_known(struct vmx_vcpu *vmx)
{
	switch ((u16)vmx->exit_reason) {
	case VMX_EXIT_EPT_VIOLATION:
	case VMX_EXIT_EPT_MISCONFIG:
	case VMX_EXIT_EXT_INTR:
	case VMX_EXIT_INTR_WINDOW:
	case VMX_EXIT_NMI_WINDOW:
	case VMX_EXIT_TPR_BELOW:
	case VMX_EXIT_APIC_ACCESS:
	case VMX_EXIT_PREEMPTION_TIMER:
	case VMX_EXIT_APIC_WRITE:
	case VMX_EXIT_EOI:
	case VMX_EXIT_PML_FULL:
		return false;
	case VMX_EXIT_EXCEPTION_NMI:
		switch (vmx_intr_info(vmx) & VMX_EVENT_TYPE) {
		case VMX_EVENT_PRIV_EXCEPTION:
		case VMX_EVENT_SOFT_EXCEPTION:
			return true;
		}
		return false;
	}
	return true;
}

u64 vmx_next_rip(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);
	u64 rip, next;

	/* Nor is there an exit where the emulator runs the guest. */
	if (unlikely(vcpu->emulated || !length_is_known(vmx)))
		return 0;

	rip = x86_rip_read(vcpu);
	next = rip + vmcs_read(VMCS_EXIT_INSN_LEN);
	/* Around the end of 4 GiB, unless it is 64-bit mode that gets there. */
	if (unlikely((rip ^ next) >> 32) && !x86_is_64bit_mode(vcpu))
		next = (u32)next;
	return next;
}

/* ---- memory -------------------------------------------------------------------- */

/* PFERR_* of an EPT violation's qualification. */
static u64 ept_error_code(unsigned long q)
{
	u64 error_code = 0;

	if (q & VMX_EPTV_WRITE)
		error_code |= PFERR_WRITE;
	if (q & VMX_EPTV_FETCH)
		error_code |= PFERR_FETCH;
	if (q & VMX_EPTV_PERMISSIONS)
		error_code |= PFERR_PRESENT;
	/* Of an instruction's operand; else of a paging structure. */
	if ((q & (VMX_EPTV_GVA_VALID | VMX_EPTV_FINAL)) == (VMX_EPTV_GVA_VALID | VMX_EPTV_FINAL))
		error_code |= PFERR_GUEST_FINAL;
	else
		error_code |= PFERR_GUEST_PAGE;
	return error_code;
}

static int vmx_ept_violation(struct vmx_vcpu *vmx)
{
	unsigned long q = vmx_qualification(vmx);

	if (unlikely(q & VMX_EPTV_NMI_UNBLOCKED))
		vmx_iret_faulted(vmx);
	return x86_mmu_page_fault(&vmx->x86, vmcs_read64(VMCS_GUEST_PHYSICAL_ADDRESS),
				  ept_error_code(q), NULL, 0);
}

/* IRQs off. */
static enum x86_fastpath vmx_fast_ept_violation(struct vmx_vcpu *vmx)
{
	unsigned long q = vmx_qualification(vmx);

	if (q & VMX_EPTV_NMI_UNBLOCKED)
		return X86_FASTPATH_NONE;
	return x86_inner_page_fault(&vmx->x86, vmcs_read64(VMCS_GUEST_PHYSICAL_ADDRESS),
				    ept_error_code(q));
}

static int vmx_ept_misconfig(struct vmx_vcpu *vmx)
{
	/* Our own entry is wrong: nothing that this VM does can be trusted. */
	KVM_BUG_ON(1, vmx->x86.core.kvm);
	return -EIO;
}

/* ---- instructions ---------------------------------------------------------------- */

static int vmx_io(struct vmx_vcpu *vmx)
{
	unsigned long q = vmx_qualification(vmx);

	vmx->x86.core.stat.io_exits++;
	if (q & VMX_IO_STRING)
		return x86_emulate(&vmx->x86, 0);
	return x86_fast_pio(&vmx->x86, VMX_IO_SIZE(q), VMX_IO_PORT(q), q & VMX_IO_IN);
}

static int vmx_mov_to_cr(struct x86_vcpu *vcpu, unsigned int cr, u64 value)
{
	u64 before;

	switch (cr) {
	case 0: return x86_complete_insn_gp(vcpu, x86_set_cr0(vcpu, value));
	case 3: return x86_complete_insn_gp(vcpu, x86_set_cr3(vcpu, value));
	case 4: return x86_complete_insn_gp(vcpu, x86_set_cr4(vcpu, value));
	case 8:
		before = x86_get_cr8(vcpu);
		return x86_cr8_written(vcpu, before,
				       x86_complete_insn_gp(vcpu, x86_set_cr8(vcpu, value)));
	}
	return x86_exit_unexpected(vcpu, VMX_EXIT_CR_ACCESS);
}

static int vmx_cr_access(struct vmx_vcpu *vmx)
{
	struct x86_vcpu *vcpu = &vmx->x86;
	unsigned long q = vmx_qualification(vmx);
	enum x86_reg reg = array_index_nospec(VMX_CR_GPR(q), 16);
	u64 value;

	switch (VMX_CR_ACCESS(q)) {
	case VMX_CR_TO:
		value = x86_reg_read(vcpu, reg);
		if (!x86_is_64bit_mode(vcpu))
			value = (u32)value;
		return vmx_mov_to_cr(vcpu, VMX_CR_NUMBER(q), value);
	case VMX_CR_FROM:
		/* Others are read from their shadows. */
		value = VMX_CR_NUMBER(q) == 8 ? x86_get_cr8(vcpu) : x86_cr3(vcpu);
		if (!x86_is_64bit_mode(vcpu))
			value = (u32)value;
		x86_reg_write(vcpu, reg, value);
		return x86_skip_insn(vcpu);
	case VMX_CR_CLTS:
		return x86_complete_insn_gp(vcpu, x86_set_cr0(vcpu, x86_cr0(vcpu) & ~X86_CR0_TS));
	default:
		/* PE, MP, EM, TS; PE can be set only (SDM 2A LMSW). */
		value = (x86_cr0(vcpu) & ~0xeULL) | (VMX_CR_LMSW_VALUE(q) & 0xf);
		return x86_complete_insn_gp(vcpu, x86_set_cr0(vcpu, value));
	}
}

static int vmx_pause(struct vmx_vcpu *vmx)
{
	vmx_ple_grow(vmx);
	kvm_vcpu_on_spin(&vmx->x86.core, vmx_get_cpl(&vmx->x86) == 0);
	return x86_skip_insn(&vmx->x86);
}

static int vmx_invalid_op(struct x86_vcpu *vcpu)
{
	x86_queue_exception(vcpu, UD_VECTOR);
	return X86_RESUME;
}

static int vmx_task_switch(struct vmx_vcpu *vmx)
{
	struct x86_vcpu *vcpu = &vmx->x86;
	unsigned long q = vmx_qualification(vmx);
	bool vectoring = vmx->idt_info & VMX_EVENT_VALID;
	bool has_error_code = false, skip = true;
	int reason, vector = -1;
	u32 error_code = 0;

	switch (VMX_TASK_SOURCE(q)) {
	case VMX_TASK_IRET:
		reason = X86_EMULATOR_TASK_IRET;
		break;
	case VMX_TASK_JMP:
		reason = X86_EMULATOR_TASK_JMP;
		break;
	case VMX_TASK_GATE:
		reason = X86_EMULATOR_TASK_GATE;
		if (!vectoring)
			break;
		vector = vmx->idt_info & VMX_EVENT_VECTOR;
		switch (vmx->idt_info & VMX_EVENT_TYPE) {
		case VMX_EVENT_NMI:
			/* It is delivered by the switch, and blocks others until IRET. */
			vmx_set_nmi_mask(vcpu, true);
			fallthrough;
		case VMX_EVENT_EXT_INTR:
		case VMX_EVENT_HARD_EXCEPTION:
			skip = false;
			break;
		}
		if (vmx->idt_info & VMX_EVENT_ERROR_CODE) {
			has_error_code = true;
			error_code = vmcs_read(VMCS_IDT_VECTORING_ERROR_CODE);
		}
		/* The switch is its delivery: it must not come again. */
		vcpu->nmi_injected = false;
		x86_clear_exception_queue(vcpu);
		x86_clear_interrupt_queue(vcpu);
		break;
	default:
		reason = X86_EMULATOR_TASK_CALL;
		break;
	}

	/* The old task goes on behind the instruction that switched away. */
	if (skip && x86_skip_insn_only(vcpu) != X86_RESUME)
		return X86_USER;
	return x86_task_switch(vcpu, VMX_TASK_SELECTOR(q), vector, reason,
			       has_error_code, error_code);
}

/* ---- exceptions ------------------------------------------------------------------ */

static int vmx_db(struct vmx_vcpu *vmx)
{
	struct x86_vcpu *vcpu = &vmx->x86;
	u64 causes = vmx_qualification(vmx) & (DB_ACTIVE_HIGH | DB_ACTIVE_LOW);

	if (vcpu->core.guest_debug & (KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_HW_BP))
		return x86_handle_guest_debug_exit(vcpu, causes ^ DR6_ACTIVE_LOW,
						   x86_get_linear_rip(vcpu), DB_VECTOR);
	/* INT1 is a trap, whose exit comes before it (SDM 3C 26.2). */
	if ((vmx_intr_info(vmx) & VMX_EVENT_TYPE) == VMX_EVENT_PRIV_EXCEPTION &&
	    x86_skip_insn_only(vcpu) != X86_RESUME)
		return X86_USER;
	x86_queue_exception_p(vcpu, DB_VECTOR, causes);
	return X86_RESUME;
}

static int vmx_exception(struct vmx_vcpu *vmx)
{
	struct x86_vcpu *vcpu = &vmx->x86;
	u32 info = vmx_intr_info(vmx);

	if ((info & VMX_EVENT_TYPE) == VMX_EVENT_NMI)
		return X86_RESUME;	/* the host's: done in enter() */
	if (unlikely(info & VMX_EVENT_NMI_UNBLOCKED) && (info & VMX_EVENT_VECTOR) != DF_VECTOR)
		vmx_iret_faulted(vmx);

	switch (info & VMX_EVENT_VECTOR) {
	case DB_VECTOR:
		return vmx_db(vmx);
	case BP_VECTOR:
		/* For the debugger that gives it back to the guest. */
		vmx->soft_insn_len = vmcs_read(VMCS_EXIT_INSN_LEN);
		return x86_handle_guest_debug_exit(vcpu, 0, x86_get_linear_rip(vcpu), BP_VECTOR);
	case UD_VECTOR:
		return x86_emulate(vcpu, X86_EMUL_TRAP_UD);
	case PF_VECTOR:
		/* With shadow tables: the fault of the guest's, or of ours. */
		return x86_mmu_page_fault(vcpu, vmx_qualification(vmx),
					  vmcs_read(VMCS_EXIT_INTR_ERROR_CODE), NULL, 0);
	case AC_VECTOR:
		x86_queue_exception_e(vcpu, AC_VECTOR, vmcs_read(VMCS_EXIT_INTR_ERROR_CODE));
		return X86_RESUME;
	case MC_VECTOR:
		return X86_RESUME;	/* the host's: done in enter() */
	default:
		return x86_exit_unexpected(vcpu, info);
	}
}

/* ---- the switch -------------------------------------------------------------------- */

static int vmx_entry_failed(struct vmx_vcpu *vmx)
{
	if (dump_invalid_vmcs)
		vmx_dump_state(&vmx->x86);
	/* Refused before any guest state was looked at, or because of it. */
	return x86_exit_fail_entry(&vmx->x86, vmx->enter.failed ? vmcs_read(VMCS_INSN_ERROR)
							       : vmx->exit_reason);
}

static int vmx_triple_fault(struct x86_vcpu *vcpu)
{
	vcpu->core.run->exit_reason = KVM_EXIT_SHUTDOWN;
	return X86_USER;
}

/* IRQs off. */
enum x86_fastpath vmx_fast_exit(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);
	unsigned long q;

	/* A failed entry has bit 31, too: it is none of these. */
	if (vmx->exit_reason == VMX_EXIT_PREEMPTION_TIMER)
		return vmx_timer_exit(vmx);
	/* What the CPU has logged is handed over by handle_exit(). */
	if (vmx->pml && READ_ONCE(x86_vcpu_vm(vcpu)->mmu.nr_logged))
		return X86_FASTPATH_NONE;
	switch (vmx->exit_reason) {
	case VMX_EXIT_EPT_VIOLATION:
	case VMX_EXIT_WRMSR:
	case VMX_EXIT_RDMSR:
	case VMX_EXIT_CPUID:
	case VMX_EXIT_VMCALL:
	case VMX_EXIT_IO:
		break;
	default:
		return X86_FASTPATH_NONE;
	}
	if (unlikely(!x86_inner_allowed(vcpu, vmx_get_rflags(vcpu))))
		return X86_FASTPATH_NONE;
	if (vmx->exit_reason == VMX_EXIT_EPT_VIOLATION)
		return vmx_fast_ept_violation(vmx);
	vcpu->next_rip = vmx_next_rip(vcpu);
	if (unlikely(!vcpu->next_rip))
		return X86_FASTPATH_NONE;

	switch (vmx->exit_reason) {
	case VMX_EXIT_WRMSR:	return x86_inner_wrmsr(vcpu);
	case VMX_EXIT_RDMSR:	return x86_inner_rdmsr(vcpu);
	case VMX_EXIT_CPUID:	return x86_inner_cpuid(vcpu);
	case VMX_EXIT_VMCALL:	return x86_inner_hypercall(vcpu);
	}
	q = vmx_qualification(vmx);
	if (q & VMX_IO_STRING)
		return X86_FASTPATH_NONE;
	return x86_inner_pio(vcpu, VMX_IO_SIZE(q), VMX_IO_PORT(q), q & VMX_IO_IN);
}

int vmx_handle_exit(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	/* Before user space can look at the log. */
	if (vmx->pml && (READ_ONCE(x86_vcpu_vm(vcpu)->mmu.nr_logged) ||
			 vmx->exit_reason == VMX_EXIT_PML_FULL))
		vmx_pml_flush(vmx);
	if (unlikely(vmx->exit_reason & VMX_EXIT_REASON_ENTRY_FAILED))
		return vmx_entry_failed(vmx);

	switch ((u16)vmx->exit_reason) {
	case VMX_EXIT_EPT_VIOLATION:	return vmx_ept_violation(vmx);
	case VMX_EXIT_IO:		return vmx_io(vmx);
	case VMX_EXIT_RDMSR:		return x86_emulate_rdmsr(vcpu);
	case VMX_EXIT_WRMSR:		return x86_emulate_wrmsr(vcpu);
	case VMX_EXIT_HLT:		return x86_emulate_hlt(vcpu);
	case VMX_EXIT_CPUID:		return x86_emulate_cpuid(vcpu);
	case VMX_EXIT_VMCALL:		return x86_emulate_hypercall(vcpu);
	case VMX_EXIT_INTR_WINDOW:	return vmx_irq_window(vmx);
	case VMX_EXIT_NMI_WINDOW:	return vmx_nmi_window(vmx);
	case VMX_EXIT_TPR_BELOW:
		kvm_make_request(X86_REQ_EVENT, &vcpu->core);
		return X86_RESUME;

	case VMX_EXIT_EXT_INTR:
		/* Taken when IRQs came on. */
		vcpu->core.stat.irq_exits++;
		return X86_RESUME;

	case VMX_EXIT_APIC_ACCESS:	return vmx_apic_access(vmx);
	case VMX_EXIT_APIC_WRITE:	return vmx_apic_write(vmx);
	case VMX_EXIT_EOI:		return vmx_eoi(vmx);
	case VMX_EXIT_PML_FULL:		return vmx_pml_full(vmx);
	case VMX_EXIT_CR_ACCESS:	return vmx_cr_access(vmx);
	case VMX_EXIT_DR_ACCESS:	return x86_debug_reg_access(vcpu);
	case VMX_EXIT_EXCEPTION_NMI:	return vmx_exception(vmx);
	case VMX_EXIT_MC_DURING_ENTRY:	return X86_RESUME;

	case VMX_EXIT_INVLPG:
		x86_mmu_invlpg(vcpu, vmx_qualification(vmx));
		return x86_skip_insn(vcpu);
	case VMX_EXIT_RDPMC:		return x86_emulate_rdpmc(vcpu);
	case VMX_EXIT_INVD:		return x86_emulate_invd(vcpu);
	case VMX_EXIT_WBINVD:		return x86_emulate_wbinvd(vcpu);
	case VMX_EXIT_PAUSE:		return vmx_pause(vmx);
	case VMX_EXIT_MONITOR:		return x86_emulate_monitor(vcpu);
	case VMX_EXIT_MWAIT:		return x86_emulate_mwait(vcpu);
	case VMX_EXIT_XSETBV:		return x86_emulate_xsetbv(vcpu);
	case VMX_EXIT_TASK_SWITCH:	return vmx_task_switch(vmx);
	case VMX_EXIT_TRIPLE_FAULT:	return vmx_triple_fault(vcpu);

	/* What no guest was told that it has. */
	case VMX_EXIT_GETSEC:
	case VMX_EXIT_VMCLEAR ... VMX_EXIT_VMXON:
	case VMX_EXIT_INVEPT:
	case VMX_EXIT_INVVPID:
	case VMX_EXIT_INVPCID:
	case VMX_EXIT_RDTSCP:
	case VMX_EXIT_RDRAND:
	case VMX_EXIT_RDSEED:
	case VMX_EXIT_VMFUNC:
	case VMX_EXIT_ENCLS:
	case VMX_EXIT_XSAVES:
	case VMX_EXIT_XRSTORS:
	case VMX_EXIT_UMWAIT:
	case VMX_EXIT_TPAUSE:		return vmx_invalid_op(vcpu);

	case VMX_EXIT_EPT_MISCONFIG:	return vmx_ept_misconfig(vmx);
	default:			return x86_exit_unexpected(vcpu, vmx->exit_reason);
	}
}
