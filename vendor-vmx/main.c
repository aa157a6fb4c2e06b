// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm-intel.ko: the table of operations that arch-x86/vendor.h asks for, and the
 * module's birth and death.
 */
#include <linux/module.h>
#include <asm/cpu_device_id.h>
#include <compat/spec.h>
#include <compat/virt.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/msr.h"
#include "vendor-vmx/vmx.h"

static int vmx_vm_init(struct x86_vm *vm)
{
	return 0;
}

static void vmx_vm_destroy(struct x86_vm *vm)
{
}

static void vmx_cpuid_changed(struct x86_vcpu *vcpu)
{
	/* As the guest sees it, before other bits of it become the guest's. */
	u64 cr4 = x86_cr4(vcpu);

	vmx_update_cr_masks(vmx_vcpu_of(vcpu));
	vmx_set_cr4(vcpu, cr4);
	vmx_msr_recalc(vcpu);
	vmx_recalc_intercepts(vcpu);
}

static void vmx_write_tsc_offset(struct x86_vcpu *vcpu, u64 offset)
{
	vmcs_write64(VMCS_TSC_OFFSET, offset);
}

static void vmx_write_tsc_multiplier(struct x86_vcpu *vcpu, u64 multiplier)
{
	if (vmx_caps.tsc_scaling)
		vmcs_write64(VMCS_TSC_MULTIPLIER, multiplier);
}

static void vmx_patch_hypercall(struct x86_vcpu *vcpu, u8 *insn)
{
	/* VMCALL: 0F 01 C1 */
	insn[0] = 0x0f;
	insn[1] = 0x01;
	insn[2] = 0xc1;
}

static bool vmx_can_emulate(struct x86_vcpu *vcpu, const void *insn, int len)
{
	/* Guest memory is never encrypted: its bytes can always be read. */
	return true;
}

static const struct x86_vendor_ops vmx_ops = {
	.name = "VT-x",
	.owner = THIS_MODULE,
	.vm_size = sizeof(struct vmx_vm),
	.vcpu_size = sizeof(struct vmx_vcpu),
	.caps = &vmx_caps,

	.cpu_enable = vmx_cpu_enable,
	.cpu_disable = vmx_cpu_disable,
	.adjust_caps = vmx_adjust_cpu_caps,
	.has_msr = vmx_has_msr,
	.get_msr = vmx_get_msr,
	.set_msr = vmx_set_msr,
	.get_msr_feature = vmx_get_msr_feature,
	.cpuid_changed = vmx_cpuid_changed,

	.vm_init = vmx_vm_init,
	.vm_destroy = vmx_vm_destroy,
	.vcpu_create = vmx_vcpu_create,
	.vcpu_destroy = vmx_vcpu_destroy,
	.vcpu_reset = vmx_vcpu_reset,
	.vcpu_load = vmx_vcpu_load,
	.vcpu_put = vmx_vcpu_put,

	.prepare_enter = vmx_prepare_enter,
	.enter = vmx_enter,
	.fast_exit = vmx_fast_exit,
	.exit_irqoff = vmx_exit_irqoff,
	.handle_exit = vmx_handle_exit,
	.exit_info = vmx_exit_info,
	.next_rip = vmx_next_rip,

	.cache_reg = vmx_cache_reg,
	.get_rflags = vmx_get_rflags,
	.set_rflags = vmx_set_rflags,
	.get_if_flag = vmx_get_if_flag,
	.get_segment = vmx_get_segment,
	.set_segment = vmx_set_segment,
	.get_segment_base = vmx_get_segment_base,
	.get_cpl = vmx_get_cpl,
	.get_cs_db_l = vmx_get_cs_db_l,
	.get_idt = vmx_get_idt,
	.set_idt = vmx_set_idt,
	.get_gdt = vmx_get_gdt,
	.set_gdt = vmx_set_gdt,
	.set_cr0 = vmx_set_cr0,
	.set_cr3 = vmx_set_cr3,
	.is_valid_cr4 = vmx_is_valid_cr4,
	.set_cr4 = vmx_set_cr4,
	.set_efer = vmx_set_efer,
	.set_dr7 = vmx_set_dr7,
	.set_dr6 = vmx_set_dr6,
	.sync_dirty_debug_regs = vmx_sync_dirty_debug_regs,

	.load_root = vmx_load_root,
	.flush_tlb_all = vmx_flush_tlb_all,
	.flush_tlb_current = vmx_flush_tlb_current,
	.flush_tlb_gva = vmx_flush_tlb_gva,
	.flush_tlb_guest = vmx_flush_tlb_guest,

	.update_exception_bitmap = vmx_update_exception_bitmap,
	.inject_exception = vmx_inject_exception,
	.inject_nmi = vmx_inject_nmi,
	.inject_irq = vmx_inject_irq,
	.cancel_injection = vmx_cancel_injection,
	.nmi_allowed = vmx_nmi_allowed,
	.irq_allowed = vmx_irq_allowed,
	.get_nmi_mask = vmx_get_nmi_mask,
	.set_nmi_mask = vmx_set_nmi_mask,
	.enable_nmi_window = vmx_enable_nmi_window,
	.enable_irq_window = vmx_enable_irq_window,
	.get_interrupt_shadow = vmx_get_interrupt_shadow,
	.set_interrupt_shadow = vmx_set_interrupt_shadow,
	.update_cr8_intercept = vmx_update_cr8_intercept,

	.write_tsc_offset = vmx_write_tsc_offset,
	.write_tsc_multiplier = vmx_write_tsc_multiplier,
	.set_timer = vmx_set_timer,

	.can_enter = vmx_can_enter,
	.patch_hypercall = vmx_patch_hypercall,
	.can_emulate = vmx_can_emulate,
	.msr_filter_changed = vmx_msr_recalc,
	.intercepts_changed = vmx_recalc_intercepts,
	.dump_state = vmx_dump_state,
	.apicv = &vmx_apicv_ops,
};

static int __init vmx_init(void)
{
	int r = vmx_caps_init();

	if (r)
		return r;
	r = vmx_l1d_init();
	if (r)
		return r;
	r = kvmc_virt_prepare_vmx();
	if (r)
		goto err_l1d;

	kvmc_bhb_init();
	vmx_msr_init();
	vmx_vmcs_init();
	/* A crash must find no VMCS half in memory: the next kernel would read it so. */
	kvmc_virt_register_emergency(vmx_emergency_clear);
	r = x86_vendor_register(&vmx_ops);
	if (r)
		goto err_emergency;
	pr_info("kvm_intel: VT-x with %s%s%s%s%s%s%s%s (kvm-kmod " KVM_KMOD_VERSION ")\n",
		vmx_caps.npt ? "extended page tables" : "shadow paging",
		vmx_has.unrestricted ? "" : ", without unrestricted guest",
		vmx_caps.tdp_has_ad ? ", accessed and dirty bits" : "",
		vmx_has.vpid ? ", VPID" : "",
		vmx_has.virtual_nmis ? ", virtual NMIs" : "",
		vmx_caps.exit_timer ? ", preemption timer" : "",
		vmx_caps.irq_posting ? ", interrupt delivery and posting" :
		vmx_caps.irq_delivery ? ", interrupt delivery" : "",
		vmx_caps.dirty_log ? ", page-modification logging" : "");
	return 0;

err_emergency:
	kvmc_virt_unregister_emergency(vmx_emergency_clear);
	kvmc_virt_unprepare_vmx();
err_l1d:
	vmx_l1d_exit();
	return r;
}
module_init(vmx_init);

static void __exit vmx_exit(void)
{
	x86_vendor_unregister();
	kvmc_virt_unregister_emergency(vmx_emergency_clear);
	kvmc_virt_unprepare_vmx();
	vmx_l1d_exit();
}
module_exit(vmx_exit);

static const struct x86_cpu_id vmx_cpu_ids[] = {
	X86_MATCH_FEATURE(X86_FEATURE_VMX, NULL),
	{}
};
MODULE_DEVICE_TABLE(x86cpu, vmx_cpu_ids);

MODULE_DESCRIPTION("KVM for Intel processors (kvm-kmod)");
MODULE_LICENSE("GPL");
MODULE_VERSION(KVM_KMOD_VERSION);
