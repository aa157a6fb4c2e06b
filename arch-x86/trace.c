// SPDX-License-Identifier: GPL-2.0-only
/* Makes the tracepoints of trace.h. Owns nothing else. */
#define CREATE_TRACE_POINTS
#include "arch-x86/trace.h"
#include "arch-x86/regs.h"
#include "arch-x86/vendor_call.h"

void x86_trace_exit_info(struct x86_vcpu *vcpu, u32 *reason, u32 *isa, u64 *info1,
			 u64 *info2, u32 *intr_info, u32 *error_code)
{
	*isa = x86_vendor_caps()->tdp_ept_format ? KVM_ISA_VMX : KVM_ISA_SVM;
	vendor_call(exit_info)(vcpu, reason, info1, info2, intr_info, error_code);
}

unsigned long x86_trace_rip(struct x86_vcpu *vcpu)
{
	return x86_rip_read(vcpu);
}
