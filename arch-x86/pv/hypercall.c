// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hypercalls (Documentation/virt/kvm/x86/hypercalls.rst): number in RAX,
 * arguments in RBX, RCX, RDX, RSI, answer in RAX. Calls outside 64-bit mode see
 * and leave 32 bits.
 */
#include <linux/kvm_para.h>
#include <linux/math64.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "arch-x86/pv/pv.h"
#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/io.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/regs.h"
#include "arch-x86/time/time.h"
#include "arch-x86/vendor_call.h"
#include "core/vcpu.h"

static long hc_kick_cpu(struct x86_vcpu *vcpu, u32 apic_id)
{
	struct x86_vcpu *target;

	rcu_read_lock();
	target = x86_vcpu_by_apic_id(x86_vcpu_vm(vcpu), apic_id);
	if (target)
		x86_lapic_pv_kick(target);
	rcu_read_unlock();
	return 0;
}

/* The caller waits for @apic_id, which does not run: give it our CPU. */
static long hc_sched_yield(struct x86_vcpu *vcpu, u32 apic_id)
{
	struct x86_vcpu *target;

	vcpu->core.stat.directed_yield_attempted++;
	rcu_read_lock();
	target = x86_vcpu_by_apic_id(x86_vcpu_vm(vcpu), apic_id);
	rcu_read_unlock();
	/* A vCPU lives as long as its VM. */
	if (!target || target == vcpu || !READ_ONCE(target->core.ready))
		return 0;
	if (kvm_vcpu_yield_to(&target->core) > 0)
		vcpu->core.stat.directed_yield_successful++;
	return 0;
}

static long hc_clock_pairing(struct x86_vcpu *vcpu, gpa_t gpa, unsigned long type)
{
	struct kvm_clock_pairing pairing = { };
	u64 real_ns, tsc;
	u32 nsec;

	if (type != KVM_CLOCK_PAIRING_WALLCLOCK || !x86_clock_pairing(vcpu, &real_ns, &tsc))
		return -KVM_EOPNOTSUPP;
	pairing.sec = div_u64_rem(real_ns, NSEC_PER_SEC, &nsec);
	pairing.nsec = nsec;
	pairing.tsc = tsc;
	return kvm_vcpu_write_guest(&vcpu->core, gpa, &pairing, sizeof(pairing)) ?
		-KVM_EFAULT : 0;
}

/* User space has done it: its answer, and on. */
static int complete_hypercall(struct x86_vcpu *vcpu)
{
	u64 ret = READ_ONCE(vcpu->core.run->hypercall.ret);

	if (!x86_io_still_there(vcpu))
		return X86_RESUME;
	x86_rax_write(vcpu, x86_is_64bit_mode(vcpu) ? ret : (u32)ret);
	return x86_skip_insn(vcpu);
}

/*
 * The guest says which of its memory others may see: only user space, which gave that
 * memory, can do something about it (KVM_CAP_EXIT_HYPERCALL).
 */
static long hc_map_gpa_range(struct x86_vcpu *vcpu, u64 gpa, u64 npages, u64 attrs, bool op64)
{
	struct kvm_run *run = vcpu->core.run;
	u64 end;

	if (!(READ_ONCE(x86_vcpu_vm(vcpu)->hypercall_exit_enabled) &
	      BIT_ULL(KVM_HC_MAP_GPA_RANGE)))
		return -KVM_ENOSYS;
	if (!IS_ALIGNED(gpa, PAGE_SIZE) || !npages || check_add_overflow(gpa_to_gfn(gpa), npages, &end))
		return -KVM_EINVAL;

	run->exit_reason = KVM_EXIT_HYPERCALL;
	memset(&run->hypercall, 0, sizeof(run->hypercall));
	run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
	run->hypercall.args[0] = gpa;
	run->hypercall.args[1] = npages;
	run->hypercall.args[2] = attrs;
	run->hypercall.flags = op64 ? KVM_EXIT_HYPERCALL_LONG_MODE : 0;
	x86_io_remember(vcpu);
	vcpu->complete_userspace_io = complete_hypercall;
	return 0;
}

static long hypercall(struct x86_vcpu *vcpu, u64 nr, u64 a0, u64 a1, u64 a2, u64 a3,
		      bool op64)
{
	switch (nr) {
	case KVM_HC_VAPIC_POLL_IRQ:
		/* The exit was all that was asked for: interrupts are looked at next. */
		return 0;
	case KVM_HC_KICK_CPU:
		if (!guest_pv_has(vcpu, KVM_FEATURE_PV_UNHALT))
			break;
		return hc_kick_cpu(vcpu, a1);
	case KVM_HC_SEND_IPI:
		if (!guest_pv_has(vcpu, KVM_FEATURE_PV_SEND_IPI))
			break;
		return x86_pv_send_ipi(x86_vcpu_vm(vcpu), a0, a1, a2, a3, op64);
	case KVM_HC_SCHED_YIELD:
		if (!guest_pv_has(vcpu, KVM_FEATURE_PV_SCHED_YIELD))
			break;
		return hc_sched_yield(vcpu, a0);
	case KVM_HC_CLOCK_PAIRING:
		return hc_clock_pairing(vcpu, a0, a1);
	case KVM_HC_MAP_GPA_RANGE:
		if (!guest_pv_has(vcpu, KVM_FEATURE_HC_MAP_GPA_RANGE))
			break;
		return hc_map_gpa_range(vcpu, a0, a1, a2, op64);
	}
	return -KVM_ENOSYS;
}

int x86_emulate_hypercall(struct x86_vcpu *vcpu)
{
	bool op64 = x86_is_64bit_mode(vcpu);
	u64 mask = op64 ? U64_MAX : U32_MAX;
	u64 nr = x86_rax_read(vcpu) & mask;
	u64 a0 = x86_reg_read(vcpu, X86_REG_RBX) & mask;
	u64 a1 = x86_reg_read(vcpu, X86_REG_RCX) & mask;
	u64 a2 = x86_reg_read(vcpu, X86_REG_RDX) & mask;
	u64 a3 = x86_reg_read(vcpu, X86_REG_RSI) & mask;
	long ret;

	vcpu->core.stat.hypercalls++;
	if (vendor_call(get_cpl)(vcpu))
		ret = -KVM_EPERM;
	else
		ret = hypercall(vcpu, nr, a0, a1, a2, a3, op64);
	/* Left to user space: RAX and RIP move when it has answered. */
	if (vcpu->complete_userspace_io)
		return X86_USER;

	x86_rax_write(vcpu, (u64)ret & mask);
	return x86_skip_insn(vcpu);
}
EXPORT_SYMBOL_GPL(x86_emulate_hypercall);
