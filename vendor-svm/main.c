// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm-amd.ko: the table of operations that arch-x86/vendor.h asks for, and the
 * module's birth and death.
 */
#include <linux/module.h>
#include <asm/cpu_device_id.h>
#include <asm/msr.h>
#include <compat/virt.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/msr.h"
#include "vendor-svm/svm.h"

static int svm_vm_init(struct x86_vm *vm)
{
	svm_srso_vm_created();
	return 0;
}

static void svm_vm_destroy(struct x86_vm *vm)
{
	svm_srso_vm_destroyed();
}

static void svm_cpuid_changed(struct x86_vcpu *vcpu)
{
	svm_recalc_intercepts(vcpu);
}

static void svm_exit_irqoff(struct x86_vcpu *vcpu)
{
	/* A pending interrupt is taken when the loop enables IRQs. */
}

static void svm_load_root(struct x86_vcpu *vcpu, hpa_t root, int level)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	if (svm_caps.npt) {
		svm->vmcb->control.n_cr3 = root;
		svm_mark_dirty(svm, SVM_CLEAN_NPT);
	} else {
		svm->vmcb->save.cr3 = root;
		svm_mark_dirty(svm, SVM_CLEAN_CR);
	}
	svm_flush_tlb_asid(vcpu);
}

static void svm_write_tsc_offset(struct x86_vcpu *vcpu, u64 offset)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	svm->vmcb->control.tsc_offset = offset;
	svm_mark_dirty(svm, SVM_CLEAN_INTERCEPTS);
}

static void svm_write_tsc_multiplier(struct x86_vcpu *vcpu, u64 multiplier)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	svm->tsc_multiplier = multiplier;
	svm->host_saved = false;	/* written at the next entry */
}

static void svm_patch_hypercall(struct x86_vcpu *vcpu, u8 *insn)
{
	/* VMMCALL: 0F 01 D9 */
	insn[0] = 0x0f;
	insn[1] = 0x01;
	insn[2] = 0xd9;
}

static bool svm_can_emulate(struct x86_vcpu *vcpu, const void *insn, int len)
{
	/* Guest memory is never encrypted: its bytes can always be read. */
	return true;
}

static const struct x86_vendor_ops svm_ops = {
	.name = "AMD-V",
	.owner = THIS_MODULE,
	.vm_size = sizeof(struct svm_vm),
	.vcpu_size = sizeof(struct svm_vcpu),
	.caps = &svm_caps,

	.cpu_enable = svm_cpu_enable,
	.cpu_disable = svm_cpu_disable,
	.adjust_caps = svm_adjust_cpu_caps,
	.has_msr = svm_has_msr,
	.get_msr = svm_get_msr,
	.set_msr = svm_set_msr,
	.get_msr_feature = svm_get_msr_feature,
	.cpuid_changed = svm_cpuid_changed,

	.vm_init = svm_vm_init,
	.vm_destroy = svm_vm_destroy,
	.vcpu_create = svm_vcpu_create,
	.vcpu_destroy = svm_vcpu_destroy,
	.vcpu_reset = svm_vcpu_reset,
	.vcpu_load = svm_vcpu_load,
	.vcpu_put = svm_vcpu_put,

	.prepare_enter = svm_prepare_enter,
	.enter = svm_enter,
	.fast_exit = svm_fast_exit,
	.exit_irqoff = svm_exit_irqoff,
	.handle_exit = svm_handle_exit,
	.exit_info = svm_exit_info,
	.next_rip = svm_next_rip,

	.cache_reg = svm_cache_reg,
	.get_rflags = svm_get_rflags,
	.set_rflags = svm_set_rflags,
	.get_if_flag = svm_get_if_flag,
	.get_segment = svm_get_segment,
	.set_segment = svm_set_segment,
	.get_segment_base = svm_get_segment_base,
	.get_cpl = svm_get_cpl,
	.get_cs_db_l = svm_get_cs_db_l,
	.get_idt = svm_get_idt,
	.set_idt = svm_set_idt,
	.get_gdt = svm_get_gdt,
	.set_gdt = svm_set_gdt,
	.set_cr0 = svm_set_cr0,
	.set_cr3 = svm_set_cr3,
	.is_valid_cr4 = svm_is_valid_cr4,
	.set_cr4 = svm_set_cr4,
	.set_efer = svm_set_efer,
	.set_dr7 = svm_set_dr7,
	.set_dr6 = svm_set_dr6,
	.sync_dirty_debug_regs = svm_sync_dirty_debug_regs,

	.load_root = svm_load_root,
	.flush_tlb_all = svm_flush_tlb_asid,
	.flush_tlb_current = svm_flush_tlb_asid,
	.flush_tlb_gva = svm_flush_tlb_gva,
	.flush_tlb_guest = svm_flush_tlb_asid,

	.update_exception_bitmap = svm_update_exception_bitmap,
	.inject_exception = svm_inject_exception,
	.inject_nmi = svm_inject_nmi,
	.inject_irq = svm_inject_irq,
	.cancel_injection = svm_cancel_injection,
	.nmi_allowed = svm_nmi_allowed,
	.irq_allowed = svm_irq_allowed,
	.get_nmi_mask = svm_get_nmi_mask,
	.set_nmi_mask = svm_set_nmi_mask,
	.step_once = svm_step_once,
	.enable_nmi_window = svm_enable_nmi_window,
	.enable_irq_window = svm_enable_irq_window,
	.get_interrupt_shadow = svm_get_interrupt_shadow,
	.set_interrupt_shadow = svm_set_interrupt_shadow,
	.update_cr8_intercept = svm_update_cr8_intercept,

	.write_tsc_offset = svm_write_tsc_offset,
	.write_tsc_multiplier = svm_write_tsc_multiplier,

	.patch_hypercall = svm_patch_hypercall,
	.can_emulate = svm_can_emulate,
	.msr_filter_changed = svm_msr_recalc,
	.intercepts_changed = svm_recalc_intercepts,
	.dump_state = svm_dump_state,
};

static int __init svm_init(void)
{
	int r = svm_caps_init();

	if (r)
		return r;
	r = svm_cpu_init();
	if (r)
		return r;
	r = svm_perm_maps_init();
	if (r)
		goto err_cpu;

	svm_tsc_aux_slot = x86_user_return_add(MSR_TSC_AUX);
	/* a crash must find SVME off and GIF set, or INIT and NMI stay blocked */
	kvmc_virt_register_emergency(NULL);
	r = x86_vendor_register(&svm_ops);
	if (r)
		goto err_emergency;
	pr_info("kvm_amd: AMD-V with %s paging%s%s, %u ASIDs (kvm-kmod " KVM_KMOD_VERSION ")\n",
		svm_caps.npt ? "nested" : "shadow",
		svm_features.nrips ? ", next RIP" : "",
		svm_features.decode_assists ? ", decode assists" : "", svm_features.nr_asids);
	return 0;

err_emergency:
	kvmc_virt_unregister_emergency(NULL);
	svm_perm_maps_exit();
err_cpu:
	svm_cpu_exit();
	return r;
}
module_init(svm_init);

static void __exit svm_exit(void)
{
	x86_vendor_unregister();
	kvmc_virt_unregister_emergency(NULL);
	svm_perm_maps_exit();
	svm_cpu_exit();
}
module_exit(svm_exit);

static const struct x86_cpu_id svm_cpu_ids[] = {
	X86_MATCH_FEATURE(X86_FEATURE_SVM, NULL),
	{}
};
MODULE_DEVICE_TABLE(x86cpu, svm_cpu_ids);

MODULE_DESCRIPTION("KVM for AMD processors (kvm-kmod)");
MODULE_LICENSE("GPL");
MODULE_VERSION(KVM_KMOD_VERSION);
