// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU and the host's scheduler: loaded and put with its thread, asleep in
 * HLT, polling before it sleeps, yielding to another. Owns the preempt
 * notifier and the halt-polling parameters. Knows nothing of why a vCPU is
 * runnable: kvm_arch_vcpu_runnable() does.
 */
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>

#include "core/arch.h"
#include "core/request.h"
#include "core/sched.h"
#include "core/vcpu.h"

/*
 * Halt polling, as Documentation/virt/kvm/halt-polling.rst names and describes
 * its parameters.
 */
static unsigned int halt_poll_ns = 200000;
module_param(halt_poll_ns, uint, 0644);
MODULE_PARM_DESC(halt_poll_ns, "most that a vCPU polls before it sleeps in HLT; 0: never");

static unsigned int halt_poll_ns_grow = 2;
module_param(halt_poll_ns_grow, uint, 0644);
MODULE_PARM_DESC(halt_poll_ns_grow, "factor by which polling grows; 0: it doesn't");

static unsigned int halt_poll_ns_grow_start = 10000;
module_param(halt_poll_ns_grow_start, uint, 0644);
MODULE_PARM_DESC(halt_poll_ns_grow_start, "where growing starts from nothing");

static unsigned int halt_poll_ns_shrink;
module_param(halt_poll_ns_shrink, uint, 0644);
MODULE_PARM_DESC(halt_poll_ns_shrink, "divisor by which polling shrinks; 0: back to nothing");

static DEFINE_PER_CPU(struct kvm_vcpu *, running_vcpu);

struct kvm_vcpu *kvm_running_vcpu(void)
{
	return __this_cpu_read(running_vcpu);
}
EXPORT_SYMBOL_GPL(kvm_running_vcpu);

/* ---- load and put ------------------------------------------------------ */

static void load_on(struct kvm_vcpu *vcpu, int cpu)
{
	__this_cpu_write(running_vcpu, vcpu);
	kvm_arch_vcpu_load(vcpu, cpu);
	WRITE_ONCE(vcpu->cpu, cpu);
}

static void put_off(struct kvm_vcpu *vcpu)
{
	kvm_arch_vcpu_put(vcpu);
	__this_cpu_write(running_vcpu, NULL);
}

void kvm_vcpu_load(struct kvm_vcpu *vcpu)
{
	int cpu = get_cpu();

	preempt_notifier_register(&vcpu->preempt_notifier);
	load_on(vcpu, cpu);
	put_cpu();
}
EXPORT_SYMBOL_GPL(kvm_vcpu_load);

void kvm_vcpu_put(struct kvm_vcpu *vcpu)
{
	preempt_disable();
	put_off(vcpu);
	preempt_notifier_unregister(&vcpu->preempt_notifier);
	preempt_enable();
}
EXPORT_SYMBOL_GPL(kvm_vcpu_put);

static struct kvm_vcpu *notifier_to_vcpu(struct preempt_notifier *pn)
{
	return container_of(pn, struct kvm_vcpu, preempt_notifier);
}

static void vcpu_sched_in(struct preempt_notifier *pn, int cpu)
{
	struct kvm_vcpu *vcpu = notifier_to_vcpu(pn);

	WRITE_ONCE(vcpu->preempted, false);
	WRITE_ONCE(vcpu->ready, false);
	load_on(vcpu, cpu);
	vcpu->scheduled_out = false;
}

static void vcpu_sched_out(struct preempt_notifier *pn, struct task_struct *next)
{
	struct kvm_vcpu *vcpu = notifier_to_vcpu(pn);

	vcpu->scheduled_out = true;
	if (task_is_runnable(current)) {
		WRITE_ONCE(vcpu->preempted, true);
		WRITE_ONCE(vcpu->ready, true);
	}
	put_off(vcpu);
}

static struct preempt_ops vcpu_preempt_ops = {
	.sched_in = vcpu_sched_in,
	.sched_out = vcpu_sched_out,
};

void kvm_vcpu_sched_init(struct kvm_vcpu *vcpu)
{
	vcpu->cpu = -1;
	rcuwait_init(&vcpu->wait);
	rwlock_init(&vcpu->pid_lock);
	preempt_notifier_init(&vcpu->preempt_notifier, &vcpu_preempt_ops);
}

void kvm_vcpu_sched_destroy(struct kvm_vcpu *vcpu)
{
	put_pid(vcpu->pid);
}

void kvm_vcpu_set_thread(struct kvm_vcpu *vcpu)
{
	struct pid *old;

	if (likely(vcpu->pid == task_pid(current)))
		return;
	write_lock(&vcpu->pid_lock);
	old = vcpu->pid;
	vcpu->pid = get_task_pid(current, PIDTYPE_PID);
	write_unlock(&vcpu->pid_lock);
	put_pid(old);
}

/* ---- sleep ------------------------------------------------------------- */

/* Is there a reason not to (or no longer to) sleep? */
static bool must_not_block(struct kvm_vcpu *vcpu)
{
	return kvm_arch_vcpu_runnable(vcpu) ||
	       kvm_test_request(KVM_REQ_UNBLOCK, vcpu) ||
	       kvm_test_request(KVM_REQ_VM_DEAD, vcpu) ||
	       signal_pending(current);
}

bool kvm_vcpu_block(struct kvm_vcpu *vcpu)
{
	bool slept = false;

	vcpu->stat.blocking = 1;
	prepare_to_rcuwait(&vcpu->wait);
	for (;;) {
		/* full barrier; pairs with the one in rcuwait_wake_up() */
		set_current_state(TASK_INTERRUPTIBLE);
		if (must_not_block(vcpu))
			break;
		slept = true;
		/* the preempt notifier puts the vCPU, and loads it again */
		schedule();
	}
	finish_rcuwait(&vcpu->wait);
	vcpu->stat.blocking = 0;
	return slept;
}
EXPORT_SYMBOL_GPL(kvm_vcpu_block);

bool kvm_vcpu_wake_up(struct kvm_vcpu *vcpu)
{
	if (!rcuwait_wake_up(&vcpu->wait))
		return false;
	WRITE_ONCE(vcpu->ready, true);
	vcpu->stat.halt_wakeup++;
	return true;
}
EXPORT_SYMBOL_GPL(kvm_vcpu_wake_up);

static unsigned int max_halt_poll_ns(struct kvm *kvm)
{
	/* the VM's own limit is written before the flag */
	if (smp_load_acquire(&kvm->override_halt_poll_ns))
		return READ_ONCE(kvm->max_halt_poll_ns);
	return READ_ONCE(halt_poll_ns);
}

static void poll_grow(struct kvm_vcpu *vcpu, unsigned int max)
{
	unsigned int factor = READ_ONCE(halt_poll_ns_grow);
	u64 next;

	if (!factor)
		return;
	next = (u64)vcpu->halt_poll_ns * factor;
	next = max_t(u64, next, READ_ONCE(halt_poll_ns_grow_start));
	vcpu->halt_poll_ns = min_t(u64, next, max);
}

static void poll_shrink(struct kvm_vcpu *vcpu)
{
	unsigned int divisor = READ_ONCE(halt_poll_ns_shrink);
	unsigned int next = divisor ? vcpu->halt_poll_ns / divisor : 0;

	/* below where growing starts there is nothing */
	vcpu->halt_poll_ns = next < READ_ONCE(halt_poll_ns_grow_start) ? 0 : next;
}

static void hist_add(u64 *hist, u64 ns)
{
	unsigned int bucket = ns ? fls64(ns) : 0;

	hist[min_t(unsigned int, bucket, KVM_HALT_POLL_HIST_BUCKETS - 1)]++;
}

static bool can_poll(ktime_t now, ktime_t stop)
{
	return single_task_running() && !need_resched() && ktime_before(now, stop);
}

/*
 * Poll for at most vcpu->halt_poll_ns. True if the wait is over.
 */
static bool halt_poll(struct kvm_vcpu *vcpu, ktime_t start)
{
	ktime_t stop = ktime_add_ns(start, vcpu->halt_poll_ns);
	ktime_t now = start;
	bool found;
	u64 ns;

	vcpu->stat.halt_attempted_poll++;
	do {
		found = must_not_block(vcpu);
		if (found)
			break;
		cpu_relax();
		now = ktime_get();
	} while (can_poll(now, stop));

	ns = ktime_to_ns(ktime_sub(found ? ktime_get() : now, start));
	if (found) {
		vcpu->stat.halt_successful_poll++;
		vcpu->stat.halt_poll_success_ns += ns;
		hist_add(vcpu->stat.halt_poll_success_hist, ns);
		if (!vcpu->valid_wakeup)
			vcpu->stat.halt_poll_invalid++;
	} else {
		vcpu->stat.halt_poll_fail_ns += ns;
		hist_add(vcpu->stat.halt_poll_fail_hist, ns);
	}
	return found;
}

/* Learn from how long this halt took. */
static void poll_adapt(struct kvm_vcpu *vcpu, u64 halt_ns, unsigned int max)
{
	if (!vcpu->valid_wakeup)
		poll_shrink(vcpu);
	else if (!max)
		vcpu->halt_poll_ns = 0;
	else if (halt_ns <= vcpu->halt_poll_ns)
		;	/* polling was enough */
	else if (vcpu->halt_poll_ns && halt_ns > max)
		poll_shrink(vcpu);
	else if (vcpu->halt_poll_ns < max && halt_ns < max)
		poll_grow(vcpu, max);
}

void kvm_vcpu_halt(struct kvm_vcpu *vcpu)
{
	unsigned int max = max_halt_poll_ns(vcpu->kvm);
	ktime_t start, sleep_start;
	u64 ns;

	vcpu->halt_poll_ns = min(vcpu->halt_poll_ns, max);
	vcpu->valid_wakeup = true;

	start = ktime_get();
	if (!vcpu->halt_poll_ns || !halt_poll(vcpu, start)) {
		sleep_start = ktime_get();
		if (kvm_vcpu_block(vcpu)) {
			ns = ktime_to_ns(ktime_sub(ktime_get(), sleep_start));
			vcpu->stat.halt_wait_ns += ns;
			hist_add(vcpu->stat.halt_wait_hist, ns);
		}
	}

	/* woken by a signal only, or another thread's whim: not worth polling for */
	if (!kvm_arch_vcpu_runnable(vcpu))
		vcpu->valid_wakeup = false;
	poll_adapt(vcpu, ktime_to_ns(ktime_sub(ktime_get(), start)), max);
}
EXPORT_SYMBOL_GPL(kvm_vcpu_halt);

/* ---- directed yield ---------------------------------------------------- */

int kvm_vcpu_yield_to(struct kvm_vcpu *target)
{
	struct task_struct *task = NULL;
	int ret;

	read_lock(&target->pid_lock);
	if (target->pid)
		task = get_pid_task(target->pid, PIDTYPE_PID);
	read_unlock(&target->pid_lock);
	if (!task)
		return 0;
	ret = yield_to(task, true);
	put_task_struct(task);
	return ret;
}
EXPORT_SYMBOL_GPL(kvm_vcpu_yield_to);

/*
 * Would it help to run @vcpu now? It must be waiting for a CPU. One that spins
 * itself gets its turn every other time only, or two spinners would pass the
 * CPU to and fro while the holder of the lock waits.
 */
static bool yield_candidate(struct kvm_vcpu *vcpu, bool in_kernel)
{
	bool eligible;

	if (!READ_ONCE(vcpu->ready))
		return false;
	if (rcuwait_active(&vcpu->wait) && !kvm_arch_vcpu_awaited(vcpu))
		return false;
	if (in_kernel && READ_ONCE(vcpu->preempted) && !kvm_arch_vcpu_in_kernel(vcpu))
		return false;

	if (!READ_ONCE(vcpu->spin_loop.in_spin_loop))
		return true;
	eligible = READ_ONCE(vcpu->spin_loop.dy_eligible);
	WRITE_ONCE(vcpu->spin_loop.dy_eligible, !eligible);
	return eligible;
}

void kvm_vcpu_on_spin(struct kvm_vcpu *me, bool in_kernel)
{
	struct kvm *kvm = me->kvm;
	int nr = atomic_read(&kvm->online_vcpus);
	int start = READ_ONCE(kvm->last_boosted_vcpu);
	struct kvm_vcpu *vcpu;
	int tries = 3;
	int i, idx, ret;

	WRITE_ONCE(me->spin_loop.in_spin_loop, true);
	for (i = 1; i <= nr && tries; i++) {
		idx = (start + i) % nr;
		vcpu = kvm_get_vcpu(kvm, idx);
		if (!vcpu || vcpu == me || !yield_candidate(vcpu, in_kernel))
			continue;
		me->stat.directed_yield_attempted++;
		ret = kvm_vcpu_yield_to(vcpu);
		if (ret > 0) {
			WRITE_ONCE(kvm->last_boosted_vcpu, idx);
			me->stat.directed_yield_successful++;
			break;
		}
		/* -ESRCH: its CPU and ours run one task each; a few more tries */
		if (ret < 0)
			tries--;
	}
	WRITE_ONCE(me->spin_loop.in_spin_loop, false);
	/* next time it may be chosen first */
	WRITE_ONCE(me->spin_loop.dy_eligible, false);
}
EXPORT_SYMBOL_GPL(kvm_vcpu_on_spin);

/* ---- the signal mask of KVM_RUN ---------------------------------------- */

void kvm_sigset_activate(struct kvm_vcpu *vcpu)
{
	if (!vcpu->sigset_active)
		return;
	/*
	 * real_blocked is this thread's own, and unused while it is in KVM_RUN:
	 * nothing else here waits with a mask of its own.
	 */
	sigprocmask(SIG_SETMASK, &vcpu->sigset, &current->real_blocked);
}

void kvm_sigset_deactivate(struct kvm_vcpu *vcpu)
{
	if (!vcpu->sigset_active)
		return;
	sigprocmask(SIG_SETMASK, &current->real_blocked, NULL);
	sigemptyset(&current->real_blocked);
}
