// SPDX-License-Identifier: GPL-2.0-only
/*
 * L1 terminal fault: a guest must not find the host's secrets in the L1 data cache by
 * faulting translations, so that is flushed before entries (Intel's "L1 Terminal
 * Fault" guidance). Owns how, and tells the kernel, which reports it in sysfs.
 *
 * "cond" flushes when anything has run since the last entry but the handlers of the inner
 * loop that move the vCPU's own registers: at least as often as it promises.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <asm/cacheflush.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <compat/spec.h>

#include "vendor-vmx/vmx.h"

static char *vmentry_l1d_flush = "auto";
module_param(vmentry_l1d_flush, charp, 0444);
MODULE_PARM_DESC(vmentry_l1d_flush, "flush the L1 data cache before entries: auto, never, cond, always");

/* Without the MSR: 64 KiB of reads push everything else out. */
#define L1D_ORDER	4

static enum kvmc_l1d_flush l1d_mode __ro_after_init = KVMC_L1D_NEVER;
static struct page *l1d_pages;

static enum kvmc_l1d_flush __init choose(void)
{
	u64 caps = 0;

	if (!boot_cpu_has_bug(X86_BUG_L1TF))
		return KVMC_L1D_NOT_REQUIRED;
	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrq(MSR_IA32_ARCH_CAPABILITIES, caps);
	if (caps & ARCH_CAP_SKIP_VMENTRY_L1DFLUSH)
		return KVMC_L1D_NOT_REQUIRED;
	/* The command line's "full,force" can't be overruled. */
	if (kvmc_l1tf_forced())
		return KVMC_L1D_ALWAYS;
	if (sysfs_streq(vmentry_l1d_flush, "never"))
		return KVMC_L1D_NEVER;
	if (sysfs_streq(vmentry_l1d_flush, "cond"))
		return KVMC_L1D_COND;
	if (sysfs_streq(vmentry_l1d_flush, "always"))
		return KVMC_L1D_ALWAYS;
	return kvmc_l1tf_wanted();
}

int __init vmx_l1d_init(void)
{
	enum kvmc_l1d_flush mode = choose();

	if ((mode == KVMC_L1D_COND || mode == KVMC_L1D_ALWAYS) &&
	    !boot_cpu_has(X86_FEATURE_FLUSH_L1D)) {
		/* Distinct contents: KSM must not make one page of them. */
		unsigned int i;

		l1d_pages = alloc_pages(GFP_KERNEL, L1D_ORDER);
		if (!l1d_pages)
			return -ENOMEM;
		for (i = 0; i < 1 << L1D_ORDER; i++)
			memset(page_address(l1d_pages) + i * PAGE_SIZE, i + 1, PAGE_SIZE);
	}
	l1d_mode = mode;
	kvmc_l1tf_report(mode);
	return 0;
}

void vmx_l1d_exit(void)
{
	kvmc_l1tf_report(KVMC_L1D_AUTO);
	if (l1d_pages)
		__free_pages(l1d_pages, L1D_ORDER);
	l1d_pages = NULL;
}

/* First a line of each page, for the TLB; then, when those are done, all lines. */
static void flush_by_reading(void)
{
	const char *p = page_address(l1d_pages);
	unsigned int i;

	for (i = 0; i < PAGE_SIZE << L1D_ORDER; i += PAGE_SIZE)
		asm volatile("movzbl %0, %%eax" : : "m" (p[i]) : "eax");
	asm volatile("lfence" : : : "memory");
	for (i = 0; i < PAGE_SIZE << L1D_ORDER; i += 64)
		asm volatile("movzbl %0, %%eax" : : "m" (p[i]) : "eax");
	asm volatile("lfence" : : : "memory");
}

void vmx_l1d_flush(struct x86_vcpu *vcpu, bool host_ran)
{
	if (likely(l1d_mode != KVMC_L1D_ALWAYS && !(l1d_mode == KVMC_L1D_COND && host_ran)))
		return;
	vcpu->core.stat.l1d_flush++;
	if (boot_cpu_has(X86_FEATURE_FLUSH_L1D))
		wrmsrq(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
	else
		flush_by_reading();
}
