dnl SPDX-License-Identifier: GPL-2.0-only
dnl cpu_emergency_register_virt_callback(): a module's hook for crash and reboot.
dnl Linux 6.6, "x86/reboot: VMCLEAR active VMCSes before emergency reboot", back-ported
dnl to 6.1 stable; before it, crash_vmclear_loaded_vmcss.
KVM_PROBE_SYMBOL([EMERGENCY_VIRT_CALLBACK], [cpu_emergency_register_virt_callback])
