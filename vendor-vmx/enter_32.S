/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMLAUNCH and VMRESUME on a 32 bit host: as enter_64.S, with eight registers,
 * whose upper halves in regs[] stay 0 (a guest on such a host never runs in long
 * mode). Host segments can't have an RPL in the VMCS: DS and ES are set here.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include <compat/asm.h>
#include <compat/spec_asm.h>
#include "arch-x86/gprs_32.h"
#include "enter_offsets.h"

#define HOST_RSP_FIELD	0x6c14	/* VMCS_HOST_RSP */

	.section .noinstr.text, "ax"

/* void vmx_enter_guest(struct vmx_enter_state *state, u64 *regs), both on the stack */
SYM_FUNC_START(vmx_enter_guest)
	X86_PUSH_CALLEE_SAVED
	push	8(%ebp)			/* 4(%esp): state */
	push	12(%ebp)		/* (%esp): regs */

	mov	8(%ebp), %edi
	mov	12(%ebp), %esi

	cmp	%esp, VMX_ENTER_HOST_RSP(%edi)
	je	1f
	mov	$HOST_RSP_FIELD, %eax
10:	vmwrite	%esp, %eax
	mov	%esp, VMX_ENTER_HOST_RSP(%edi)
1:
	cmpl	$0, VMX_ENTER_SWITCH_SPEC(%edi)
	je	2f
	mov	VMX_ENTER_GUEST_SPEC(%edi), %eax
	mov	VMX_ENTER_GUEST_SPEC + 4(%edi), %edx
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	wrmsr
2:
	btl	$0, VMX_ENTER_LAUNCHED(%edi)

	mov	REG(0)(%esi), %eax
	X86_LOAD_GPRS

	KVMC_VM_CLEAR_CPU_BUFFERS
	jnc	3f
11:	vmresume
	jmp	5f
3:
12:	vmlaunch
	jbe	5f

SYM_INNER_LABEL(vmx_exit_point, SYM_L_GLOBAL)
	push	%eax
	mov	$__USER_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	4(%esp), %eax		/* regs */
	pop	REG(0)(%eax)
	X86_STORE_GPRS

	mov	4(%esp), %edi
	movl	$0, VMX_ENTER_FAILED(%edi)
4:
	xor	%eax, %eax
	X86_CLEAR_GPRS

	KVMC_FILL_RSB %eax

	cmpl	$0, VMX_ENTER_SWITCH_SPEC(%edi)
	je	6f
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	rdmsr
	mov	%eax, VMX_ENTER_GUEST_SPEC(%edi)
	mov	%edx, VMX_ENTER_GUEST_SPEC + 4(%edi)
	mov	VMX_ENTER_HOST_SPEC(%edi), %eax
	mov	VMX_ENTER_HOST_SPEC + 4(%edi), %edx
	wrmsr
6:
	/* Also if it was guessed wrong that nothing must be written. */
	KVMC_SPEC_CTRL_BARRIER
	KVMC_CLEAR_BRANCH_HISTORY_VMEXIT

	add	$8, %esp
	X86_POP_CALLEE_SAVED
	RET

	/* The registers in memory are still the guest's. */
5:	mov	4(%esp), %edi
	movl	$1, VMX_ENTER_FAILED(%edi)
	jmp	4b
	_ASM_EXTABLE(10b, 5b)
	_ASM_EXTABLE(11b, 5b)
	_ASM_EXTABLE(12b, 5b)
SYM_FUNC_END(vmx_enter_guest)
