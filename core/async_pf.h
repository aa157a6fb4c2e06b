/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asynchronous page faults: a page of the host that a vCPU needs is brought in by a
 * worker, while the vCPU does something else. What it does is the architecture's.
 */
#ifndef CORE_ASYNC_PF_H
#define CORE_ASYNC_PF_H

#include <linux/workqueue.h>

#include "core/kvm.h"

#define KVM_ASYNC_PF_MAX	64	/* of one vCPU at a time */

/**
 * struct kvm_async_pf - one page on its way
 * @work: the worker's
 * @link: in the vCPU's list of those waiting or done (guarded as @vcpu)
 * @vcpu: who wants it; NULL: nobody any more (async_pf.c's lock)
 * @mm: a reference to the struct (c)
 * @gfn: what the guest wants (c)
 * @hva: where that is (c)
 * @write: to write to it (c)
 * @token: the architecture's: what the guest has been told of it; 0: nothing (c)
 */
struct kvm_async_pf {
	struct work_struct work;
	struct list_head link;
	struct kvm_vcpu *vcpu;
	struct mm_struct *mm;
	gfn_t gfn;
	hva_t hva;
	bool write;
	u32 token;
};

/** kvm_async_pf_module_init() - the workers; 0, -ENOMEM. _exit() waits for the last. */
int kvm_async_pf_module_init(void);
void kvm_async_pf_module_exit(void);

/**
 * kvm_async_pf_new() - prepare to have a page brought in
 * @vcpu: the vCPU, in its thread
 * @gfn: guest frame
 * @hva: host address
 * @write: bring it in for writing
 *
 * Return: to be given to kvm_async_pf_launch(); NULL: too many, or no memory. Sleeps.
 */
struct kvm_async_pf *kvm_async_pf_new(struct kvm_vcpu *vcpu, gfn_t gfn, hva_t hva, bool write);

/**
 * kvm_async_pf_launch() - begin; kvm_arch_async_pf_done() is called when it is there,
 *	or never will be
 */
void kvm_async_pf_launch(struct kvm_async_pf *pf);

/** kvm_async_pf_waiting() - is a page of @gfn on its way for this vCPU? Its thread. */
bool kvm_async_pf_waiting(struct kvm_vcpu *vcpu, gfn_t gfn);

/** kvm_async_pf_has_done() - would kvm_async_pf_take() find one? */
bool kvm_async_pf_has_done(struct kvm_vcpu *vcpu);

/**
 * kvm_async_pf_take() - the oldest one that is done
 * @vcpu: the vCPU, in its thread
 * @token: what the guest knows it by
 *
 * Return: false: none.
 */
bool kvm_async_pf_take(struct kvm_vcpu *vcpu, u32 *token);

/**
 * kvm_async_pf_forget() - nobody waits any more for what this vCPU has on its way
 * @vcpu: the vCPU, in its thread, or about to be freed
 *
 * Does not wait for the workers: a page may come from user space that waits for us.
 */
void kvm_async_pf_forget(struct kvm_vcpu *vcpu);

#endif
