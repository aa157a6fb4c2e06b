// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers in kvm_run (KVM_CAP_SYNC_REGS): what user space changed there is taken
 * before the vCPU runs, what it wants to see is stored when KVM_RUN returns. The page
 * is user space's all the time: each set is copied once, and checked in the copy by
 * the room that also serves the ioctl.
 */
#include <linux/string.h>

#include "arch-x86/events.h"
#include "arch-x86/regs.h"
#include "arch-x86/run.h"

/* One set at a time, so that the copies share a stack slot. */
union sync_set {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_vcpu_events events;
};

/* Apart: kernels clear what a function has on its stack. */
static noinline int take_sets(struct x86_vcpu *vcpu, u64 dirty)
{
	struct kvm_run *run = vcpu->core.run;
	union sync_set set;

	if (dirty & KVM_SYNC_X86_REGS) {
		memcpy(&set.regs, &run->s.regs.regs, sizeof(set.regs));
		x86_vcpu_set_regs(vcpu, &set.regs);
	}
	if (dirty & KVM_SYNC_X86_SREGS) {
		memcpy(&set.sregs, &run->s.regs.sregs, sizeof(set.sregs));
		if (x86_vcpu_set_sregs(vcpu, &set.sregs))
			return -EINVAL;
	}
	if (dirty & KVM_SYNC_X86_EVENTS) {
		memcpy(&set.events, &run->s.regs.events, sizeof(set.events));
		if (x86_vcpu_set_events(vcpu, &set.events))
			return -EINVAL;
	}
	/* Taken: the next KVM_RUN must not take them again. */
	run->kvm_dirty_regs = 0;
	return 0;
}

int x86_sync_regs_take(struct x86_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->core.run;
	u64 dirty = READ_ONCE(run->kvm_dirty_regs);

	if ((dirty | READ_ONCE(run->kvm_valid_regs)) & ~(u64)KVM_SYNC_X86_VALID_FIELDS)
		return -EINVAL;
	return likely(!dirty) ? 0 : take_sets(vcpu, dirty);
}

void x86_sync_regs_show(struct x86_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->core.run;
	u64 valid = READ_ONCE(run->kvm_valid_regs);

	if (valid & KVM_SYNC_X86_REGS)
		x86_vcpu_get_regs(vcpu, &run->s.regs.regs);
	if (valid & KVM_SYNC_X86_SREGS)
		x86_vcpu_get_sregs(vcpu, &run->s.regs.sregs);
	if (valid & KVM_SYNC_X86_EVENTS)
		x86_vcpu_get_events(vcpu, &run->s.regs.events);
}
