// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stepping over an intercepted instruction: by the next RIP that the CPU saved,
 * by what the exit told, or by decoding it.
 */
#include "arch-x86/io.h"
#include "vendor-svm/svm.h"

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
	return X86_RESUME;
}
