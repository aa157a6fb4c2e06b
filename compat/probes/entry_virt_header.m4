dnl SPDX-License-Identifier: GPL-2.0-only
dnl work before a guest is entered, in a header that is not named after KVM.
dnl Linux 6.18, "entry: Rename "kvm" entry code assets to "virt" to genericize APIs".
KVM_PROBE([ENTRY_VIRT_HEADER], [[#include <linux/entry-virt.h>]], [[]])
