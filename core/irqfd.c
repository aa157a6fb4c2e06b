// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_IRQFD: an eventfd that raises a GSI when it is signalled; with
 * KVM_IRQFD_FLAG_RESAMPLE, a level that stays up until the guest has handled
 * it, which a second eventfd tells. Owns the irqfds of a VM and their end.
 *
 * An irqfd ends when it is deassigned, when its eventfd's file is closed, or
 * with the VM's descriptor. All three take it off kvm->irqfds.items, under
 * irqfds.lock, and queue its shutdown: who takes it off the list queues it, so
 * that it happens once. Assigning holds irqfds.mutex and a reference to the
 * eventfd's file, so neither of the first two finds a half-made one.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "core/arch.h"
#include "core/irq_routing.h"

/**
 * struct resampler - a level GSI that irqfds share
 * @kvm: the VM
 * @irqfds: those that are told (writers irqfds.mutex, readers irq_srcu)
 * @ack: told of the guest's EOI
 * @node: in kvm->irqfds.resamplers (irqfds.mutex)
 */
struct resampler {
	struct kvm *kvm;
	struct list_head irqfds;
	struct kvm_irq_ack_notifier ack;
	struct list_head node;
};

/**
 * struct irqfd - one of them
 * @kvm: the VM
 * @gsi: what it raises
 * @eventfd: signalled by others
 * @wait: our place in its wait queue
 * @poll: for getting there
 * @node: in kvm->irqfds.items (irqfds.lock); empty once it is ending
 * @inject: raises the GSI where that can't be done at once
 * @shutdown: its end
 * @resampler: NULL without RESAMPLE
 * @resample_eventfd: signalled when the guest has handled it
 * @resampler_node: in resampler->irqfds
 */
struct irqfd {
	struct kvm *kvm;
	u32 gsi;
	struct eventfd_ctx *eventfd;
	wait_queue_entry_t wait;
	poll_table poll;
	struct list_head node;
	struct work_struct inject;
	struct work_struct shutdown;
	struct resampler *resampler;
	struct eventfd_ctx *resample_eventfd;
	struct list_head resampler_node;
};

/* Of its own, because a shutdown waits for injections on the system's. */
static struct workqueue_struct *shutdown_wq;

/* ---- raising ----------------------------------------------------------- */

static void irqfd_inject(struct work_struct *work)
{
	struct irqfd *irqfd = container_of(work, struct irqfd, inject);
	struct kvm *kvm = irqfd->kvm;

	if (irqfd->resampler) {
		kvm_set_irq(kvm, KVM_IRQFD_RESAMPLE_SOURCE_ID, irqfd->gsi, 1, false);
		return;
	}
	/* an edge */
	kvm_set_irq(kvm, KVM_USERSPACE_IRQ_SOURCE_ID, irqfd->gsi, 1, false);
	kvm_set_irq(kvm, KVM_USERSPACE_IRQ_SOURCE_ID, irqfd->gsi, 0, false);
}

/* The guest has handled the GSI: lower it, and ask whether it is still wanted. */
static void resampler_acked(struct kvm_irq_ack_notifier *kian)
{
	struct resampler *resampler = container_of(kian, struct resampler, ack);
	struct kvm *kvm = resampler->kvm;
	struct irqfd *irqfd;
	int idx;

	kvm_set_irq(kvm, KVM_IRQFD_RESAMPLE_SOURCE_ID, kian->gsi, 0, false);

	idx = srcu_read_lock(&kvm->irq_srcu);
	list_for_each_entry_srcu(irqfd, &resampler->irqfds, resampler_node,
				 srcu_read_lock_held(&kvm->irq_srcu))
		eventfd_signal(irqfd->resample_eventfd);
	srcu_read_unlock(&kvm->irq_srcu, idx);
}

/* ---- its end ----------------------------------------------------------- */

static void resampler_leave(struct irqfd *irqfd)
{
	struct resampler *resampler = irqfd->resampler;
	struct kvm *kvm = irqfd->kvm;

	lockdep_assert_held(&kvm->irqfds.mutex);

	list_del_rcu(&irqfd->resampler_node);
	synchronize_srcu(&kvm->irq_srcu);
	if (!list_empty(&resampler->irqfds))
		return;
	list_del(&resampler->node);
	kvm_unregister_irq_ack_notifier(kvm, &resampler->ack);
	/* nobody is left who would lower it */
	kvm_set_irq(kvm, KVM_IRQFD_RESAMPLE_SOURCE_ID, resampler->ack.gsi, 0, false);
	kfree(resampler);
}

static void irqfd_shutdown(struct work_struct *work)
{
	struct irqfd *irqfd = container_of(work, struct irqfd, shutdown);
	struct kvm *kvm = irqfd->kvm;
	u64 count;

	/* out of the wait queue, then no new injection can be queued */
	eventfd_ctx_remove_wait_queue(irqfd->eventfd, &irqfd->wait, &count);
	flush_work(&irqfd->inject);

	if (irqfd->resampler) {
		mutex_lock(&kvm->irqfds.mutex);
		resampler_leave(irqfd);
		mutex_unlock(&kvm->irqfds.mutex);
		eventfd_ctx_put(irqfd->resample_eventfd);
	}
	eventfd_ctx_put(irqfd->eventfd);
	kfree(irqfd);
}

/* Whoever gets it off the list ends it. */
static void irqfd_end(struct irqfd *irqfd)
{
	lockdep_assert_held(&irqfd->kvm->irqfds.lock);
	if (list_empty(&irqfd->node))
		return;
	list_del_init(&irqfd->node);
	queue_work(shutdown_wq, &irqfd->shutdown);
}

/* ---- the eventfd's wait queue ------------------------------------------ */

/* Called with the wait queue's lock held, IRQs off, perhaps from an interrupt. */
static int irqfd_woken(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct irqfd *irqfd = container_of(wait, struct irqfd, wait);
	struct kvm *kvm = irqfd->kvm;
	__poll_t events = key_to_poll(key);
	unsigned long flags;
	u64 count;
	int ret = 0;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(irqfd->eventfd, &count);
		/* a resampled level takes chip locks that an interrupt may not */
		if (irqfd->resampler ||
		    kvm_set_irq_inatomic(kvm, KVM_USERSPACE_IRQ_SOURCE_ID, irqfd->gsi,
					 1, false) == -EWOULDBLOCK)
			schedule_work(&irqfd->inject);
		ret = 1;
	}

	if (events & EPOLLHUP) {
		/*
		 * The eventfd's file is closed. A wait queue's lock is held, so
		 * only take it off the list here.
		 */
		spin_lock_irqsave(&kvm->irqfds.lock, flags);
		irqfd_end(irqfd);
		spin_unlock_irqrestore(&kvm->irqfds.lock, flags);
	}
	return ret;
}

static void irqfd_queue(struct file *file, wait_queue_head_t *wqh, poll_table *poll)
{
	struct irqfd *irqfd = container_of(poll, struct irqfd, poll);

	/* before others that poll: the count is ours */
	add_wait_queue_priority(wqh, &irqfd->wait);
}

/* ---- assign ------------------------------------------------------------ */

static int resampler_join(struct irqfd *irqfd)
{
	struct kvm *kvm = irqfd->kvm;
	struct resampler *resampler;

	lockdep_assert_held(&kvm->irqfds.mutex);
	list_for_each_entry(resampler, &kvm->irqfds.resamplers, node)
		if (resampler->ack.gsi == irqfd->gsi)
			goto found;

	resampler = kzalloc(sizeof(*resampler), GFP_KERNEL_ACCOUNT);
	if (!resampler)
		return -ENOMEM;
	resampler->kvm = kvm;
	INIT_LIST_HEAD(&resampler->irqfds);
	resampler->ack.gsi = irqfd->gsi;
	resampler->ack.irq_acked = resampler_acked;
	list_add(&resampler->node, &kvm->irqfds.resamplers);
	kvm_register_irq_ack_notifier(kvm, &resampler->ack);
found:
	irqfd->resampler = resampler;
	list_add_rcu(&irqfd->resampler_node, &resampler->irqfds);
	return 0;
}

/* An eventfd raises one GSI of a VM, once. */
static int irqfd_list(struct irqfd *irqfd)
{
	struct kvm *kvm = irqfd->kvm;
	struct irqfd *other;
	int err = 0;

	spin_lock_irq(&kvm->irqfds.lock);
	list_for_each_entry(other, &kvm->irqfds.items, node)
		if (other->eventfd == irqfd->eventfd)
			err = -EBUSY;
	if (!err)
		list_add_tail(&irqfd->node, &kvm->irqfds.items);
	spin_unlock_irq(&kvm->irqfds.lock);
	return err;
}

static int irqfd_assign_locked(struct irqfd *irqfd, struct file *file)
{
	int err;

	if (irqfd->resample_eventfd) {
		err = resampler_join(irqfd);
		if (err)
			return err;
	}
	err = irqfd_list(irqfd);
	if (err) {
		if (irqfd->resampler)
			resampler_leave(irqfd);
		return err;
	}
	/* gets us into the wait queue; it may have been signalled already */
	if (vfs_poll(file, &irqfd->poll) & EPOLLIN)
		schedule_work(&irqfd->inject);
	return 0;
}

static int irqfd_assign(struct kvm *kvm, const struct kvm_irqfd *args)
{
	struct irqfd *irqfd;
	struct file *file;
	int err;

	if (!kvm_arch_irqchip_in_kernel(kvm))
		return -EINVAL;
	if (!kvm_arch_irqfd_allowed(kvm, args))
		return -EINVAL;

	irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	if (!irqfd)
		return -ENOMEM;
	irqfd->kvm = kvm;
	irqfd->gsi = args->gsi;
	INIT_LIST_HEAD(&irqfd->node);
	INIT_WORK(&irqfd->inject, irqfd_inject);
	INIT_WORK(&irqfd->shutdown, irqfd_shutdown);
	init_waitqueue_func_entry(&irqfd->wait, irqfd_woken);
	init_poll_funcptr(&irqfd->poll, irqfd_queue);

	file = fget(args->fd);
	if (!file) {
		err = -EBADF;
		goto out_free;
	}
	irqfd->eventfd = eventfd_ctx_fileget(file);
	if (IS_ERR(irqfd->eventfd)) {
		err = PTR_ERR(irqfd->eventfd);
		goto out_file;
	}
	if (args->flags & KVM_IRQFD_FLAG_RESAMPLE) {
		irqfd->resample_eventfd = eventfd_ctx_fdget(args->resamplefd);
		if (IS_ERR(irqfd->resample_eventfd)) {
			err = PTR_ERR(irqfd->resample_eventfd);
			goto out_eventfd;
		}
	}

	mutex_lock(&kvm->irqfds.mutex);
	err = irqfd_assign_locked(irqfd, file);
	mutex_unlock(&kvm->irqfds.mutex);
	/* its close may end the irqfd: don't touch it any more if all went well */
	if (!err) {
		fput(file);
		return 0;
	}

	if (irqfd->resample_eventfd)
		eventfd_ctx_put(irqfd->resample_eventfd);
out_eventfd:
	eventfd_ctx_put(irqfd->eventfd);
out_file:
	fput(file);
out_free:
	kfree(irqfd);
	return err;
}

/* ---- deassign ---------------------------------------------------------- */

static int irqfd_deassign(struct kvm *kvm, const struct kvm_irqfd *args)
{
	struct irqfd *irqfd, *next;
	struct eventfd_ctx *eventfd;

	eventfd = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);

	mutex_lock(&kvm->irqfds.mutex);
	spin_lock_irq(&kvm->irqfds.lock);
	list_for_each_entry_safe(irqfd, next, &kvm->irqfds.items, node)
		if (irqfd->eventfd == eventfd && irqfd->gsi == args->gsi)
			irqfd_end(irqfd);
	spin_unlock_irq(&kvm->irqfds.lock);
	mutex_unlock(&kvm->irqfds.mutex);
	eventfd_ctx_put(eventfd);

	/*
	 * Once this returns the GSI isn't raised any more. Without the mutex,
	 * which a shutdown takes. Not to be there is no error, as it never was.
	 */
	flush_workqueue(shutdown_wq);
	return 0;
}

int kvm_irqfd(struct kvm *kvm, const struct kvm_irqfd *args)
{
	if (args->flags & ~(KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE))
		return -EINVAL;
	if (args->flags & KVM_IRQFD_FLAG_DEASSIGN)
		return irqfd_deassign(kvm, args);
	return irqfd_assign(kvm, args);
}

/* ---- the VM, the module ------------------------------------------------ */

void kvm_irqfd_init(struct kvm *kvm)
{
	mutex_init(&kvm->irqfds.mutex);
	spin_lock_init(&kvm->irqfds.lock);
	INIT_LIST_HEAD(&kvm->irqfds.items);
	INIT_LIST_HEAD(&kvm->irqfds.resamplers);
}

void kvm_irqfd_release(struct kvm *kvm)
{
	struct irqfd *irqfd, *next;

	spin_lock_irq(&kvm->irqfds.lock);
	list_for_each_entry_safe(irqfd, next, &kvm->irqfds.items, node)
		irqfd_end(irqfd);
	spin_unlock_irq(&kvm->irqfds.lock);

	/* also those that ended by themselves: they hold no reference to the VM */
	flush_workqueue(shutdown_wq);
}

int kvm_irqfd_module_init(void)
{
	shutdown_wq = alloc_workqueue("kvm-irqfd-cleanup", WQ_PERCPU, 0);
	return shutdown_wq ? 0 : -ENOMEM;
}

void kvm_irqfd_module_exit(void)
{
	destroy_workqueue(shutdown_wq);
}
