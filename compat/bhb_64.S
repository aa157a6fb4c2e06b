/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The branch history overwritten, for kernels that have no such sequence themselves
 * (bhb.c): Intel's "Branch History Injection", "Software BHB-clearing sequence".
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/cpufeatures.h>
#include <asm/frame.h>
#include <asm/nospec-branch.h>

#ifndef X86_FEATURE_CLEAR_BHB_LOOP

	.section .noinstr.text, "ax"

/*
 * void kvmc_bhb_overwrite(unsigned int outer (edi), unsigned int inner (esi)); changes rax.
 *
 * Each outer round is a call deeper. RETs are in the upper half of a cache line: in the
 * lower one they could be predicted by what a guest has trained (Intel's "Indirect Target
 * Selection"). They return to the calls right here, so they need no thunk.
 */
SYM_FUNC_START(kvmc_bhb_overwrite)
	FRAME_BEGIN
	ANNOTATE_INTRA_FUNCTION_CALL
	call	1f
	jmp	5f

	.balign	64, 0xcc
	.skip	32 - (6f - 1f), 0xcc
	ANNOTATE_INTRA_FUNCTION_CALL
1:	call	2f
6:	ANNOTATE_UNRET_SAFE
	ret
	int3

	.balign	64, 0xcc
	.skip	32 - (7f - 2f), 0xcc
2:	mov	%esi, %eax
3:	jmp	4f
	nop
4:	sub	$1, %eax
	jnz	3b
	sub	$1, %edi
	jnz	1b
7:	ANNOTATE_UNRET_SAFE
	ret
	int3

5:	lfence
	FRAME_END
	RET
SYM_FUNC_END(kvmc_bhb_overwrite)

#endif
