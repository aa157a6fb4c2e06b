# SPDX-License-Identifier: GPL-2.0-only
# The few shims that need code of their own; all linked into kvm.ko.
compat-y := virt.o clock.o fpu.o perf.o pfnmap.o syscore.o xfer.o
