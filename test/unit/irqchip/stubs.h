/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_UNIT_IRQCHIP_STUBS_H
#define TEST_UNIT_IRQCHIP_STUBS_H

#include "arch-x86/irqchip/lapic.h"

struct stub_device {
	int bus;
	gpa_t addr;
	int len;
	struct kvm_io_device *dev;
};

extern struct stub_device stub_devices[8];
extern int stub_nr_devices;
extern int stub_acked[3][24];	/* notifications by chip and pin */
extern bool stub_notifier[24];	/* somebody wants to know of EOIs of an IOAPIC pin */

/* What the CPU that delivers was told. */
struct stub_apicv {
	int changed, unmapped;
	int requested, in_service;
	u64 eoi_exits[4];
};
extern struct stub_apicv stub_apicv;

#endif
