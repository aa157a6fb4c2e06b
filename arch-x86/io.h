/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Port I/O and MMIO of a vCPU: first to in-kernel devices, else to user space,
 * completed by vcpu->complete_userspace_io when KVM_RUN comes back. And guest
 * virtual memory for the emulator and for instruction handlers.
 * Implemented in arch-x86/io.c and arch-x86/emulate.c.
 */
#ifndef ARCH_X86_IO_H
#define ARCH_X86_IO_H

#include "arch-x86/regs.h"
#include "arch-x86/x86.h"

/**
 * x86_fast_pio() - IN or OUT of AL, AX or EAX: to a device of ours, or by
 *	KVM_EXIT_IO; then the instruction is skipped
 * @vcpu: the vCPU; privilege has been checked by the CPU
 * @size: 1, 2 or 4 bytes
 * @port: port
 * @in: IN, else OUT
 *
 * Context: the exit handler: loaded, SRCU held. Return: X86_RESUME, X86_USER.
 */
int x86_fast_pio(struct x86_vcpu *vcpu, int size, u16 port, bool in);

/**
 * x86_io_remember() / x86_io_still_there() - is the vCPU where it was when user space got
 *	its part of an instruction to do? If not (a reset), there is nothing to skip. Loaded
 */
static inline void x86_io_remember(struct x86_vcpu *vcpu)
{
	vcpu->io.linear_rip = x86_get_linear_rip(vcpu);
}

static inline bool x86_io_still_there(struct x86_vcpu *vcpu)
{
	return vcpu->io.linear_rip == x86_get_linear_rip(vcpu);
}

/**
 * x86_exit_pio() - likewise, when no device of ours is there: KVM_EXIT_IO
 *
 * Context: loaded; IRQs may be off. Return: X86_USER.
 */
int x86_exit_pio(struct x86_vcpu *vcpu, int size, u16 port, bool in);

/**
 * x86_exit_mov() - a plain MOV to or from MMIO that no device of ours hears: KVM_EXIT_MMIO
 * @vcpu: the vCPU, neither stepped nor watched by breakpoints
 * @insn: the instruction at RIP
 * @gpa: of its memory operand, all of which is in one page
 * @size: bytes, x86_peek_access()
 * @write: to memory
 *
 * A write is done, and RIP behind it; a read is completed by user space's answer. Context:
 * loaded; IRQs may be off. Return: X86_USER.
 */
int x86_exit_mov(struct x86_vcpu *vcpu, const struct x86_peek *insn, gpa_t gpa,
		 unsigned int size, bool write);

#define X86_EMUL_NO_DECODE	BIT(0)	/* complete a started instruction */
#define X86_EMUL_TRAP_UD	BIT(1)	/* from a #UD intercept: only the other vendor's hypercall */
#define X86_EMUL_SKIP		BIT(2)	/* only move RIP; the caller sees to TF */
#define X86_EMUL_MMIO		BIT(3)	/* no memory at the faulting gpa: vcpu->gpa_val */
#define X86_EMUL_PF		BIT(4)	/* a write to read-only memory: vcpu->gpa_val */
#define X86_EMUL_FORCED		BIT(5)	/* the CPU could do it, and does if we can't */

/* With X86_EMUL_FORCED: nothing has happened, enter the guest for it. */
#define X86_FOR_CPU		2

/**
 * x86_emulate_instruction() - decode and execute what is at RIP
 * @vcpu: the vCPU
 * @cr2_or_gpa: faulting address, or 0
 * @flags: X86_EMUL_*
 * @insn: bytes from the hardware, or NULL
 * @len: how many
 *
 * Context: the exit handler or the completion of an exit: loaded, SRCU held. Sleeps.
 * Return: X86_RESUME: done, an exception is queued, or to be tried again;
 * X86_USER: kvm_run is filled; -EFAULT: the process has no memory there; X86_FOR_CPU.
 */
int x86_emulate_instruction(struct x86_vcpu *vcpu, u64 cr2_or_gpa, int flags,
			    const void *insn, int len);

static inline int x86_emulate(struct x86_vcpu *vcpu, int flags)
{
	return x86_emulate_instruction(vcpu, 0, flags, NULL, 0);
}

/**
 * x86_emulate_delivery() - deliver through the IDT what x86_inject_events() has chosen
 *	and vendor_call(cancel_injection) has taken back (forced.c)
 * @vcpu: the vCPU; one of its exception, NMI and interrupt is injected
 *
 * If the delivery faults, that is queued, as a double fault where it is one.
 *
 * Context: as x86_emulate_instruction(). Return: X86_RESUME; X86_FOR_CPU: nothing has
 * happened; for a guest that the CPU refuses, X86_USER instead.
 */
int x86_emulate_delivery(struct x86_vcpu *vcpu);

/**
 * x86_task_switch() - a hardware task switch that the CPU left to us (SDM 3A 7.3,
 *	APM 2 15.14.1)
 * @vcpu: the vCPU; its RIP is what the old TSS shall hold
 * @tss_selector: of the new TSS
 * @idt_index: vector of a software interrupt through a task gate, or -1
 * @reason: enum x86_emulator_task_reason
 * @has_error_code: push @error_code on the new stack
 * @error_code: to push
 *
 * Context and return: as x86_emulate_instruction().
 */
int x86_task_switch(struct x86_vcpu *vcpu, u16 tss_selector, int idt_index, int reason,
		    bool has_error_code, u32 error_code);

/**
 * x86_read_virt() / x86_write_virt() - guest linear memory, with the checks of paging
 * @vcpu: the vCPU
 * @gva: linear address; may cross pages
 * @data: kernel buffer
 * @len: bytes
 * @access: X86_ACC_*
 * @fault: the guest's fault, if 1 is returned
 *
 * A write is checked whole before any of it is done. Context: loaded, SRCU held.
 * Sleeps. Return: 0; 1: *@fault; -EFAULT: there is no memory.
 */
int x86_read_virt(struct x86_vcpu *vcpu, u64 gva, void *data, unsigned int len,
		  u32 access, struct x86_fault_info *fault);
int x86_write_virt(struct x86_vcpu *vcpu, u64 gva, const void *data, unsigned int len,
		   u32 access, struct x86_fault_info *fault);

/**
 * x86_prepare_emulation_failure_exit() - fill kvm_run: KVM_EXIT_INTERNAL_ERROR,
 *	suberror EMULATION, with the bytes of the instruction last decoded
 * @vcpu: the vCPU, loaded
 */
void x86_prepare_emulation_failure_exit(struct x86_vcpu *vcpu);

/**
 * x86_vcpu_emulator_init() - bind the operations of vcpu->emul, at creation
 * @vcpu: the vCPU
 */
void x86_vcpu_emulator_init(struct x86_vcpu *vcpu);

/**
 * x86_emulator_cpuid_changed() - user space has set the guest's CPUID: which
 *	instructions exist follows it
 * @vcpu: the vCPU
 */
void x86_emulator_cpuid_changed(struct x86_vcpu *vcpu);

#endif
