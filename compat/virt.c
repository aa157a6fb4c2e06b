// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtualization on and off per CPU, on kernels that leave it to modules and
 * on those that don't. Owns VMXON, VMXOFF and EFER.SVME; knows no VMCS, no VMCB
 * and no VM. The interface is compat/virt.h.
 */
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/pfn.h>
#include <linux/rcupdate.h>
#include <asm/cpufeature.h>
#include <asm/kexec.h>
#include <asm/msr.h>
#include <asm/perf_event.h>
#include <asm/processor.h>
#include <asm/reboot.h>
#include <asm/tlbflush.h>
#include <compat/virt.h>

#ifdef HAVE_X86_VIRT_GET_REF

int kvmc_virt_get(unsigned int feature)
{
	return x86_virt_get_ref(feature);
}
EXPORT_SYMBOL_GPL(kvmc_virt_get);

void kvmc_virt_put(unsigned int feature)
{
	x86_virt_put_ref(feature);
}
EXPORT_SYMBOL_GPL(kvmc_virt_put);

int kvmc_virt_prepare_vmx(void)
{
	return 0;
}
EXPORT_SYMBOL_GPL(kvmc_virt_prepare_vmx);

void kvmc_virt_unprepare_vmx(void)
{
}
EXPORT_SYMBOL_GPL(kvmc_virt_unprepare_vmx);

void kvmc_virt_register_emergency(void (*cb)(void))
{
	if (cb)
		x86_virt_register_emergency_callback(cb);
}
EXPORT_SYMBOL_GPL(kvmc_virt_register_emergency);

void kvmc_virt_unregister_emergency(void (*cb)(void))
{
	if (cb)
		x86_virt_unregister_emergency_callback(cb);
}
EXPORT_SYMBOL_GPL(kvmc_virt_unregister_emergency);

#else /* the module does it */

bool kvmc_virt_rebooting;
EXPORT_SYMBOL_GPL(kvmc_virt_rebooting);

typedef void (kvmc_emergency_cb)(void);

/* per CPU: which feature this module turned on there, and how often */
static DEFINE_PER_CPU(unsigned int, kvmc_virt_feature);
static DEFINE_PER_CPU(unsigned int, kvmc_virt_refs);
/* VMXON regions, from prepare to unprepare */
static DEFINE_PER_CPU(struct page *, kvmc_vmxon_page);
static kvmc_emergency_cb __rcu *kvmc_emergency;

static int kvmc_svm_on(void)
{
	u64 efer;

	rdmsrq(MSR_EFER, efer);
	if (efer & EFER_SVME)
		return -EBUSY;
	/* APM 2 15.30.1: VM_CR.SVMDIS makes the write of SVME #GP */
	return wrmsrq_safe(MSR_EFER, efer | EFER_SVME) ? -EOPNOTSUPP : 0;
}

static void kvmc_svm_off(void)
{
	u64 efer;

	rdmsrq(MSR_EFER, efer);
	if (!(efer & EFER_SVME))
		return;
	/*
	 * With SVME off GIF can't be set any more, and NMI and INIT would stay
	 * blocked (APM 2 15.17). #UD: an NMI turned it off in between.
	 */
	asm goto("1: stgi\n\t"
		 _ASM_EXTABLE(1b, %l[off])
		 ::: "memory" : off);
off:
	wrmsrq(MSR_VM_HSAVE_PA, 0);
	wrmsrq(MSR_EFER, efer & ~(u64)EFER_SVME);
}

static int kvmc_vmxon(u64 pa)
{
	/* SDM 3C 31.3 VMXON: CF or ZF set is failure; #GP if firmware forbids */
	asm goto("1: vmxon %[pa]\n\t"
		 "jbe %l[fail]\n\t"
		 _ASM_EXTABLE(1b, %l[fail])
		 : : [pa] "m" (pa) : "cc", "memory" : fail);
	return 0;
fail:
	return -EIO;
}

static int kvmc_vmx_on(void)
{
	struct page *page = this_cpu_read(kvmc_vmxon_page);
	u64 control;
	int r;

	if (cr4_read_shadow() & X86_CR4_VMXE)
		return -EBUSY;
	/* SDM 3C 24.7: IA32_FEATURE_CONTROL locked, with VMX outside SMX */
	if (rdmsrq_safe(MSR_IA32_FEAT_CTL, &control) ||
	    !(control & FEAT_CTL_LOCKED) ||
	    !(control & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX))
		return -EOPNOTSUPP;
	if (WARN_ON_ONCE(!page))
		return -EIO;

	intel_pt_handle_vmx(1);
	cr4_set_bits(X86_CR4_VMXE);
	r = kvmc_vmxon(PFN_PHYS(page_to_pfn(page)));
	if (r) {
		cr4_clear_bits(X86_CR4_VMXE);
		intel_pt_handle_vmx(0);
	}
	return r;
}

static void kvmc_vmx_off(void)
{
	if (!(__read_cr4() & X86_CR4_VMXE))
		return;
	asm goto("1: vmxoff\n\t"
		 _ASM_EXTABLE(1b, %l[off])
		 ::: "cc", "memory" : off);
off:
	cr4_clear_bits(X86_CR4_VMXE);
	intel_pt_handle_vmx(0);
}

int kvmc_virt_get(unsigned int feature)
{
	int r;

	if (WARN_ON_ONCE(feature != X86_FEATURE_SVM && feature != X86_FEATURE_VMX))
		return -EINVAL;
	if (!boot_cpu_has(feature))
		return -EOPNOTSUPP;
	if (this_cpu_read(kvmc_virt_refs)) {
		if (this_cpu_read(kvmc_virt_feature) != feature)
			return -EBUSY;
		this_cpu_inc(kvmc_virt_refs);
		return 0;
	}
	r = feature == X86_FEATURE_SVM ? kvmc_svm_on() : kvmc_vmx_on();
	if (r)
		return r;
	this_cpu_write(kvmc_virt_feature, feature);
	this_cpu_write(kvmc_virt_refs, 1);
	return 0;
}
EXPORT_SYMBOL_GPL(kvmc_virt_get);

static void kvmc_virt_off(void)
{
	if (this_cpu_read(kvmc_virt_feature) == X86_FEATURE_SVM)
		kvmc_svm_off();
	else
		kvmc_vmx_off();
}

void kvmc_virt_put(unsigned int feature)
{
	if (WARN_ON_ONCE(!this_cpu_read(kvmc_virt_refs)))
		return;
	if (!this_cpu_dec_return(kvmc_virt_refs))
		kvmc_virt_off();
}
EXPORT_SYMBOL_GPL(kvmc_virt_put);

int kvmc_virt_prepare_vmx(void)
{
	struct page *page;
	u64 basic;
	int cpu;

	if (rdmsrq_safe(MSR_IA32_VMX_BASIC, &basic))
		return -EOPNOTSUPP;
	for_each_possible_cpu(cpu) {
		page = alloc_pages_node(cpu_to_node(cpu), GFP_KERNEL | __GFP_ZERO, 0);
		if (!page) {
			kvmc_virt_unprepare_vmx();
			return -ENOMEM;
		}
		/* SDM 3C 25.11.5: the region starts with the VMCS revision */
		*(u32 *)page_address(page) = (u32)basic & 0x7fffffff;
		per_cpu(kvmc_vmxon_page, cpu) = page;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(kvmc_virt_prepare_vmx);

void kvmc_virt_unprepare_vmx(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		if (per_cpu(kvmc_vmxon_page, cpu))
			__free_page(per_cpu(kvmc_vmxon_page, cpu));
		per_cpu(kvmc_vmxon_page, cpu) = NULL;
	}
}
EXPORT_SYMBOL_GPL(kvmc_virt_unprepare_vmx);

/* The kernel calls this on each CPU in a crash, possibly from an NMI. */
static void __maybe_unused kvmc_emergency_hook(void)
{
	kvmc_emergency_cb *cb;

	virt_rebooting = true;
	if (!this_cpu_read(kvmc_virt_refs))
		return;
	rcu_read_lock();
	cb = rcu_dereference(kvmc_emergency);
	if (cb)
		cb();
	rcu_read_unlock();
	kvmc_virt_off();
}

void kvmc_virt_register_emergency(void (*cb)(void))
{
	rcu_assign_pointer(kvmc_emergency, cb);
#ifdef HAVE_EMERGENCY_VIRT_CALLBACK
	cpu_emergency_register_virt_callback(kvmc_emergency_hook);
#elif defined(CONFIG_KEXEC_CORE)
	/* the kernel turns VMX and SVM off by itself after this hook */
	rcu_assign_pointer(crash_vmclear_loaded_vmcss, cb);
#endif
}
EXPORT_SYMBOL_GPL(kvmc_virt_register_emergency);

void kvmc_virt_unregister_emergency(void (*cb)(void))
{
#ifdef HAVE_EMERGENCY_VIRT_CALLBACK
	cpu_emergency_unregister_virt_callback(kvmc_emergency_hook);
#elif defined(CONFIG_KEXEC_CORE)
	RCU_INIT_POINTER(crash_vmclear_loaded_vmcss, NULL);
#endif
	RCU_INIT_POINTER(kvmc_emergency, NULL);
	synchronize_rcu();
}
EXPORT_SYMBOL_GPL(kvmc_virt_unregister_emergency);

#endif

void kvmc_virt_begin_shutdown(void)
{
	virt_rebooting = true;
	/* seen by a CPU before it is told to turn virtualization off */
	smp_wmb();
}
EXPORT_SYMBOL_GPL(kvmc_virt_begin_shutdown);
