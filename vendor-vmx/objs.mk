# SPDX-License-Identifier: GPL-2.0-only
vmx-y := main.o caps.o vmcs.o tlb.o vcpu.o dump.o host.o l1tf.o timer.o apicv.o pml.o ple.o regs.o segs.o entry_state.o msr.o events.o \
	enter.o exits.o
vmx-$(CONFIG_X86_64) += enter_64.o host_64.o
vmx-$(CONFIG_X86_32) += enter_32.o host_32.o
