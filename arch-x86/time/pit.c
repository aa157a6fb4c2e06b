// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8254 programmable interval timer at ports 0x40-0x43, with channel 0 on
 * GSI 0, and the PC's speaker port 0x61 (Intel 8254 data sheet). Owns the ticks:
 * a host timer counts them in hard interrupt context, a worker raises the line,
 * because the interrupt controllers' locks may sleep on PREEMPT_RT.
 *
 * In reinject mode no tick is lost: the next one is raised when the guest has
 * acknowledged the last (KVM_REINJECT_CONTROL).
 *
 * Locks: pit->lock (spinlock_t, innermost) guards the channels. The timer's
 * callback and the acknowledge notifier touch atomics only.
 */
#include <linux/bcd.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "arch-x86/irqchip/irqchip.h"
#include "core/io_bus.h"

#define PIT_HZ			1193182
#define PIT_PORT		0x40
#define PIT_SPEAKER_PORT	0x61
#define PIT_MAX_PENDING		0x10000	/* ticks that may be owed */

/* Which byte comes next: in rw_mode, read_state, write_state, count_latched. */
enum { RW_NONE, RW_LSB, RW_MSB, RW_WORD0, RW_WORD1 };

/**
 * struct x86_pit - the chip
 * @vm: whose (c)
 * @lock: guards @ch, @speaker_on, @hpet_legacy and starting @timer
 * @ch: the channels, in the layout that user space saves
 * @speaker_on: bit 1 of port 0x61
 * @hpet_legacy: an HPET of user space has taken over GSI 0
 * @timer: ticks of channel 0
 * @period_ns: of a periodic mode; 0: one tick only (a)
 * @reinject: no tick may be lost (a; writers kvm->lock)
 * @pending: ticks not yet acknowledged (a)
 * @acked: the guest has handled the last tick: another may be raised (a)
 * @wq: runs @tick
 * @ack: hears of the guest's acknowledgements; registered while @reinject
 * @source: our bit in the wire-OR of GSI 0 (c)
 */
struct x86_pit {
	struct x86_vm *vm;
	spinlock_t lock;
	struct kvm_pit_channel_state ch[3];
	bool speaker_on;
	bool hpet_legacy;
	struct hrtimer timer;
	u64 period_ns;
	bool reinject;
	atomic_t pending;
	atomic_t acked;
	struct workqueue_struct *wq;
	struct work_struct tick;
	struct kvm_irq_ack_notifier ack;
	int source;
	struct kvm_io_device dev, speaker;
};

/* ---- counting ------------------------------------------------------------------- */

/* Clock pulses since the channel was loaded. */
static u64 ch_elapsed(const struct kvm_pit_channel_state *ch)
{
	s64 ns = ktime_to_ns(ktime_get()) - ch->count_load_time;

	return ns > 0 ? mul_u64_u32_div(ns, PIT_HZ, NSEC_PER_SEC) : 0;
}

/* What the counter holds now. ch->count is 1..0x10000. */
static u32 ch_count(const struct kvm_pit_channel_state *ch)
{
	u64 d = ch_elapsed(ch);
	u32 rem;

	switch (ch->mode) {
	case 2:
		div_u64_rem(d, ch->count, &rem);
		return ch->count - rem;
	case 3:
		div_u64_rem(2 * d, ch->count, &rem);
		return ch->count - rem;
	default:
		return (ch->count - (u32)d) & 0xffff;
	}
}

static bool ch_output(const struct kvm_pit_channel_state *ch)
{
	u64 d = ch_elapsed(ch);
	u32 rem;

	switch (ch->mode) {
	case 0:
		return d >= ch->count;
	case 1:
		return d < ch->count;
	case 2:
		div_u64_rem(d, ch->count, &rem);
		return rem || !d;		/* low for the last pulse only */
	case 3:
		div_u64_rem(d, ch->count, &rem);
		return rem < (ch->count + 1) / 2;
	default:
		return d != ch->count;		/* a low strobe */
	}
}

static u16 to_register(const struct kvm_pit_channel_state *ch, u32 count)
{
	if (!ch->bcd)
		return count;
	count %= 10000;
	return bin2bcd(count / 100) << 8 | bin2bcd(count % 100);
}

static u32 from_register(const struct kvm_pit_channel_state *ch, u16 val)
{
	if (!ch->bcd)
		return val ?: 0x10000;
	return bcd2bin(val >> 8) * 100 + bcd2bin(val & 0xff) ?: 10000;
}

/* ---- ticks ------------------------------------------------------------------------ */

static enum hrtimer_restart pit_timer_fn(struct hrtimer *timer)
{
	struct x86_pit *pit = container_of(timer, struct x86_pit, timer);
	u64 period = READ_ONCE(pit->period_ns);
	u64 ticks = 1;

	if (period)
		ticks = hrtimer_forward_now(timer, ns_to_ktime(period));
	if (READ_ONCE(pit->reinject)) {
		int room = PIT_MAX_PENDING - atomic_read(&pit->pending);

		if (room > 0)
			atomic_add(min_t(u64, ticks, room), &pit->pending);
	}
	queue_work(pit->wq, &pit->tick);
	return period ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

static void pit_tick(struct work_struct *work)
{
	struct x86_pit *pit = container_of(work, struct x86_pit, tick);
	struct kvm *kvm = &pit->vm->core;
	struct kvm_vcpu *vcpu;
	int i, ret;

	if (READ_ONCE(pit->reinject) && !atomic_xchg(&pit->acked, 0))
		return;

	ret = kvm_set_irq(kvm, pit->source, 0, 1, false);
	kvm_set_irq(kvm, pit->source, 0, 0, false);
	if (ret < 0) {
		/* Masked everywhere: nobody will acknowledge, nobody counts. */
		atomic_set(&pit->pending, 0);
		atomic_set(&pit->acked, 1);
	}

	/* Some guests run their NMI watchdog on LINT0 (LVT0 in NMI mode). */
	if (atomic_read(&pit->vm->lvt0_nmi_count) > 0)
		kvm_for_each_vcpu(i, vcpu, kvm)
			x86_lapic_nmi_wd_deliver(x86_vcpu_of(vcpu));
}

static void pit_acked(struct kvm_irq_ack_notifier *kian)
{
	struct x86_pit *pit = container_of(kian, struct x86_pit, ack);

	atomic_set(&pit->acked, 1);
	if (atomic_dec_if_positive(&pit->pending) > 0)
		queue_work(pit->wq, &pit->tick);
}

static void pit_stop_timer(struct x86_pit *pit)
{
	hrtimer_cancel(&pit->timer);
	WRITE_ONCE(pit->period_ns, 0);
}

static void pit_start_timer(struct x86_pit *pit)
{
	struct kvm_pit_channel_state *ch = &pit->ch[0];
	u64 ns = mul_u64_u32_div(ch->count, NSEC_PER_SEC, PIT_HZ);

	pit_stop_timer(pit);
	/* Ticks of the old rate are owed to nobody. */
	atomic_set(&pit->pending, 0);
	atomic_set(&pit->acked, 1);
	if (pit->hpet_legacy)
		return;
	if (ch->mode == 2 || ch->mode == 3) {
		ns = max(ns, x86_min_timer_period_ns());
		WRITE_ONCE(pit->period_ns, ns);
	} else if (ch->mode == 5) {
		return;		/* waits for its gate, which is wired high */
	}
	hrtimer_start(&pit->timer, ktime_add_ns(ktime_get(), ns), HRTIMER_MODE_ABS_HARD);
}

static void ch_load(struct x86_pit *pit, unsigned int nr, u32 count)
{
	struct kvm_pit_channel_state *ch = &pit->ch[nr];

	ch->count = clamp_t(u32, count, 1, 0x10000);
	ch->count_load_time = ktime_to_ns(ktime_get());
	if (nr == 0)
		pit_start_timer(pit);
}

/* ---- ports --------------------------------------------------------------------------- */

static void ch_latch_count(struct kvm_pit_channel_state *ch)
{
	if (ch->count_latched)
		return;
	ch->latched_count = to_register(ch, ch_count(ch));
	ch->count_latched = ch->rw_mode;
}

static void ch_latch_status(struct kvm_pit_channel_state *ch)
{
	if (ch->status_latched)
		return;
	ch->status = ch_output(ch) << 7 | ch->rw_mode << 4 | ch->mode << 1 | ch->bcd;
	ch->status_latched = 1;
}

static void pit_write_control(struct x86_pit *pit, u8 val)
{
	unsigned int nr = val >> 6;
	struct kvm_pit_channel_state *ch;

	if (nr == 3) {			/* read-back command */
		for (nr = 0; nr < 3; nr++) {
			if (!(val & (2 << nr)))
				continue;
			if (!(val & BIT(5)))
				ch_latch_count(&pit->ch[nr]);
			if (!(val & BIT(4)))
				ch_latch_status(&pit->ch[nr]);
		}
		return;
	}
	ch = &pit->ch[nr];
	if (!(val & 0x30)) {
		ch_latch_count(ch);
		return;
	}
	ch->rw_mode = (val >> 4) & 3;
	ch->read_state = ch->rw_mode;
	ch->write_state = ch->rw_mode;
	ch->count_latched = 0;
	ch->status_latched = 0;
	ch->mode = (val >> 1) & 7;
	if (ch->mode > 5)
		ch->mode -= 4;		/* x10 and x11 are modes 2 and 3 */
	ch->bcd = val & 1;
	/* The counter stops until it is loaded. */
	if (nr == 0)
		pit_stop_timer(pit);
}

static void pit_write_count(struct x86_pit *pit, unsigned int nr, u8 val)
{
	struct kvm_pit_channel_state *ch = &pit->ch[nr];

	switch (ch->write_state) {
	case RW_MSB:
		ch_load(pit, nr, from_register(ch, val << 8));
		break;
	case RW_WORD0:
		ch->write_latch = val;
		ch->write_state = RW_WORD1;
		break;
	case RW_WORD1:
		ch_load(pit, nr, from_register(ch, ch->write_latch | val << 8));
		ch->write_state = RW_WORD0;
		break;
	default:
		ch_load(pit, nr, from_register(ch, val));
		break;
	}
}

static u8 ch_read_latched(struct kvm_pit_channel_state *ch)
{
	switch (ch->count_latched) {
	case RW_MSB:
	case RW_WORD1:
		ch->count_latched = RW_NONE;
		return ch->latched_count >> 8;
	case RW_WORD0:
		ch->count_latched = RW_WORD1;
		return ch->latched_count;
	default:
		ch->count_latched = RW_NONE;
		return ch->latched_count;
	}
}

static u8 ch_read(struct kvm_pit_channel_state *ch)
{
	u16 count;

	if (ch->status_latched) {
		ch->status_latched = 0;
		return ch->status;
	}
	if (ch->count_latched)
		return ch_read_latched(ch);

	count = to_register(ch, ch_count(ch));
	switch (ch->read_state) {
	case RW_MSB:
		return count >> 8;
	case RW_WORD0:
		ch->read_state = RW_WORD1;
		return count;
	case RW_WORD1:
		ch->read_state = RW_WORD0;
		return count >> 8;
	default:
		return count;
	}
}

static int pit_write(struct kvm_vcpu *vcpu, struct kvm_io_device *dev, gpa_t addr, int len,
		     const void *val)
{
	struct x86_pit *pit = container_of(dev, struct x86_pit, dev);
	u8 byte = *(const u8 *)val;

	if (len != 1)
		return -EOPNOTSUPP;
	spin_lock(&pit->lock);
	if ((addr & 3) == 3)
		pit_write_control(pit, byte);
	else
		pit_write_count(pit, addr & 3, byte);
	spin_unlock(&pit->lock);
	return 0;
}

static int pit_read(struct kvm_vcpu *vcpu, struct kvm_io_device *dev, gpa_t addr, int len,
		    void *val)
{
	struct x86_pit *pit = container_of(dev, struct x86_pit, dev);

	if (len != 1)
		return -EOPNOTSUPP;
	spin_lock(&pit->lock);
	/* The control register can't be read. */
	*(u8 *)val = (addr & 3) == 3 ? 0 : ch_read(&pit->ch[addr & 3]);
	spin_unlock(&pit->lock);
	return 0;
}

static const struct kvm_io_device_ops pit_ops = {
	.read = pit_read,
	.read_irqoff = true,
	.write = pit_write,
};

/* Port 0x61: gate and output of channel 2, the speaker, the refresh toggle. */
static int speaker_write(struct kvm_vcpu *vcpu, struct kvm_io_device *dev, gpa_t addr,
			 int len, const void *val)
{
	struct x86_pit *pit = container_of(dev, struct x86_pit, speaker);
	struct kvm_pit_channel_state *ch = &pit->ch[2];
	u8 byte = *(const u8 *)val;

	if (len != 1)
		return -EOPNOTSUPP;
	spin_lock(&pit->lock);
	pit->speaker_on = byte & BIT(1);
	/* A rising gate restarts all modes that look at edges. */
	if (!ch->gate && (byte & 1) && ch->mode != 0 && ch->mode != 4)
		ch->count_load_time = ktime_to_ns(ktime_get());
	ch->gate = byte & 1;
	spin_unlock(&pit->lock);
	return 0;
}

static int speaker_read(struct kvm_vcpu *vcpu, struct kvm_io_device *dev, gpa_t addr,
			int len, void *val)
{
	struct x86_pit *pit = container_of(dev, struct x86_pit, speaker);
	/* Memory refresh toggled this bit every 15 us. */
	u8 refresh = (ktime_to_ns(ktime_get()) >> 14) & 1;

	if (len != 1)
		return -EOPNOTSUPP;
	spin_lock(&pit->lock);
	*(u8 *)val = pit->ch[2].gate | pit->speaker_on << 1 | refresh << 4 |
		     ch_output(&pit->ch[2]) << 5;
	spin_unlock(&pit->lock);
	return 0;
}

static const struct kvm_io_device_ops speaker_ops = {
	.read = speaker_read,
	.read_irqoff = true,
	.write = speaker_write,
};

/* ---- state ----------------------------------------------------------------------------- */

int x86_pit_get_state(struct x86_vm *vm, struct kvm_pit_state2 *s)
{
	struct x86_pit *pit;
	int r = -ENXIO;

	memset(s, 0, sizeof(*s));
	mutex_lock(&vm->core.lock);
	pit = vm->pit;
	if (pit) {
		spin_lock(&pit->lock);
		memcpy(s->channels, pit->ch, sizeof(s->channels));
		s->flags = (pit->hpet_legacy ? KVM_PIT_FLAGS_HPET_LEGACY : 0) |
			   (pit->speaker_on ? KVM_PIT_FLAGS_SPEAKER_DATA_ON : 0);
		spin_unlock(&pit->lock);
		r = 0;
	}
	mutex_unlock(&vm->core.lock);
	return r;
}

/* User space may say anything: keep to what the chip can hold. */
static void ch_sanitize(struct kvm_pit_channel_state *ch)
{
	ch->count = ch->count ? min_t(u32, ch->count, 0x10000) : 0x10000;
	ch->mode &= 7;
	if (ch->mode > 5)
		ch->mode -= 4;
	ch->rw_mode &= 3;
	ch->read_state = ch->read_state > RW_WORD1 ? RW_NONE : ch->read_state;
	ch->write_state = ch->write_state > RW_WORD1 ? RW_NONE : ch->write_state;
	ch->count_latched = ch->count_latched > RW_WORD1 ? RW_NONE : ch->count_latched;
	ch->status_latched &= 1;
	ch->bcd &= 1;
	ch->gate &= 1;
}

int x86_pit_set_state(struct x86_vm *vm, const struct kvm_pit_state2 *s, bool v1)
{
	struct x86_pit *pit;
	int i, r = -ENXIO;

	mutex_lock(&vm->core.lock);
	pit = vm->pit;
	if (pit) {
		spin_lock(&pit->lock);
		memcpy(pit->ch, s->channels, sizeof(pit->ch));
		if (!v1) {
			pit->hpet_legacy = s->flags & KVM_PIT_FLAGS_HPET_LEGACY;
			pit->speaker_on = s->flags & KVM_PIT_FLAGS_SPEAKER_DATA_ON;
		}
		for (i = 0; i < 3; i++) {
			ch_sanitize(&pit->ch[i]);
			ch_load(pit, i, pit->ch[i].count);
		}
		spin_unlock(&pit->lock);
		r = 0;
	}
	mutex_unlock(&vm->core.lock);
	return r;
}

static void pit_set_reinject(struct x86_pit *pit, bool reinject)
{
	struct kvm *kvm = &pit->vm->core;

	if (pit->reinject == reinject)
		return;
	if (reinject) {
		atomic_set(&pit->pending, 0);
		atomic_set(&pit->acked, 1);
		kvm_register_irq_ack_notifier(kvm, &pit->ack);
		WRITE_ONCE(pit->reinject, true);
	} else {
		WRITE_ONCE(pit->reinject, false);
		kvm_unregister_irq_ack_notifier(kvm, &pit->ack);
	}
}

int x86_pit_reinject(struct x86_vm *vm, bool reinject)
{
	int r = -ENXIO;

	mutex_lock(&vm->core.lock);
	if (vm->pit) {
		pit_set_reinject(vm->pit, reinject);
		r = 0;
	}
	mutex_unlock(&vm->core.lock);
	return r;
}

/* ---- life --------------------------------------------------------------------------------- */

static void pit_reset(struct x86_pit *pit)
{
	int i;

	for (i = 0; i < 3; i++) {
		pit->ch[i].mode = 3;
		pit->ch[i].rw_mode = RW_WORD0;
		pit->ch[i].read_state = RW_WORD0;
		pit->ch[i].write_state = RW_WORD0;
		pit->ch[i].gate = i != 2;
		pit->ch[i].count = 0x10000;
		pit->ch[i].count_load_time = ktime_to_ns(ktime_get());
	}
}

static int pit_register(struct x86_pit *pit, bool speaker)
{
	struct kvm *kvm = &pit->vm->core;
	int r;

	mutex_lock(&kvm->slots_lock);
	r = kvm_io_bus_register_dev(kvm, KVM_PIO_BUS, PIT_PORT, 4, &pit->dev);
	if (!r && speaker) {
		r = kvm_io_bus_register_dev(kvm, KVM_PIO_BUS, PIT_SPEAKER_PORT, 1, &pit->speaker);
		if (r)
			kvm_io_bus_unregister_dev(kvm, KVM_PIO_BUS, &pit->dev);
	}
	mutex_unlock(&kvm->slots_lock);
	return r;
}

static int pit_make(struct x86_vm *vm, const struct kvm_pit_config *config)
{
	struct x86_pit *pit = kzalloc(sizeof(*pit), GFP_KERNEL_ACCOUNT);
	int r;

	if (!pit)
		return -ENOMEM;
	pit->vm = vm;
	spin_lock_init(&pit->lock);
	hrtimer_setup(&pit->timer, pit_timer_fn, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	INIT_WORK(&pit->tick, pit_tick);
	pit->ack.gsi = 0;
	pit->ack.irq_acked = pit_acked;
	kvm_iodevice_init(&pit->dev, &pit_ops);
	kvm_iodevice_init(&pit->speaker, &speaker_ops);
	pit_reset(pit);

	r = x86_request_irq_source_id(vm);
	if (r < 0)
		goto free;
	pit->source = r;
	r = -ENOMEM;
	pit->wq = alloc_workqueue("kvm-pit/%d", WQ_HIGHPRI | WQ_UNBOUND, 1,
				  task_pid_nr(current));
	if (!pit->wq)
		goto source;
	r = pit_register(pit, config->flags & KVM_PIT_SPEAKER_DUMMY);
	if (r)
		goto wq;
	pit_set_reinject(pit, true);
	vm->pit = pit;
	return 0;
wq:
	destroy_workqueue(pit->wq);
source:
	x86_free_irq_source_id(vm, pit->source);
free:
	kfree(pit);
	return r;
}

int x86_pit_create(struct x86_vm *vm, const struct kvm_pit_config *config)
{
	int r = -EEXIST;

	if (config->flags & ~(u32)KVM_PIT_SPEAKER_DUMMY)
		return -EINVAL;
	mutex_lock(&vm->core.lock);
	if (!vm->pit)
		r = x86_irqchip_full(vm) ? pit_make(vm, config) : -ENOENT;
	mutex_unlock(&vm->core.lock);
	return r;
}

void x86_pit_destroy(struct x86_vm *vm)
{
	struct x86_pit *pit = vm->pit;
	struct kvm *kvm = &vm->core;

	if (!pit)
		return;
	mutex_lock(&kvm->slots_lock);
	kvm_io_bus_unregister_dev(kvm, KVM_PIO_BUS, &pit->dev);
	kvm_io_bus_unregister_dev(kvm, KVM_PIO_BUS, &pit->speaker);	/* -ENOENT if it is not there */
	mutex_unlock(&kvm->slots_lock);

	/* Who queues work stops before the work does. */
	pit_set_reinject(pit, false);
	hrtimer_cancel(&pit->timer);
	destroy_workqueue(pit->wq);
	x86_free_irq_source_id(vm, pit->source);
	vm->pit = NULL;
	kfree(pit);
}
