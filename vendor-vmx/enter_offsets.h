/* SPDX-License-Identifier: GPL-2.0-only */
/* Offsets in struct vmx_enter_state, for enter_*.S; enter.c asserts them. */
#ifndef VENDOR_VMX_ENTER_OFFSETS_H
#define VENDOR_VMX_ENTER_OFFSETS_H

#define VMX_ENTER_LAUNCHED	0
#define VMX_ENTER_HOST_RSP	8
#define VMX_ENTER_GUEST_SPEC	16
#define VMX_ENTER_HOST_SPEC	24
#define VMX_ENTER_SWITCH_SPEC	32
#define VMX_ENTER_FAILED	40

#endif
