// SPDX-License-Identifier: GPL-2.0-only
/*
 * What guests may be offered: the host's CPUID, less what the kernel has turned
 * off, less what nothing here emulates or may pass through, plus what is
 * emulated whatever the host has. Made once, at registration; the vendor has
 * the last word. Knows no vCPU.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <asm/cpufeature.h>
#include <asm/cpuid/api.h>
#include <asm/processor.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/features.h"
#include "arch-x86/cpu/fpu.h"
#include "arch-x86/vendor.h"

#define B(n)	BIT(n)

/**
 * struct cap_word - what may be offered of one word of features
 * @leaf: where it is
 * @pass: offered if this CPU has it and the kernel did not turn it off
 * @emulated: offered whatever this CPU has: all of it is done in software
 * @raw: the kernel does not keep this word
 */
struct cap_word {
	struct x86_cpuid_leaf leaf;
	u32 pass;
	u32 emulated;
	bool raw;
};

#define LEAF(f, i, r)	.leaf = { .function = (f), .index = (i), .reg = X86_CPUID_##r }

/* SDM 2A, CPUID; APM 3 appendix E.3 and E.4. */
static const struct cap_word cap_words[X86_NR_WORDS] = {
	[X86_WORD_1_EDX] = {
		LEAF(1, 0, EDX),
		.pass = B(0) /* FPU */ | B(1) /* VME */ | B(3) /* PSE */ | B(6) /* PAE */ |
			B(8) /* CX8 */ | B(11) /* SEP */ | B(13) /* PGE */ | B(15) /* CMOV */ |
			B(17) /* PSE36 */ | B(19) /* CLFSH */ | B(23) /* MMX */ |
			B(24) /* FXSR */ | B(25) /* SSE */ | B(26) /* SSE2 */ | B(27) /* SS */,
		.emulated = B(2) /* DE */ | B(4) /* TSC */ | B(5) /* MSR */ | B(7) /* MCE */ |
			B(9) /* APIC */ | B(12) /* MTRR */ | B(14) /* MCA */ | B(16) /* PAT */,
	},
	[X86_WORD_1_ECX] = {
		LEAF(1, 0, ECX),
		.pass = B(0) /* SSE3 */ | B(1) /* PCLMULQDQ */ | B(9) /* SSSE3 */ |
			B(12) /* FMA */ | B(13) /* CX16 */ | B(17) /* PCID */ |
			B(19) /* SSE4.1 */ | B(20) /* SSE4.2 */ | B(22) /* MOVBE */ |
			B(23) /* POPCNT */ | B(25) /* AES */ | B(26) /* XSAVE */ |
			B(28) /* AVX */ | B(29) /* F16C */ | B(30) /* RDRAND */,
		.emulated = B(21) /* x2APIC */ | B(24) /* TSC-deadline */ |
			B(31) /* hypervisor */,
	},
	[X86_WORD_80000001_EDX] = {
		LEAF(0x80000001, 0, EDX),
		/* Bits 0-9, 12-17, 23, 24 repeat leaf 1 on AMD: repeat_leaf_1(). */
		.pass = B(11) /* SYSCALL */ | B(20) /* NX */ | B(22) /* MmxExt */ |
			B(25) /* FFXSR */ | B(26) /* Page1GB */ | B(27) /* RDTSCP */ |
			B(29) /* LM */ | B(30) /* 3DNowExt */ | B(31) /* 3DNow */,
	},
	[X86_WORD_80000001_ECX] = {
		LEAF(0x80000001, 0, ECX),
		.pass = B(0) /* LAHF-LM */ | B(1) /* CmpLegacy */ | B(4) /* AltMovCr8 */ |
			B(5) /* ABM */ | B(6) /* SSE4A */ | B(7) /* MisAlignSse */ |
			B(8) /* 3DNowPrefetch */ | B(11) /* XOP */ | B(16) /* FMA4 */ |
			B(21) /* TBM */ | B(22) /* TopologyExtensions */,
	},
	[X86_WORD_7_EBX] = {
		LEAF(7, 0, EBX),
		.pass = B(0) /* FSGSBASE */ | B(3) /* BMI1 */ | B(4) /* HLE */ | B(5) /* AVX2 */ |
			B(6) /* FDP_EXCPTN_ONLY */ | B(7) /* SMEP */ | B(8) /* BMI2 */ |
			B(9) /* ERMS */ | B(10) /* INVPCID */ | B(11) /* RTM */ |
			B(13) /* no FCS/FDS */ | B(16) /* AVX512F */ | B(17) /* AVX512DQ */ |
			B(18) /* RDSEED */ | B(19) /* ADX */ | B(20) /* SMAP */ |
			B(21) /* AVX512_IFMA */ | B(23) /* CLFLUSHOPT */ | B(24) /* CLWB */ |
			B(26) /* AVX512PF */ | B(27) /* AVX512ER */ | B(28) /* AVX512CD */ |
			B(29) /* SHA */ | B(30) /* AVX512BW */ | B(31) /* AVX512VL */,
		.emulated = B(1) /* TSC_ADJUST */,
	},
	[X86_WORD_7_ECX] = {
		LEAF(7, 0, ECX),
		.pass = B(1) /* AVX512_VBMI */ | B(2) /* UMIP */ | B(3) /* PKU */ |
			B(6) /* AVX512_VBMI2 */ | B(8) /* GFNI */ | B(9) /* VAES */ |
			B(10) /* VPCLMULQDQ */ | B(11) /* AVX512_VNNI */ |
			B(12) /* AVX512_BITALG */ | B(14) /* AVX512_VPOPCNTDQ */ |
			B(16) /* LA57 */ | B(22) /* RDPID */ | B(25) /* CLDEMOTE */ |
			B(27) /* MOVDIRI */ | B(28) /* MOVDIR64B */,
	},
	[X86_WORD_7_EDX] = {
		LEAF(7, 0, EDX),
		.pass = B(2) /* AVX512_4VNNIW */ | B(3) /* AVX512_4FMAPS */ | B(4) /* FSRM */ |
			B(8) /* AVX512_VP2INTERSECT */ | B(10) /* MD_CLEAR */ |
			B(14) /* SERIALIZE */ | B(16) /* TSXLDTRK */ | B(23) /* AVX512_FP16 */ |
			B(26) /* IBRS, IBPB */ | B(27) /* STIBP */ |
			B(28) /* L1D_FLUSH */ | B(29) /* ARCH_CAPABILITIES */ |
			B(31) /* SSBD */,
	},
	[X86_WORD_7_1_EAX] = {
		LEAF(7, 1, EAX),
		.pass = B(0) /* SHA512 */ | B(1) /* SM3 */ | B(2) /* SM4 */ | B(4) /* AVX_VNNI */ |
			B(5) /* AVX512_BF16 */ | B(7) /* CMPCCXADD */ | B(10) /* FZRM */ |
			B(11) /* FSRS */ | B(12) /* FSRC */ | B(23) /* AVX_IFMA */,
	},
	[X86_WORD_7_1_EDX] = {
		LEAF(7, 1, EDX), .raw = true,
		.pass = B(4) /* AVX_VNNI_INT8 */ | B(5) /* AVX_NE_CONVERT */ |
			B(10) /* AVX_VNNI_INT16 */ | B(14) /* PREFETCHITI */,
	},
	[X86_WORD_7_2_EDX] = {
		LEAF(7, 2, EDX), .raw = true,
		.pass = B(0) /* PSFD */ | B(1) /* IPRED_CTRL */ | B(2) /* RRSBA_CTRL */ |
			B(3) /* DDPD_U */ | B(4) /* BHI_CTRL */ | B(5) /* MCDT_NO */,
	},
	[X86_WORD_6_EAX] = {
		LEAF(6, 0, EAX),
		.emulated = B(2) /* ARAT: timers run in C-states */,
	},
	[X86_WORD_D_1_EAX] = {
		LEAF(0xd, 1, EAX),
		.pass = B(0) /* XSAVEOPT */ | B(1) /* XSAVEC */ | B(2) /* XGETBV(1) */ |
			B(3) /* XSAVES */,
	},
	[X86_WORD_80000007_EBX] = { LEAF(0x80000007, 0, EBX) },
	[X86_WORD_80000007_EDX] = {
		LEAF(0x80000007, 0, EDX), .raw = true,
		.pass = B(8) /* invariant TSC */,
	},
	[X86_WORD_80000008_EBX] = {
		LEAF(0x80000008, 0, EBX),
		.pass = B(0) /* CLZERO */ | B(2) /* FP error pointers restored */ |
			B(9) /* WBNOINVD */ | B(12) /* IBPB */ | B(14) /* IBRS */ |
			B(15) /* STIBP */ | B(17) /* STIBP always on */ | B(24) /* SSBD */ |
			B(25) /* VIRT_SPEC_CTRL */ | B(26) /* SSB_NO */ | B(28) /* PSFD */ |
			B(29) /* BTC_NO */ | B(30) /* IBPB_RET */,
	},
	[X86_WORD_8000000A_EDX] = { LEAF(0x8000000a, 0, EDX) },
	[X86_WORD_8000001F_EAX] = { LEAF(0x8000001f, 0, EAX) },
	[X86_WORD_80000021_EAX] = {
		LEAF(0x80000021, 0, EAX), .raw = true,
		.pass = B(0) /* no nested data breakpoints */ | B(2) /* LFENCE serializes */ |
			B(5) /* VERW clears */ | B(6) /* null selector clears base */ |
			B(8) /* AutoIBRS */ | B(9) /* no SMM_CTL */ | B(20) /* PREFETCHI */ |
			B(27) /* SBPB */ | B(28) /* IBPB clears branch types */ |
			B(29) /* SRSO_NO */ | B(30) /* SRSO_USER_KERNEL_NO */,
	},
	[X86_WORD_80000021_ECX] = {
		LEAF(0x80000021, 0, ECX), .raw = true,
		.pass = B(1) /* TSA_SQ_NO */ | B(2) /* TSA_L1_NO */,
	},
};

/* APM 3 E.4.2: 0x80000001 EDX repeats these of leaf 1. */
#define REPEATED_BITS	(GENMASK(9, 0) | GENMASK(17, 12) | B(23) | B(24))

static u32 caps[X86_NR_WORDS];

const struct x86_cpuid_leaf *x86_cpuid_leaf_of(unsigned int word)
{
	if (word >= X86_NR_WORDS || !cap_words[word].leaf.function)
		return NULL;
	return &cap_words[word].leaf;
}

static void host_cpuid(u32 function, u32 index, u32 regs[4])
{
	u32 base = function & 0xffff0000;

	/* A leaf beyond the maximum returns another leaf's data on Intel. */
	if (cpuid_eax(base) < function || cpuid_eax(base) - base > 0xffff) {
		memset(regs, 0, 4 * sizeof(u32));
		return;
	}
	cpuid_count(function, index, &regs[X86_CPUID_EAX], &regs[X86_CPUID_EBX],
		    &regs[X86_CPUID_ECX], &regs[X86_CPUID_EDX]);
}

static u32 host_word(unsigned int word)
{
	const struct cap_word *w = &cap_words[word];
	u32 regs[4];

	/* Subleaves of 7 say in subleaf 0's EAX how many there are. */
	if (w->leaf.function == 7 && w->leaf.index) {
		host_cpuid(7, 0, regs);
		if (regs[X86_CPUID_EAX] < w->leaf.index)
			return 0;
	}
	host_cpuid(w->leaf.function, w->leaf.index, regs);
	if (w->raw || word >= NCAPINTS)
		return regs[w->leaf.reg];
	return regs[w->leaf.reg] & boot_cpu_data.x86_capability[word];
}

bool x86_cpu_cap_has(unsigned int feature)
{
	unsigned int word = feature / 32;

	if (WARN_ON_ONCE(!x86_cpuid_leaf_of(word)))
		return false;
	return caps[word] & BIT(feature % 32);
}
EXPORT_SYMBOL_GPL(x86_cpu_cap_has);

void x86_cpu_cap_set(unsigned int feature)
{
	unsigned int word = feature / 32;

	if (!WARN_ON_ONCE(!x86_cpuid_leaf_of(word)))
		caps[word] |= host_word(word) & BIT(feature % 32);
}
EXPORT_SYMBOL_GPL(x86_cpu_cap_set);

void x86_cpu_cap_force(unsigned int feature)
{
	unsigned int word = feature / 32;

	if (!WARN_ON_ONCE(!x86_cpuid_leaf_of(word)))
		caps[word] |= BIT(feature % 32);
}
EXPORT_SYMBOL_GPL(x86_cpu_cap_force);

void x86_cpu_cap_clear(unsigned int feature)
{
	unsigned int word = feature / 32;

	if (!WARN_ON_ONCE(!x86_cpuid_leaf_of(word)))
		caps[word] &= ~BIT(feature % 32);
}
EXPORT_SYMBOL_GPL(x86_cpu_cap_clear);

u32 x86_cpu_cap_word(unsigned int word)
{
	return word < X86_NR_WORDS ? caps[word] : 0;
}

unsigned int x86_cpuid_host_maxphyaddr(void)
{
	u32 regs[4];

	if (!x86_vendor_caps()->npt)
		return boot_cpu_data.x86_phys_bits;
	host_cpuid(0x80000008, 0, regs);
	return regs[X86_CPUID_EAX] & 0xff ?: boot_cpu_data.x86_phys_bits;
}

/* Leaf 0xd's subleaves, asked once: CPUID is an exit where we are a guest. */
static struct {
	u32 size, offset;
	bool aligned;
} xstate[63];

static void init_xstate(void)
{
	u32 regs[4];
	int i;

	for (i = 2; i < 63; i++) {
		host_cpuid(0xd, i, regs);
		xstate[i].size = regs[X86_CPUID_EAX];
		xstate[i].offset = regs[X86_CPUID_EBX];
		xstate[i].aligned = regs[X86_CPUID_ECX] & B(1);
	}
}

u32 x86_cpuid_xsave_size(u64 xfeatures, bool compacted)
{
	u32 size = 512 + 64;	/* legacy region and header, SDM 1 13.4.1, 13.4.2 */
	int i;

	for (i = 2; i < 63; i++) {
		u32 offset;

		if (!(xfeatures & BIT_ULL(i)))
			continue;
		if (!compacted)
			offset = xstate[i].offset;
		else	/* SDM 1 13.4.3 */
			offset = xstate[i].aligned ? ALIGN(size, 64) : size;
		size = max(size, offset + xstate[i].size);
	}
	return size;
}

static void clear_word_bits(unsigned int word, u32 mask)
{
	caps[word] &= ~mask;
}

/* Features that mean nothing, or harm, without others. */
static void drop_dependents(void)
{
	u64 xcr0 = x86_supported_xcr0();

	if (!(caps[X86_WORD_1_ECX] & B(26))) {		/* no XSAVE */
		clear_word_bits(X86_WORD_D_1_EAX, ~0);
		xcr0 = XFEATURE_MASK_FPSSE;
	}
	if (!(xcr0 & XFEATURE_MASK_YMM)) {		/* no AVX state */
		clear_word_bits(X86_WORD_1_ECX, B(12) | B(28) | B(29));
		clear_word_bits(X86_WORD_7_EBX, B(5));
		clear_word_bits(X86_WORD_7_ECX, B(9) | B(10));
		clear_word_bits(X86_WORD_7_1_EAX, B(0) | B(1) | B(2) | B(4) | B(23));
		clear_word_bits(X86_WORD_7_1_EDX, B(4) | B(5) | B(10));
		clear_word_bits(X86_WORD_80000001_ECX, B(11) | B(16));
	}
	if ((xcr0 & XFEATURE_MASK_AVX512) != XFEATURE_MASK_AVX512) {
		clear_word_bits(X86_WORD_7_EBX, B(16) | B(17) | B(21) | B(26) | B(27) |
				B(28) | B(30) | B(31));
		clear_word_bits(X86_WORD_7_ECX, B(1) | B(6) | B(11) | B(12) | B(14));
		clear_word_bits(X86_WORD_7_EDX, B(2) | B(3) | B(8) | B(23));
		clear_word_bits(X86_WORD_7_1_EAX, B(5));
	}
	if (!(xcr0 & XFEATURE_MASK_PKRU) || !boot_cpu_has(X86_FEATURE_OSPKE))
		clear_word_bits(X86_WORD_7_ECX, B(3));
	if (!boot_cpu_has(X86_FEATURE_CONSTANT_TSC) || !boot_cpu_has(X86_FEATURE_NONSTOP_TSC))
		clear_word_bits(X86_WORD_80000007_EDX, B(8));
	if (!IS_ENABLED(CONFIG_X86_64)) {		/* no guest's long mode on i386 */
		clear_word_bits(X86_WORD_80000001_EDX, B(11) | B(26) | B(29));
		clear_word_bits(X86_WORD_7_ECX, B(16));
	}
	if (!x86_vendor_caps()->npt) {
		/* The shadow MMU folds these into its own tables: not yet. */
		clear_word_bits(X86_WORD_1_ECX, B(17));
		clear_word_bits(X86_WORD_7_EBX, B(10));
		clear_word_bits(X86_WORD_7_ECX, B(3) | B(16));
		clear_word_bits(X86_WORD_80000001_EDX, B(26));
	}
}

void x86_cpuid_init_caps(void)
{
	unsigned int word;

	x86_fpu_init();
	init_xstate();
	for (word = 0; word < X86_NR_WORDS; word++) {
		if (!x86_cpuid_leaf_of(word)) {
			caps[word] = 0;
			continue;
		}
		caps[word] = (host_word(word) & cap_words[word].pass) |
			     cap_words[word].emulated;
	}
	drop_dependents();
	if (boot_cpu_data.x86_vendor == X86_VENDOR_AMD ||
	    boot_cpu_data.x86_vendor == X86_VENDOR_HYGON)
		caps[X86_WORD_80000001_EDX] |= caps[X86_WORD_1_EDX] & REPEATED_BITS;
}
