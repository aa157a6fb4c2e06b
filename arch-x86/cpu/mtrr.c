// SPDX-License-Identifier: GPL-2.0-only
/*
 * MTRRs and PAT: stored, and checked as the CPU checks them. Nothing here looks at
 * memory.
 */
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/string.h>

#include "arch-x86/cpu/mtrr.h"

#define MTRRCAP_FIX		BIT_ULL(8)
#define MTRRCAP_WC		BIT_ULL(10)
#define MTRR_PHYSBASE0		0x200
#define DEFTYPE_MASK		0xcffULL	/* E, FE, type */
#define PHYSMASK_VALID		BIT_ULL(11)

/* The index of a fixed-range MTRR, or -1. */
static int fixed_index(u32 msr)
{
	switch (msr) {
	case 0x250:			/* 64K_00000 */
		return 0;
	case 0x258 ... 0x259:		/* 16K_80000, 16K_A0000 */
		return 1 + (msr - 0x258);
	case 0x268 ... 0x26f:		/* 4K_C0000 to 4K_F8000 */
		return 3 + array_index_nospec(msr - 0x268, 8);
	default:
		return -1;
	}
}

static bool is_variable(u32 msr)
{
	return msr >= MTRR_PHYSBASE0 && msr < MTRR_PHYSBASE0 + 2 * X86_NR_VAR_MTRRS;
}

bool x86_mtrr_is_msr(u32 index)
{
	return index == MSR_MTRRcap || index == MSR_MTRRdefType || is_variable(index) ||
	       fixed_index(index) >= 0;
}

/* SDM 3A table 12-8: UC, WC, WT, WP, WB. */
static bool type_valid(u8 type)
{
	return type < 8 && (BIT(type) & (BIT(0) | BIT(1) | BIT(4) | BIT(5) | BIT(6)));
}

bool x86_pat_valid(u64 pat)
{
	int i;

	for (i = 0; i < 64; i += 8) {
		u8 type = pat >> i;

		if (type != 7 && !type_valid(type))	/* 7: UC- */
			return false;
	}
	return true;
}

int x86_mtrr_get(struct x86_vcpu *vcpu, u32 index, u64 *data)
{
	u32 var;

	if (index == MSR_MTRRcap) {
		*data = X86_NR_VAR_MTRRS | MTRRCAP_FIX | MTRRCAP_WC;
	} else if (index == MSR_MTRRdefType) {
		*data = vcpu->mtrr.deftype;
	} else if (is_variable(index)) {
		var = array_index_nospec(index - MTRR_PHYSBASE0, 2 * X86_NR_VAR_MTRRS);
		*data = vcpu->mtrr.var[var / 2][var % 2];
	} else if (fixed_index(index) >= 0) {
		*data = vcpu->mtrr.fixed[fixed_index(index)];
	} else {
		return 1;
	}
	return 0;
}

int x86_mtrr_set(struct x86_vcpu *vcpu, u32 index, u64 data)
{
	u32 var;
	int i;

	if (index == MSR_MTRRdefType) {
		if ((data & ~DEFTYPE_MASK) || !type_valid(data & 0xff))
			return 1;
		vcpu->mtrr.deftype = data;
		return 0;
	}
	if (fixed_index(index) >= 0) {
		for (i = 0; i < 64; i += 8)
			if (!type_valid(data >> i))
				return 1;
		vcpu->mtrr.fixed[fixed_index(index)] = data;
		return 0;
	}
	if (is_variable(index)) {
		if (data & vcpu->reserved_gpa_bits)
			return 1;
		var = array_index_nospec(index - MTRR_PHYSBASE0, 2 * X86_NR_VAR_MTRRS);
		if (var % 2) {
			if (data & (PHYSMASK_VALID - 1))
				return 1;
		} else if ((data & 0xf00) || !type_valid(data & 0xff)) {
			return 1;
		}
		vcpu->mtrr.var[var / 2][var % 2] = data;
		return 0;
	}
	return 1;	/* IA32_MTRRCAP is read-only */
}

void x86_mtrr_reset(struct x86_vcpu *vcpu)
{
	memset(&vcpu->mtrr, 0, sizeof(vcpu->mtrr));
}
