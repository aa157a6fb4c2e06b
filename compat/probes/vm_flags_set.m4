dnl SPDX-License-Identifier: GPL-2.0-only
dnl vm_flags_set(): vm_flags may not be assigned any more.
dnl Linux 6.3, "mm: introduce vma->vm_flags wrapper functions".
KVM_PROBE([VM_FLAGS_SET], [[#include <linux/mm.h>]],
[[	vm_flags_set(NULL, VM_IO);]])
