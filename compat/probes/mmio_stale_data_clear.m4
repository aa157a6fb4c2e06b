dnl SPDX-License-Identifier: GPL-2.0-only
dnl mmio_stale_data_clear: a static branch; a CPU feature with an alternative later.
dnl Linux 6.19, "x86/bugs: Use an x86 feature to track the MMIO Stale Data mitigation".
KVM_PROBE_SYMBOL([MMIO_STALE_DATA_CLEAR], [mmio_stale_data_clear])
