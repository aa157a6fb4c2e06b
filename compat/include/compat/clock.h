/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's clocks and the TSC value at which they were read, as one
 * consistent set: what kvmclock and the TSC need of the host's timekeeping.
 */
#ifndef COMPAT_CLOCK_H
#define COMPAT_CLOCK_H

#include <linux/types.h>

/**
 * struct kvmc_clock_snapshot - the host's clocks at one value of the TSC
 * @tsc: the host's TSC
 * @mono_raw_ns: CLOCK_MONOTONIC_RAW
 * @boot_ns: CLOCK_BOOTTIME
 * @real_ns: CLOCK_REALTIME
 * @boot_offset_ns: time spent suspended (boot_ns less CLOCK_MONOTONIC)
 */
struct kvmc_clock_snapshot {
	u64 tsc;
	u64 mono_raw_ns;
	u64 boot_ns;
	u64 real_ns;
	u64 boot_offset_ns;
};

/**
 * kvmc_clock_init() - follow the host's timekeeping, at module load
 * Context: sleeps. Return: 0 or -errno.
 */
int kvmc_clock_init(void);

/** kvmc_clock_exit() - stop following it, at module unload */
void kvmc_clock_exit(void);

/**
 * kvmc_clock_snapshot() - read the clocks and the TSC together
 * @s: to fill
 *
 * Context: any, IRQs off too; lockless.
 * Return: false (and nothing to be used) if the host's clocksource is not the TSC.
 */
bool kvmc_clock_snapshot(struct kvmc_clock_snapshot *s);

#endif
