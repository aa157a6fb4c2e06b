// SPDX-License-Identifier: GPL-2.0-only
/*
 * register_syscore() for kernels whose syscore callbacks take no data: the
 * kernel knows one object, which calls all of ours in the kernel's own order.
 * Knows nothing of what they are for.
 */
#include <linux/list.h>
#include <linux/module.h>	/* and all that mutexes want on PREEMPT_RT */
#include <linux/mutex.h>
#include <linux/syscore_ops.h>

#ifndef HAVE_REGISTER_SYSCORE

static LIST_HEAD(kvmc_syscores);
static DEFINE_MUTEX(kvmc_syscore_lock);

/* The callbacks run on one CPU, IRQs off, nobody else is there: no lock. */
static int kvmc_syscore_suspend(void)
{
	struct syscore *s;

	/* Last registered, first suspended. None of ours refuses. */
	list_for_each_entry_reverse(s, &kvmc_syscores, node) {
		int r = s->ops->suspend ? s->ops->suspend(s->data) : 0;

		if (r)
			return r;
	}
	return 0;
}

static void kvmc_syscore_resume(void)
{
	struct syscore *s;

	list_for_each_entry(s, &kvmc_syscores, node)
		if (s->ops->resume)
			s->ops->resume(s->data);
}

static void kvmc_syscore_shutdown(void)
{
	struct syscore *s;

	list_for_each_entry_reverse(s, &kvmc_syscores, node)
		if (s->ops->shutdown)
			s->ops->shutdown(s->data);
}

static kvmc_kernel_syscore_ops kvmc_kernel_ops = {
	.suspend = kvmc_syscore_suspend,
	.resume = kvmc_syscore_resume,
	.shutdown = kvmc_syscore_shutdown,
};

void kvmc_register_syscore(struct syscore *syscore)
{
	bool first;

	mutex_lock(&kvmc_syscore_lock);
	first = list_empty(&kvmc_syscores);
	list_add_tail(&syscore->node, &kvmc_syscores);
	if (first)
		register_syscore_ops(&kvmc_kernel_ops);
	mutex_unlock(&kvmc_syscore_lock);
}

void kvmc_unregister_syscore(struct syscore *syscore)
{
	mutex_lock(&kvmc_syscore_lock);
	list_del(&syscore->node);
	if (list_empty(&kvmc_syscores))
		unregister_syscore_ops(&kvmc_kernel_ops);
	mutex_unlock(&kvmc_syscore_lock);
}

#endif
