/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's NMI handler, called: a frame as an NMI on this stack would have pushed it
 * (SDM 3A 6.14.2), whose return address is the CALL's. The handler's IRET ends the
 * blocking of NMIs. Not through the IDT: its gate switches to a stack where a further
 * NMI would do harm. On 7.1 and later the kernel has a function for it.
 */
#include <linux/linkage.h>
#include <asm/segment.h>
#include <compat/asm.h>
#include <compat/config.h>

#ifndef HAVE_X86_ENTRY_FROM_KVM

	.section .noinstr.text, "ax"

/* void kvmc_call_nmi(void) */
SYM_FUNC_START(kvmc_call_nmi)
	push	%rbp
	mov	%rsp, %rbp
	and	$-16, %rsp
	push	$__KERNEL_DS
	push	%rbp
	pushf
	push	$__KERNEL_CS
#ifdef HAVE_ASM_EXC_NMI_KVM_VMX
	call	asm_exc_nmi_kvm_vmx
#else
	call	asm_exc_nmi_noist
#endif
	/* IRET has taken the frame: this changes nothing, but objtool can follow it. */
	mov	%rbp, %rsp
	pop	%rbp
	RET
SYM_FUNC_END(kvmc_call_nmi)

#endif
