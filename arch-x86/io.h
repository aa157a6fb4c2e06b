/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Port I/O and MMIO of a vCPU: first to in-kernel devices, else to user space,
 * completed by vcpu->complete_userspace_io when KVM_RUN comes back. And guest
 * virtual memory for the emulator and for instruction handlers.
 * Implemented in arch-x86/io.c and arch-x86/emulate.c.
 */
#ifndef ARCH_X86_IO_H
#define ARCH_X86_IO_H

#include "arch-x86/x86.h"

/** x86_fast_pio() - IN/OUT AL/AX/EAX without REP; skips the instruction.
 *  X86_RESUME, X86_USER. */
int x86_fast_pio(struct x86_vcpu *vcpu, int size, u16 port, bool in);

/** x86_emulate_instruction() - decode and execute what is at RIP
 *  @cr2_or_gpa: faulting address, or 0
 *  @flags: X86_EMUL_*
 *  @insn/@len: bytes from the hardware or NULL
 *  X86_RESUME, X86_USER. */
#define X86_EMUL_NO_DECODE	BIT(0)	/* complete a started instruction */
#define X86_EMUL_TRAP_UD	BIT(1)	/* from a #UD intercept: only patched hypercalls etc. */
#define X86_EMUL_SKIP		BIT(2)	/* only move RIP */
#define X86_EMUL_MMIO		BIT(3)	/* the fault is known to be MMIO: gpa valid */
#define X86_EMUL_COMPLETE_USER_EXIT BIT(4)
#define X86_EMUL_PF		BIT(5)
int x86_emulate_instruction(struct x86_vcpu *vcpu, u64 cr2_or_gpa, int flags,
			    const void *insn, int len);
static inline int x86_emulate(struct x86_vcpu *vcpu, int flags)
{
	return x86_emulate_instruction(vcpu, 0, flags, NULL, 0);
}

/** x86_task_switch() - SVM/VMX task switch exit. X86_RESUME, X86_USER. */
int x86_task_switch(struct x86_vcpu *vcpu, u16 tss_selector, int idt_index, int reason,
		    bool has_error_code, u32 error_code);

/** x86_read_virt() / x86_write_virt() - guest linear memory with checks.
 *  @access: X86_ACC_*. X86 fault in @fault if it returns 1; 0 done; -EFAULT no memory */
int x86_read_virt(struct x86_vcpu *vcpu, u64 gva, void *data, unsigned int len,
		  u32 access, struct x86_fault_info *fault);
int x86_write_virt(struct x86_vcpu *vcpu, u64 gva, const void *data, unsigned int len,
		   u32 access, struct x86_fault_info *fault);

/** x86_prepare_emulation_failure_exit() - fill kvm_run: KVM_EXIT_INTERNAL_ERROR,
 *  suberror EMULATION, with the instruction bytes and flags. */
void x86_prepare_emulation_failure_exit(struct x86_vcpu *vcpu);

/** x86_vcpu_emulator_init() - set the ops of vcpu->emul at creation */
void x86_vcpu_emulator_init(struct x86_vcpu *vcpu);

/** x86_emulator_cpuid_changed() - user space has set the guest's CPUID: which
 *  instructions exist follows it */
void x86_emulator_cpuid_changed(struct x86_vcpu *vcpu);

#endif
