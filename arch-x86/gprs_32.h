/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each vendor's enter_32.S does with the general registers: as gprs_64.h, with eight
 * registers, whose upper halves in the array stay 0. ESP is the vendor's, and so is EAX.
 */
#ifndef ARCH_X86_GPRS_32_H
#define ARCH_X86_GPRS_32_H

#define REG(n)	(n * 8)

/* Those that the C ABI has us keep; the arguments are at 8(%ebp) and up from then on. */
.macro X86_PUSH_CALLEE_SAVED
	push	%ebp
	mov	%esp, %ebp
	push	%ebx
	push	%esi
	push	%edi
.endm

.macro X86_POP_CALLEE_SAVED
	pop	%edi
	pop	%esi
	pop	%ebx
	pop	%ebp
.endm

/* The guest's, from the array at ESI, which goes last. */
.macro X86_LOAD_GPRS
	mov	REG(1)(%esi), %ecx
	mov	REG(2)(%esi), %edx
	mov	REG(3)(%esi), %ebx
	mov	REG(5)(%esi), %ebp
	mov	REG(7)(%esi), %edi
	mov	REG(6)(%esi), %esi
.endm

/* The guest's, to the array at EAX. */
.macro X86_STORE_GPRS
	mov	%ecx, REG(1)(%eax)
	mov	%edx, REG(2)(%eax)
	mov	%ebx, REG(3)(%eax)
	mov	%ebp, REG(5)(%eax)
	mov	%esi, REG(6)(%eax)
	mov	%edi, REG(7)(%eax)
.endm

/* Nothing of the guest's may steer the host, not even speculatively: all but EAX, EDI. */
.macro X86_CLEAR_GPRS
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%ebx, %ebx
	xor	%ebp, %ebp
	xor	%esi, %esi
.endm

#endif
