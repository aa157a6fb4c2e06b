// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page fault from start to finish: with shadow tables the guest's own first; then
 * slot, host page, entry; or, where there is no memory, emulation. Owns the order of
 * these steps and the rule by which a fault and an invalidation by the host never
 * miss each other:
 *
 *	fault				host (mmu_notifier.c)
 *	seq = invalidate_seq		lock for write; in_progress++; zap; flush; unlock
 *	find the page			... the page goes ...
 *	lock				lock for write; seq++; in_progress--; unlock
 *	in progress, or seq changed?
 *	    then begin again
 *	install; unlock
 *
 * The same lock orders faults and changes of the slots: a fault whose slots are
 * not the current ones begins again (commit comes after publication and takes
 * the lock for write). Nested tables take many faults at a time, under the lock for
 * read; shadow tables one.
 *
 * In the inner loop, IRQs off, the page is looked for under the lock (map_irqoff()): what the
 * process's tables say then holds until the host comes to the lock, so there is nothing to
 * begin again, and no reference to take. What needs more than a look goes the other way.
 *
 * Addresses without memory get no entry at all: whether something is MMIO is
 * asked of the slots each time, so no cached answer can become stale.
 */
#include <linux/export.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>
#include <asm/apicdef.h>

#include "arch-x86/events.h"
#include "arch-x86/io.h"
#include "arch-x86/mmu/shadow.h"
#include "arch-x86/mmu/tdp.h"
#include "arch-x86/pv/pv.h"
#include "arch-x86/regs.h"
#include "arch-x86/trace.h"
#include "arch-x86/vendor_call.h"
#include "core/arch.h"
#include "core/io_bus.h"

/* Faults in a row at one address with nothing to mend: flush; then give up. */
#define SPURIOUS_FLUSH	8
#define SPURIOUS_MAX	100000

/* Nothing to report: enter the guest, and see whether it faults again. */
static int spurious(struct x86_vcpu *vcpu, gpa_t gpa)
{
	struct x86_mmu *mmu = &vcpu->mmu;

	vcpu->core.stat.pf_spurious++;
	if (mmu->spurious_gpa != gpa) {
		mmu->spurious_gpa = gpa;
		mmu->spurious_count = 0;
	}
	if (++mmu->spurious_count == SPURIOUS_FLUSH)
		kvm_make_request(X86_REQ_TLB_FLUSH_CURRENT, &vcpu->core);
	if (mmu->spurious_count > SPURIOUS_MAX) {
		mmu->spurious_count = 0;
		x86_prepare_emulation_failure_exit(vcpu);
		return X86_USER;
	}
	return X86_RESUME;
}

/*
 * An event was on its way into the guest and met something that is no memory: its
 * stack, or a descriptor table. Nothing at RIP could be emulated to help.
 */
static int delivery_failed(struct x86_vcpu *vcpu, gpa_t gpa)
{
	struct kvm_run *run = vcpu->core.run;
	u32 reason, intr_info, error_code;
	u64 info1, info2;

	vendor_call(exit_info)(vcpu, &reason, &info1, &info2, &intr_info, &error_code);
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
	run->internal.ndata = 5;
	run->internal.data[0] = intr_info;
	run->internal.data[1] = reason;
	run->internal.data[2] = info1;
	run->internal.data[3] = gpa;
	run->internal.data[4] = vcpu->core.cpu;
	return X86_USER;
}

static int emulate_access(struct x86_vcpu *vcpu, gpa_t gpa, u64 error_code, int flags,
			  const void *insn, int insn_len)
{
	if (unlikely(x86_event_reinjection(vcpu)))
		return delivery_failed(vcpu, gpa);
	vcpu->core.stat.pf_emulate++;
	/*
	 * The address is known, so the operand need not be walked again; but not
	 * if it is that of a guest's page table.
	 */
	vcpu->gpa_available = !(error_code & (PFERR_GUEST_PAGE | PFERR_FETCH));
	vcpu->gpa_val = gpa;
	vcpu->gpa_write = error_code & PFERR_WRITE;
	return x86_emulate_instruction(vcpu, gpa, flags, insn, insn_len);
}

/* No slot: an eventfd that wants no data, a device, user space. */
static int fault_mmio(struct x86_vcpu *vcpu, gpa_t gpa, u64 error_code,
		      const void *insn, int insn_len)
{
	vcpu->mmu.spurious_count = 0;
	if ((error_code & PFERR_WRITE) && !(error_code & (PFERR_FETCH | PFERR_GUEST_PAGE)) &&
	    !x86_event_reinjection(vcpu) &&
	    !kvm_io_bus_write(&vcpu->core, KVM_FAST_MMIO_BUS, gpa, 0, NULL)) {
		trace_kvm_fast_mmio(gpa);
		return x86_skip_insn(vcpu);
	}
	return emulate_access(vcpu, gpa, error_code, X86_EMUL_MMIO, insn, insn_len);
}

int x86_mmu_apic_access(struct x86_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	return emulate_access(vcpu, gpa, error_code, X86_EMUL_MMIO, NULL, 0);
}
EXPORT_SYMBOL_GPL(x86_mmu_apic_access);

/* Are the slots no longer those that the fault has looked in? Context: mmu_lock. */
static bool slots_changed(struct kvm_vcpu *vcpu, const struct mmu_fault *f)
{
	const struct kvm_memslots *slots = kvm_memslots_as(vcpu->kvm, kvm_arch_vcpu_as_id(vcpu));

	return slots != f->slots || slots->generation != f->slots_gen;
}

/*
 * A page of ours, in no slot: the APIC's, if the CPU is to see through it (with shadow
 * tables each access faults instead), or the identity table.
 */
static struct page *own_page(struct x86_vm *vm, gfn_t gfn)
{
	if (gfn == gpa_to_gfn(APIC_DEFAULT_PHYS_BASE) && !x86_mmu_limits.shadow)
		return READ_ONCE(vm->apic_page_used) ? vm->apic_page : NULL;
	return identity_page(vm, gfn);
}

static bool fault_own_page(struct x86_vcpu *vcpu, struct mmu_fault *f)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct page *page = own_page(vm, f->gfn);
	enum mmu_result r = MMU_BROKEN;

	if (!page || tdp_topup(vcpu))
		return false;
	f->pfn = page_to_pfn(page);
	f->write = true;
	f->host_writable = true;
	f->level = 1;
	read_lock(&vm->core.mmu_lock);
	/* Whoever takes it away writes first, and then waits for the lock; slots likewise. */
	if (own_page(vm, f->gfn) == page && !slots_changed(&vcpu->core, f))
		r = tdp_map(vcpu, vcpu->mmu.root_table, f);
	read_unlock(&vm->core.mmu_lock);
	return r == MMU_MAPPED || r == MMU_SPURIOUS;
}

/* The host could not give the page. */
static int fault_error(struct x86_vcpu *vcpu, const struct mmu_fault *f, int err)
{
	switch (err) {
	case -EHWPOISON:
		/* As if the guest's process had touched it itself. */
		send_sig_mceerr(BUS_MCEERR_AR,
				(void __user *)kvm_slot_hva(f->slot, f->gfn),
				PAGE_SHIFT, current);
		return X86_RESUME;
	case -EINTR:
	case -EAGAIN:
		/* A signal: the run loop sees it before the next entry. */
		return X86_RESUME;
	default:
		return err;
	}
}

/* The largest page that slot, host and log allow. Context: mmu_lock, verified. */
static u8 fault_level(struct x86_vm *vm, const struct mmu_fault *f)
{
	struct kvm *kvm = &vm->core;
	int level = x86_mmu_limits.max_leaf_level;
	int shift = f->host_shift;
	gfn_t base;

	if (shift == PAGE_SHIFT || kvm_slot_dirty_tracked(f->slot))
		return 1;
	while (level > 1 && !tdp_slot_fits(f->slot, f->gfn, level))
		level--;
	if (level == 1)
		return 1;
	if (!shift)
		shift = kvm_host_mapping_shift(kvm, f->slot, f->gfn);
	while (level > 1 && spte_level_shift(level) > shift)
		level--;
	/* The check for this frame says nothing of its neighbours. */
	base = f->gfn & ~(spte_level_pages(level) - 1);
	if (kvm->invalidate_in_progress && base < kvm->invalidate_end &&
	    base + spte_level_pages(level) > kvm->invalidate_start)
		return 1;
	return level;
}

/* A fetch gets no page that can't be executed. Context: as fault_level(). */
static void choose_level(struct x86_vm *vm, struct mmu_fault *f)
{
	f->level = fault_level(vm, f);
	if (unlikely(f->exec && vm->mmu.nx_huge && f->level > 1)) {
		f->split = f->level;
		f->level = 1;
	}
}

static bool fault_is_stale(struct kvm_vcpu *vcpu, const struct mmu_fault *f)
{
	return slots_changed(vcpu, f) || kvm_invalidate_retry(vcpu->kvm, f->invalidate_seq, f->gfn);
}

static void fault_lock(struct x86_vm *vm) __acquires(&vm->core.mmu_lock)
{
	if (x86_mmu_limits.shadow)
		write_lock(&vm->core.mmu_lock);
	else
		read_lock(&vm->core.mmu_lock);
}

static void fault_unlock(struct x86_vm *vm) __releases(&vm->core.mmu_lock)
{
	if (x86_mmu_limits.shadow)
		write_unlock(&vm->core.mmu_lock);
	else
		read_unlock(&vm->core.mmu_lock);
}

static enum mmu_result map(struct x86_vcpu *vcpu, struct mmu_fault *f)
{
	if (x86_mmu_limits.shadow)
		return shadow_map(vcpu, f);
	choose_level(x86_vcpu_vm(vcpu), f);
	return tdp_map(vcpu, vcpu->mmu.root_table, f);
}

/* Find the host's page and map it. *@r: what came of it, if 0 is returned. */
static int fault_map(struct x86_vcpu *vcpu, struct mmu_fault *f, enum mmu_result *r)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct kvm_faultin host;
	int err;

	err = x86_mmu_limits.shadow ? shadow_topup(vcpu) : tdp_topup(vcpu);
	if (err)
		return err;
	f->invalidate_seq = READ_ONCE(vm->core.invalidate_seq);
	smp_rmb();	/* the sequence before the host's tables */
	err = f->prefault ? kvm_faultin_pfn(f->slot, f->gfn, f->write, KVM_FAULTIN_WAIT, &host) :
			    x86_faultin_pfn(vcpu, f->slot, f->gfn, f->write, &host);
	if (err == X86_FAULTIN_LATER) {
		*r = MMU_RETRY;
		return 0;
	}
	if (err)
		return err;
	f->pfn = host.pfn;
	f->host_writable = host.writable && kvm_slot_writable(f->slot);

	fault_lock(vm);
	*r = fault_is_stale(&vcpu->core, f) ? MMU_RETRY : map(vcpu, f);
	if (*r == MMU_MAPPED && f->write && kvm_slot_dirty_tracked(f->slot))
		kvm_mark_page_dirty(&vm->core, &vcpu->core, f->slot, f->gfn);
	kvm_release_faultin(&host, *r == MMU_MAPPED && f->host_writable);
	fault_unlock(vm);
	return 0;
}

/* Memory, and usable. */
static int fault_memory(struct x86_vcpu *vcpu, struct mmu_fault *f, gpa_t gpa, u64 error_code,
			const void *insn, int insn_len)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	enum mmu_result r;
	int err;

	if (f->write && (f->slot->flags & KVM_MEM_READONLY))
		return emulate_access(vcpu, gpa, error_code, X86_EMUL_PF, insn, insn_len);
	err = fault_map(vcpu, f, &r);
	if (err)
		return fault_error(vcpu, f, err);
	switch (r) {
	case MMU_MAPPED:
		vcpu->core.stat.pf_fixed++;
		vcpu->mmu.spurious_count = 0;
		return X86_RESUME;
	case MMU_SPURIOUS:
		return spurious(vcpu, gfn_to_gpa(f->gfn));
	case MMU_TOO_LARGE:
		tdp_split(vcpu, vcpu->mmu.root_table, f);
		return X86_RESUME;
	case MMU_RETRY:
		return X86_RESUME;
	case MMU_EMULATE:
		return emulate_access(vcpu, gpa, error_code, X86_EMUL_PF, insn, insn_len);
	case MMU_NO_TABLES:
		/* Tables vanish only under the lock that we held: it was topped up. */
		KVM_BUG_ON(1, &vm->core);
		fallthrough;
	case MMU_BROKEN:
		break;
	}
	return -EIO;
}

static bool over_limit(struct x86_vm *vm)
{
	return unlikely(!x86_mmu_limits.shadow &&
			atomic64_read(&vm->mmu.nr_pages) > READ_ONCE(vm->mmu.max_pages));
}

/*
 * Bounded memory for nested tables, if user space has set a bound: begin anew. (Shadow
 * pages go one by one: shadow_reclaim().)
 */
static void enforce_limit(struct x86_vm *vm)
{
	if (!over_limit(vm))
		return;
	mmu_zap_all(vm);
	/* Until they are free they count; the next fault should not zap again. */
	flush_work(&vm->mmu.reaper);
}

/*
 * A page that is logged, or was: only W is missing. True, with *@result: the fault is
 * done with.
 */
static bool fault_fast(struct x86_vcpu *vcpu, const struct mmu_fault *f, int *result)
{
	switch (tdp_fast_write(vcpu, vcpu->mmu.root_table, f->gfn)) {
	case MMU_MAPPED:
		vcpu->core.stat.pf_fast++;
		*result = X86_RESUME;
		return true;
	case MMU_SPURIOUS:
		*result = spurious(vcpu, gfn_to_gpa(f->gfn));
		return true;
	default:
		return false;
	}
}

/* Shadow tables: where the guest's own lead. False: it has its #PF. */
static bool fault_walk(struct x86_vcpu *vcpu, struct mmu_fault *f, u64 gva, u64 error_code,
		       struct x86_walk *w)
{
	u32 access = error_code & (X86_ACC_WRITE | X86_ACC_USER | X86_ACC_FETCH);
	struct x86_fault_info fault;

	/* The CPU's own accesses at CPL 3 (descriptor tables, TSS) are a supervisor's. */
	if (!(access & X86_ACC_USER) && vendor_call(get_cpl)(vcpu) == 3)
		access |= X86_ACC_IMPLICIT;
	x86_walk_init(w, vcpu, &fault);
	if (x86_walk(w, gva, access)) {
		vcpu->core.stat.pf_guest++;
		x86_inject_page_fault(vcpu, &fault);
		return false;
	}
	f->walk = w;
	f->gva = gva;
	f->gfn = gpa_to_gfn(w->gpa);
	return true;
}

/* The slot of the vCPU's that has f->gfn; false: none, or out of the tables' reach. */
static bool fault_slot(struct x86_vcpu *vcpu, struct mmu_fault *f)
{
	struct kvm_memslots *slots = kvm_memslots_as(vcpu->core.kvm,
						     kvm_arch_vcpu_as_id(&vcpu->core));

	f->slots = slots;
	f->slots_gen = READ_ONCE(slots->generation);
	f->slot = kvm_find_slot(slots, f->gfn);
	return f->slot && f->gfn < x86_mmu_limits.max_gfn;
}

int x86_mmu_prefault(struct x86_vcpu *vcpu, gpa_t gpa, gpa_t *end)
{
	enum mmu_result r = MMU_RETRY;
	struct mmu_fault f;
	int err;

	if (x86_mmu_limits.shadow)
		return -EOPNOTSUPP;
	err = x86_mmu_load(vcpu);
	while (!err && r == MMU_RETRY) {
		if (signal_pending(current))
			return -EINTR;
		cond_resched();
		f = (struct mmu_fault) { .gfn = gpa_to_gfn(gpa), .prefault = true };
		if (!fault_slot(vcpu, &f))
			return -ENOENT;
		if (!kvm_slot_usable(f.slot))
			continue;
		enforce_limit(x86_vcpu_vm(vcpu));
		err = fault_map(vcpu, &f, &r);
		if (err == -EAGAIN)
			err = 0;
	}
	if (err)
		return err;
	if (KVM_BUG_ON(r != MMU_MAPPED && r != MMU_SPURIOUS, vcpu->core.kvm))
		return -EIO;
	*end = gfn_to_gpa((f.gfn | (spte_level_pages(f.level) - 1)) + 1);
	return 0;
}

/* ---- the inner loop's share -------------------------------------------------------- */

static enum mmu_result map_irqoff(struct x86_vcpu *vcpu, struct mmu_fault *f)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	enum mmu_result r;
	int shift;

	/* Looked up under the lock: whoever changes slots comes to it after that. */
	f->slot = kvm_vcpu_gfn_to_memslot(&vcpu->core, f->gfn);
	if (!kvm_slot_writable(f->slot) || kvm_invalidating(&vm->core, f->gfn) ||
	    !kvm_faultin_pfn_irqoff(&vm->core, f->slot, f->gfn, &f->pfn, &shift))
		return MMU_RETRY;
	f->host_shift = shift;
	f->host_writable = true;
	choose_level(vm, f);
	r = tdp_map(vcpu, vcpu->mmu.root_table, f);
	if (r == MMU_MAPPED && f->write && kvm_slot_dirty_tracked(f->slot))
		kvm_mark_page_dirty(&vm->core, &vcpu->core, f->slot, f->gfn);
	return r;
}

bool x86_mmu_page_fault_irqoff(struct x86_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct mmu_fault f = {
		.gfn = gpa_to_gfn(gpa),
		.write = error_code & PFERR_WRITE,
		.exec = error_code & PFERR_FETCH,
	};

	if (x86_mmu_limits.shadow || (error_code & PFERR_RSVD) || over_limit(vm) ||
	    f.gfn >= x86_mmu_limits.max_gfn)
		return false;
	if (f.write && (error_code & PFERR_PRESENT) &&
	    tdp_fast_write(vcpu, vcpu->mmu.root_table, f.gfn) == MMU_MAPPED) {
		vcpu->core.stat.pf_fast++;
	} else {
		enum mmu_result r;

		/* Who holds it for write may wait for our IPI. */
		if (!read_trylock(&vm->core.mmu_lock))
			return false;
		r = map_irqoff(vcpu, &f);
		read_unlock(&vm->core.mmu_lock);
		if (r != MMU_MAPPED)
			return false;
		vcpu->core.stat.pf_fixed++;
	}
	vcpu->core.stat.pf_taken++;
	vcpu->mmu.spurious_count = 0;
	trace_kvm_page_fault(vcpu, gpa, error_code);
	return true;
}

/* ---- any fault ----------------------------------------------------------------------- */

/* Where the fault leads: memory, a page of ours, or neither. */
static int fault_at(struct x86_vcpu *vcpu, struct mmu_fault *f, gpa_t gpa, u64 error_code,
		    const void *insn, int insn_len)
{
	if (!fault_slot(vcpu, f)) {
		if (!f->slot && fault_own_page(vcpu, f))
			return X86_RESUME;
		return fault_mmio(vcpu, gpa, error_code, insn, insn_len);
	}
	if (!kvm_slot_usable(f->slot)) {
		/* On its way out, which does not take long. */
		cond_resched();
		return X86_RESUME;
	}
	enforce_limit(x86_vcpu_vm(vcpu));
	return fault_memory(vcpu, f, gpa, error_code, insn, insn_len);
}

/* A function of its own: a walk is large. */
static noinline int fault_shadow(struct x86_vcpu *vcpu, struct mmu_fault *f, u64 gva,
				 u64 error_code, const void *insn, int insn_len)
{
	struct x86_walk w;

	if (!fault_walk(vcpu, f, gva, error_code, &w))
		return X86_RESUME;
	return fault_at(vcpu, f, w.gpa, error_code, insn, insn_len);
}

int x86_mmu_page_fault(struct x86_vcpu *vcpu, u64 addr, u64 error_code,
		       const void *insn, int insn_len)
{
	struct mmu_fault f = {
		.gfn = gpa_to_gfn(addr),
		.write = error_code & PFERR_WRITE,
		.exec = error_code & PFERR_FETCH,
	};
	int r;

	vcpu->core.stat.pf_taken++;
	trace_kvm_page_fault(vcpu, addr, error_code);
	if (KVM_BUG_ON(!x86_mmu_has_root(&vcpu->mmu) || (error_code & PFERR_RSVD), vcpu->core.kvm))
		return -EIO;
	if (x86_mmu_limits.shadow)
		return fault_shadow(vcpu, &f, addr, error_code, insn, insn_len);
	if (f.write && (error_code & PFERR_PRESENT) && fault_fast(vcpu, &f, &r))
		return r;
	return fault_at(vcpu, &f, addr, error_code, insn, insn_len);
}
EXPORT_SYMBOL_GPL(x86_mmu_page_fault);
