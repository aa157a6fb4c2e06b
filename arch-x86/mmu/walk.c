// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks the guest's own page tables (SDM 3A chapter 4, APM 2 chapter 5): none,
 * 2-level with PSE and PSE36, PAE, 4- and 5-level; WP, NX, SMEP, SMAP, protection
 * keys, reserved bits, A and D bits, error codes. Owns no mapping for the
 * hardware: it only answers which gpa an access goes to, or which fault it gets.
 *
 * Everything the guest can change meanwhile is read once; an entry that changed
 * between its reading and the setting of its A bit starts the walk again.
 */
#include <linux/export.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/events.h"
#include "arch-x86/mmu/walk.h"
#include "arch-x86/regs.h"
#include "arch-x86/vendor_call.h"

/* A guest that rewrites its tables while we set A bits: give up with a retry. */
#define MAX_RESTARTS	64

static u64 low_bits(unsigned int n)
{
	return n >= 64 ? ~0ULL : BIT_ULL(n) - 1;
}

static unsigned int level_shift(const struct x86_walk_mode *m, int level)
{
	return 12 + (level - 1) * (m->level == 2 ? 10 : 9);
}

bool x86_gpte_is_leaf(const struct x86_walk_mode *m, int level, u64 entry)
{
	if (level == 1)
		return true;
	if (!(entry & GPTE_LARGE))
		return false;
	if (m->level == 2)
		return m->pse;
	/* PDPTEs of PAE, and entries above them, have no PS: reserved. */
	return level == 2 || (level == 3 && m->level > 3);
}

u64 x86_gpte_reserved(const struct x86_walk_mode *m, int level, u64 entry)
{
	u64 rsvd;

	if (m->level == 2) {
		/* PSE36: bits 20:13 are address bits 39:32. */
		if (level == 2 && x86_gpte_is_leaf(m, level, entry))
			return m->maxphyaddr >= 40 ? BIT_ULL(21) :
			       m->maxphyaddr > 32 ?
			       GENMASK_ULL(21, m->maxphyaddr - 32 + 13) : GENMASK_ULL(21, 13);
		return 0;
	}

	rsvd = GENMASK_ULL(51, 0) & ~low_bits(m->maxphyaddr);
	if (!m->nx)
		rsvd |= GPTE_NX;
	if (m->level == 3)
		rsvd |= GENMASK_ULL(62, 52);

	if (level >= 4) {
		rsvd |= GPTE_LARGE;
		if (m->amd)
			rsvd |= BIT_ULL(8);
	} else if (level == 3) {
		if (!m->gbpages)
			rsvd |= GPTE_LARGE;
		if (entry & GPTE_LARGE)
			rsvd |= GENMASK_ULL(29, 13);
	} else if (level == 2 && (entry & GPTE_LARGE)) {
		rsvd |= GENMASK_ULL(20, 13);
	}
	return rsvd;
}

static gpa_t leaf_gpa(const struct x86_walk_mode *m, int level, u64 entry, u64 gva)
{
	u64 offset = low_bits(level_shift(m, level));
	gpa_t gpa;

	if (m->level == 2) {
		gpa = entry & 0xfffff000;
		if (level == 2)
			gpa = (entry & 0xffc00000) | (entry & GENMASK_ULL(20, 13)) << 19;
		return (gpa & ~offset) | ((u32)gva & offset);
	}
	gpa = entry & GENMASK_ULL(51, 12);
	return (gpa & ~offset) | (gva & offset);
}

static int page_fault(struct x86_walk *w, u64 gva, u32 access, u32 bits)
{
	struct x86_fault_info *f = w->fault;
	u32 ec = bits | (access & (X86_ACC_WRITE | X86_ACC_USER));

	/* I/D is reported only where fetches differ from reads (SDM 3A 4.7). */
	if ((access & X86_ACC_FETCH) && ((w->mode.nx && w->mode.pae) || w->mode.smep))
		ec |= PFERR_FETCH;
	*f = (struct x86_fault_info) {
		.vector = PF_VECTOR,
		.error_code_valid = true,
		.error_code = ec,
		.address = gva,
	};
	return 1;
}

/*
 * May the access go through the page? @user, @write, @nx: of all levels together.
 * SDM 3A 4.6.1, 4.6.2. Return: 0, or the error code's bits.
 */
static u32 check_rights(const struct x86_walk *w, u32 access, u64 leaf,
			bool user, bool write, bool nx)
{
	const struct x86_walk_mode *m = &w->mode;
	bool as_user = access & X86_ACC_USER;

	if (as_user && !user)
		return PFERR_PRESENT;
	if (access & X86_ACC_FETCH) {
		if (nx || (!as_user && user && m->smep))
			return PFERR_PRESENT;
		return 0;
	}
	if ((access & X86_ACC_WRITE) && !write && (as_user || m->wp))
		return PFERR_PRESENT;
	if (!as_user && user && m->smap && ((access & X86_ACC_IMPLICIT) || !w->ac))
		return PFERR_PRESENT;
	if (user && m->pke) {
		unsigned int shift = 2 * ((leaf >> GPTE_PKEY_SHIFT) & 15);
		u32 rights = (w->pkru >> shift) & 3;

		if (rights & 1)		/* AD */
			return PFERR_PRESENT | PFERR_PK;
		if ((rights & 2) && (access & X86_ACC_WRITE) && (as_user || m->wp))
			return PFERR_PRESENT | PFERR_PK;
	}
	return 0;
}

/* A in every entry used, D in the leaf of a write. -EAGAIN: begin again. */
static int set_accessed_dirty(struct x86_walk *w, bool write)
{
	int i;

	for (i = 0; i < w->nr_steps; i++) {
		struct x86_walk_step *step = &w->steps[i];
		u64 old = step->entry;
		u64 new = old | GPTE_ACCESSED;
		int r;

		if (write && i == w->nr_steps - 1)
			new |= GPTE_DIRTY;
		if (new == old)
			continue;
		r = w->update(w, step->gpa, &old, new, x86_gpte_size(&w->mode));
		if (r > 0)
			return -EAGAIN;
		/* In ROM the bits can't be set, and nobody misses them. */
		if (!r)
			step->entry = new;
	}
	return 0;
}

static int walk_once(struct x86_walk *w, u64 gva, u32 access)
{
	const struct x86_walk_mode *m = &w->mode;
	bool user = true, write = true, nx = false;
	int level = m->level;
	u64 entry = 0;
	gpa_t table;
	u32 bits;

	w->nr_steps = 0;
	if (level == 3) {
		/* PDPTEs were checked when CR3 was loaded; they have no rights. */
		entry = w->pdptrs[(gva >> 30) & 3];
		if (!(entry & GPTE_PRESENT))
			return page_fault(w, gva, access, 0);
		table = entry & GENMASK_ULL(51, 12);
		level = 2;
	} else if (level == 2) {
		table = w->cr3 & 0xfffff000;
	} else {
		table = w->cr3 & GENMASK_ULL(51, 12) & low_bits(m->maxphyaddr);
	}

	for (;; level--) {
		unsigned int size = x86_gpte_size(m);
		unsigned int index = (gva >> level_shift(m, level)) & (PAGE_SIZE / size - 1);
		gpa_t gpa = table + index * size;

		if (w->translate) {
			gpa = w->translate(w, gpa, X86_ACC_WRITE | X86_ACC_USER);
			if (gpa == INVALID_GPA)
				return 1;
		}
		entry = 0;
		if (w->read(w, gpa, &entry, size))
			return page_fault(w, gva, access, 0);
		if (!(entry & GPTE_PRESENT))
			return page_fault(w, gva, access, 0);
		if (entry & x86_gpte_reserved(m, level, entry))
			return page_fault(w, gva, access, PFERR_PRESENT | PFERR_RSVD);

		w->steps[w->nr_steps++] = (struct x86_walk_step) { gpa, entry, level };
		user &= !!(entry & GPTE_USER);
		write &= !!(entry & GPTE_WRITE);
		/* In 2-level entries the bit does not exist and reads as 0. */
		nx |= m->nx && (entry & GPTE_NX);
		if (x86_gpte_is_leaf(m, level, entry))
			break;
		table = m->level == 2 ? entry & 0xfffff000 : entry & GENMASK_ULL(51, 12);
	}

	bits = check_rights(w, access, entry, user, write, nx);
	if (bits)
		return page_fault(w, gva, access, bits);
	if (set_accessed_dirty(w, access & X86_ACC_WRITE))
		return -EAGAIN;
	w->gpa = leaf_gpa(m, level, entry, gva);
	w->page_shift = level_shift(m, level);
	return 0;
}

int x86_walk(struct x86_walk *w, u64 gva, u32 access)
{
	int i, r;

	if (!w->mode.level) {
		w->gpa = gva;
		w->page_shift = 12;
		w->nr_steps = 0;
		return 0;
	}
	for (i = 0; i < MAX_RESTARTS; i++) {
		r = walk_once(w, gva, access);
		if (r != -EAGAIN)
			return r;
	}
	/* Endlessly rewritten by another vCPU: as if its last store came later. */
	return page_fault(w, gva, access, 0);
}

/* ---- the vCPU's own tables ------------------------------------------------- */

static int read_table(struct x86_walk *w, gpa_t gpa, void *entry, unsigned int len)
{
	return kvm_vcpu_read_entry(&w->vcpu->core, gpa, entry, len);
}

static int update_table(struct x86_walk *w, gpa_t gpa, u64 *old, u64 new, unsigned int len)
{
	/* Little endian: the low 4 bytes of both are the 4-byte entry. */
	return kvm_vcpu_cmpxchg_guest(&w->vcpu->core, gpa, old, &new, len);
}

void x86_walk_mode_of(struct x86_walk_mode *m, struct x86_vcpu *vcpu)
{
	u64 cr0 = x86_cr0(vcpu), cr4 = x86_cr4(vcpu);

	*m = (struct x86_walk_mode) { };
	if (!(cr0 & X86_CR0_PG))
		return;
	if (vcpu->efer & EFER_LMA)
		m->level = (cr4 & X86_CR4_LA57) ? 5 : 4;
	else
		m->level = (cr4 & X86_CR4_PAE) ? 3 : 2;
	m->pae = cr4 & X86_CR4_PAE;
	m->pse = cr4 & X86_CR4_PSE;
	m->wp = cr0 & X86_CR0_WP;
	m->nx = m->pae && (vcpu->efer & EFER_NX);
	m->smep = cr4 & X86_CR4_SMEP;
	m->smap = cr4 & X86_CR4_SMAP;
	m->pke = m->level >= 4 && (cr4 & X86_CR4_PKE);
	m->gbpages = guest_cpuid_has(vcpu, X86_FEATURE_GBPAGES);
	m->amd = guest_cpuid_is_amd(vcpu);
	m->maxphyaddr = vcpu->maxphyaddr;
}

void x86_walk_init(struct x86_walk *w, struct x86_vcpu *vcpu, struct x86_fault_info *fault)
{
	struct x86_walk_mode *m = &w->mode;

	w->vcpu = vcpu;
	w->read = read_table;
	w->update = update_table;
	w->translate = NULL;
	w->fault = fault;
	w->ac = false;
	x86_walk_mode_of(m, vcpu);
	if (!m->level)
		return;
	w->cr3 = x86_cr3(vcpu);
	w->pkru = vcpu->pkru;
	if (m->smap)
		w->ac = x86_get_rflags(vcpu) & X86_EFLAGS_AC;
	if (m->level == 3) {
		if (!x86_reg_available(vcpu, X86_REG_PDPTRS))
			x86_cache_reg(vcpu, X86_REG_PDPTRS);
		w->pdptrs = vcpu->pdptrs;
	}
}

gpa_t x86_gva_to_gpa(struct x86_vcpu *vcpu, u64 gva, u32 access,
		     struct x86_fault_info *fault)
{
	struct x86_walk w;

	x86_walk_init(&w, vcpu, fault);
	return x86_walk(&w, gva, access) ? INVALID_GPA : w.gpa;
}
EXPORT_SYMBOL_GPL(x86_gva_to_gpa);

bool x86_load_pdptrs(struct x86_vcpu *vcpu, u64 cr3)
{
	/* Present ones: 2:1, 8:5 and what is above MAXPHYADDR (SDM 3A 4.4.1). */
	u64 rsvd = GENMASK_ULL(2, 1) | GENMASK_ULL(8, 5) | ~low_bits(vcpu->maxphyaddr);
	u64 pdptrs[4];
	int i;

	if (kvm_vcpu_read_guest(&vcpu->core, cr3 & 0xffffffe0, pdptrs, sizeof(pdptrs)))
		return false;
	for (i = 0; i < ARRAY_SIZE(pdptrs); i++)
		if ((pdptrs[i] & GPTE_PRESENT) && (pdptrs[i] & rsvd))
			return false;
	memcpy(vcpu->pdptrs, pdptrs, sizeof(pdptrs));
	x86_reg_mark_dirty(vcpu, X86_REG_PDPTRS);
	x86_mmu_new_cr3(vcpu, cr3);
	return true;
}
EXPORT_SYMBOL_GPL(x86_load_pdptrs);
