// SPDX-License-Identifier: GPL-2.0-only
/*
 * Speculative return stack overflow on CPUs that can be told to speculate less: the kernel
 * relies on us to tell them, since only guests make it necessary (AMD's "Technical Update
 * regarding Speculative Return Stack Overflow", BP_CFG[BpSpecReduce]). Owns that bit: set on
 * every CPU for as long as there is a VM. What other CPUs need is next to VMRUN.
 */
#include <linux/cpu.h>
#include <linux/mutex.h>
#include <linux/smp.h>
#include <asm/msr.h>
#include <compat/spec.h>

#include "vendor-svm/svm.h"

#define MSR_BP_CFG		0xc001102e
#define BP_CFG_SPEC_REDUCE	BIT_ULL(4)

/* Guards nr_vms. Taken before the lock of CPU hotplug, whose callbacks only read. */
static DEFINE_MUTEX(srso_lock);
static unsigned int nr_vms;

static void set_bit_here(void *set)
{
	u64 value;

	/* In a guest it may be that CPUID promises what is not there. */
	if (rdmsrq_safe(MSR_BP_CFG, &value))
		return;
	wrmsrq(MSR_BP_CFG, set ? value | BP_CFG_SPEC_REDUCE : value & ~BP_CFG_SPEC_REDUCE);
}

static void count_vm(bool more)
{
	if (!kvmc_srso_spec_reduce())
		return;
	mutex_lock(&srso_lock);
	/* A CPU that comes later finds the count; one that is here is told. */
	cpus_read_lock();
	WRITE_ONCE(nr_vms, more ? nr_vms + 1 : nr_vms - 1);
	if (nr_vms == more)	/* the first has come, or the last has gone */
		on_each_cpu(set_bit_here, more ? &nr_vms : NULL, 1);
	cpus_read_unlock();
	mutex_unlock(&srso_lock);
}

void svm_srso_vm_created(void)
{
	count_vm(true);
}

void svm_srso_vm_destroyed(void)
{
	count_vm(false);
}

void svm_srso_cpu_on(void)
{
	if (kvmc_srso_spec_reduce() && READ_ONCE(nr_vms))
		set_bit_here(&nr_vms);
}

void svm_srso_cpu_off(void)
{
	if (kvmc_srso_spec_reduce() && READ_ONCE(nr_vms))
		set_bit_here(NULL);
}
