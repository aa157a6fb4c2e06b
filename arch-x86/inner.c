// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits that need nothing that sleeps, handled where they are found: in the inner loop, IRQs
 * off. Owns the answer to "which". What an instruction does is said elsewhere, once, for
 * both loops; here is what of it may be done now.
 *
 * IRQs are off and may be waited for by an IPI: no lock is waited for here whose holder waits for
 * one. Guest memory is read with page faults off (peek.c); if the guest's own PKRU forbids it
 * to us, too, the outer loop does better.
 */
#include <linux/export.h>
#include <linux/kvm_para.h>
#include <linux/mm.h>

#include "arch-x86/cpu/msr.h"
#include "arch-x86/events.h"
#include "arch-x86/inner.h"
#include "arch-x86/io.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/mmu/mmu.h"
#include "arch-x86/peek.h"
#include "arch-x86/regs.h"
#include "arch-x86/trace.h"
#include "arch-x86/vendor_call.h"
#include "core/io_bus.h"
#include "core/memslot.h"

/* A handler's result; an exception that it has queued is a request. */
static enum x86_fastpath done(int r)
{
	return r == X86_RESUME ? X86_FASTPATH_REENTER : X86_FASTPATH_USER;
}

/* Behind an instruction whose end is known: it is not stepped (x86_inner_allowed()). */
static enum x86_fastpath step_over(struct x86_vcpu *vcpu)
{
	x86_end_insn(vcpu, vcpu->next_rip);
	vcpu->next_rip = 0;
	return X86_FASTPATH_REENTER;
}

/* ---- instructions ------------------------------------------------------------ */

enum x86_fastpath x86_inner_cpuid(struct x86_vcpu *vcpu)
{
	return done(x86_emulate_cpuid(vcpu));
}
EXPORT_SYMBOL_GPL(x86_inner_cpuid);

enum x86_fastpath x86_inner_rdmsr(struct x86_vcpu *vcpu)
{
	u32 index = x86_reg_read(vcpu, X86_REG_RCX);

	/* Reading never sleeps; but see what an APIC shows. */
	if (index >= 0x800 && index <= 0x8ff && !x86_lapic_ready_irqoff(vcpu))
		return X86_FASTPATH_NONE;
	return done(x86_emulate_rdmsr(vcpu));
}
EXPORT_SYMBOL_GPL(x86_inner_rdmsr);

enum x86_fastpath x86_inner_wrmsr(struct x86_vcpu *vcpu)
{
	u32 index = x86_reg_read(vcpu, X86_REG_RCX);

	if (!x86_set_msr_irqoff(vcpu, index, x86_edx_eax(vcpu)))
		return X86_FASTPATH_NONE;
	return step_over(vcpu);
}
EXPORT_SYMBOL_GPL(x86_inner_wrmsr);

enum x86_fastpath x86_inner_hypercall(struct x86_vcpu *vcpu)
{
	/* By the low half: the upper one may not count. */
	switch ((u32)x86_rax_read(vcpu)) {
	case KVM_HC_CLOCK_PAIRING:	/* writes to the guest */
	case KVM_HC_SCHED_YIELD:	/* schedules */
	case KVM_HC_MAP_GPA_RANGE:	/* user space's */
		return X86_FASTPATH_NONE;
	}
	return done(x86_emulate_hypercall(vcpu));
}
EXPORT_SYMBOL_GPL(x86_inner_hypercall);

enum x86_fastpath x86_inner_pio(struct x86_vcpu *vcpu, int size, u16 port, bool in)
{
	struct kvm_vcpu *core = &vcpu->core;
	u32 val = in ? 0 : x86_rax_read(vcpu);
	int r;

	if (in)
		r = kvm_io_bus_read_irqoff(core, KVM_PIO_BUS, port, size, &val);
	else
		r = kvm_io_bus_write_irqoff(core, KVM_PIO_BUS, port, size, &val);
	/* Somebody's who may not be asked now, or user space's. */
	if (r && kvm_io_bus_may_listen(core, KVM_PIO_BUS, port))
		return X86_FASTPATH_NONE;
	core->stat.io_exits++;
	if (!r || !in)
		trace_kvm_pio(in ? KVM_PIO_IN : KVM_PIO_OUT, port, size, 1, &val);
	if (r)
		return done(x86_exit_pio(vcpu, size, port, in));
	if (in)
		x86_write_sized(vcpu, X86_REG_RAX, val, size);
	return step_over(vcpu);
}
EXPORT_SYMBOL_GPL(x86_inner_pio);

/* ---- control registers --------------------------------------------------------- */

/* Those that neither translations nor the state around the inner loop hang on. */
#define QUIET_CR0	(X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | X86_CR0_NE | X86_CR0_AM)
#define QUIET_CR4	(X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_MCE | \
			 X86_CR4_PCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_UMIP | \
			 X86_CR4_FSGSBASE)

enum x86_fastpath x86_inner_set_cr(struct x86_vcpu *vcpu, unsigned int cr, u64 val)
{
	int err;

	switch (cr) {
	case 0:
		if ((val ^ x86_cr0(vcpu)) & ~(u64)QUIET_CR0)
			return X86_FASTPATH_NONE;
		err = x86_set_cr0(vcpu, val);
		break;
	case 4:
		if ((val ^ x86_cr4(vcpu)) & ~(u64)QUIET_CR4)
			return X86_FASTPATH_NONE;
		err = x86_set_cr4(vcpu, val);
		break;
	default:
		return X86_FASTPATH_NONE;
	}
	return done(x86_complete_insn_gp(vcpu, err));
}
EXPORT_SYMBOL_GPL(x86_inner_set_cr);

enum x86_fastpath x86_inner_get_cr(struct x86_vcpu *vcpu, unsigned int cr, enum x86_reg reg)
{
	u64 val;

	switch (cr) {
	case 0:
		val = x86_cr0(vcpu);
		break;
	case 4:
		val = x86_cr4(vcpu);
		break;
	default:
		return X86_FASTPATH_NONE;
	}
	x86_reg_write(vcpu, reg, x86_is_64bit_mode(vcpu) ? val : (u32)val);
	return step_over(vcpu);
}
EXPORT_SYMBOL_GPL(x86_inner_get_cr);

/* ---- MMIO ------------------------------------------------------------------------ */

static void count_mmio(struct x86_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	trace_kvm_page_fault(vcpu, gpa, error_code);
	vcpu->core.stat.pf_taken++;
	vcpu->core.stat.pf_emulate++;
	vcpu->core.stat.insn_emulation++;
}

static int device_write(struct x86_vcpu *vcpu, gpa_t gpa, unsigned int size, u64 val)
{
	int r = -EOPNOTSUPP;

	if (x86_has_lapic(vcpu))
		r = x86_lapic_mmio_write_irqoff(vcpu, gpa, size, &val);
	if (r == -EOPNOTSUPP)
		r = kvm_io_bus_write_irqoff(&vcpu->core, KVM_MMIO_BUS, gpa, size, &val);
	if (!r)
		trace_kvm_mmio(KVM_TRACE_MMIO_WRITE, size, gpa, &val);
	return r;
}

static int device_read(struct x86_vcpu *vcpu, gpa_t gpa, unsigned int size, u64 *val)
{
	int r = -EOPNOTSUPP;

	*val = 0;
	if (x86_has_lapic(vcpu))
		r = x86_lapic_mmio_read_irqoff(vcpu, gpa, size, val);
	if (r == -EOPNOTSUPP)
		r = kvm_io_bus_read_irqoff(&vcpu->core, KVM_MMIO_BUS, gpa, size, val);
	if (!r)
		trace_kvm_mmio(KVM_TRACE_MMIO_READ, size, gpa, val);
	return r;
}

/* Else it is user space's. */
static bool may_be_device(struct x86_vcpu *vcpu, gpa_t gpa, bool write)
{
	if (x86_has_lapic(vcpu) && gpa_to_gfn(gpa) == gpa_to_gfn(vcpu->apic_base))
		return true;
	return kvm_io_bus_may_listen(&vcpu->core, KVM_MMIO_BUS, gpa) ||
	       (write && kvm_io_bus_may_listen(&vcpu->core, KVM_FAST_MMIO_BUS, gpa));
}

static enum x86_fastpath inner_mmio(struct x86_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	bool write = error_code & PFERR_WRITE;
	const struct x86_peek *p;
	unsigned int size;
	u64 val;

	/* A page of ours; a page table or code; an event that met it on its way; breakpoints. */
	if ((error_code & (PFERR_PRESENT | PFERR_RSVD | PFERR_FETCH | PFERR_GUEST_PAGE)) ||
	    x86_event_reinjection(vcpu) || vcpu->dr_dirty || (vcpu->dr7 & 0xff))
		return X86_FASTPATH_NONE;
	p = x86_peek_insn(vcpu);
	if (!p)
		return X86_FASTPATH_NONE;
	size = x86_peek_access(p, write);
	/* The fault tells the address; but of a second page only that it is there. */
	if (!size || offset_in_page(gpa) + size > PAGE_SIZE ||
	    x86_peek_operand_offset(vcpu, p) != offset_in_page(gpa))
		return X86_FASTPATH_NONE;

	if (!may_be_device(vcpu, gpa, write)) {
		count_mmio(vcpu, gpa, error_code);
		return done(x86_exit_mov(vcpu, p, gpa, size, write));
	}
	if (write && !kvm_io_bus_write_irqoff(&vcpu->core, KVM_FAST_MMIO_BUS, gpa, 0, NULL)) {
		vcpu->core.stat.pf_taken++;
		trace_kvm_page_fault(vcpu, gpa, error_code);
		trace_kvm_fast_mmio(gpa);
		x86_end_insn(vcpu, x86_peek_next_rip(vcpu, p));
		return X86_FASTPATH_REENTER;
	}
	if (write) {
		if (device_write(vcpu, gpa, size, x86_peek_stored(vcpu, p)))
			return X86_FASTPATH_NONE;
	} else {
		if (device_read(vcpu, gpa, size, &val))
			return X86_FASTPATH_NONE;
		x86_peek_load(vcpu, p, val);
	}
	count_mmio(vcpu, gpa, error_code);
	x86_end_insn(vcpu, x86_peek_next_rip(vcpu, p));
	return X86_FASTPATH_REENTER;
}

enum x86_fastpath x86_inner_page_fault(struct x86_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return X86_FASTPATH_NONE;
	if (!kvm_vcpu_gfn_to_memslot(&vcpu->core, gpa_to_gfn(gpa)))
		return inner_mmio(vcpu, gpa, error_code);
	return x86_mmu_page_fault_irqoff(vcpu, gpa, error_code) ? X86_FASTPATH_REENTER
								 : X86_FASTPATH_NONE;
}
EXPORT_SYMBOL_GPL(x86_inner_page_fault);
