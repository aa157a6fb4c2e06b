# SPDX-License-Identifier: GPL-2.0-only
core-y := main.o power.o vm.o vcpu.o sched.o request.o
core-y += memslot.o dirty_log.o dirty_ring.o guest_memory.o host_page.o mmu_notifier.o async_pf.o
core-y += io_bus.o ioeventfd.o coalesced_mmio.o
core-y += irq_routing.o irqfd.o
core-y += device.o stats.o debugfs.o
core-$(CONFIG_COMPAT) += compat_ioctl.o
