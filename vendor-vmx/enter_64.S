/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMLAUNCH and VMRESUME on a 64 bit host, with what must stand next to them: the
 * register swap, SPEC_CTRL, and the barriers against speculation on the way in
 * and out.
 *
 * RSP, RIP and RFLAGS of guest and host are in the VMCS; all other general
 * registers are the guest's right after an exit (SDM 3C 28.5). IRQs are off and
 * stay so: an external interrupt ends the guest's run and stays pending.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <compat/asm.h>
#include <compat/spec_asm.h>
#include "arch-x86/gprs_64.h"
#include "enter_offsets.h"

#define HOST_RSP_FIELD	0x6c14	/* VMCS_HOST_RSP */

	.section .noinstr.text, "ax"

/* void vmx_enter_guest(struct vmx_enter_state *state (rdi), u64 *regs (rsi)) */
SYM_FUNC_START(vmx_enter_guest)
	X86_PUSH_CALLEE_SAVED
	push	%rdi			/* 8(%rsp): state */
	push	%rsi			/* (%rsp): regs */

	/* The stack to come back to: the same one, most of the time. */
	cmp	%rsp, VMX_ENTER_HOST_RSP(%rdi)
	je	1f
	mov	$HOST_RSP_FIELD, %eax
10:	vmwrite	%rsp, %rax
	mov	%rsp, VMX_ENTER_HOST_RSP(%rdi)
1:
	/* The guest's SPEC_CTRL, as late as a WRMSR can be. */
	cmpq	$0, VMX_ENTER_SWITCH_SPEC(%rdi)
	je	2f
	mov	VMX_ENTER_GUEST_SPEC(%rdi), %eax
	mov	VMX_ENTER_GUEST_SPEC + 4(%rdi), %edx
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	wrmsr
2:
	/* CF, which nothing below changes: VMRESUME. (VERW changes ZF.) */
	btl	$0, VMX_ENTER_LAUNCHED(%rdi)

	mov	REG(0)(%rsi), %rax
	X86_LOAD_GPRS

	KVMC_VM_CLEAR_CPU_BUFFERS
	jnc	3f
11:	vmresume
	jmp	5f
3:
12:	vmlaunch
	/* Here it has failed, with CF or ZF set: this jump is always taken. */
	jbe	5f

SYM_INNER_LABEL(vmx_exit_point, SYM_L_GLOBAL)
	KVMC_ENDBR
	push	%rax
	mov	8(%rsp), %rax		/* regs */
	pop	REG(0)(%rax)
	X86_STORE_GPRS

	mov	8(%rsp), %rdi
	movq	$0, VMX_ENTER_FAILED(%rdi)
4:
	xor	%eax, %eax
	X86_CLEAR_GPRS

	/* Before the first RET, and before SPEC_CTRL lets predictions loose. */
	KVMC_FILL_RSB %rax

	cmpq	$0, VMX_ENTER_SWITCH_SPEC(%rdi)
	je	6f
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	rdmsr
	mov	%eax, VMX_ENTER_GUEST_SPEC(%rdi)
	mov	%edx, VMX_ENTER_GUEST_SPEC + 4(%rdi)
	/* Also where it is the same: legacy IBRS wants the write itself. */
	mov	VMX_ENTER_HOST_SPEC(%rdi), %eax
	mov	VMX_ENTER_HOST_SPEC + 4(%rdi), %edx
	wrmsr
6:
	/* Also if it was guessed wrong that nothing must be written. */
	KVMC_SPEC_CTRL_BARRIER
	KVMC_CLEAR_BRANCH_HISTORY_VMEXIT

	pop	%rsi
	pop	%rdi
	X86_POP_CALLEE_SAVED
	RET

	/* The registers in memory are still the guest's. */
5:	mov	8(%rsp), %rdi
	movq	$1, VMX_ENTER_FAILED(%rdi)
	jmp	4b
	/* A fault: VMX is off, since the machine goes down. */
	_ASM_EXTABLE(10b, 5b)
	_ASM_EXTABLE(11b, 5b)
	_ASM_EXTABLE(12b, 5b)
SYM_FUNC_END(vmx_enter_guest)
