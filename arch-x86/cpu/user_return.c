// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs whose host value only user mode needs (SYSCALL's, TSC_AUX): a guest's value
 * stays in the CPU after an exit, and the host's comes back when this CPU next returns
 * to user mode, or when the module goes. Per CPU; knows no vCPU.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/user-return-notifier.h>
#include <asm/msr.h>

#include "arch-x86/cpu/msr.h"

#define MAX_SLOTS	16

/**
 * struct user_return_cpu - one CPU's
 * @notifier: runs before this CPU returns to user mode
 * @registered: it is registered; changed with IRQs off
 * @value: what the CPU has and what the host wants, per slot
 */
struct user_return_cpu {
	struct user_return_notifier notifier;
	bool registered;
	struct {
		u64 host, current_value;
	} value[MAX_SLOTS];
};

static u32 slots[MAX_SLOTS];
static unsigned int nr_slots;
static struct user_return_cpu __percpu *cpus;

/* IRQs off, or preemption off in the notifier, where the CPU's own IPI may come between. */
static void restore(struct user_return_cpu *c)
{
	unsigned int i;

	for (i = 0; i < nr_slots; i++) {
		if (c->value[i].current_value == c->value[i].host)
			continue;
		wrmsrq(slots[i], c->value[i].host);
		c->value[i].current_value = c->value[i].host;
	}
}

static void drop_notifier(struct user_return_cpu *c)
{
	unsigned long flags;

	/* The CPU may be going offline, by an IPI, at this moment: once only. */
	local_irq_save(flags);
	if (c->registered) {
		c->registered = false;
		user_return_notifier_unregister(&c->notifier);
	}
	local_irq_restore(flags);
}

static void on_user_return(struct user_return_notifier *n)
{
	struct user_return_cpu *c = container_of(n, struct user_return_cpu, notifier);

	drop_notifier(c);
	restore(c);
}

int x86_user_return_init(void)
{
	cpus = alloc_percpu(struct user_return_cpu);
	return cpus ? 0 : -ENOMEM;
}

void x86_user_return_exit(void)
{
	free_percpu(cpus);
	cpus = NULL;
	nr_slots = 0;
}

int x86_user_return_add(u32 msr)
{
	u64 val;
	int slot = x86_user_return_find(msr);

	if (slot >= 0)
		return slot;
	if (WARN_ON_ONCE(nr_slots == MAX_SLOTS))
		return -1;
	if (rdmsrq_safe(msr, &val) || wrmsrq_safe(msr, val))
		return -1;
	slots[nr_slots] = msr;
	return nr_slots++;
}
EXPORT_SYMBOL_GPL(x86_user_return_add);

int x86_user_return_find(u32 msr)
{
	unsigned int i;

	for (i = 0; i < nr_slots; i++)
		if (slots[i] == msr)
			return i;
	return -1;
}
EXPORT_SYMBOL_GPL(x86_user_return_find);

int x86_user_return_set(int slot, u64 value, u64 mask)
{
	struct user_return_cpu *c = this_cpu_ptr(cpus);

	lockdep_assert_preemption_disabled();
	value = (value & mask) | (c->value[slot].host & ~mask);
	if (value == c->value[slot].current_value)
		return 0;
	if (wrmsrq_safe(slots[slot], value))
		return 1;
	c->value[slot].current_value = value;
	if (!c->registered) {
		c->notifier.on_user_return = on_user_return;
		user_return_notifier_register(&c->notifier);
		c->registered = true;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(x86_user_return_set);

void x86_user_return_cpu_online(void)
{
	struct user_return_cpu *c = this_cpu_ptr(cpus);
	unsigned int i;

	for (i = 0; i < nr_slots; i++) {
		rdmsrq_safe(slots[i], &c->value[i].host);
		c->value[i].current_value = c->value[i].host;
	}
}

void x86_user_return_cpu_offline(void)
{
	struct user_return_cpu *c = this_cpu_ptr(cpus);

	drop_notifier(c);
	restore(c);
}
