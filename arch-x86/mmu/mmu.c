// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MMU's life: module, VM and vCPU; roots loaded and dropped; what core asks
 * of an architecture about memory (core/arch.h). Owns no table's content: that
 * is tdp.c's.
 */
#include <linux/export.h>
#include <linux/io.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/workqueue.h>

#include "core/arch.h"
#include "arch-x86/io.h"
#include "arch-x86/mmu/shadow.h"
#include "arch-x86/mmu/tdp.h"
#include "arch-x86/mmu/tlb_model.h"
#include "arch-x86/regs.h"
#include "arch-x86/vendor_call.h"

#define MIN_NR_PAGES	64	/* the ABI's smallest KVM_SET_NR_MMU_PAGES */

struct x86_mmu_limits x86_mmu_limits;
struct workqueue_struct *x86_mmu_wq;

int x86_mmu_module_init(void)
{
	x86_mmu_wq = alloc_workqueue("kvm-mmu", WQ_UNBOUND, 0);
	if (!x86_mmu_wq)
		return -ENOMEM;
	nx_module_init();
	return 0;
}

void x86_mmu_module_exit(void)
{
	nx_module_exit();
	destroy_workqueue(x86_mmu_wq);
}

void x86_mmu_vendor_init(void)
{
	const struct x86_vendor_caps *caps = x86_vendor_caps();
	int bits;

	x86_mmu_limits.shadow = !caps->npt;
	spte_choose_format(!caps->npt ? SPTE_SHADOW : caps->tdp_ept_format ? SPTE_EPT : SPTE_NPT,
			   !caps->npt || caps->tdp_has_ad,
			   /* Where the host's memory is encrypted, its page tables must say so. */
			   __sme_set(0ULL));

	x86_mmu_limits.root_level = caps->tdp_max_level;
	x86_mmu_limits.max_leaf_level =
		(clamp(caps->tdp_max_page_shift, 12, 30) - GFN_SHIFT) / SPTE_INDEX_BITS + 1;
	bits = boot_cpu_data.x86_phys_bits;
	if (caps->npt)
		bits = min(bits, spte_level_shift(caps->tdp_max_level + 1));
	x86_mmu_limits.max_gfn = 1ULL << (bits - GFN_SHIFT);
}

/* ---- a VM ----------------------------------------------------------------- */

int x86_mmu_vm_init(struct x86_vm *vm)
{
	struct x86_vm_mmu *mmu = &vm->mmu;
	int r = tlb_model_vm_init(vm);

	if (r)
		return r;
	mmu->max_pages = ULONG_MAX;
	spin_lock_init(&mmu->dead_lock);
	INIT_LIST_HEAD(&mmu->dead);
	INIT_WORK(&mmu->reaper, tdp_reap);
	nx_vm_init(vm);
	r = x86_mmu_limits.shadow ? shadow_vm_init(vm) : identity_alloc(vm);
	if (r)
		tlb_model_vm_destroy(vm);
	return r;
}

void x86_mmu_vm_stop(struct x86_vm *vm)
{
	/* No notifier is left: nobody detaches any more, but this. */
	nx_vm_destroy(vm);
	flush_work(&vm->mmu.reaper);
}

void x86_mmu_vm_destroy(struct x86_vm *vm)
{
	int i;

	for (i = 0; i < KVM_ADDRESS_SPACE_NUM; i++) {
		if (vm->mmu.tdp_root[i])
			tdp_free_tree(vm, vm->mmu.tdp_root[i]);
		vm->mmu.tdp_root[i] = NULL;
	}
	identity_free(vm);
	/* The end of the notifier has dropped all shadow pages. */
	if (x86_mmu_limits.shadow)
		shadow_vm_destroy(vm);
	WARN_ON_ONCE(atomic64_read(&vm->mmu.nr_pages) && !vm->core.dead);
	tlb_model_vm_destroy(vm);
}

int x86_mmu_set_nr_pages(struct x86_vm *vm, unsigned long nr)
{
	if (nr < MIN_NR_PAGES)
		return -EINVAL;
	mutex_lock(&vm->core.slots_lock);
	WRITE_ONCE(vm->mmu.max_pages, nr);
	mutex_unlock(&vm->core.slots_lock);
	if (atomic64_read(&vm->mmu.nr_pages) > nr)
		mmu_zap_all(vm);
	return 0;
}

/* ---- a vCPU --------------------------------------------------------------- */

int x86_mmu_vcpu_create(struct x86_vcpu *vcpu)
{
	int r = tlb_model_vcpu_create(vcpu);

	if (r)
		return r;
	vcpu->mmu.root = INVALID_HPA;
	vcpu->mmu.writing = INVALID_GFN;
	vcpu->mmu.spurious_gpa = INVALID_GPA;
	INIT_LIST_HEAD(&vcpu->mmu.page_cache);
	r = x86_mmu_limits.shadow ? shadow_vcpu_create(vcpu) : 0;
	if (r)
		tlb_model_vcpu_destroy(vcpu);
	return r;
}

void x86_mmu_vcpu_destroy(struct x86_vcpu *vcpu)
{
	x86_mmu_unload(vcpu);
	if (x86_mmu_limits.shadow)
		shadow_vcpu_destroy(vcpu);
	else
		tdp_drop_cache(vcpu);
	tlb_model_vcpu_destroy(vcpu);
}

/* The tree of an address space, made when it is first wanted. */
static struct x86_table *get_root(struct x86_vm *vm, int as_id)
{
	struct x86_table *root = READ_ONCE(vm->mmu.tdp_root[as_id]), *new;

	if (root)
		return root;
	new = tdp_table_alloc(vm);
	if (!new)
		return NULL;
	new->level = x86_mmu_limits.root_level;
	new->as_id = as_id;
	write_lock(&vm->core.mmu_lock);
	root = vm->mmu.tdp_root[as_id];
	if (!root) {
		/* Nothing is mapped yet. The VM is in the list of those that are told. */
		if (!vm->mmu.tdp_root[!as_id])
			nx_vm_update(vm);
		/* Readers look without the lock: the content comes first. */
		smp_store_release(&vm->mmu.tdp_root[as_id], new);
		root = new;
		new = NULL;
	}
	write_unlock(&vm->core.mmu_lock);
	if (new)
		tdp_table_free(vm, new);
	return root;
}

static int load_tdp_root(struct x86_vcpu *vcpu)
{
	struct x86_table *root = get_root(x86_vcpu_vm(vcpu), kvm_arch_vcpu_as_id(&vcpu->core));
	struct x86_mmu *mmu = &vcpu->mmu;

	if (!root)
		return -ENOMEM;
	mmu->root_table = root;
	mmu->root_level = root->level;
	mmu->root = virt_to_phys(root->entries) | x86_spte_fmt.enc;
	return 0;
}

int x86_mmu_load(struct x86_vcpu *vcpu)
{
	struct x86_mmu *mmu = &vcpu->mmu;
	int r;

	if (unlikely(mmu->root_page && READ_ONCE(mmu->root_page->dead)))
		x86_mmu_unload(vcpu);
	if (likely(x86_mmu_has_root(mmu)))
		return 0;
	r = x86_mmu_limits.shadow ? shadow_load_root(vcpu) : load_tdp_root(vcpu);
	if (r)
		return r;
	tlb_model_flush_begin(vcpu);
	vendor_call(load_root)(vcpu, mmu->root, mmu->root_level);
	/* TLBs may be tagged by less than the root: none of another survives. */
	vendor_call(flush_tlb_current)(vcpu);
	tlb_model_flush_end(vcpu, true);
	return 0;
}

void x86_mmu_unload(struct x86_vcpu *vcpu)
{
	struct shadow_page *page = vcpu->mmu.root_page;
	struct kvm *kvm = vcpu->core.kvm;

	vcpu->mmu.root = INVALID_HPA;
	vcpu->mmu.root_table = NULL;
	tlb_model_unload(vcpu);
	if (!page)
		return;
	write_lock(&kvm->mmu_lock);
	vcpu->mmu.root_page = NULL;
	shadow_put_root(x86_vm_of(kvm), page);
	write_unlock(&kvm->mmu_lock);
}
EXPORT_SYMBOL_GPL(x86_mmu_unload);

void x86_mmu_reset_context(struct x86_vcpu *vcpu)
{
	struct x86_mmu *mmu = &vcpu->mmu;

	/*
	 * A walk reads CR0, CR4 and EFER each time (walk.c), and nested tables
	 * don't depend on them: only on which memory the vCPU sees.
	 */
	if (x86_mmu_limits.shadow)
		x86_mmu_unload(vcpu);
	if (mmu->root_table &&
	    mmu->root_table->as_id != kvm_arch_vcpu_as_id(&vcpu->core))
		x86_mmu_unload(vcpu);
}
EXPORT_SYMBOL_GPL(x86_mmu_reset_context);

void x86_mmu_new_cr3(struct x86_vcpu *vcpu, u64 cr3)
{
	/* Nested tables translate gpas, which CR3 does not change. */
	if (x86_mmu_limits.shadow)
		x86_mmu_unload(vcpu);
}

void x86_mmu_sync(struct x86_vcpu *vcpu)
{
	if (x86_mmu_limits.shadow)
		shadow_sync_all(vcpu);
}

void x86_mmu_invlpg(struct x86_vcpu *vcpu, gva_t gva)
{
	vcpu->core.stat.invlpg++;
	/* TLBs hold nothing that shadow tables do not. */
	if (x86_mmu_limits.shadow)
		shadow_invlpg(vcpu, gva);
	else
		vendor_call(flush_tlb_gva)(vcpu, gva);
}
EXPORT_SYMBOL_GPL(x86_mmu_invlpg);

/* ---- what core asks (core/arch.h) ------------------------------------------ */

int kvm_arch_prepare_slot(struct kvm *kvm, const struct kvm_memory_slot *old,
			  struct kvm_memory_slot *new, enum kvm_mr_change change)
{
	gfn_t identity = gpa_to_gfn(x86_vm_of(kvm)->identity_map_addr);

	/* What the tables can't translate would be memory that no vCPU can use. */
	if ((change == KVM_MR_CREATE || change == KVM_MR_MOVE) &&
	    kvm_slot_end(new) > x86_mmu_limits.max_gfn)
		return -EINVAL;
	/* User space was to leave room for it. */
	if ((change == KVM_MR_CREATE || change == KVM_MR_MOVE) && x86_vm_of(kvm)->mmu.identity &&
	    identity >= new->base_gfn && identity < kvm_slot_end(new))
		return -EEXIST;
	if (x86_mmu_limits.shadow && (change == KVM_MR_CREATE || change == KVM_MR_MOVE))
		return rmap_alloc(new);
	return 0;
}

void kvm_arch_commit_slot(struct kvm *kvm, struct kvm_memory_slot *old,
			  const struct kvm_memory_slot *new, enum kvm_mr_change change)
{
	struct x86_vm *vm = x86_vm_of(kvm);
	gfn_t apic = gpa_to_gfn(APIC_DEFAULT_PHYS_BASE);
	bool was, is;

	if (kvm_slot_dirty_tracked(new) != kvm_slot_dirty_tracked(old))
		WRITE_ONCE(vm->mmu.nr_logged,
			   vm->mmu.nr_logged + (kvm_slot_dirty_tracked(new) ? 1 : -1));
	/* Memory goes before the APIC. */
	if (vm->apic_page && (change == KVM_MR_CREATE || change == KVM_MR_MOVE) &&
	    new->base_gfn <= apic && apic < kvm_slot_end(new))
		x86_mmu_unmap_apic_page(vm);
	if (change != KVM_MR_FLAGS_ONLY)
		return;
	was = kvm_slot_dirty_tracked(old);
	is = kvm_slot_dirty_tracked(new);
	if (was && !is && !x86_mmu_limits.shadow)
		tdp_log_stop(vm, new);
	if (was || !is)
		return;
	/* All bits set to begin with: protected when first cleared. A ring has no such state. */
	if (!kvm->dirty_ring_bytes && (kvm->manual_dirty_log & KVM_DIRTY_LOG_INITIALLY_SET))
		return;
	if (x86_mmu_limits.shadow)
		rmap_log_start(vm, new);
	else
		tdp_log_start(vm, new);
}

void kvm_arch_free_slot(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	rmap_free(slot);
}

void kvm_arch_flush_shadow_slot(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	struct x86_vm *vm = x86_vm_of(kvm);
	MMU_BATCH(b, vm);

	write_lock(&kvm->mmu_lock);
	/* Tables of the guest may have been in it, too: rare enough to begin anew. */
	if (x86_mmu_limits.shadow)
		shadow_zap_all(&b);
	else
		tdp_zap_range(&b, slot->as_id, slot->base_gfn, kvm_slot_end(slot));
	mmu_batch_flush(&b);
	x86_mmu_audit_all(vm, "slot removed");
	write_unlock(&kvm->mmu_lock);
}

void kvm_arch_flush_shadow_all(struct kvm *kvm)
{
	mmu_zap_all(x86_vm_of(kvm));
}

void kvm_arch_slots_updated(struct kvm *kvm, u64 generation)
{
	/* Nothing cached says that there is no memory (fault.c). */
}

bool kvm_arch_unmap_gfns(struct kvm *kvm, struct kvm_memory_slot *slot,
			 gfn_t start, gfn_t end, bool may_block)
{
	struct x86_vm *vm = x86_vm_of(kvm);
	MMU_BATCH(b, vm);

	if (x86_mmu_limits.shadow)
		rmap_zap(&b, slot, start, end);
	else
		tdp_zap_range(&b, slot->as_id, start, end);
	mmu_batch_flush(&b);
	x86_mmu_audit(vm, "unmap");
	return false;	/* already flushed */
}

bool kvm_arch_age_gfns(struct kvm *kvm, struct kvm_memory_slot *slot,
		       gfn_t start, gfn_t end)
{
	if (x86_mmu_limits.shadow)
		return rmap_age(slot, start, end, true);
	return tdp_age(x86_vm_of(kvm), slot->as_id, start, end, true);
}

bool kvm_arch_test_age_gfns(struct kvm *kvm, struct kvm_memory_slot *slot,
			    gfn_t start, gfn_t end)
{
	if (x86_mmu_limits.shadow)
		return rmap_age(slot, start, end, false);
	return tdp_age(x86_vm_of(kvm), slot->as_id, start, end, false);
}

void kvm_arch_write_protect_gfns(struct kvm *kvm, struct kvm_memory_slot *slot,
				 gfn_t base, unsigned long mask)
{
	struct x86_vm *vm = x86_vm_of(kvm);
	MMU_BATCH(b, vm);

	if (!x86_mmu_limits.shadow) {
		tdp_write_protect(vm, slot, base, mask);
		return;
	}
	/* The caller flushes. */
	for (; mask; mask &= mask - 1)
		rmap_write_protect(&b, slot, slot->base_gfn + base + __ffs(mask));
}

void kvm_arch_sync_dirty_log(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	struct kvm_vcpu *vcpu;
	int i;

	/*
	 * What a CPU has logged and not handed over yet keeps its D bit: it is in this log
	 * or in the next. vCPUs that user space has stopped have handed over all.
	 */
	if (!x86_vendor_caps()->dirty_log)
		return;
	kvm_for_each_vcpu(i, vcpu, kvm)
		kvm_vcpu_kick(vcpu);
}

int kvm_arch_vcpu_as_id(struct kvm_vcpu *vcpu)
{
	return x86_vcpu_of(vcpu)->in_smm ? 1 : 0;
}
