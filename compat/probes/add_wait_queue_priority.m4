dnl SPDX-License-Identifier: GPL-2.0-only
dnl add_wait_queue_priority(): first in the queue, woken exclusively.
dnl Linux 5.11, "sched/wait: Add add_wait_queue_priority()".
KVM_PROBE_SYMBOL([ADD_WAIT_QUEUE_PRIORITY], [add_wait_queue_priority])
