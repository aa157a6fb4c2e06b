# SPDX-License-Identifier: GPL-2.0-only
svm-y := main.o caps.o vmcb.o asid.o regs.o msr.o events.o skip.o enter.o exits.o srso.o
svm-$(CONFIG_X86_64) += enter_64.o
svm-$(CONFIG_X86_32) += enter_32.o
