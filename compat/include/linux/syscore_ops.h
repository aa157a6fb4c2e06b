/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * register_syscore(): operations apart from the object, callbacks with its data
 * (6.19, back-ported to 6.12 stable). Older kernels get one object, which calls
 * all of ours, by way of compat/syscore.c.
 */
#ifndef COMPAT_LINUX_SYSCORE_OPS_H
#define COMPAT_LINUX_SYSCORE_OPS_H

#include_next <linux/syscore_ops.h>
#include <linux/list.h>
#include <compat/config.h>

#ifndef HAVE_REGISTER_SYSCORE
typedef struct syscore_ops kvmc_kernel_syscore_ops;

struct kvmc_syscore_ops {
	int (*suspend)(void *data);
	void (*resume)(void *data);
	void (*shutdown)(void *data);
};
#define syscore_ops kvmc_syscore_ops

struct syscore {
	struct list_head node;
	const struct kvmc_syscore_ops *ops;
	void *data;
};

void kvmc_register_syscore(struct syscore *syscore);
void kvmc_unregister_syscore(struct syscore *syscore);
#define register_syscore kvmc_register_syscore
#define unregister_syscore kvmc_unregister_syscore
#endif

#endif
