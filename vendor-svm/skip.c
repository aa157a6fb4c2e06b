// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stepping over an intercepted instruction: by the next RIP that the CPU saved,
 * by what the exit told, by a look at its bytes, or by decoding it.
 */
#include "arch-x86/io.h"
#include "arch-x86/peek.h"
#include "vendor-svm/svm.h"

bool svm_insn_ends(struct svm_vcpu *svm, u32 opcode)
{
	struct x86_peek p;

	if (svm_features.nrips)
		return svm->vmcb->control.next_rip;
	if (!x86_peek_insn(&svm->x86, &p) || p.opcode != opcode)
		return false;
	svm->next_rip = x86_peek_next_rip(&svm->x86, &p);
	return true;
}

int svm_skip_insn(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	u64 next = svm_features.nrips ? svm->vmcb->control.next_rip : svm->next_rip;

	/* The CPU leaves 0 where it does not know (APM 2 15.7.1). */
	if (!next)
		return x86_emulate(vcpu, X86_EMUL_SKIP);

	x86_rip_write(vcpu, next);
	svm->next_rip = 0;
	svm->vmcb->control.next_rip = 0;
	svm_set_interrupt_shadow(vcpu, 0);
	/* It is done: a breakpoint on the next one counts (APM 2 3.1.6). */
	if (unlikely(svm->vmcb->save.rflags & X86_EFLAGS_RF))
		svm_set_rflags(vcpu, svm_get_rflags(vcpu) & ~X86_EFLAGS_RF);
	return X86_RESUME;
}
