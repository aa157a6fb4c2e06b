// SPDX-License-Identifier: GPL-2.0-only
/*
 * register_syscore() for kernels whose syscore callbacks take no data: one
 * object, kept here. Knows nothing of what it is for.
 */
#include <linux/bug.h>
#include <linux/syscore_ops.h>

#ifndef HAVE_REGISTER_SYSCORE

static struct syscore *kvmc_syscore;

static int kvmc_syscore_suspend(void)
{
	return kvmc_syscore->ops->suspend ? kvmc_syscore->ops->suspend(kvmc_syscore->data) : 0;
}

static void kvmc_syscore_resume(void)
{
	if (kvmc_syscore->ops->resume)
		kvmc_syscore->ops->resume(kvmc_syscore->data);
}

static void kvmc_syscore_shutdown(void)
{
	if (kvmc_syscore->ops->shutdown)
		kvmc_syscore->ops->shutdown(kvmc_syscore->data);
}

static kvmc_kernel_syscore_ops kvmc_kernel_ops = {
	.suspend = kvmc_syscore_suspend,
	.resume = kvmc_syscore_resume,
	.shutdown = kvmc_syscore_shutdown,
};

void kvmc_register_syscore(struct syscore *syscore)
{
	if (WARN_ON_ONCE(kvmc_syscore))
		return;
	kvmc_syscore = syscore;
	register_syscore_ops(&kvmc_kernel_ops);
}

void kvmc_unregister_syscore(struct syscore *syscore)
{
	if (WARN_ON_ONCE(kvmc_syscore != syscore))
		return;
	unregister_syscore_ops(&kvmc_kernel_ops);
	kvmc_syscore = NULL;
}

#endif
