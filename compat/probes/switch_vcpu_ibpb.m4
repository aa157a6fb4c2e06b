dnl SPDX-License-Identifier: GPL-2.0-only
dnl switch_vcpu_ibpb: whether an IBPB between vCPUs is wanted.
dnl Linux 6.15, "x86/bugs: Use a static branch to guard IBPB on vCPU switch".
KVM_PROBE_SYMBOL([SWITCH_VCPU_IBPB], [switch_vcpu_ibpb])
