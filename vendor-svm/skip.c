// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where an intercepted instruction ends: by the next RIP that the CPU saved, or by a look
 * at its bytes.
 */
#include "arch-x86/peek.h"
#include "vendor-svm/svm.h"

u64 svm_next_rip(struct x86_vcpu *vcpu)
{
	struct vmcb_control *control = &svm_vcpu_of(vcpu)->vmcb->control;
	u64 next = control->next_rip;

	/* Told once: it is of no use for another instruction. */
	control->next_rip = 0;
	/* The CPU leaves 0 where it does not know (APM 2 15.7.1). */
	return svm_features.nrips ? next : 0;
}

bool svm_insn_ends(struct svm_vcpu *svm, u32 opcode)
{
	struct x86_vcpu *vcpu = &svm->x86;
	const struct x86_peek *p;

	if (svm_features.nrips) {
		vcpu->next_rip = svm->vmcb->control.next_rip;
	} else {
		p = x86_peek_insn(vcpu);
		if (!p || p->opcode != opcode)
			return false;
		vcpu->next_rip = x86_peek_next_rip(vcpu, p);
	}
	/* It may be 0 indeed: behind the last byte there is. */
	return vcpu->next_rip;
}
