// SPDX-License-Identifier: GPL-2.0-only
/*
 * A copy of the host's timekeeping, renewed by its own notifier, from which the
 * clocks can be computed for a TSC value anywhere. Knows no guest clock.
 */
#include <linux/clocksource.h>
#include <linux/notifier.h>
#include <linux/pvclock_gtod.h>
#include <linux/seqlock.h>
#include <linux/timekeeper_internal.h>
#include <asm/msr.h>
#include <asm/tsc.h>
#include <compat/clock.h>

/* One clock: base_ns + ((tsc - cycle_last) * mult + frac) >> shift. */
struct kvmc_clock {
	u64 cycle_last;
	u64 mask;
	u64 base_ns;
	u64 frac;
	u32 mult;
	u32 shift;
};

/* written by the notifier only, which the timekeeper calls one at a time */
static struct {
	seqcount_t seq;
	bool is_tsc;
	struct kvmc_clock mono;
	struct kvmc_clock raw;
	u64 boot_offset_ns;
	u64 real_offset_ns;
} kvmc_tk;

static void kvmc_clock_copy(struct kvmc_clock *to, const struct tk_read_base *from)
{
	to->cycle_last = from->cycle_last;
	to->mask = from->mask;
	to->base_ns = ktime_to_ns(from->base);
	to->frac = from->xtime_nsec;
	to->mult = from->mult;
	to->shift = from->shift;
}

static u64 kvmc_clock_read(const struct kvmc_clock *c, u64 tsc)
{
	u64 delta = tsc - c->cycle_last;

	/* another CPU's tick may be a little ahead of this TSC */
	if ((s64)delta < 0)
		delta = 0;
	return c->base_ns + ((((delta & c->mask) * c->mult) + c->frac) >> c->shift);
}

static int kvmc_clock_notify(struct notifier_block *nb, unsigned long unused, void *priv)
{
	const struct timekeeper *tk = priv;

	write_seqcount_begin(&kvmc_tk.seq);
	kvmc_tk.is_tsc = tk->tkr_mono.clock->vdso_clock_mode == VDSO_CLOCKMODE_TSC;
	kvmc_clock_copy(&kvmc_tk.mono, &tk->tkr_mono);
	kvmc_clock_copy(&kvmc_tk.raw, &tk->tkr_raw);
	kvmc_tk.boot_offset_ns = ktime_to_ns(tk->offs_boot);
	kvmc_tk.real_offset_ns = ktime_to_ns(tk->offs_real);
	write_seqcount_end(&kvmc_tk.seq);
	return 0;
}

static struct notifier_block kvmc_clock_nb = {
	.notifier_call = kvmc_clock_notify,
};

int kvmc_clock_init(void)
{
	seqcount_init(&kvmc_tk.seq);
	/* calls the notifier once before it returns */
	return pvclock_gtod_register_notifier(&kvmc_clock_nb);
}

void kvmc_clock_exit(void)
{
	pvclock_gtod_unregister_notifier(&kvmc_clock_nb);
}

bool kvmc_clock_snapshot(struct kvmc_clock_snapshot *s)
{
	unsigned int seq;
	u64 tsc, mono;
	bool is_tsc;

	do {
		seq = read_seqcount_begin(&kvmc_tk.seq);
		is_tsc = kvmc_tk.is_tsc;
		tsc = rdtsc_ordered();
		mono = kvmc_clock_read(&kvmc_tk.mono, tsc);
		s->mono_raw_ns = kvmc_clock_read(&kvmc_tk.raw, tsc);
		s->boot_offset_ns = kvmc_tk.boot_offset_ns;
		s->boot_ns = mono + kvmc_tk.boot_offset_ns;
		s->real_ns = mono + kvmc_tk.real_offset_ns;
	} while (read_seqcount_retry(&kvmc_tk.seq, seq));
	s->tsc = tsc;
	return is_tsc;
}
