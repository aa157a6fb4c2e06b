// SPDX-License-Identifier: GPL-2.0-only
/*
 * Large pages that can't be executed. Some CPUs die with a machine check when the size of a
 * page changes while both sizes are in the instruction TLB (Intel's "Machine Check Error on
 * Page Size Change"): a guest can do that to its host. So where the CPU is one of those, a
 * page larger than 4 KiB is mapped without X, and a fetch from it makes a table of 4 KiB
 * pages in its place (tdp.c). Owns when that is done, the list of these tables, and the
 * way back: in the background the oldest are dropped, and a large page comes instead if
 * nothing is fetched there any more.
 *
 * What is in use is vm->mmu.nx_huge. It changes only with mmu_lock held for write, when
 * nothing is mapped, so whoever maps under the lock sees one answer.
 */
#include <linux/capability.h>
#include <linux/cpu.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>
#include <asm/cpufeature.h>
#include <compat/spec.h>

#include "arch-x86/mmu/tdp.h"
#include "core/vm.h"

/* Without a period of the user's, a table is dropped after an hour on average. */
#define RECOVERY_MS	(60u * 60 * 1000)
#define SHORTEST_MS	1000u

static enum { NX_AUTO, NX_OFF, NX_FORCE, NX_NEVER } nx_mode = NX_AUTO;
static bool nx_in_use;
static unsigned int recovery_ratio = 60;
static unsigned int recovery_period_ms;

/* ---- the list of tables that a fetch made ----------------------------------- */

void nx_split_add(struct x86_vm *vm, struct x86_table *table)
{
	struct x86_vm_mmu *mmu = &vm->mmu;

	spin_lock(&mmu->dead_lock);
	list_add_tail(&table->split, &mmu->split);
	vm->core.stat.nx_lpage_splits = ++mmu->nr_split;
	spin_unlock(&mmu->dead_lock);
}

void nx_split_del(struct x86_vm *vm, struct x86_table *table)
{
	struct x86_vm_mmu *mmu = &vm->mmu;

	if (likely(list_empty_careful(&table->split)))
		return;
	spin_lock(&mmu->dead_lock);
	if (!list_empty(&table->split)) {
		list_del_init(&table->split);
		vm->core.stat.nx_lpage_splits = --mmu->nr_split;
	}
	spin_unlock(&mmu->dead_lock);
}

/* ---- the way back ------------------------------------------------------------- */

/* Where a table was; it may be detached, and freed at any time. */
struct place {
	gfn_t gfn;
	int level, as_id;
};

static bool take_oldest(struct x86_vm_mmu *mmu, struct x86_vm *vm, struct place *p)
{
	struct x86_table *table;

	spin_lock(&mmu->dead_lock);
	table = list_first_entry_or_null(&mmu->split, struct x86_table, split);
	if (table) {
		*p = (struct place) { table->base_gfn, table->level, table->as_id };
		list_del_init(&table->split);
		vm->core.stat.nx_lpage_splits = --mmu->nr_split;
	}
	spin_unlock(&mmu->dead_lock);
	return table;
}

static void rejoin(struct mmu_batch *b, const struct place *p)
{
	struct kvm_memslots *slots = kvm_memslots_as(&b->vm->core, p->as_id);
	struct x86_table *table = b->vm->mmu.tdp_root[p->as_id];

	/* While dirty pages are logged, small ones would come back. */
	if (kvm_slot_dirty_tracked(kvm_find_slot(slots, p->gfn)))
		return;
	while (table) {
		unsigned int index = spte_index(p->gfn, table->level);
		u64 spte = READ_ONCE(table->entries[index]);

		if (!spte_present_table(spte, table->level))
			return;
		if (table->level == p->level + 1) {
			tdp_detach(b, table, index);
			return;
		}
		table = tdp_child(b->vm, table, index, spte);
	}
}

static void arm(struct x86_vm *vm)
{
	unsigned int ratio = READ_ONCE(recovery_ratio), ms = READ_ONCE(recovery_period_ms);

	if (!READ_ONCE(vm->mmu.nx_huge) || !ratio)
		return;
	if (!ms)
		ms = max(RECOVERY_MS / ratio, SHORTEST_MS);
	mod_delayed_work(x86_mmu_wq, &vm->mmu.recovery, msecs_to_jiffies(ms));
}

static void recover(struct work_struct *work)
{
	struct x86_vm_mmu *mmu = container_of(to_delayed_work(work), struct x86_vm_mmu, recovery);
	struct x86_vm *vm = container_of(mmu, struct x86_vm, mmu);
	unsigned int ratio = READ_ONCE(recovery_ratio);
	MMU_BATCH(b, vm);
	struct place p;
	unsigned long n;
	int idx;

	if (!ratio)
		return;
	idx = srcu_read_lock(&vm->core.srcu);
	write_lock(&vm->core.mmu_lock);
	for (n = DIV_ROUND_UP(mmu->nr_split, ratio); n && take_oldest(mmu, vm, &p); n--) {
		rejoin(&b, &p);
		if (need_resched() || rwlock_needbreak(&vm->core.mmu_lock)) {
			mmu_batch_flush(&b);
			cond_resched_rwlock_write(&vm->core.mmu_lock);
		}
	}
	mmu_batch_flush(&b);
	x86_mmu_audit(vm, "large pages come back");
	write_unlock(&vm->core.mmu_lock);
	srcu_read_unlock(&vm->core.srcu, idx);
	arm(vm);
}

/* ---- a VM ----------------------------------------------------------------------- */

void nx_vm_init(struct x86_vm *vm)
{
	INIT_LIST_HEAD(&vm->mmu.split);
	INIT_DELAYED_WORK(&vm->mmu.recovery, recover);
}

void nx_vm_destroy(struct x86_vm *vm)
{
	cancel_delayed_work_sync(&vm->mmu.recovery);
}

void nx_vm_update(struct x86_vm *vm)
{
	lockdep_assert_held_write(&vm->core.mmu_lock);
	/* Legacy tables have NX only where the host's kernel uses it. */
	WRITE_ONCE(vm->mmu.nx_huge, READ_ONCE(nx_in_use) && !vm->mmu.nx_huge_disabled &&
		   !x86_mmu_limits.shadow && (x86_spte_fmt.exec || boot_cpu_has(X86_FEATURE_NX)));
	arm(vm);
}

int x86_mmu_disable_nx_huge_pages(struct x86_vm *vm, u64 arg)
{
	int r = -EINVAL;

	if (arg)
		return -EINVAL;
	/* Whoever may reboot the host may as well make it die. */
	if (!capable(CAP_SYS_BOOT))
		return -EPERM;
	mutex_lock(&vm->core.lock);
	if (!vm->core.created_vcpus) {
		vm->mmu.nx_huge_disabled = true;
		r = 0;
	}
	mutex_unlock(&vm->core.lock);
	return r;
}

/* ---- the parameters ---------------------------------------------------------------- */

static void vm_begin_anew(struct kvm *kvm, void *unused)
{
	mmu_zap_all(x86_vm_of(kvm));
}

static void vm_arm(struct kvm *kvm, void *unused)
{
	arm(x86_vm_of(kvm));
}

/* Context: the module's parameters are locked, or nobody can reach them. */
static void update(void)
{
	bool use = nx_mode == NX_FORCE ||
		   (nx_mode == NX_AUTO && boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) &&
		    !cpu_mitigations_off());

	if (!x86_mmu_wq)
		return;		/* read from the command line: nx_module_init() comes */
	kvmc_itlb_multihit_report(use);
	if (use == nx_in_use)
		return;
	WRITE_ONCE(nx_in_use, use);
	kvm_for_each_vm(vm_begin_anew, NULL);
}

static int set_nx_huge_pages(const char *value, const struct kernel_param *kp)
{
	bool use;

	if (nx_mode == NX_NEVER)
		return -EPERM;
	if (sysfs_streq(value, "auto"))
		nx_mode = NX_AUTO;
	else if (sysfs_streq(value, "off"))
		nx_mode = NX_OFF;
	else if (sysfs_streq(value, "force"))
		nx_mode = NX_FORCE;
	else if (sysfs_streq(value, "never"))
		nx_mode = NX_NEVER;
	else if (!kstrtobool(value, &use))
		nx_mode = use ? NX_FORCE : NX_OFF;
	else
		return -EINVAL;
	update();
	return 0;
}

static int get_nx_huge_pages(char *buffer, const struct kernel_param *kp)
{
	if (nx_mode == NX_NEVER)
		return sysfs_emit(buffer, "never\n");
	return sysfs_emit(buffer, "%c\n", nx_in_use ? 'Y' : 'N');
}

static int set_recovery(const char *value, const struct kernel_param *kp)
{
	int r;

	if (nx_mode == NX_NEVER)
		return -EPERM;
	r = param_set_uint(value, kp);
	if (!r)
		kvm_for_each_vm(vm_arm, NULL);
	return r;
}

static const struct kernel_param_ops nx_huge_pages_ops = {
	.set = set_nx_huge_pages,
	.get = get_nx_huge_pages,
};

static const struct kernel_param_ops recovery_ops = {
	.set = set_recovery,
	.get = param_get_uint,
};

module_param_cb(nx_huge_pages, &nx_huge_pages_ops, NULL, 0644);
__MODULE_PARM_TYPE(nx_huge_pages, "bool");
MODULE_PARM_DESC(nx_huge_pages,
		 "pages larger than 4 KiB are not executable: auto (where the CPU needs it), off, force, never");
module_param_cb(nx_huge_pages_recovery_ratio, &recovery_ops, &recovery_ratio, 0644);
__MODULE_PARM_TYPE(nx_huge_pages_recovery_ratio, "uint");
MODULE_PARM_DESC(nx_huge_pages_recovery_ratio,
		 "one Nth of what was split for a fetch is dropped each period; 0: none");
module_param_cb(nx_huge_pages_recovery_period_ms, &recovery_ops, &recovery_period_ms, 0644);
__MODULE_PARM_TYPE(nx_huge_pages_recovery_period_ms, "uint");
MODULE_PARM_DESC(nx_huge_pages_recovery_period_ms,
		 "the period; 0: so that a page stays split for an hour on average");

void nx_module_init(void)
{
	update();
}

void nx_module_exit(void)
{
	kvmc_itlb_multihit_report(false);
}
