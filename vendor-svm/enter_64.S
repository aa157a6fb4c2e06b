/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMRUN on a 64 bit host, with what must stand next to it: the register swap,
 * VMLOAD/VMSAVE of guest and host, SPEC_CTRL, and the barriers against
 * speculation on the way in and out.
 *
 * RAX and RSP of the guest are in the VMCB. VMRUN saves the host's RAX, RSP and RIP
 * itself (APM 2 15.5.1), so that at #VMEXIT RAX is the VMCB's address again
 * and RSP this stack.
 *
 * Interrupts: GIF is 0 from CLGI to STGI. RFLAGS.IF is set for VMRUN, since with
 * V_INTR_MASKING the host's IF decides whether an external interrupt ends the
 * guest's run (APM 2 15.21.1). STI stands well before it: the shadow of an STI
 * right before VMRUN would become the guest's.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <compat/asm.h>
#include <compat/spec_asm.h>
#include "arch-x86/gprs_64.h"
#include "enter_offsets.h"

	.section .noinstr.text, "ax"

/* void svm_enter_guest(struct svm_enter_state *state (rdi), u64 *regs (rsi)) */
SYM_FUNC_START(svm_enter_guest)
	X86_PUSH_CALLEE_SAVED
	push	%rdi			/* 8(%rsp): state */
	push	%rsi			/* (%rsp): regs */

10:	clgi
11:	sti

	/* The guest's SPEC_CTRL, as late as a WRMSR can be. */
	cmpq	$0, SVM_ENTER_SWITCH_SPEC(%rdi)
	je	1f
	mov	SVM_ENTER_GUEST_SPEC(%rdi), %eax
	mov	SVM_ENTER_GUEST_SPEC + 4(%rdi), %edx
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	wrmsr
1:
	mov	SVM_ENTER_VMCB_PA(%rdi), %rax
12:	vmload	%rax
13:
	X86_LOAD_GPRS

	KVMC_VM_CLEAR_CPU_BUFFERS
2:	vmrun	%rax
3:	cli

14:	vmsave	%rax
15:	mov	(%rsp), %rax
	X86_STORE_GPRS

	X86_CLEAR_GPRS

	mov	8(%rsp), %rdi
	mov	SVM_ENTER_HOST_PA(%rdi), %rax
16:	vmload	%rax
17:
	KVMC_FILL_RSB %rax

	cmpq	$0, SVM_ENTER_SWITCH_SPEC(%rdi)
	je	4f
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	rdmsr
	mov	%eax, SVM_ENTER_GUEST_SPEC(%rdi)
	mov	%edx, SVM_ENTER_GUEST_SPEC + 4(%rdi)
	mov	SVM_ENTER_HOST_SPEC(%rdi), %eax
	mov	SVM_ENTER_HOST_SPEC + 4(%rdi), %edx
	wrmsr
4:
	/* Before the first RET: it could be steered by what the guest trained. */
	KVMC_UNTRAIN_RET
	KVMC_CLEAR_BRANCH_HISTORY_VMEXIT

18:	stgi
19:

	pop	%rsi
	pop	%rdi
	X86_POP_CALLEE_SAVED
	RET

	/*
	 * These fault only when a reboot or crash took SVME away under us: go
	 * past each; VMRUN's caller is told.
	 */
5:	mov	8(%rsp), %rcx
	movq	$1, SVM_ENTER_FAULTED(%rcx)
	jmp	3b
	_ASM_EXTABLE(10b, 11b)
	_ASM_EXTABLE(12b, 13b)
	_ASM_EXTABLE(2b, 5b)
	_ASM_EXTABLE(14b, 15b)
	_ASM_EXTABLE(16b, 17b)
	_ASM_EXTABLE(18b, 19b)
SYM_FUNC_END(svm_enter_guest)
