// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvmclock: pages that let a guest compute nanoseconds from its TSC
 * (Documentation/virt/kvm/x86/msr.rst, asm/pvclock-abi.h), the wall clock, and
 * KVM_GET_CLOCK, KVM_SET_CLOCK.
 *
 * The host's side is CLOCK_MONOTONIC_RAW plus time suspended: it advances with
 * the TSC, undisturbed by NTP, so that what a guest computes and what the host
 * says stay together. Where the host's clocksource is the TSC and all vCPUs of a
 * VM have the same one, all their pages are made from one pair (host TSC,
 * nanoseconds), the master clock; then guests compare times across vCPUs without
 * care. The pair is kept for as long as it is valid: a new one would differ from
 * the old by rounding, and a clock must not go back. It is exchanged only while
 * no vCPU is in guest mode.
 *
 * Locks: vm->masterclock_lock (mutex, outer; nothing of ours inside but
 * tsc_write_lock) serialises updates; vm->pvclock_sc (written under
 * tsc_write_lock) lets readers see one state.
 */
#include <linux/clocksource.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/notifier.h>
#include <linux/pvclock_gtod.h>
#include <linux/workqueue.h>
#include <asm/pvclock.h>
#include <asm/pvclock-abi.h>
#include <asm/tsc.h>
#include <compat/clock.h>

#include "arch-x86/time/clock.h"
#include "core/vm.h"

/* ---- scaling ------------------------------------------------------------------- */

/*
 * ns = ((cycles << shift) * mul) >> 32 for a TSC of @hz: choose shift so that mul
 * has its top bit set.
 */
static void clock_scale(u64 hz, s8 *shift, u32 *mul)
{
	u64 ns = NSEC_PER_SEC;
	int s = 0;

	while (hz >> 32) {
		hz >>= 1;
		s--;
	}
	hz = max_t(u64, hz, 1);
	while (ns >= hz) {
		hz <<= 1;
		s++;
	}
	while (2 * ns < hz) {
		ns <<= 1;
		s--;
	}
	*shift = s;
	*mul = div64_u64(ns << 32, hz);
}

/* Nanoseconds that the master clock's line has climbed at a host TSC. */
static u64 master_ns_at(const struct x86_vm *vm, u64 host_tsc)
{
	u64 delta = host_tsc - vm->master_cycle_now;
	u32 mul;
	s8 shift;

	/* A CPU's TSC may be a few cycles behind the one that made the pair. */
	if ((s64)delta < 0)
		delta = 0;
	clock_scale((u64)tsc_khz * 1000, &shift, &mul);
	return vm->master_kernel_ns + pvclock_scale_delta(delta, mul, shift);
}

/* ---- the host's clock ------------------------------------------------------------ */

/**
 * struct host_now - the host's clocks at one moment
 * @by_tsc: all are consistent with @tsc
 * @tsc: host TSC
 * @ns: what kvmclock is made from
 * @real_ns: CLOCK_REALTIME
 */
struct host_now {
	bool by_tsc;
	u64 tsc;
	u64 ns;
	u64 real_ns;
};

static void host_read(struct host_now *now)
{
	struct kvmc_clock_snapshot s;
	unsigned long flags;

	now->by_tsc = !x86_tsc_unstable() && kvmc_clock_snapshot(&s);
	if (now->by_tsc) {
		now->tsc = s.tsc;
		now->ns = s.mono_raw_ns + s.boot_offset_ns;
		now->real_ns = s.real_ns;
		return;
	}
	local_irq_save(flags);
	now->tsc = rdtsc();
	now->ns = ktime_get_raw_ns() + (ktime_get_boottime_ns() - ktime_get_ns());
	now->real_ns = ktime_get_real_ns();
	local_irq_restore(flags);
}

/* The VM's clock at @now. Context: reader of pvclock_sc, or its writer. */
static u64 clock_at(const struct x86_vm *vm, const struct host_now *now)
{
	u64 ns = now->ns;

	if (vm->use_master_clock && now->by_tsc)
		ns = master_ns_at(vm, now->tsc);
	return ns + vm->kvmclock_offset;
}

u64 x86_kvmclock_ns(struct x86_vm *vm)
{
	struct host_now now;
	unsigned int seq;
	u64 ns;

	do {
		seq = read_seqcount_begin(&vm->pvclock_sc);
		host_read(&now);
		ns = clock_at(vm, &now);
	} while (read_seqcount_retry(&vm->pvclock_sc, seq));
	return ns;
}

/* ---- the master clock --------------------------------------------------------------- */

/* Do all vCPUs have the same TSC, so that one line serves them all? */
static bool tscs_match(struct x86_vm *vm)
{
	struct kvm_vcpu *core;
	struct x86_vcpu *first = NULL;
	int i;

	kvm_for_each_vcpu(i, core, &vm->core) {
		struct x86_vcpu *vcpu = x86_vcpu_of(core);

		if (READ_ONCE(vcpu->tsc_catchup))
			return false;
		if (!first)
			first = vcpu;
		else if (READ_ONCE(vcpu->tsc_offset) != READ_ONCE(first->tsc_offset) ||
			 READ_ONCE(vcpu->tsc_scaling_ratio) !=
			 READ_ONCE(first->tsc_scaling_ratio))
			return false;
	}
	return first;
}

/* No vCPU is, or gets, into guest mode between these two. */
static void clock_update_begin(struct x86_vm *vm) __acquires(&vm->tsc_write_lock)
{
	mutex_lock(&vm->masterclock_lock);
	kvm_make_all_cpus_request(&vm->core, X86_REQ_MCLOCK_INPROGRESS);
	raw_spin_lock_irq(&vm->tsc_write_lock);
	write_seqcount_begin(&vm->pvclock_sc);
}

static void clock_update_end(struct x86_vm *vm) __releases(&vm->tsc_write_lock)
{
	struct kvm_vcpu *vcpu;
	int i;

	write_seqcount_end(&vm->pvclock_sc);
	raw_spin_unlock_irq(&vm->tsc_write_lock);
	kvm_for_each_vcpu(i, vcpu, &vm->core) {
		kvm_make_request(X86_REQ_CLOCK_UPDATE, vcpu);
		/* A vCPU that finds this gone finds the request above. */
		smp_mb__before_atomic();
		kvm_clear_request(X86_REQ_MCLOCK_INPROGRESS, vcpu);
	}
	mutex_unlock(&vm->masterclock_lock);
}

/* Take @now as the pair, or go without. Context: between begin and end. */
static void set_master(struct x86_vm *vm, const struct host_now *now, bool match)
{
	vm->use_master_clock = now->by_tsc && match;
	vm->master_clock_stale = false;
	if (vm->use_master_clock) {
		vm->master_kernel_ns = now->ns;
		vm->master_cycle_now = now->tsc;
	}
}

void x86_masterclock_update(struct x86_vm *vm)
{
	bool match = tscs_match(vm);
	struct host_now now;
	u64 before;

	host_read(&now);
	if (READ_ONCE(vm->use_master_clock) == (match && now.by_tsc) &&
	    !READ_ONCE(vm->master_clock_stale))
		return;

	clock_update_begin(vm);
	host_read(&now);
	before = clock_at(vm, &now);
	if (vm->master_clock_stale)
		before = now.ns + vm->kvmclock_offset;
	set_master(vm, &now, match);
	/* The clock goes on from where it was. */
	vm->kvmclock_offset += before - clock_at(vm, &now);
	clock_update_end(vm);
}

/* The host has changed its clocksource to the TSC, or away from it. */
static void update_one_vm(struct kvm *kvm, void *unused)
{
	struct kvm_vcpu *vcpu;
	int i;

	kvm_for_each_vcpu(i, vcpu, kvm) {
		kvm_make_request(X86_REQ_MASTERCLOCK_UPDATE, vcpu);
		kvm_vcpu_kick(vcpu);
	}
}

static void update_all_vms(struct work_struct *work)
{
	kvm_for_each_vm(update_one_vm, NULL);
}
static DECLARE_WORK(clocksource_work, update_all_vms);

static bool host_clock_by_tsc;

static int timekeeping_changed(struct notifier_block *nb, unsigned long unused, void *priv)
{
	struct kvmc_clock_snapshot s;
	bool by_tsc = kvmc_clock_snapshot(&s);

	/* Called at every tick: only a change matters. */
	if (by_tsc != READ_ONCE(host_clock_by_tsc)) {
		WRITE_ONCE(host_clock_by_tsc, by_tsc);
		schedule_work(&clocksource_work);
	}
	return 0;
}

static struct notifier_block timekeeping_nb = {
	.notifier_call = timekeeping_changed,
};

/* ---- a vCPU's page --------------------------------------------------------------------- */

/*
 * An odd version tells the guest, on any vCPU, that the rest is being written.
 * Return: 0 or -EFAULT.
 */
static int page_write(struct x86_vcpu *vcpu, struct pvclock_vcpu_time_info *info)
{
	struct kvm *kvm = vcpu->core.kvm;
	struct kvm_gpa_cache *cache = &vcpu->kvmclock_cache;
	int r;

	info->version = vcpu->kvmclock_version + 1;
	r = kvm_write_guest_cached(kvm, cache, &info->version, 0, sizeof(info->version));
	if (r)
		return r;
	smp_wmb();
	r = kvm_write_guest_cached(kvm, cache, (u8 *)info + sizeof(info->version),
				   sizeof(info->version),
				   sizeof(*info) - sizeof(info->version));
	smp_wmb();
	vcpu->kvmclock_version += 2;
	info->version = vcpu->kvmclock_version;
	return kvm_write_guest_cached(kvm, cache, &info->version, 0, sizeof(info->version)) ?: r;
}

/* Has the guest not yet seen that it was stopped (KVM_KVMCLOCK_CTRL)? */
static u8 page_stopped_flag(struct x86_vcpu *vcpu)
{
	u8 flags = 0;

	if (vcpu->pvclock_set_guest_stopped_request) {
		vcpu->pvclock_set_guest_stopped_request = false;
		return PVCLOCK_GUEST_STOPPED;
	}
	kvm_read_guest_cached(vcpu->core.kvm, &vcpu->kvmclock_cache, &flags,
			      offsetof(struct pvclock_vcpu_time_info, flags), sizeof(flags));
	return flags & PVCLOCK_GUEST_STOPPED;
}

int x86_kvmclock_update(struct x86_vcpu *vcpu)
{
	struct pvclock_vcpu_time_info info = { };
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct host_now now;
	unsigned int seq;
	bool master;
	u64 offset;
	s8 shift;
	u32 mul;

	x86_tsc_catch_up(vcpu);
	if (!vcpu->kvmclock_active)
		return 0;

	do {
		seq = read_seqcount_begin(&vm->pvclock_sc);
		master = vm->use_master_clock;
		if (master) {
			now.tsc = vm->master_cycle_now;
			now.ns = vm->master_kernel_ns;
		} else {
			host_read(&now);
		}
		offset = vm->kvmclock_offset;
	} while (read_seqcount_retry(&vm->pvclock_sc, seq));

	vcpu->hw_tsc_khz = x86_guest_tsc_khz(vcpu);
	clock_scale((u64)vcpu->hw_tsc_khz * 1000, &shift, &mul);
	info.tsc_timestamp = x86_guest_tsc(vcpu, now.tsc);
	info.system_time = now.ns + offset;
	info.tsc_to_system_mul = mul;
	info.tsc_shift = shift;
	info.flags = page_stopped_flag(vcpu) | (master ? PVCLOCK_TSC_STABLE_BIT : 0);
	vcpu->kvmclock_flags = info.flags;

	/* A guest that has lost its page loses its clock, nothing else. */
	if (page_write(vcpu, &info))
		vcpu->kvmclock_active = false;
	return 0;
}

void x86_kvmclock_global_update(struct x86_vcpu *vcpu)
{
	struct kvm_vcpu *other;
	int i;

	kvm_for_each_vcpu(i, other, vcpu->core.kvm) {
		kvm_make_request(X86_REQ_CLOCK_UPDATE, other);
		kvm_vcpu_kick(other);
	}
}

int x86_kvmclock_set_msr(struct x86_vcpu *vcpu, u64 data, bool old_msr, bool host)
{
	struct kvm *kvm = vcpu->core.kvm;
	int idx;

	vcpu->kvmclock_msr = data;
	vcpu->kvmclock_active = false;
	if (!(data & KVM_MSR_ENABLED))
		return 0;

	idx = srcu_read_lock(&kvm->srcu);
	/* Where there is no memory there is no clock: the ABI has no error for it. */
	if (!kvm_gpa_cache_init(kvm, &vcpu->kvmclock_cache, data & ~(u64)KVM_MSR_ENABLED,
				sizeof(struct pvclock_vcpu_time_info)))
		vcpu->kvmclock_active = true;
	srcu_read_unlock(&kvm->srcu, idx);

	kvm_make_request(X86_REQ_MASTERCLOCK_UPDATE, &vcpu->core);
	kvm_make_request(X86_REQ_CLOCK_UPDATE, &vcpu->core);
	return 0;
}

int x86_kvmclock_guest_stopped(struct x86_vcpu *vcpu)
{
	if (!vcpu->kvmclock_active)
		return -EINVAL;
	vcpu->pvclock_set_guest_stopped_request = true;
	kvm_make_request(X86_REQ_CLOCK_UPDATE, &vcpu->core);
	return 0;
}

/* ---- wall clock ----------------------------------------------------------------------------- */

/* The time of day at which the VM's clock was 0. */
static u64 wall_base_ns(struct x86_vm *vm)
{
	struct host_now now;
	unsigned int seq;
	u64 ns;

	do {
		seq = read_seqcount_begin(&vm->pvclock_sc);
		host_read(&now);
		ns = now.real_ns - clock_at(vm, &now);
	} while (read_seqcount_retry(&vm->pvclock_sc, seq));
	return ns;
}

int x86_wall_clock_write(struct x86_vm *vm, gpa_t gpa)
{
	struct kvm *kvm = &vm->core;
	struct pvclock_wall_clock wc;
	u32 version, nsec;
	int idx, r;

	if (!gpa)
		return 0;
	idx = srcu_read_lock(&kvm->srcu);
	r = kvm_read_guest(kvm, gpa, &version, sizeof(version));
	if (r)
		goto out;
	version = (version | 1);	/* odd: being written */
	r = kvm_write_guest(kvm, gpa, &version, sizeof(version));
	if (r)
		goto out;
	smp_wmb();
	wc.version = version;
	wc.sec = div_u64_rem(wall_base_ns(vm), NSEC_PER_SEC, &nsec);
	wc.nsec = nsec;
	r = kvm_write_guest(kvm, gpa, &wc, sizeof(wc));
	smp_wmb();
	version++;
	kvm_write_guest(kvm, gpa, &version, sizeof(version));
out:
	srcu_read_unlock(&kvm->srcu, idx);
	return r;
}

/* ---- KVM_GET_CLOCK, KVM_SET_CLOCK, KVM_HC_CLOCK_PAIRING ----------------------------------------- */

#define CLOCK_FLAGS	(KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC)

int x86_vm_get_clock(struct x86_vm *vm, struct kvm_clock_data *data)
{
	struct host_now now;
	unsigned int seq;

	memset(data, 0, sizeof(*data));
	do {
		seq = read_seqcount_begin(&vm->pvclock_sc);
		host_read(&now);
		data->clock = clock_at(vm, &now);
		data->flags = vm->use_master_clock && now.by_tsc ? CLOCK_FLAGS : 0;
	} while (read_seqcount_retry(&vm->pvclock_sc, seq));
	if (data->flags) {
		data->realtime = now.real_ns;
		data->host_tsc = now.tsc;
	}
	return 0;
}

int x86_vm_set_clock(struct x86_vm *vm, const struct kvm_clock_data *data)
{
	struct host_now now;
	u64 clock = data->clock;

	/* Those that KVM_GET_CLOCK returns are accepted; one means something. */
	if (data->flags & ~CLOCK_FLAGS)
		return -EINVAL;

	clock_update_begin(vm);
	host_read(&now);
	/* Time that has passed since the clock was saved (migration). */
	if ((data->flags & KVM_CLOCK_REALTIME) && now.real_ns > data->realtime)
		clock += now.real_ns - data->realtime;
	set_master(vm, &now, tscs_match(vm));
	vm->kvmclock_offset = clock - now.ns;
	clock_update_end(vm);
	return 0;
}

bool x86_clock_pairing(struct x86_vcpu *vcpu, u64 *real_ns, u64 *guest_tsc)
{
	struct host_now now;

	host_read(&now);
	if (!now.by_tsc || !READ_ONCE(x86_vcpu_vm(vcpu)->use_master_clock))
		return false;
	*real_ns = now.real_ns;
	*guest_tsc = x86_guest_tsc(vcpu, now.tsc);
	return true;
}

/* ---- life -------------------------------------------------------------------------------------------- */

int x86_kvmclock_module_init(void)
{
	int r = kvmc_clock_init();

	if (r)
		return r;
	r = pvclock_gtod_register_notifier(&timekeeping_nb);
	if (r)
		kvmc_clock_exit();
	return r;
}

void x86_kvmclock_module_exit(void)
{
	pvclock_gtod_unregister_notifier(&timekeeping_nb);
	cancel_work_sync(&clocksource_work);
	kvmc_clock_exit();
}

void x86_kvmclock_vm_init(struct x86_vm *vm)
{
	struct host_now now;

	mutex_init(&vm->masterclock_lock);
	seqcount_raw_spinlock_init(&vm->pvclock_sc, &vm->tsc_write_lock);
	host_read(&now);
	vm->kvmclock_offset = -now.ns;
}
