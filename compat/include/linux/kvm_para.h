/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_HC_MAP_GPA_RANGE and its feature bit are new in 5.16. */
#ifndef COMPAT_LINUX_KVM_PARA_H
#define COMPAT_LINUX_KVM_PARA_H

#include_next <linux/kvm_para.h>

#ifndef KVM_HC_MAP_GPA_RANGE
#define KVM_HC_MAP_GPA_RANGE		12
#endif
#ifndef KVM_FEATURE_HC_MAP_GPA_RANGE
#define KVM_FEATURE_HC_MAP_GPA_RANGE	16
#endif

#endif
