# SPDX-License-Identifier: GPL-2.0-only
# Each room adds its own line.
arch-x86-y += vcpu.o vcpu_ioctl.o sync_regs.o
arch-x86-$(CONFIG_COMPAT) += compat_ioctl.o
arch-x86-y += cpu/cpuid.o cpu/cpuid_caps.o cpu/cpuid_list.o
arch-x86-y += cpu/msr.o cpu/msr_list.o cpu/msr_filter.o cpu/spec_msr.o cpu/mtrr.o cpu/mce.o
arch-x86-y += cpu/regs.o cpu/sregs.o cpu/fpu.o cpu/user_return.o
arch-x86-y += cpu/exception.o cpu/debug.o cpu/insn.o cpu/smm.o
arch-x86-y += mmu/mmu.o mmu/spte.o mmu/fault.o mmu/tdp.o mmu/zap.o mmu/dirty.o mmu/walk.o mmu/audit.o
arch-x86-y += mmu/own_tables.o mmu/nx_huge.o
arch-x86-y += mmu/shadow.o mmu/shadow_map.o mmu/shadow_sync.o mmu/rmap.o mmu/audit_shadow.o
arch-x86-$(CONFIG_KVM_KMOD_TLB_MODEL) += mmu/tlb_model.o
arch-x86-y += emulate.o emulate_mem.o emulate_state.o emulate_vector.o emulate_x87.o io.o
arch-x86-y += irqchip/irqchip.o irqchip/pic.o irqchip/ioapic.o irqchip/msi.o irqchip/apic_map.o
arch-x86-y += irqchip/lapic.o irqchip/lapic_state.o irqchip/lapic_deliver.o
arch-x86-y += irqchip/lapic_timer.o irqchip/lapic_pv.o irqchip/apicv.o irqchip/posted.o
arch-x86-y += time/tsc.o time/kvmclock.o time/pit.o pv/hypercall.o pv/steal_time.o
arch-x86-y += pv/async_pf.o
arch-x86-y += forced.o peek.o inner.o run.o vm.o vendor.o trace.o
