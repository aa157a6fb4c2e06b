// SPDX-License-Identifier: GPL-2.0-only
/*
 * An instruction emulated for a vCPU, from start to finish: the context filled,
 * decoded, executed; its result made the vCPU's; exits to user space and back;
 * failures reported. Owns no instruction (arch-x86/emulator/) and no operation
 * on the vCPU (emulate_mem.c, emulate_state.c, io.c).
 *
 * Never an endless loop: each call ends with the guest's state moved on, an
 * exception, an exit, or a retry that needs the host to make progress first and
 * passes by the run loop's signal check.
 */
#include <linux/export.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "arch-x86/emulate.h"
#include "arch-x86/events.h"
#include "arch-x86/io.h"
#include "arch-x86/regs.h"
#include "arch-x86/trace.h"
#include "arch-x86/vendor_call.h"

/* ---- failures ------------------------------------------------------------------ */

void x86_prepare_emulation_failure_exit(struct x86_vcpu *vcpu)
{
	const struct x86_emulator_decoded *insn = &vcpu->emul.insn;
	struct kvm_run *run = vcpu->core.run;
	unsigned int len = min_t(unsigned int, insn->nr_bytes, X86_EMULATOR_MAX_INSN_LEN);
	u32 reason, intr_info, error_code;
	u64 info1, info2;
	u64 *more;

	vendor_call(exit_info)(vcpu, &reason, &info1, &info2, &intr_info, &error_code);

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	memset(&run->emulation_failure, 0, sizeof(run->emulation_failure));
	run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	if (len) {
		run->emulation_failure.flags =
			KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
		run->emulation_failure.insn_size = len;
		memset(run->emulation_failure.insn_bytes, 0x90,
		       sizeof(run->emulation_failure.insn_bytes));
		memcpy(run->emulation_failure.insn_bytes, insn->bytes, len);
	}
	/* data[0]: flags; [1], [2]: instruction; then, without a flag, the exit. */
	more = &run->internal.data[3];
	more[0] = reason;
	more[1] = info1;
	more[2] = info2;
	more[3] = intr_info;
	more[4] = error_code;
	run->emulation_failure.ndata = 8;
}
EXPORT_SYMBOL_GPL(x86_prepare_emulation_failure_exit);

static int emulation_failed(struct x86_vcpu *vcpu)
{
	vcpu->core.stat.insn_emulation_fail++;
	trace_kvm_emulate_insn(vcpu, true);
	if (vcpu->io.error)
		return vcpu->io.error;
	/*
	 * A program in the guest must not be able to end the guest, so what it
	 * executes is #UD, unless user space wants to see all of them
	 * (KVM_CAP_EXIT_ON_EMULATION_FAILURE).
	 */
	if (vcpu->emul.cpl && !x86_vcpu_vm(vcpu)->exit_on_emulation_error) {
		x86_queue_exception(vcpu, UD_VECTOR);
		return X86_RESUME;
	}
	x86_prepare_emulation_failure_exit(vcpu);
	return X86_USER;
}

static int inject(struct x86_vcpu *vcpu)
{
	struct x86_fault_info fault = x86_emul_get_exception(&vcpu->emul);

	x86_inject_fault(vcpu, &fault);
	return X86_RESUME;
}

/* ---- context -------------------------------------------------------------------- */

static enum x86_emulator_mode current_mode(struct x86_vcpu *vcpu, u64 rflags)
{
	int db, l;

	if (!x86_is_protected(vcpu))
		return X86_EMULATOR_REAL;
	if (!x86_is_long_mode(vcpu) && (rflags & X86_EFLAGS_VM))
		return X86_EMULATOR_VM86;
	vendor_call(get_cs_db_l)(vcpu, &db, &l);
	if (l && x86_is_long_mode(vcpu))
		return X86_EMULATOR_PROT64;
	return db ? X86_EMULATOR_PROT32 : X86_EMULATOR_PROT16;
}

/* DR7, if a breakpoint on data or ports is enabled (SDM 3B 17.2.4): seldom. */
static u32 data_breakpoints(struct x86_vcpu *vcpu)
{
	u32 dr7 = vcpu->core.guest_debug & KVM_GUESTDBG_USE_HW_BP ? vcpu->guest_debug_dr7 :
								    vcpu->dr7;

	return (dr7 & 0xff) && (dr7 & 0x33330000) ? dr7 : 0;
}

static void fill_context(struct x86_vcpu *vcpu)
{
	struct x86_emulator *ctx = &vcpu->emul;

	ctx->rip = x86_rip_read(vcpu);
	ctx->rflags = x86_get_rflags(vcpu);
	ctx->mode = current_mode(vcpu, ctx->rflags);
	ctx->cpl = vendor_call(get_cpl)(vcpu);
	ctx->watch_dr7 = data_breakpoints(vcpu);
	ctx->watch_db = vcpu->eff_db;
}

/* What a successful instruction has left in the context becomes the vCPU's. */
static void take_over(struct x86_vcpu *vcpu)
{
	struct x86_emulator *ctx = &vcpu->emul;
	u32 shadow = 0;

	if (ctx->no_writeback)
		return;		/* RSM has loaded it all */
	x86_rip_write(vcpu, ctx->rip);
	x86_set_rflags(vcpu, ctx->rflags);
	if (ctx->interrupt_shadow & X86_EMULATOR_SHADOW_STI)
		shadow |= X86_SHADOW_INT_STI;
	if (ctx->interrupt_shadow & X86_EMULATOR_SHADOW_MOV_SS)
		shadow |= X86_SHADOW_INT_MOV_SS;
	/* The end of a shadow may let an interrupt in now. */
	if (vendor_call(get_interrupt_shadow)(vcpu) != shadow) {
		vendor_call(set_interrupt_shadow)(vcpu, shadow);
		kvm_make_request(X86_REQ_EVENT, &vcpu->core);
	}
}

/* ---- instruction breakpoints -------------------------------------------------------- */

/* Which of the four match an instruction fetch at @rip (SDM 3B 17.2.4)? DR6 bits. */
static u64 match_breakpoints(u64 dr7, const u64 *db, unsigned long rip)
{
	u64 hit = 0;
	int i;

	for (i = 0; i < 4; i++) {
		unsigned int enabled = (dr7 >> (2 * i)) & 3;
		unsigned int type_len = (dr7 >> (16 + 4 * i)) & 15;

		if (enabled && !type_len && db[i] == rip)
			hit |= BIT_ULL(i);
	}
	return hit;
}

/* True, with *result: the instruction is not to be executed now. */
static bool instruction_breakpoint(struct x86_vcpu *vcpu, int *result)
{
	unsigned long rip;
	u64 hit;

	if ((vcpu->core.guest_debug & KVM_GUESTDBG_USE_HW_BP) &&
	    (vcpu->guest_debug_dr7 & 0xff)) {
		rip = x86_get_linear_rip(vcpu);
		hit = match_breakpoints(vcpu->guest_debug_dr7, vcpu->eff_db, rip);
		if (hit) {
			*result = x86_handle_guest_debug_exit(vcpu, hit | DR6_ACTIVE_LOW,
							      rip, DB_VECTOR);
			return true;
		}
	} else if (unlikely(vcpu->dr7 & 0xff) && !(vcpu->emul.rflags & X86_EFLAGS_RF)) {
		hit = match_breakpoints(vcpu->dr7, vcpu->db, x86_get_linear_rip(vcpu));
		if (hit) {
			x86_queue_exception_p(vcpu, DB_VECTOR, hit);
			*result = X86_RESUME;
			return true;
		}
	}
	return false;
}

/* ---- one instruction ------------------------------------------------------------------ */

/* It is done: traps, and what it wants of KVM_RUN. */
static int finish(struct x86_vcpu *vcpu)
{
	struct x86_emulator *ctx = &vcpu->emul;
	struct x86_io *io = &vcpu->io;
	int r;

	take_over(vcpu);
	io->again = ctx->repeating;
	if ((vcpu->core.guest_debug & KVM_GUESTDBG_SINGLESTEP) && !ctx->repeating)
		io->debug_dr6 |= DR6_BS;
	if ((vcpu->core.guest_debug & KVM_GUESTDBG_USE_HW_BP) && (ctx->trap_dr6 & 0xf))
		io->debug_dr6 |= ctx->trap_dr6 & 0xf;
	if (!io->debug_dr6 && ctx->trap_dr6)
		x86_queue_exception_p(vcpu, DB_VECTOR, ctx->trap_dr6);

	if (io->tpr_exit) {
		vcpu->core.run->exit_reason = KVM_EXIT_SET_TPR;
		return X86_USER;
	}
	if (io->halted) {
		r = x86_emulate_halt_noskip(vcpu);
		if (r <= 0)
			return r;
	}
	return x86_io_exit_writes(vcpu);
}

static int execute(struct x86_vcpu *vcpu, int flags)
{
	int r;

	vcpu->io.next_read = 0;
	r = x86_emulator_execute(&vcpu->emul);
	if ((flags & X86_EMUL_FORCED) &&
	    (r == X86_EMULATOR_RETRY || r == X86_EMULATOR_UNHANDLEABLE))
		return X86_FOR_CPU;
	switch (r) {
	case X86_EMULATOR_CONTINUE:
		return finish(vcpu);
	case X86_EMULATOR_FAULT:
		/* Iterations that are done stay done. */
		x86_set_rflags(vcpu, vcpu->emul.rflags);
		return inject(vcpu);
	case X86_EMULATOR_IO_NEEDED:
		/* An MSR that user space wants: kvm_run has it already. */
		if (vcpu->complete_userspace_io)
			return X86_USER;
		return x86_io_exit_read(vcpu);
	case X86_EMULATOR_RETRY:
	case X86_EMULATOR_INTERCEPTED:
		return X86_RESUME;
	case X86_EMULATOR_UNHANDLEABLE:
		break;
	}
	return emulation_failed(vcpu);
}

/* User space has answered a read: the same instruction again, with that in the log. */
static int continue_instruction(struct x86_vcpu *vcpu)
{
	struct x86_emulator *ctx = &vcpu->emul;
	u64 rip = ctx->rip;
	enum x86_emulator_mode mode = ctx->mode;
	u8 cpl = ctx->cpl;

	fill_context(vcpu);
	/* User space has put the vCPU elsewhere (a reset): forget it. */
	if (ctx->rip != rip || ctx->mode != mode || ctx->cpl != cpl)
		return X86_RESUME;
	return execute(vcpu, 0);
}

/* Step over an instruction whose work is done elsewhere. */
static int skip(struct x86_vcpu *vcpu)
{
	x86_emulator_skip(&vcpu->emul);
	take_over(vcpu);
	/* The caller sees to TF. */
	return X86_RESUME;
}

/*
 * #UD was intercepted: the other vendor's hypercall instruction is ours to do
 * something about, and RSM, which a guest's CPU is never in the mode for; everything
 * else is what the guest expects.
 */
static bool is_ours_after_ud(const struct x86_emulator *ctx)
{
	return ctx->insn.id == X86_EMULATOR_INSN_VMCALL ||
	       ctx->insn.id == X86_EMULATOR_INSN_VMMCALL ||
	       ctx->insn.id == X86_EMULATOR_INSN_RSM;
}

/* Forced, but its intercept does more than the instruction: exits to user space. */
static bool is_for_exit_handler(const struct x86_emulator *ctx)
{
	switch (ctx->insn.id) {
	case X86_EMULATOR_INSN_RDMSR:
	case X86_EMULATOR_INSN_WRMSR:
	case X86_EMULATOR_INSN_PAUSE:
	case X86_EMULATOR_INSN_VMCALL:
	case X86_EMULATOR_INSN_VMMCALL:
		return true;
	}
	return false;
}

static unsigned int force_emulation_prefix;
module_param(force_emulation_prefix, uint, 0644);
MODULE_PARM_DESC(force_emulation_prefix,
		 "emulate what follows UD2 and the letters kvm (for tests; 0: no)");

/* The prefix by which test suites ask that the instruction behind it be emulated. */
static bool prefixed(struct x86_vcpu *vcpu)
{
	static const u8 prefix[] = { 0x0f, 0x0b, 'k', 'v', 'm' };
	u32 access = X86_ACC_FETCH;
	struct x86_fault_info fault;
	u8 bytes[sizeof(prefix)];

	if (likely(!READ_ONCE(force_emulation_prefix)))
		return false;
	if (vendor_call(get_cpl)(vcpu) == 3)
		access |= X86_ACC_USER;
	if (x86_read_virt(vcpu, x86_get_linear_rip(vcpu), bytes, sizeof(bytes), access,
			  &fault) || memcmp(bytes, prefix, sizeof(prefix)))
		return false;
	x86_rip_write(vcpu, x86_rip_read(vcpu) + sizeof(prefix));
	return true;
}

int x86_emulate_instruction(struct x86_vcpu *vcpu, u64 cr2_or_gpa, int flags,
			    const void *insn, int len)
{
	struct x86_emulator *ctx = &vcpu->emul;
	int r;

	if (flags & X86_EMUL_NO_DECODE)
		return continue_instruction(vcpu);

	if (!(flags & (X86_EMUL_MMIO | X86_EMUL_PF)))
		vcpu->gpa_available = false;
	if (!vendor_call(can_emulate)(vcpu, insn, len))
		return X86_RESUME;
	if ((flags & X86_EMUL_TRAP_UD) && prefixed(vcpu))
		flags &= ~X86_EMUL_TRAP_UD;

	if (!(flags & X86_EMUL_SKIP))
		vcpu->core.stat.insn_emulation++;
	fill_context(vcpu);
	x86_io_begin(vcpu);
	if (!(flags & (X86_EMUL_SKIP | X86_EMUL_TRAP_UD)) && instruction_breakpoint(vcpu, &r))
		return r;

	x86_emulator_begin(ctx, insn, len);
	switch (x86_emulator_decode(ctx)) {
	case X86_EMULATOR_CONTINUE:
		break;
	case X86_EMULATOR_RETRY:
		return X86_RESUME;
	case X86_EMULATOR_FAULT:
		if ((flags & X86_EMUL_TRAP_UD) && ctx->exception.vector != PF_VECTOR)
			goto ud;
		return inject(vcpu);
	default:
		if (flags & X86_EMUL_FORCED)
			return X86_FOR_CPU;
		if (flags & X86_EMUL_TRAP_UD)
			goto ud;
		/* An exit whose instruction can't be skipped would come again at once. */
		if (flags & X86_EMUL_SKIP) {
			vcpu->core.stat.insn_emulation_fail++;
			x86_prepare_emulation_failure_exit(vcpu);
			return X86_USER;
		}
		return emulation_failed(vcpu);
	}

	if (flags & X86_EMUL_SKIP)
		return skip(vcpu);
	if ((flags & X86_EMUL_FORCED) && is_for_exit_handler(ctx))
		return X86_FOR_CPU;
	trace_kvm_emulate_insn(vcpu, false);
	if ((flags & X86_EMUL_TRAP_UD) && !is_ours_after_ud(ctx))
		goto ud;
	/* The guest can't execute it, as it does otherwise. */
	if (unlikely(vcpu->emulated) && x86_emul_is_hypercall(ctx))
		return x86_emulate_hypercall(vcpu);
	return execute(vcpu, flags);
ud:
	x86_queue_exception(vcpu, UD_VECTOR);
	return X86_RESUME;
}
EXPORT_SYMBOL_GPL(x86_emulate_instruction);

int x86_emulate_delivery(struct x86_vcpu *vcpu)
{
	struct x86_exception_state *ex = &vcpu->exception;
	enum x86_emulator_event event = X86_EMULATOR_EVENT_EXTERNAL;
	struct x86_emulator *ctx = &vcpu->emul;
	bool has_error_code = false;
	u8 vector = NMI_VECTOR_NR;

	if (ex->injected) {
		event = X86_EMULATOR_EVENT_EXCEPTION;
		vector = ex->vector;
		has_error_code = ex->has_error_code;
		/* A debugger's: what is pushed is no business of the CPU's rules. */
		if ((vector == BP_VECTOR || vector == OF_VECTOR) && !vcpu->emulated)
			return X86_FOR_CPU;
	} else if (!vcpu->nmi_injected) {
		vector = vcpu->interrupt.vector;
		if (vcpu->interrupt.soft && !vcpu->emulated)
			return X86_FOR_CPU;
	}

	vcpu->gpa_available = false;
	fill_context(vcpu);
	x86_io_begin(vcpu);
	x86_emulator_begin(ctx, NULL, 0);
	switch (x86_emulator_deliver(ctx, vector, event, has_error_code, ex->error_code)) {
	case X86_EMULATOR_CONTINUE:
		/* Others wait for the IRET (SDM 3A 6.7.1). */
		if (!ex->injected && vcpu->nmi_injected)
			vendor_call(set_nmi_mask)(vcpu, true);
		ex->injected = false;
		vcpu->nmi_injected = false;
		x86_clear_interrupt_queue(vcpu);
		return finish(vcpu);
	case X86_EMULATOR_FAULT:
		/* An interrupt has been acknowledged: it doesn't come again. */
		vcpu->nmi_injected = false;
		x86_clear_interrupt_queue(vcpu);
		return inject(vcpu);
	case X86_EMULATOR_RETRY:
		return X86_RESUME;
	}
	if (!vcpu->emulated)
		return X86_FOR_CPU;
	vcpu->core.stat.insn_emulation_fail++;
	if (vcpu->io.error)
		return vcpu->io.error;
	x86_prepare_emulation_failure_exit(vcpu);
	return X86_USER;
}

int x86_task_switch(struct x86_vcpu *vcpu, u16 tss_selector, int idt_index, int reason,
		    bool has_error_code, u32 error_code)
{
	struct x86_emulator *ctx = &vcpu->emul;
	int r;

	vcpu->gpa_available = false;
	fill_context(vcpu);
	x86_io_begin(vcpu);
	x86_emulator_begin(ctx, NULL, 0);
	r = x86_emulator_task_switch(ctx, tss_selector, idt_index, reason,
				     has_error_code, error_code);
	switch (r) {
	case X86_EMULATOR_CONTINUE:
		return finish(vcpu);
	case X86_EMULATOR_FAULT:
		/* Before or after the commit point: the context knows. */
		take_over(vcpu);
		return inject(vcpu);
	case X86_EMULATOR_RETRY:
		return X86_RESUME;
	}
	vcpu->core.stat.insn_emulation_fail++;
	if (vcpu->io.error)
		return vcpu->io.error;
	/* A TSS in MMIO: no task could run from there. */
	x86_prepare_emulation_failure_exit(vcpu);
	return X86_USER;
}
EXPORT_SYMBOL_GPL(x86_task_switch);
