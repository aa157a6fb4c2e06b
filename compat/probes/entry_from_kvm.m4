dnl SPDX-License-Identifier: GPL-2.0-only
dnl x86_entry_from_kvm(): the host's handler of an event that a VM exit has brought.
dnl Linux 7.1, "x86/entry: Provide an entry for events taken from guests".
KVM_PROBE_SYMBOL([X86_ENTRY_FROM_KVM], [x86_entry_from_kvm])
