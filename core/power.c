// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtualization on and off per CPU: when the first user comes, CPU hotplug,
 * suspend and resume, reboot and kexec. Owns the count of users and which CPUs
 * are on. Does not know what "on" means: kvm_arch_cpu_enable() does.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/syscore_ops.h>

#include <compat/virt.h>

#include "core/arch.h"
#include "core/power.h"
#include "core/vcpu.h"

/* Guards power_users and the hotplug registration. Outside cpus_read_lock. */
static DEFINE_MUTEX(power_lock);
static unsigned int power_users;
static bool power_shutdown;
static int power_error;		/* of the last CPU that could not be turned on */

/* Written on its own CPU only, preemption off. */
static DEFINE_PER_CPU(bool, cpu_on);
static DEFINE_PER_CPU(bool, cpu_was_on);

static int cpu_turn_on(void)
{
	int err;

	if (__this_cpu_read(cpu_on))
		return 0;
	err = kvm_arch_cpu_enable();
	if (!err)
		__this_cpu_write(cpu_on, true);
	return err;
}

static void cpu_turn_off(void *unused)
{
	if (!__this_cpu_read(cpu_on))
		return;
	kvm_arch_cpu_disable();
	__this_cpu_write(cpu_on, false);
}

/*
 * Always succeeds, because in some kernels this callback may not fail: the CPU
 * serves the host, but no vCPU runs on it (kvm_cpu_usable()).
 */
static int power_cpu_online(unsigned int cpu)
{
	int err;

	/* A CPU that comes up on a machine that goes down stays off. */
	if (READ_ONCE(power_shutdown))
		return 0;

	preempt_disable();
	err = cpu_turn_on();
	preempt_enable();
	if (err) {
		WRITE_ONCE(power_error, err);
		kvm_err("CPU %u: virtualization can't be turned on (%d)\n", cpu, err);
	}
	return 0;
}

static int power_cpu_offline(unsigned int cpu)
{
	preempt_disable();
	cpu_turn_off(NULL);
	preempt_enable();
	return 0;
}

/* Suspend: hotplug has taken the other CPUs down; one is left, IRQs off. */
static int power_suspend(void *data)
{
	__this_cpu_write(cpu_was_on, __this_cpu_read(cpu_on));
	cpu_turn_off(NULL);
	return 0;
}

static void power_resume(void *data)
{
	if (!__this_cpu_read(cpu_was_on))
		return;
	__this_cpu_write(cpu_was_on, false);
	if (WARN_ON_ONCE(cpu_turn_on()))
		kvm_err("virtualization did not come back after resume\n");
}

/*
 * Reboot and kexec: firmware and the next kernel must not find a CPU in
 * virtualization mode. vCPU threads may still run; their VM instructions fault
 * from here on, and virt_rebooting says that this is expected.
 */
static void power_off_all(void *data)
{
	WRITE_ONCE(power_shutdown, true);
	kvmc_virt_begin_shutdown();
	on_each_cpu(cpu_turn_off, NULL, 1);
}

static const struct syscore_ops power_syscore_ops = {
	.suspend = power_suspend,
	.resume = power_resume,
	.shutdown = power_off_all,
};

static struct syscore power_syscore = {
	.ops = &power_syscore_ops,
};

bool kvm_cpu_usable(void)
{
	return __this_cpu_read(cpu_on);
}

static int power_start(void)
{
	int err;

	if (READ_ONCE(power_shutdown))
		return -ESHUTDOWN;

	/*
	 * Before the first CPU is on, so that no reboot finds one on and
	 * nobody to turn it off.
	 */
	register_syscore(&power_syscore);
	WRITE_ONCE(power_error, 0);
	err = cpuhp_setup_state(KVMC_CPUHP_STATE, "kvm/cpu:online",
				power_cpu_online, power_cpu_offline);
	if (!err) {
		err = READ_ONCE(power_error);
		if (err)
			cpuhp_remove_state(KVMC_CPUHP_STATE);
	}
	if (err)
		unregister_syscore(&power_syscore);
	return err;
}

int kvm_power_get(void)
{
	int err = 0;

	mutex_lock(&power_lock);
	if (!power_users)
		err = power_start();
	if (!err)
		power_users++;
	mutex_unlock(&power_lock);
	return err;
}

void kvm_power_put(void)
{
	mutex_lock(&power_lock);
	if (!WARN_ON_ONCE(!power_users) && !--power_users) {
		cpuhp_remove_state(KVMC_CPUHP_STATE);
		unregister_syscore(&power_syscore);
	}
	mutex_unlock(&power_lock);
}
