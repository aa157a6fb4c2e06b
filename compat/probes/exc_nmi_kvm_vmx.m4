dnl SPDX-License-Identifier: GPL-2.0-only
dnl asm_exc_nmi_kvm_vmx: the NMI handler for VMX, asm_exc_nmi_noist before.
dnl Linux 6.12, "x86/entry: a name of its own for KVM's NMI entry".
KVM_PROBE_SYMBOL([ASM_EXC_NMI_KVM_VMX], [asm_exc_nmi_kvm_vmx])
