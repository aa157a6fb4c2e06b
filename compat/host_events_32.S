/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's handlers of an NMI and of interrupts, called: as host_events_64.S. In 32 bits
 * an IRET within the same privilege level takes three words.
 */
#include <linux/linkage.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include <compat/asm.h>
#include <compat/config.h>

#ifndef HAVE_X86_ENTRY_FROM_KVM

	.section .noinstr.text, "ax"

/* void kvmc_call_nmi(void) */
SYM_FUNC_START(kvmc_call_nmi)
	pushf
	push	%cs
	call	asm_exc_nmi
	RET
SYM_FUNC_END(kvmc_call_nmi)

	.text

/* void kvmc_call_gate(unsigned long handler), on the stack */
SYM_FUNC_START(kvmc_call_gate)
	mov	4(%esp), %eax
	pushf
	push	%cs
	CALL_NOSPEC eax
	RET
SYM_FUNC_END(kvmc_call_gate)

#endif
