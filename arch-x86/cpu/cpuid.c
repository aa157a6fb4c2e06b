// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's CPUID: what user space gave it, indexed so that the CPUID exit and
 * "has the guest feature X?" are flat look-ups, and everything that is computed from
 * it once: address width, what CR4 and XCR0 allow. Knows no host feature but
 * through the caps.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>
#include <asm/processor-flags.h>

#include "core/vcpu.h"
#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/fpu.h"
#include "arch-x86/io.h"
#include "arch-x86/regs.h"
#include "arch-x86/vendor_call.h"

/* Leaves whose place is known without a search: this many of each class. */
#define CLASS_LEAVES	64
enum { CLASS_BASIC, CLASS_HYPERVISOR, CLASS_EXTENDED, NR_CLASSES };

/**
 * struct x86_cpuid - a vCPU's CPUID
 * @nent: entries
 * @intel: vendor string is GenuineIntel
 * @amd: AuthenticAMD or HygonGenuine
 * @words: feature words, already masked by the caps
 * @pristine: what user space gave of the words that runtime bits are in
 * @first: place in @order of a leaf's first entry, plus 1
 * @order: entries by function, then in user space's order
 * @entries: in user space's order, runtime bits updated
 */
struct x86_cpuid {
	unsigned int nent;
	bool intel, amd;
	u32 words[X86_NR_WORDS];
	struct {
		u32 leaf1_ecx, leaf1_edx, leaf7_ecx;
	} pristine;
	u16 first[NR_CLASSES][CLASS_LEAVES];
	u16 order[X86_MAX_CPUID_ENTRIES];
	struct kvm_cpuid_entry2 entries[];
};

static int class_of(u32 function)
{
	switch (function >> 28) {
	case 0x0:
		return CLASS_BASIC;
	case 0x4:
		return CLASS_HYPERVISOR;
	case 0x8:
		return CLASS_EXTENDED;
	default:
		return -1;
	}
}

static struct kvm_cpuid_entry2 *find(struct x86_cpuid *c, u32 function, u32 index)
{
	u32 leaf = function & 0x0fffffff;
	int class = class_of(function);
	unsigned int i = 0;

	if (class >= 0 && leaf < CLASS_LEAVES) {
		leaf = array_index_nospec(leaf, CLASS_LEAVES);
		i = c->first[class][leaf];
		if (!i)
			return NULL;
		i--;
	}
	for (; i < c->nent; i++) {
		struct kvm_cpuid_entry2 *e = &c->entries[c->order[i]];

		if (e->function != function) {
			if (class >= 0 && leaf < CLASS_LEAVES)
				return NULL;
			continue;
		}
		if (!(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || e->index == index)
			return e;
	}
	return NULL;
}

const struct kvm_cpuid_entry2 *x86_find_cpuid(struct x86_vcpu *vcpu, u32 function, u32 index)
{
	return find(vcpu->cpuid, function, index);
}
EXPORT_SYMBOL_GPL(x86_find_cpuid);

bool guest_cpuid_has(struct x86_vcpu *vcpu, unsigned int feature)
{
	unsigned int word = feature / 32;

	if (WARN_ON_ONCE(!x86_cpuid_leaf_of(word)))
		return false;
	return vcpu->cpuid->words[word] & BIT(feature % 32);
}
EXPORT_SYMBOL_GPL(guest_cpuid_has);

bool guest_cpuid_is_intel(struct x86_vcpu *vcpu)
{
	return vcpu->cpuid->intel;
}
EXPORT_SYMBOL_GPL(guest_cpuid_is_intel);

bool guest_cpuid_is_amd(struct x86_vcpu *vcpu)
{
	return vcpu->cpuid->amd;
}
EXPORT_SYMBOL_GPL(guest_cpuid_is_amd);

/* ---- the instruction ------------------------------------------------------ */

/*
 * What Intel returns for a leaf beyond the maximum of its class: the highest
 * basic leaf's data. Hypervisor leaves come in blocks of 256.
 */
static struct kvm_cpuid_entry2 *beyond_maximum(struct x86_cpuid *c, u32 function, u32 index)
{
	struct kvm_cpuid_entry2 *basic = find(c, 0, 0), *limit = basic;

	if (!c->intel || !basic)
		return NULL;
	if (function >= 0x40000000 && function <= 0x4fffffff)
		limit = find(c, function & 0xffffff00, 0);
	else if (function >= 0x80000000)
		limit = find(c, function & 0xffff0000, 0);
	if (limit && function <= limit->eax)
		return NULL;	/* in range: a hole, zeros */
	return find(c, basic->eax, index);
}

void x86_cpuid(struct x86_vcpu *vcpu, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx, bool *exact)
{
	struct x86_cpuid *c = vcpu->cpuid;
	u32 function = *eax, index = *ecx;
	struct kvm_cpuid_entry2 *e = find(c, function, index);

	if (exact)
		*exact = e;
	if (!e)
		e = beyond_maximum(c, function, index);
	if (e) {
		*eax = e->eax;
		*ebx = e->ebx;
		*ecx = e->ecx;
		*edx = e->edx;
		return;
	}
	*eax = *ebx = *ecx = *edx = 0;
	/* Topology beyond the last level still says who asks (SDM 2A CPUID). */
	if (function == 0xb || function == 0x1f) {
		e = find(c, function, 1);
		if (e) {
			*ecx = index & 0xff;
			*edx = e->edx;
		}
	}
}

/* ---- what follows from it ------------------------------------------------- */

static void set_bit_if(u32 *reg, u32 mask, bool on)
{
	*reg = on ? *reg | mask : *reg & ~mask;
}

void x86_cpuid_update_runtime(struct x86_vcpu *vcpu)
{
	struct x86_cpuid *c = vcpu->cpuid;
	struct kvm_cpuid_entry2 *e = find(c, 1, 0);

	if (e) {
		set_bit_if(&e->ecx, BIT(27), (c->pristine.leaf1_ecx & BIT(26)) &&
			   x86_cr4_is(vcpu, X86_CR4_OSXSAVE));
		set_bit_if(&e->edx, BIT(9), (c->pristine.leaf1_edx & BIT(9)) &&
			   (vcpu->apic_base & MSR_IA32_APICBASE_ENABLE));
		if (x86_vcpu_vm(vcpu)->disabled_quirks & KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT)
			set_bit_if(&e->ecx, BIT(3), (c->pristine.leaf1_ecx & BIT(3)) &&
				   (vcpu->misc_enable & MSR_IA32_MISC_ENABLE_MWAIT));
	}
	e = find(c, 7, 0);
	if (e)
		set_bit_if(&e->ecx, BIT(4), (c->pristine.leaf7_ecx & BIT(3)) &&
			   x86_cr4_is(vcpu, X86_CR4_PKE));
	e = find(c, 0xd, 0);
	if (e)
		e->ebx = x86_cpuid_xsave_size(vcpu->xcr0, false);
	e = find(c, 0xd, 1);
	if (e && (e->eax & (BIT(1) | BIT(3))))
		e->ebx = x86_cpuid_xsave_size(vcpu->xcr0 | vcpu->ia32_xss, true);
}
EXPORT_SYMBOL_GPL(x86_cpuid_update_runtime);

u64 x86_cpuid_guest_xss(struct x86_vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *e = find(vcpu->cpuid, 0xd, 1);

	if (!e || !guest_cpuid_has(vcpu, X86_FEATURE_XSAVES))
		return 0;
	return (e->ecx | (u64)e->edx << 32) & x86_vendor_caps()->xss;
}

static unsigned int guest_maxphyaddr(struct x86_cpuid *c)
{
	struct kvm_cpuid_entry2 *e = find(c, 0x80000000, 0);

	if (e && e->eax >= 0x80000008) {
		e = find(c, 0x80000008, 0);
		if (e && (e->eax & 0xff))
			return min(e->eax & 0xff, 52U);
	}
	return 36;	/* SDM 3A 4.1.4 */
}

/*
 * CR4 bits that may not be set; those of the oldest CPUs are always allowed. A
 * vCPU that no CPUID was set for yet may have all that any guest may have: user
 * space restores state in an order of its own.
 */
static u64 guest_cr4_reserved(struct x86_vcpu *vcpu)
{
	static const struct {
		u64 bit;
		unsigned int feature;
	} gated[] = {
		{ X86_CR4_UMIP, X86_FEATURE_UMIP },
		{ X86_CR4_LA57, X86_FEATURE_LA57 },
		{ X86_CR4_FSGSBASE, X86_FEATURE_FSGSBASE },
		{ X86_CR4_PCIDE, X86_FEATURE_PCID },
		{ X86_CR4_OSXSAVE, X86_FEATURE_XSAVE },
		{ X86_CR4_SMEP, X86_FEATURE_SMEP },
		{ X86_CR4_SMAP, X86_FEATURE_SMAP },
		{ X86_CR4_PKE, X86_FEATURE_PKU },
	};
	u64 allowed = X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE |
		      X86_CR4_PAE | X86_CR4_MCE | X86_CR4_PGE | X86_CR4_PCE |
		      X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
	int i;

	for (i = 0; i < ARRAY_SIZE(gated); i++)
		if (vcpu->cpuid->nent ? guest_cpuid_has(vcpu, gated[i].feature) :
					x86_cpu_cap_has(gated[i].feature))
			allowed |= gated[i].bit;
	return ~allowed;
}

/* KVM_CPUID_FEATURES of this table, wherever it is; or NULL. */
static struct kvm_cpuid_entry2 *find_pv_features(struct x86_cpuid *c)
{
	u32 base;

	/* Another hypervisor's leaves may come first: ours are behind, by 256. */
	for (base = KVM_CPUID_SIGNATURE; base < 0x40010000; base += 0x100) {
		struct kvm_cpuid_entry2 *e = find(c, base, 0);
		char sig[12];

		if (!e)
			continue;
		memcpy(sig, &e->ebx, 4);
		memcpy(sig + 4, &e->ecx, 4);
		memcpy(sig + 8, &e->edx, 4);
		if (!memcmp(sig, "KVMKVMKVM\0\0\0", 12))
			return find(c, base | 1, 0);
	}
	return NULL;
}

/* Everything that hangs on CPUID. Not loaded. */
static void cpuid_changed(struct x86_vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *e;
	int idx;

	e = find_pv_features(vcpu->cpuid);
	vcpu->pv_cpuid.features = e ? e->eax : 0;
	vcpu->maxphyaddr = guest_maxphyaddr(vcpu->cpuid);
	vcpu->reserved_gpa_bits = GENMASK_ULL(63, vcpu->maxphyaddr);
	vcpu->cr4_guest_rsvd_bits = guest_cr4_reserved(vcpu);

	e = find(vcpu->cpuid, 0xd, 0);
	vcpu->guest_supported_xcr0 = 0;
	if (e)
		vcpu->guest_supported_xcr0 = (e->eax | (u64)e->edx << 32) & x86_supported_xcr0();

	x86_emulator_cpuid_changed(vcpu);
	kvm_vcpu_load(&vcpu->core);
	/* The vendor's map of MSRs depends on the filter, too. */
	idx = srcu_read_lock(&vcpu->core.kvm->srcu);
	vendor_call(cpuid_changed)(vcpu);
	srcu_read_unlock(&vcpu->core.kvm->srcu, idx);
	x86_cpuid_update_runtime(vcpu);
	x86_mmu_reset_context(vcpu);
	kvm_vcpu_put(&vcpu->core);
}

/* ---- building it ---------------------------------------------------------- */

static bool vendor_is(const struct kvm_cpuid_entry2 *e, const char *name)
{
	return !memcmp(&e->ebx, name, 4) && !memcmp(&e->edx, name + 4, 4) &&
	       !memcmp(&e->ecx, name + 8, 4);
}

static u32 entry_reg(const struct kvm_cpuid_entry2 *e, unsigned int reg)
{
	switch (reg) {
	case X86_CPUID_EAX:
		return e->eax;
	case X86_CPUID_EBX:
		return e->ebx;
	case X86_CPUID_ECX:
		return e->ecx;
	default:
		return e->edx;
	}
}

static void index_entries(struct x86_cpuid *c)
{
	unsigned int i, j;

	/* By function; stable, so that the first of duplicates wins. */
	for (i = 0; i < c->nent; i++) {
		for (j = i; j > 0; j--) {
			if (c->entries[c->order[j - 1]].function <= c->entries[i].function)
				break;
			c->order[j] = c->order[j - 1];
		}
		c->order[j] = i;
	}
	for (i = c->nent; i-- > 0; ) {
		u32 function = c->entries[c->order[i]].function;
		int class = class_of(function);

		if (class >= 0 && (function & 0x0fffffff) < CLASS_LEAVES)
			c->first[class][function & 0x0fffffff] = i + 1;
	}
}

static void digest(struct x86_cpuid *c)
{
	const struct kvm_cpuid_entry2 *e;
	unsigned int word;

	index_entries(c);
	e = find(c, 0, 0);
	if (e) {
		c->intel = vendor_is(e, "GenuineIntel");
		c->amd = vendor_is(e, "AuthenticAMD") || vendor_is(e, "HygonGenuine");
	}
	for (word = 0; word < X86_NR_WORDS; word++) {
		const struct x86_cpuid_leaf *leaf = x86_cpuid_leaf_of(word);

		if (!leaf)
			continue;
		e = find(c, leaf->function, leaf->index);
		/* One that answers for all subleaves does not describe the others. */
		if (e && (!leaf->index || (e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX)))
			c->words[word] = entry_reg(e, leaf->reg) & x86_cpu_cap_word(word);
	}
	e = find(c, 1, 0);
	if (e) {
		c->pristine.leaf1_ecx = e->ecx;
		c->pristine.leaf1_edx = e->edx;
	}
	e = find(c, 7, 0);
	if (e)
		c->pristine.leaf7_ecx = e->ecx;
}

static int check(struct x86_cpuid *c)
{
	struct kvm_cpuid_entry2 *e = find(c, 0x80000008, 0);
	unsigned int virt;

	/* The canonical checks know two widths of linear addresses, and none given. */
	if (e) {
		virt = (e->eax >> 8) & 0xff;
		if (virt != 0 && virt != 48 && virt != 57)
			return -EINVAL;
	}
	return 0;
}

/* Is it the same, but for the bits that follow the vCPU's state? */
static bool same_cpuid(struct x86_cpuid *a, struct x86_cpuid *b)
{
	unsigned int i;

	if (a->nent != b->nent || a->pristine.leaf1_edx != b->pristine.leaf1_edx ||
	    (a->pristine.leaf1_ecx ^ b->pristine.leaf1_ecx) & ~(BIT(27) | BIT(3)) ||
	    (a->pristine.leaf7_ecx ^ b->pristine.leaf7_ecx) & ~BIT(4))
		return false;
	for (i = 0; i < a->nent; i++) {
		const struct kvm_cpuid_entry2 *x = &a->entries[i], *y = &b->entries[i];

		if (x->function != y->function || x->index != y->index ||
		    x->flags != y->flags || x->eax != y->eax)
			return false;
		if (x->function == 1) {
			if (x->ebx != y->ebx)
				return false;
		} else if (x->function == 7) {
			if (x->ebx != y->ebx || x->edx != y->edx)
				return false;
		} else if (x->function == 0xd && x->index < 2) {
			if (x->ecx != y->ecx || x->edx != y->edx)
				return false;
		} else if (x->ebx != y->ebx || x->ecx != y->ecx || x->edx != y->edx) {
			return false;
		}
	}
	return true;
}

static struct x86_cpuid *alloc_cpuid(unsigned int nent)
{
	struct x86_cpuid *c;

	c = kvzalloc(struct_size(c, entries, nent), GFP_KERNEL_ACCOUNT);
	if (c)
		c->nent = nent;
	return c;
}

/* Takes @c over, also when it fails. */
static int install(struct x86_vcpu *vcpu, struct x86_cpuid *c)
{
	struct x86_cpuid *old = vcpu->cpuid;
	struct kvm_cpuid_entry2 *pv;
	int r;

	digest(c);
	/* Who waits by HLT that never exits can't be kicked out of it (cpuid.rst). */
	pv = find_pv_features(c);
	if (pv && x86_vcpu_vm(vcpu)->hlt_in_guest)
		pv->eax &= ~BIT(KVM_FEATURE_PV_UNHALT);
	r = check(c);
	if (!r && vcpu->has_run) {
		/* Too late to change what the guest has seen; again the same is fine. */
		if (!same_cpuid(old, c))
			r = -EINVAL;
		kvfree(c);
		return r;
	}
	if (r) {
		kvfree(c);
		return r;
	}
	vcpu->cpuid = c;
	cpuid_changed(vcpu);
	kvfree(old);
	return 0;
}

int x86_vcpu_set_cpuid2(struct x86_vcpu *vcpu, struct kvm_cpuid2 __user *arg)
{
	struct kvm_cpuid2 head;
	struct x86_cpuid *c;

	if (copy_from_user(&head, arg, sizeof(head)))
		return -EFAULT;
	if (head.nent > X86_MAX_CPUID_ENTRIES)
		return -E2BIG;
	c = alloc_cpuid(head.nent);
	if (!c)
		return -ENOMEM;
	if (copy_from_user(c->entries, arg->entries, head.nent * sizeof(c->entries[0]))) {
		kvfree(c);
		return -EFAULT;
	}
	return install(vcpu, c);
}

int x86_vcpu_set_cpuid(struct x86_vcpu *vcpu, struct kvm_cpuid __user *arg)
{
	struct kvm_cpuid_entry *old;
	struct kvm_cpuid head;
	struct x86_cpuid *c;
	unsigned int i;

	if (copy_from_user(&head, arg, sizeof(head)))
		return -EFAULT;
	if (head.nent > X86_MAX_CPUID_ENTRIES)
		return -E2BIG;
	old = kvmalloc_array(head.nent ?: 1, sizeof(*old), GFP_KERNEL_ACCOUNT);
	c = alloc_cpuid(head.nent);
	if (!old || !c) {
		kvfree(old);
		kvfree(c);
		return -ENOMEM;
	}
	if (copy_from_user(old, arg->entries, head.nent * sizeof(*old))) {
		kvfree(old);
		kvfree(c);
		return -EFAULT;
	}
	for (i = 0; i < head.nent; i++) {
		c->entries[i].function = old[i].function;
		c->entries[i].eax = old[i].eax;
		c->entries[i].ebx = old[i].ebx;
		c->entries[i].ecx = old[i].ecx;
		c->entries[i].edx = old[i].edx;
	}
	kvfree(old);
	return install(vcpu, c);
}

int x86_vcpu_get_cpuid2(struct x86_vcpu *vcpu, struct kvm_cpuid2 __user *arg)
{
	struct x86_cpuid *c = vcpu->cpuid;
	struct kvm_cpuid2 head;

	if (copy_from_user(&head, arg, sizeof(head)))
		return -EFAULT;
	if (head.nent < c->nent)
		return -E2BIG;
	if (copy_to_user(arg->entries, c->entries, c->nent * sizeof(c->entries[0])) ||
	    put_user(c->nent, &arg->nent))
		return -EFAULT;
	return 0;
}

int x86_vcpu_init_cpuid(struct x86_vcpu *vcpu)
{
	vcpu->cpuid = alloc_cpuid(0);
	if (!vcpu->cpuid)
		return -ENOMEM;
	vcpu->maxphyaddr = guest_maxphyaddr(vcpu->cpuid);
	vcpu->reserved_gpa_bits = GENMASK_ULL(63, vcpu->maxphyaddr);
	vcpu->cr4_guest_rsvd_bits = guest_cr4_reserved(vcpu);
	return 0;
}

void x86_vcpu_free_cpuid(struct x86_vcpu *vcpu)
{
	kvfree(vcpu->cpuid);
	vcpu->cpuid = NULL;
}
