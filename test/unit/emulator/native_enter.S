/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way into code under test and the way out. All addresses are absolute: the
 * code under test may have left anything in the registers.
 */
#include "native.h"

	.macro load_registers ss
	pushq	NATIVE_STATE + NATIVE_RFLAGS
	popfq
	mov	NATIVE_STATE + 0x00, %rax
	mov	NATIVE_STATE + 0x08, %rcx
	mov	NATIVE_STATE + 0x10, %rdx
	mov	NATIVE_STATE + 0x18, %rbx
	.if	\ss
	mov	NATIVE_STATE + NATIVE_SEGMENTS + 4, %ss
	.endif
	mov	NATIVE_STATE + 0x20, %rsp
	mov	NATIVE_STATE + 0x28, %rbp
	mov	NATIVE_STATE + 0x30, %rsi
	mov	NATIVE_STATE + 0x38, %rdi
	.irp	i, 8, 9, 10, 11, 12, 13, 14, 15
	mov	NATIVE_STATE + 8 * \i, %r\i
	.endr
	.endm

	.text
	.globl native_enter
	.type native_enter, @function
native_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, NATIVE_STATE + NATIVE_HOST_RSP
	cmpb	$0, NATIVE_STATE + NATIVE_AVX512
	je	1f
	.irp	i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	vmovdqu64 NATIVE_STATE + NATIVE_VECTORS + 64 * \i, %zmm\i
	.endr
	jmp	2f
1:
	.irp	i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu	NATIVE_STATE + NATIVE_VECTORS + 64 * \i, %ymm\i
	.endr
2:
	frstor	NATIVE_STATE + NATIVE_X87
	cmpl	$0, NATIVE_STATE + NATIVE_FAR + 4
	je	3f
	mov	NATIVE_STATE + NATIVE_SEGMENTS + 0, %es
	mov	NATIVE_STATE + NATIVE_SEGMENTS + 6, %ds
	cmpw	$0, NATIVE_STATE + NATIVE_SEGMENTS + 8
	je	1f
	mov	NATIVE_STATE + NATIVE_SEGMENTS + 8, %fs
	mov	NATIVE_STATE + NATIVE_SEGMENTS + 10, %gs
1:
	load_registers ss=1
	ljmp	*NATIVE_STATE + NATIVE_FAR
3:
	load_registers ss=0
	jmp	*NATIVE_STATE + NATIVE_FAR
	.size native_enter, . - native_enter

	/* Copied to NATIVE_EXIT, and run there. */
	.globl native_exit
native_exit:
	mov	%rax, NATIVE_STATE + 0x00
	mov	%rcx, NATIVE_STATE + 0x08
	mov	%rdx, NATIVE_STATE + 0x10
	mov	%rbx, NATIVE_STATE + 0x18
	mov	%rsp, NATIVE_STATE + 0x20
	mov	%rbp, NATIVE_STATE + 0x28
	mov	%rsi, NATIVE_STATE + 0x30
	mov	%rdi, NATIVE_STATE + 0x38
	.irp	i, 8, 9, 10, 11, 12, 13, 14, 15
	mov	%r\i, NATIVE_STATE + 8 * \i
	.endr
	mov	NATIVE_STATE + NATIVE_HOST_RSP, %rsp
	pushfq
	popq	NATIVE_STATE + NATIVE_RFLAGS
	cld
	cmpl	$0, NATIVE_STATE + NATIVE_FAR + 4
	je	1f
	mov	$NATIVE_SS64, %eax
	mov	%eax, %ss
1:
	/* arch_prctl(ARCH_SET_FS): this thread's variables are behind it. */
	cmpw	$0, NATIVE_STATE + NATIVE_SEGMENTS + 8
	je	1f
	mov	$158, %eax
	mov	$0x1002, %edi
	mov	NATIVE_STATE + NATIVE_HOST_FS, %rsi
	syscall
1:
	cmpb	$0, NATIVE_STATE + NATIVE_AVX512
	je	1f
	.irp	i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	vmovdqu64 %zmm\i, NATIVE_STATE + NATIVE_VECTORS + 64 * \i
	.endr
	jmp	2f
1:
	.irp	i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu	%ymm\i, NATIVE_STATE + NATIVE_VECTORS + 64 * \i
	.endr
2:
	fnsave	NATIVE_STATE + NATIVE_X87
	vzeroupper
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.globl native_exit_end
native_exit_end:

	.section .note.GNU-stack, "", @progbits
