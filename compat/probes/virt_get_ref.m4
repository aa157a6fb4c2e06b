dnl SPDX-License-Identifier: GPL-2.0-only
dnl x86_virt_get_ref(): the core kernel owns VMXON and EFER.SVME.
dnl Linux 7.1, "x86/virt: Add refcounting of VMX/SVM usage".
KVM_PROBE_SYMBOL([X86_VIRT_GET_REF], [x86_virt_get_ref])
