// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_GET_SUPPORTED_CPUID and KVM_GET_EMULATED_CPUID: every leaf that user space
 * may hand to a vCPU, built from the caps (cpuid_caps.c) and, for leaves that
 * only describe the CPU, from the host's own. Leaves that name a piece of the host
 * (APIC ids, caches shared by which CPUs) are zero: user space makes them.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched/stat.h>
#include <linux/uaccess.h>
#include <asm/cpuid/api.h>
#include <asm/processor.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/features.h"
#include "arch-x86/cpu/fpu.h"
#include "arch-x86/vendor_call.h"

#define MAX_BASIC	0x1fU
#define MAX_EXTENDED	0x80000021U
#define SUBLEAF		KVM_CPUID_FLAG_SIGNIFCANT_INDEX

struct cpuid_list {
	struct kvm_cpuid_entry2 *entries;
	unsigned int nr, max;
	bool overflow;
};

/* A new entry, filled with what this CPU says; a dummy's worth if it is full. */
static struct kvm_cpuid_entry2 *add(struct cpuid_list *list, u32 function, u32 index,
				    u32 flags)
{
	struct kvm_cpuid_entry2 *e;

	if (list->nr == list->max) {
		list->overflow = true;
		return NULL;
	}
	e = &list->entries[list->nr++];
	memset(e, 0, sizeof(*e));
	e->function = function;
	e->index = index;
	e->flags = flags;
	cpuid_count(function, index, &e->eax, &e->ebx, &e->ecx, &e->edx);
	return e;
}

static struct kvm_cpuid_entry2 *add_zero(struct cpuid_list *list, u32 function, u32 index,
					 u32 flags)
{
	struct kvm_cpuid_entry2 *e = add(list, function, index, flags);

	if (e)
		e->eax = e->ebx = e->ecx = e->edx = 0;
	return e;
}

static void add_feature_leaf(struct cpuid_list *list)
{
	struct kvm_cpuid_entry2 *e = add(list, 1, 0, 0);

	if (!e)
		return;
	/* EBX: CLFLUSH size stays; APIC id and number of CPUs are user space's. */
	e->ebx &= 0x0000ff00;
	e->edx = x86_cpu_cap_word(X86_WORD_1_EDX);
	/*
	 * TSC-deadline needs an in-kernel APIC, which nobody has yet: it is
	 * KVM_CAP_TSC_DEADLINE_TIMER (api.rst, KVM_GET_SUPPORTED_CPUID).
	 */
	e->ecx = x86_cpu_cap_word(X86_WORD_1_ECX) & ~BIT(24);
}

static void add_leaf_2(struct cpuid_list *list)
{
	struct kvm_cpuid_entry2 *e = add(list, 2, 0, 0);

	/* AL: how often to ask; more than once is history (SDM 2A, CPUID). */
	if (e && (e->eax & 0xff) > 1)
		e->eax = (e->eax & ~0xffU) | 1;
}

static void add_cache_leaf(struct cpuid_list *list, u32 function)
{
	u32 i;

	for (i = 0; i < 64; i++) {
		struct kvm_cpuid_entry2 *e = add(list, function, i, SUBLEAF);

		if (!e || !(e->eax & 0x1f))	/* type 0: no more caches */
			return;
		/* Which CPUs share it: one. */
		e->eax &= ~(GENMASK(31, 26) | GENMASK(25, 14));
		if (function == 4)
			continue;
		e->eax &= GENMASK(9, 0);
	}
}

static void add_leaf_7(struct cpuid_list *list)
{
	struct kvm_cpuid_entry2 *e = add_zero(list, 7, 0, SUBLEAF);
	u32 last;

	if (!e)
		return;
	last = cpuid_eax(0) >= 7 ? min(cpuid_eax(7), 2U) : 0;
	if (!x86_cpu_cap_word(X86_WORD_7_2_EDX))
		last = min(last, 1U);
	e->eax = last;
	e->ebx = x86_cpu_cap_word(X86_WORD_7_EBX);
	e->ecx = x86_cpu_cap_word(X86_WORD_7_ECX);
	e->edx = x86_cpu_cap_word(X86_WORD_7_EDX);

	if (last >= 1) {
		e = add_zero(list, 7, 1, SUBLEAF);
		if (!e)
			return;
		e->eax = x86_cpu_cap_word(X86_WORD_7_1_EAX);
		e->edx = x86_cpu_cap_word(X86_WORD_7_1_EDX);
	}
	if (last >= 2) {
		e = add_zero(list, 7, 2, SUBLEAF);
		if (e)
			e->edx = x86_cpu_cap_word(X86_WORD_7_2_EDX);
	}
}

static void add_leaf_d(struct cpuid_list *list)
{
	u64 xcr0 = x86_supported_xcr0();
	u64 xss = x86_vendor_caps()->xss;
	struct kvm_cpuid_entry2 *e;
	u32 i;

	if (!x86_cpu_cap_has(X86_FEATURE_XSAVE)) {
		add_zero(list, 0xd, 0, SUBLEAF);
		return;
	}
	e = add_zero(list, 0xd, 0, SUBLEAF);
	if (!e)
		return;
	e->eax = xcr0;
	e->edx = xcr0 >> 32;
	e->ebx = x86_cpuid_xsave_size(xcr0, false);
	e->ecx = e->ebx;

	e = add_zero(list, 0xd, 1, SUBLEAF);
	if (!e)
		return;
	e->eax = x86_cpu_cap_word(X86_WORD_D_1_EAX);
	if (e->eax & (BIT(1) | BIT(3)))		/* XSAVEC, XSAVES: compacted size */
		e->ebx = x86_cpuid_xsave_size(xcr0 | xss, true);
	if (e->eax & BIT(3)) {
		e->ecx = xss;
		e->edx = xss >> 32;
	}
	for (i = 2; i < 63; i++) {
		if (!((xcr0 | xss) & BIT_ULL(i)))
			continue;
		e = add(list, 0xd, i, SUBLEAF);
		if (!e)
			return;
		e->ecx &= BIT(0) | BIT(1);	/* supervisor state; aligned */
		e->edx = 0;
		if (e->ecx & BIT(0))
			e->ebx = 0;
	}
}

static void add_basic(struct cpuid_list *list)
{
	u32 host_max = cpuid_eax(0);
	struct kvm_cpuid_entry2 *e = add(list, 0, 0, 0);
	u32 max, leaf;

	if (!e)
		return;
	/* Leaf 7 and 0xd are ours to fill even where the CPU ends before. */
	max = clamp(host_max, 0xdU, MAX_BASIC);
	e->eax = max;

	for (leaf = 1; leaf <= max; leaf++) {
		switch (leaf) {
		case 1:
			add_feature_leaf(list);
			break;
		case 2:
			add_leaf_2(list);
			break;
		case 4:
			if (boot_cpu_data.x86_vendor == X86_VENDOR_INTEL)
				add_cache_leaf(list, 4);
			else
				add_zero(list, 4, 0, SUBLEAF);
			break;
		case 6:
			e = add_zero(list, 6, 0, 0);
			if (e)
				e->eax = x86_cpu_cap_word(X86_WORD_6_EAX);
			break;
		case 7:
			add_leaf_7(list);
			break;
		case 0xd:
			add_leaf_d(list);
			break;
		case 0xb:
		case 0x1f:	/* topology: user space's */
		case 0x12:
		case 0x14:	/* SGX, Intel PT: none */
		case 0x1d:
		case 0x1e:	/* AMX: none */
			add_zero(list, leaf, 0, SUBLEAF);
			break;
		default:	/* 5 MWAIT, 9, 0xa PMU, ...: nothing that we have */
			add_zero(list, leaf, 0, 0);
			break;
		}
	}
}

static void add_kvm(struct cpuid_list *list)
{
	static const char signature[12] = "KVMKVMKVM";
	struct kvm_cpuid_entry2 *e = add_zero(list, KVM_CPUID_SIGNATURE, 0, 0);

	if (!e)
		return;
	e->eax = KVM_CPUID_FEATURES;
	memcpy(&e->ebx, signature, 4);
	memcpy(&e->ecx, signature + 4, 4);
	memcpy(&e->edx, signature + 8, 4);

	e = add_zero(list, KVM_CPUID_FEATURES, 0, 0);
	if (!e)
		return;
	e->eax = X86_PV_FEATURES;
	/* Steal time is what the scheduler counts; the flush flag is beside it. */
	if (!sched_info_on())
		e->eax &= ~(BIT(KVM_FEATURE_STEAL_TIME) | BIT(KVM_FEATURE_PV_TLB_FLUSH));
}

static u32 address_sizes(u32 host)
{
	unsigned int phys = x86_cpuid_host_maxphyaddr();
	unsigned int virt = x86_cpu_cap_has(X86_FEATURE_LA57) ? 57 : 48;
	unsigned int guest_phys = 0;

	if (!x86_cpu_cap_has(X86_FEATURE_LM))
		virt = (host >> 8) & 0xff;
	/* Four levels of nested tables map 48 bits, whatever the CPU's maximum. */
	if (x86_vendor_caps()->npt && x86_vendor_caps()->tdp_max_level < 5 && phys > 48)
		guest_phys = 48;
	return phys | virt << 8 | guest_phys << 16;
}

static void add_extended(struct cpuid_list *list)
{
	struct kvm_cpuid_entry2 *e = add(list, 0x80000000, 0, 0);
	u32 max, leaf;

	if (!e)
		return;
	max = clamp(e->eax, 0x80000008U, MAX_EXTENDED);
	e->eax = max;

	for (leaf = 0x80000001; leaf <= max; leaf++) {
		switch (leaf) {
		case 0x80000001:
			e = add(list, leaf, 0, 0);
			if (!e)
				return;
			e->ebx &= 0xf0000000;	/* package type; the rest is the brand's */
			e->ecx = x86_cpu_cap_word(X86_WORD_80000001_ECX);
			e->edx = x86_cpu_cap_word(X86_WORD_80000001_EDX);
			break;
		case 0x80000002 ... 0x80000006:		/* brand string, L1, L2 */
		case 0x80000019:			/* 1 GB TLBs */
			add(list, leaf, 0, 0);
			break;
		case 0x80000007:
			e = add_zero(list, leaf, 0, 0);
			if (e)
				e->edx = x86_cpu_cap_word(X86_WORD_80000007_EDX);
			break;
		case 0x80000008:
			e = add(list, leaf, 0, 0);
			if (!e)
				return;
			e->eax = address_sizes(e->eax);
			e->ebx = x86_cpu_cap_word(X86_WORD_80000008_EBX);
			e->ecx = e->edx = 0;
			break;
		case 0x8000001a:			/* performance hints */
			e = add(list, leaf, 0, 0);
			if (e)
				e->ebx = e->ecx = e->edx = 0;
			break;
		case 0x8000001d:
			if (x86_cpu_cap_has(X86_FEATURE_TOPOEXT))
				add_cache_leaf(list, leaf);
			else
				add_zero(list, leaf, 0, SUBLEAF);
			break;
		case 0x80000021:
			e = add_zero(list, leaf, 0, 0);
			if (!e)
				return;
			e->eax = x86_cpu_cap_word(X86_WORD_80000021_EAX);
			e->ecx = x86_cpu_cap_word(X86_WORD_80000021_ECX);
			break;
		case 0x8000000a:			/* SVM: not nested yet */
		case 0x8000001e:			/* APIC, core and node ids */
		case 0x8000001f:			/* memory encryption */
			add_zero(list, leaf, 0, 0);
			break;
		default:				/* reserved, PMU, IBS, QoS */
			break;
		}
	}
}

int x86_get_supported_cpuid(struct kvm_cpuid2 __user *arg, bool emulated)
{
	struct cpuid_list list = {};
	struct kvm_cpuid2 head;
	int r;

	if (copy_from_user(&head, arg, sizeof(head)))
		return -EFAULT;
	if (!head.nent)
		return -E2BIG;
	list.max = min_t(u32, head.nent, X86_MAX_CPUID_ENTRIES);
	list.entries = kvcalloc(list.max, sizeof(*list.entries), GFP_KERNEL_ACCOUNT);
	if (!list.entries)
		return -ENOMEM;

	/*
	 * "Emulated": what guests may use although this CPU raises #UD. No leaf but
	 * 0, which says so: an intercepted #UD is given to the guest.
	 */
	if (emulated) {
		add_zero(&list, 0, 0, 0);
	} else {
		add_basic(&list);
		add_kvm(&list);
		add_extended(&list);
	}
	r = -E2BIG;
	if (list.overflow)
		goto out;
	r = -EFAULT;
	if (copy_to_user(arg->entries, list.entries, list.nr * sizeof(*list.entries)))
		goto out;
	if (put_user(list.nr, &arg->nent))
		goto out;
	r = 0;
out:
	kvfree(list.entries);
	return r;
}
