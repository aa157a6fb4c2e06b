/* SPDX-License-Identifier: GPL-2.0-only */
/* Offsets in struct svm_enter_state, for enter_*.S; enter.c asserts them. */
#ifndef VENDOR_SVM_ENTER_OFFSETS_H
#define VENDOR_SVM_ENTER_OFFSETS_H

#define SVM_ENTER_VMCB_PA	0
#define SVM_ENTER_HOST_PA	8
#define SVM_ENTER_GUEST_SPEC	16
#define SVM_ENTER_HOST_SPEC	24
#define SVM_ENTER_SWITCH_SPEC	32
#define SVM_ENTER_FAULTED	40

#endif
