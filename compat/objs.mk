# SPDX-License-Identifier: GPL-2.0-only
# The few shims that need code of their own; all linked into kvm.ko.
compat-y := virt.o clock.o fpu.o perf.o pfnmap.o syscore.o xfer.o
# in the vendor's module instead: the kernel lends them to that one only
compat-vmx-y := bhb.o
compat-vmx-$(CONFIG_X86_64) += host_events_64.o bhb_64.o
compat-vmx-$(CONFIG_X86_32) += host_events_32.o
