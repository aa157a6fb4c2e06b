/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vendor_call(op)(args): a direct call to the vendor's operation, by static
 * call. For kvm.ko's own files only: vendors never include this. Bound in
 * arch-x86/vendor.c.
 */
#ifndef ARCH_X86_VENDOR_CALL_H
#define ARCH_X86_VENDOR_CALL_H

#include <linux/static_call.h>
#include "arch-x86/vendor.h"

#define X86_VENDOR_OPS(OP)						\
	OP(cpu_enable) OP(cpu_disable) OP(adjust_caps) OP(has_msr)	\
	OP(get_msr) OP(set_msr) OP(get_msr_feature) OP(cpuid_changed)	\
	OP(vm_init) OP(vm_destroy) OP(vcpu_create) OP(vcpu_destroy)	\
	OP(vcpu_reset) OP(vcpu_load) OP(vcpu_put) OP(prepare_enter)	\
	OP(enter) OP(fast_exit) OP(exit_irqoff) OP(handle_exit)		\
	OP(exit_info)							\
	OP(next_rip) OP(cache_reg) OP(get_rflags) OP(set_rflags)	\
	OP(get_if_flag) OP(get_segment) OP(set_segment)			\
	OP(get_segment_base) OP(get_cpl) OP(get_cs_db_l) OP(get_idt)	\
	OP(set_idt) OP(get_gdt) OP(set_gdt) OP(set_cr0) OP(set_cr3)	\
	OP(is_valid_cr4) OP(set_cr4) OP(set_efer) OP(set_dr7)		\
	OP(set_dr6) OP(sync_dirty_debug_regs) OP(load_root)		\
	OP(flush_tlb_all) OP(flush_tlb_current) OP(flush_tlb_gva)	\
	OP(flush_tlb_guest) OP(update_exception_bitmap)			\
	OP(inject_exception) OP(inject_nmi) OP(inject_irq)		\
	OP(cancel_injection) OP(nmi_allowed) OP(irq_allowed)		\
	OP(get_nmi_mask) OP(set_nmi_mask) OP(enable_nmi_window)		\
	OP(enable_irq_window) OP(get_interrupt_shadow)			\
	OP(set_interrupt_shadow) OP(update_cr8_intercept)		\
	OP(write_tsc_offset) OP(write_tsc_multiplier)			\
	OP(patch_hypercall) OP(can_emulate) OP(msr_filter_changed)	\
	OP(intercepts_changed) OP(dump_state)

#define X86_VENDOR_DECLARE(op)						\
	DECLARE_STATIC_CALL(x86_vendor_##op,				\
			    *(((struct x86_vendor_ops *)0)->op));
X86_VENDOR_OPS(X86_VENDOR_DECLARE)
#undef X86_VENDOR_DECLARE

#define vendor_call(op)	static_call(x86_vendor_##op)

#endif
