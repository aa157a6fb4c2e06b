/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exits that are handled in the inner loop: called by the vendors' fast_exit()
 * between an exit and the next entry, IRQs off, with the guest's FPU, XCR0 and PKRU in
 * the CPU, RCU watching.
 */
#ifndef ARCH_X86_INNER_H
#define ARCH_X86_INNER_H

#include <asm/processor-flags.h>

#include "arch-x86/run.h"
#include "arch-x86/vendor.h"

/**
 * x86_inner_allowed() - may the vCPU stay in the inner loop for an instruction at all?
 * @vcpu: the vCPU
 * @rflags: what it runs with
 *
 * Not while it is stepped, by a debugger, by its own TF, or by us: what follows an
 * instruction is the outer loop's then.
 */
static inline bool x86_inner_allowed(struct x86_vcpu *vcpu, unsigned long rflags)
{
	return !vcpu->core.guest_debug && !vcpu->tsc_always_catchup &&
	       !(rflags & X86_EFLAGS_TF) && !READ_ONCE(x86_force_emulation);
}

/**
 * x86_inner_cpuid() ... x86_inner_set_cr() - do an intercepted instruction and step over it
 * @vcpu: the vCPU, for which x86_inner_allowed() is true; next_rip says where the
 *	instruction ends
 * @size, @port, @in: as x86_fast_pio()
 * @cr: 0, 3, 4 or 8
 * @val: to be written
 *
 * Return: X86_FASTPATH_REENTER, X86_FASTPATH_USER; X86_FASTPATH_NONE: nothing has happened, it
 * is for handle_exit().
 */
enum x86_fastpath x86_inner_cpuid(struct x86_vcpu *vcpu);
enum x86_fastpath x86_inner_rdmsr(struct x86_vcpu *vcpu);
enum x86_fastpath x86_inner_wrmsr(struct x86_vcpu *vcpu);
enum x86_fastpath x86_inner_hypercall(struct x86_vcpu *vcpu);
enum x86_fastpath x86_inner_pio(struct x86_vcpu *vcpu, int size, u16 port, bool in);
enum x86_fastpath x86_inner_set_cr(struct x86_vcpu *vcpu, unsigned int cr, u64 val);

/** x86_inner_get_cr() - likewise: MOV of a control register to general register @reg */
enum x86_fastpath x86_inner_get_cr(struct x86_vcpu *vcpu, unsigned int cr, enum x86_reg reg);

/**
 * x86_inner_page_fault() - a nested page fault: of memory that is there; or an eventfd, the
 *	local APIC or a device of ours hears a plain MOV
 * @vcpu: as above; where an instruction ends is found out here
 * @gpa: where
 * @error_code: PFERR_*
 *
 * Return: as above.
 */
enum x86_fastpath x86_inner_page_fault(struct x86_vcpu *vcpu, gpa_t gpa, u64 error_code);

#endif
