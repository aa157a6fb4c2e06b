/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMRUN on a 32 bit host: as enter_64.S, with eight registers, whose upper
 * halves in regs[] stay 0 (a guest on such a host never runs in long mode).
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <compat/asm.h>
#include <compat/spec_asm.h>
#include "arch-x86/gprs_32.h"
#include "enter_offsets.h"

	.section .noinstr.text, "ax"

/* void svm_enter_guest(struct svm_enter_state *state, u64 *regs), both on the stack */
SYM_FUNC_START(svm_enter_guest)
	X86_PUSH_CALLEE_SAVED
	push	8(%ebp)			/* 4(%esp): state */
	push	12(%ebp)		/* (%esp): regs */

	mov	8(%ebp), %edi
	mov	12(%ebp), %esi

10:	clgi
11:	sti			/* its shadow must be over at VMRUN */
	cmpl	$0, SVM_ENTER_SWITCH_SPEC(%edi)
	je	1f
	mov	SVM_ENTER_GUEST_SPEC(%edi), %eax
	mov	SVM_ENTER_GUEST_SPEC + 4(%edi), %edx
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	wrmsr
1:
	mov	SVM_ENTER_VMCB_PA(%edi), %eax
12:	vmload	%eax
13:
	X86_LOAD_GPRS

	KVMC_VM_CLEAR_CPU_BUFFERS
2:	vmrun	%eax
3:	cli

14:	vmsave	%eax
15:	mov	(%esp), %eax
	X86_STORE_GPRS

	X86_CLEAR_GPRS

	mov	4(%esp), %edi
	mov	SVM_ENTER_HOST_PA(%edi), %eax
16:	vmload	%eax
17:
	KVMC_FILL_RSB %eax

	cmpl	$0, SVM_ENTER_SWITCH_SPEC(%edi)
	je	4f
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	rdmsr
	mov	%eax, SVM_ENTER_GUEST_SPEC(%edi)
	mov	%edx, SVM_ENTER_GUEST_SPEC + 4(%edi)
	mov	SVM_ENTER_HOST_SPEC(%edi), %eax
	mov	SVM_ENTER_HOST_SPEC + 4(%edi), %edx
	wrmsr
4:
	/* Before the first RET: it could be steered by what the guest trained. */
	KVMC_UNTRAIN_RET
	KVMC_CLEAR_BRANCH_HISTORY_VMEXIT

18:	stgi
19:
	add	$8, %esp
	X86_POP_CALLEE_SAVED
	RET

	/* As in enter_64.S: SVME was taken away under us. */
5:	mov	4(%esp), %ecx
	movl	$1, SVM_ENTER_FAULTED(%ecx)
	jmp	3b
	_ASM_EXTABLE(10b, 11b)
	_ASM_EXTABLE(12b, 13b)
	_ASM_EXTABLE(2b, 5b)
	_ASM_EXTABLE(14b, 15b)
	_ASM_EXTABLE(16b, 17b)
	_ASM_EXTABLE(18b, 19b)
SYM_FUNC_END(svm_enter_guest)
