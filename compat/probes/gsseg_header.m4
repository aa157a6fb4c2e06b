dnl SPDX-License-Identifier: GPL-2.0-only
dnl load_gs_index() in a header of its own.
dnl Linux 6.3, "x86/gsseg: Move load_gs_index() to its own new header file".
KVM_PROBE([GSSEG_HEADER], [[#include <asm/gsseg.h>]], [[]])
