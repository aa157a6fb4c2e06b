/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUID feature words: which register of which leaf each word of features is.
 * A feature number is word * 32 + bit. Words 0 to 20 are the kernel's numbers
 * (X86_FEATURE_*) as far as they mirror hardware; words that the kernel makes up
 * have no leaf here. Words that it does not keep are ours, from CPUID_WORD_OWN on.
 */
#ifndef ARCH_X86_CPU_FEATURES_H
#define ARCH_X86_CPU_FEATURES_H

#include <linux/bits.h>
#include <linux/types.h>

enum x86_cpuid_reg { X86_CPUID_EAX, X86_CPUID_EBX, X86_CPUID_ECX, X86_CPUID_EDX };

enum x86_cpuid_word {
	X86_WORD_1_EDX		= 0,
	X86_WORD_80000001_EDX	= 1,
	X86_WORD_1_ECX		= 4,
	X86_WORD_80000001_ECX	= 6,
	X86_WORD_7_EBX		= 9,
	X86_WORD_D_1_EAX	= 10,
	X86_WORD_7_1_EAX	= 12,
	X86_WORD_80000008_EBX	= 13,
	X86_WORD_6_EAX		= 14,
	X86_WORD_8000000A_EDX	= 15,
	X86_WORD_7_ECX		= 16,
	X86_WORD_80000007_EBX	= 17,
	X86_WORD_7_EDX		= 18,
	X86_WORD_8000001F_EAX	= 19,
	X86_WORD_80000021_EAX	= 20,

	X86_WORD_OWN		= 32,
	X86_WORD_7_1_EDX	= X86_WORD_OWN,
	X86_WORD_7_2_EDX,
	X86_WORD_80000007_EDX,
	X86_WORD_80000021_ECX,
	X86_NR_WORDS,
};

#define X86_FEATURE_BIT(word, bit)	((word) * 32 + (bit))

/* Features whose numbers older kernels do not have, or have elsewhere. */
#define GUEST_FEATURE_INVARIANT_TSC	X86_FEATURE_BIT(X86_WORD_80000007_EDX, 8)
#define GUEST_FEATURE_LFENCE_RDTSC	X86_FEATURE_BIT(X86_WORD_80000021_EAX, 2)
#define GUEST_FEATURE_AUTOIBRS		X86_FEATURE_BIT(X86_WORD_80000021_EAX, 8)
#define GUEST_FEATURE_ARAT		X86_FEATURE_BIT(X86_WORD_6_EAX, 2)
#define GUEST_FEATURE_IBRS		X86_FEATURE_BIT(X86_WORD_80000008_EBX, 14)
#define GUEST_FEATURE_STIBP		X86_FEATURE_BIT(X86_WORD_80000008_EBX, 15)
#define GUEST_FEATURE_IBPB		X86_FEATURE_BIT(X86_WORD_80000008_EBX, 12)
#define GUEST_FEATURE_SBPB		X86_FEATURE_BIT(X86_WORD_80000021_EAX, 27)
#define GUEST_FEATURE_AMD_PSFD		X86_FEATURE_BIT(X86_WORD_80000008_EBX, 28)
#define GUEST_FEATURE_TSA_SQ_NO		X86_FEATURE_BIT(X86_WORD_80000021_ECX, 1)
#define GUEST_FEATURE_TSA_L1_NO		X86_FEATURE_BIT(X86_WORD_80000021_ECX, 2)
#define GUEST_FEATURE_INTEL_PSFD	X86_FEATURE_BIT(X86_WORD_7_2_EDX, 0)
#define GUEST_FEATURE_IPRED_CTRL	X86_FEATURE_BIT(X86_WORD_7_2_EDX, 1)
#define GUEST_FEATURE_RRSBA_CTRL	X86_FEATURE_BIT(X86_WORD_7_2_EDX, 2)
#define GUEST_FEATURE_DDPD_U		X86_FEATURE_BIT(X86_WORD_7_2_EDX, 3)
#define GUEST_FEATURE_BHI_CTRL		X86_FEATURE_BIT(X86_WORD_7_2_EDX, 4)

/**
 * struct x86_cpuid_leaf - where a word of features is found
 * @function: EAX
 * @index: ECX, where the leaf has subleaves
 * @reg: register of the result
 */
struct x86_cpuid_leaf {
	u32 function;
	u8 index;
	u8 reg;
};

/**
 * x86_cpuid_leaf_of() - the leaf of a word
 * @word: enum x86_cpuid_word
 *
 * Return: NULL if the word mirrors no hardware register.
 */
const struct x86_cpuid_leaf *x86_cpuid_leaf_of(unsigned int word);

/**
 * x86_cpu_cap_word() - what guests may be offered, one word
 * @word: enum x86_cpuid_word
 *
 * Return: 0 for a word without a leaf.
 */
u32 x86_cpu_cap_word(unsigned int word);

/**
 * x86_cpuid_host_maxphyaddr() - physical address bits of this CPU for guests
 *
 * With nested paging what CPUID says, else what the kernel uses (memory
 * encryption takes some bits away from shadow tables).
 */
unsigned int x86_cpuid_host_maxphyaddr(void);

/**
 * x86_cpuid_xsave_size() - size of an XSAVE area (SDM 1 13.4)
 * @xfeatures: state components
 * @compacted: compacted format
 *
 * Return: bytes, legacy region and header included.
 */
u32 x86_cpuid_xsave_size(u64 xfeatures, bool compacted);

#endif
