dnl SPDX-License-Identifier: GPL-2.0-only
dnl xfer_to_guest_mode_handle_work(void), in linux/entry-virt.h.
dnl Linux 6.18, "entry/kvm: KVM: Move KVM details related to signal/-EINTR into KVM proper".
KVM_PROBE([XFER_HANDLE_WORK_VOID], [[#if __has_include(<linux/entry-virt.h>)
#include <linux/entry-virt.h>
#else
#include <linux/entry-kvm.h>
#endif]],
[[	xfer_to_guest_mode_handle_work();]])
