dnl SPDX-License-Identifier: GPL-2.0-only
dnl eventfd_signal(ctx): the count is always 1.
dnl Linux 6.8, "eventfd: simplify eventfd_signal()".
KVM_PROBE([EVENTFD_SIGNAL_CTX], [[#include <linux/eventfd.h>]],
[[	eventfd_signal(NULL);]])
