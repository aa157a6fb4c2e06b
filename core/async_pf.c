// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asynchronous page faults: the workers that bring pages in, and each vCPU's lists of
 * pages on their way and of pages that have come. Knows nothing of how a guest is told.
 *
 * A worker can be stuck for as long as user space likes (userfaultfd, a network's file
 * system), so nothing of a VM waits for one: a page that nobody wants any more is
 * orphaned, and its worker frees it. Only the module's exit waits.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "core/arch.h"
#include "core/async_pf.h"

static struct workqueue_struct *async_pf_wq;

/* Guards pf->vcpu, pf->link and the lists that it is in. Held for a few instructions. */
static DEFINE_SPINLOCK(async_pf_lock);

static void bring_in(struct kvm_async_pf *pf)
{
	int locked = 1;

	if (!READ_ONCE(pf->vcpu) || !mmget_not_zero(pf->mm))
		return;
	mmap_read_lock(pf->mm);
	/* Nobody asks whether it worked: the guest's next access finds that out. */
	get_user_pages_remote(pf->mm, pf->hva, 1, pf->write ? FOLL_WRITE : 0, NULL, &locked);
	if (locked)
		mmap_read_unlock(pf->mm);
	mmput(pf->mm);
}

static void async_pf_work(struct work_struct *work)
{
	struct kvm_async_pf *pf = container_of(work, struct kvm_async_pf, work);
	struct kvm_vcpu *vcpu;

	bring_in(pf);
	mmdrop(pf->mm);

	spin_lock(&async_pf_lock);
	vcpu = pf->vcpu;
	if (vcpu) {
		list_move_tail(&pf->link, &vcpu->async_pf.done);
		/* Under the lock: afterwards the vCPU may be gone. */
		kvm_arch_async_pf_done(vcpu);
	}
	spin_unlock(&async_pf_lock);
	if (!vcpu)
		kfree(pf);
}

struct kvm_async_pf *kvm_async_pf_new(struct kvm_vcpu *vcpu, gfn_t gfn, hva_t hva, bool write)
{
	struct kvm_async_pf *pf;

	if (vcpu->async_pf.nr >= KVM_ASYNC_PF_MAX)
		return NULL;
	pf = kzalloc(sizeof(*pf), GFP_KERNEL_ACCOUNT);
	if (!pf)
		return NULL;
	INIT_WORK(&pf->work, async_pf_work);
	pf->vcpu = vcpu;
	pf->mm = vcpu->kvm->mm;
	pf->gfn = gfn;
	pf->hva = hva;
	pf->write = write;
	return pf;
}
EXPORT_SYMBOL_GPL(kvm_async_pf_new);

void kvm_async_pf_launch(struct kvm_async_pf *pf)
{
	struct kvm_vcpu *vcpu = pf->vcpu;

	mmgrab(pf->mm);
	vcpu->async_pf.nr++;
	spin_lock(&async_pf_lock);
	list_add_tail(&pf->link, &vcpu->async_pf.waiting);
	spin_unlock(&async_pf_lock);
	queue_work(async_pf_wq, &pf->work);
}
EXPORT_SYMBOL_GPL(kvm_async_pf_launch);

bool kvm_async_pf_waiting(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	struct kvm_async_pf *pf;
	bool found = false;

	if (!vcpu->async_pf.nr)
		return false;
	spin_lock(&async_pf_lock);
	list_for_each_entry(pf, &vcpu->async_pf.waiting, link) {
		if (pf->gfn == gfn) {
			found = true;
			break;
		}
	}
	spin_unlock(&async_pf_lock);
	return found;
}
EXPORT_SYMBOL_GPL(kvm_async_pf_waiting);

bool kvm_async_pf_has_done(struct kvm_vcpu *vcpu)
{
	return !list_empty_careful(&vcpu->async_pf.done);
}
EXPORT_SYMBOL_GPL(kvm_async_pf_has_done);

bool kvm_async_pf_take(struct kvm_vcpu *vcpu, u32 *token)
{
	struct kvm_async_pf *pf;

	spin_lock(&async_pf_lock);
	pf = list_first_entry_or_null(&vcpu->async_pf.done, struct kvm_async_pf, link);
	if (pf)
		list_del(&pf->link);
	spin_unlock(&async_pf_lock);
	if (!pf)
		return false;
	vcpu->async_pf.nr--;
	*token = pf->token;
	kfree(pf);
	return true;
}
EXPORT_SYMBOL_GPL(kvm_async_pf_take);

void kvm_async_pf_forget(struct kvm_vcpu *vcpu)
{
	struct kvm_async_pf *pf, *next;
	LIST_HEAD(done);

	if (!vcpu->async_pf.nr)
		return;
	spin_lock(&async_pf_lock);
	list_for_each_entry_safe(pf, next, &vcpu->async_pf.waiting, link) {
		list_del(&pf->link);
		WRITE_ONCE(pf->vcpu, NULL);	/* the worker frees it */
	}
	list_splice_init(&vcpu->async_pf.done, &done);
	spin_unlock(&async_pf_lock);

	list_for_each_entry_safe(pf, next, &done, link)
		kfree(pf);
	vcpu->async_pf.nr = 0;
}
EXPORT_SYMBOL_GPL(kvm_async_pf_forget);

int kvm_async_pf_module_init(void)
{
	/* They sleep for long, and need not run where they were queued. */
	async_pf_wq = alloc_workqueue("kvm-async-pf", WQ_UNBOUND, WQ_MAX_ACTIVE);
	return async_pf_wq ? 0 : -ENOMEM;
}

void kvm_async_pf_module_exit(void)
{
	destroy_workqueue(async_pf_wq);
}
