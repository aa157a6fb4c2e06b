/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's handlers of an NMI and of interrupts, called: a frame as the event on this
 * stack would have pushed it (SDM 3A 6.14.2), whose return address is the CALL's. The
 * handler's IRET ends the blocking of NMIs. An NMI does not go through the IDT: its gate
 * switches to a stack where a further NMI would do harm. On 7.1 and later the kernel has
 * a function for it.
 */
#include <linux/linkage.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include <compat/asm.h>
#include <compat/config.h>

#ifndef HAVE_X86_ENTRY_FROM_KVM

/* RBP is the host's stack in between. */
.macro EVENT_FRAME
	push	%rbp
	mov	%rsp, %rbp
	and	$-16, %rsp
	push	$__KERNEL_DS
	push	%rbp
	pushf
	push	$__KERNEL_CS
.endm

/* IRET has taken the frame: this changes nothing, but objtool can follow it. */
.macro EVENT_RETURN
	mov	%rbp, %rsp
	pop	%rbp
	RET
.endm

	.section .noinstr.text, "ax"

/* void kvmc_call_nmi(void) */
SYM_FUNC_START(kvmc_call_nmi)
	EVENT_FRAME
#ifdef HAVE_ASM_EXC_NMI_KVM_VMX
	call	asm_exc_nmi_kvm_vmx
#else
	call	asm_exc_nmi_noist
#endif
	EVENT_RETURN
SYM_FUNC_END(kvmc_call_nmi)

	.text

/* void kvmc_call_gate(unsigned long handler (rdi)) */
SYM_FUNC_START(kvmc_call_gate)
	EVENT_FRAME
	CALL_NOSPEC rdi
	EVENT_RETURN
SYM_FUNC_END(kvmc_call_gate)

#endif
