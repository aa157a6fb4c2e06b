// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MSRs that a guest steers its CPU's speculation with: which of them it has, and which
 * values. Each bit is a feature of its own, on Intel and on AMD, and a reserved one is #GP:
 * otherwise a guest would take a protection for given that is not there (SDM 4 table 2-2,
 * APM 2 3.2.9). SPEC_CTRL's value is with the vendors, who load it.
 */
#include <linux/export.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/msr.h"

#define SPEC_CTRL_EVERYWHERE	(BIT_ULL(0) /* IBRS */ | BIT_ULL(1) /* STIBP */ | \
				 BIT_ULL(2) /* SSBD */)
#define PRED_CMD_BIT_IBPB	BIT_ULL(0)
#define PRED_CMD_BIT_SBPB	BIT_ULL(7)
#define FLUSH_CMD_BIT_L1D	BIT_ULL(0)

bool x86_has_spec_ctrl(struct x86_vcpu *vcpu, bool host)
{
	/* Each of them names a bit of the MSR; Intel's and AMD's, as CPUID has them. */
	static const unsigned int features[] = {
		X86_FEATURE_SPEC_CTRL, X86_FEATURE_INTEL_STIBP, X86_FEATURE_SPEC_CTRL_SSBD,
		X86_FEATURE_AMD_IBRS, X86_FEATURE_AMD_STIBP, X86_FEATURE_AMD_SSBD,
	};
	int i;

	if (!boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
		return false;
	for (i = 0; i < ARRAY_SIZE(features) && !host; i++)
		if (guest_cpuid_has(vcpu, features[i]))
			return true;
	return host;
}
EXPORT_SYMBOL_GPL(x86_has_spec_ctrl);

bool x86_spec_ctrl_valid(u64 data)
{
	static const struct {
		unsigned int feature;
		u64 bits;
	} newer[] = {
		{ GUEST_FEATURE_INTEL_PSFD, BIT_ULL(7) },
		{ GUEST_FEATURE_AMD_PSFD, BIT_ULL(7) },
		{ GUEST_FEATURE_IPRED_CTRL, BIT_ULL(3) | BIT_ULL(4) },
		{ GUEST_FEATURE_RRSBA_CTRL, BIT_ULL(5) | BIT_ULL(6) },
		{ GUEST_FEATURE_DDPD_U, BIT_ULL(8) },
		{ GUEST_FEATURE_BHI_CTRL, BIT_ULL(10) },
	};
	u64 known = SPEC_CTRL_EVERYWHERE;
	int i;

	for (i = 0; i < ARRAY_SIZE(newer); i++)
		if (x86_cpu_cap_has(newer[i].feature))
			known |= newer[i].bits;
	return !(data & ~known);
}
EXPORT_SYMBOL_GPL(x86_spec_ctrl_valid);

static bool has(struct x86_vcpu *vcpu, unsigned int feature, bool host)
{
	return x86_cpu_cap_has(feature) && (host || guest_cpuid_has(vcpu, feature));
}

u64 x86_spec_commands(struct x86_vcpu *vcpu, u32 index, bool host)
{
	u64 known = 0;

	switch (index) {
	case MSR_IA32_PRED_CMD:
		/* Either vendor's bit will do: user space may show the guest the other's. */
		if (boot_cpu_has(X86_FEATURE_IBPB) &&
		    (host || guest_cpuid_has(vcpu, X86_FEATURE_SPEC_CTRL) ||
		     guest_cpuid_has(vcpu, GUEST_FEATURE_IBPB)))
			known |= PRED_CMD_BIT_IBPB;
		if (has(vcpu, GUEST_FEATURE_SBPB, host))
			known |= PRED_CMD_BIT_SBPB;
		break;
	case MSR_IA32_FLUSH_CMD:
		if (has(vcpu, X86_FEATURE_FLUSH_L1D, host))
			known |= FLUSH_CMD_BIT_L1D;
		break;
	}
	return known;
}
EXPORT_SYMBOL_GPL(x86_spec_commands);

int x86_spec_command(struct x86_vcpu *vcpu, u32 index, u64 data, bool host)
{
	u64 known = x86_spec_commands(vcpu, index, host);

	if (!known || (data & ~known))
		return 1;
	/* The guest's own wish: whatever the host thinks of it for itself. */
	if (data)
		wrmsrq(index, data);
	return 0;
}
