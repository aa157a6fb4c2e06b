// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asynchronous page faults as the guest sees them (Documentation/virt/kvm/x86/msr.rst,
 * MSR_KVM_ASYNC_PF_EN). A page that the host must fetch first is announced by a #PF
 * whose CR2 is a token, and by an interrupt once it is there; in between the guest runs
 * another task. Where it can't be told, the vCPU halts: an interrupt still reaches it,
 * and afterwards the access is tried again. Who fetches the page is core/async_pf.c.
 *
 * Both ways want a guest that takes interrupts now; else the fault waits for the page.
 */
#include <asm/kvm_para.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/events.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/pv/pv.h"
#include "arch-x86/regs.h"
#include "arch-x86/vendor_call.h"
#include "core/arch.h"
#include "core/async_pf.h"
#include "core/memslot.h"

#define FIELD(f)	offsetof(struct kvm_vcpu_pv_apf_data, f), \
			sizeof_field(struct kvm_vcpu_pv_apf_data, f)

/* Without the interrupt "page ready" can't be said, so nothing is. */
#define APF_ON		(KVM_ASYNC_PF_ENABLED | KVM_ASYNC_PF_DELIVERY_AS_INT)
#define APF_KNOWN	(APF_ON | KVM_ASYNC_PF_SEND_ALWAYS)
#define APF_ADDRESS	(~63ULL)

#define TOKEN_ALL	(~0U)		/* every task that waits for a page looks again */

static bool apf_on(const struct x86_vcpu *vcpu)
{
	return (vcpu->apf.msr & APF_ON) == APF_ON;
}

/* ---- MSRs ---------------------------------------------------------------------- */

void x86_async_pf_reset(struct x86_vcpu *vcpu)
{
	kvm_async_pf_forget(&vcpu->core);
	vcpu->apf_halted = false;
	vcpu->apf.msr = 0;
	vcpu->apf.ready_sent = false;
	vcpu->apf.wake_all = false;
}

int x86_async_pf_set_msr(struct x86_vcpu *vcpu, u64 data, bool host)
{
	struct kvm *kvm = vcpu->core.kvm;
	int idx, r = 0;

	if (data & ~(APF_ADDRESS | APF_KNOWN))
		return 1;
	if ((data & KVM_ASYNC_PF_DELIVERY_AS_INT) &&
	    !guest_pv_has(vcpu, KVM_FEATURE_ASYNC_PF_INT))
		return 1;
	if (!x86_has_lapic(vcpu))
		return data ? 1 : 0;
	if (data & KVM_ASYNC_PF_ENABLED) {
		idx = srcu_read_lock(&kvm->srcu);
		r = kvm_gpa_cache_init(kvm, &vcpu->apf.cache, data & APF_ADDRESS,
				       sizeof(struct kvm_vcpu_pv_apf_data));
		srcu_read_unlock(&kvm->srcu, idx);
	}
	if (r)
		return 1;

	/* What is outstanding is not announced any more (msr.rst). */
	x86_async_pf_reset(vcpu);
	vcpu->apf.msr = data;
	/* A guest that was moved here may wait for pages that another host fetched. */
	if (host && apf_on(vcpu)) {
		vcpu->apf.wake_all = true;
		kvm_make_request(X86_REQ_APF_READY, &vcpu->core);
	}
	return 0;
}

int x86_async_pf_set_vector(struct x86_vcpu *vcpu, u64 data)
{
	if (data > 0xff)
		return 1;
	vcpu->apf.vector = data;
	return 0;
}

int x86_async_pf_ack(struct x86_vcpu *vcpu, u64 data)
{
	if (data & 1) {
		vcpu->apf.ready_sent = false;
		kvm_make_request(X86_REQ_APF_READY, &vcpu->core);
	}
	return 0;
}

/* ---- "page ready" -------------------------------------------------------------------- */

void kvm_arch_async_pf_done(struct kvm_vcpu *core)
{
	kvm_make_request(X86_REQ_APF_READY, core);
	/* It is no event by itself: a vCPU that sleeps wakes up to look at it. */
	kvm_make_request(KVM_REQ_UNBLOCK, core);
	kvm_vcpu_kick(core);
}

/* One at a time: the guest has cleared the last token before it acknowledges. */
static bool ready_slot_free(struct x86_vcpu *vcpu)
{
	u32 token;

	return !vcpu->apf.ready_sent &&
	       !kvm_read_guest_cached(vcpu->core.kvm, &vcpu->apf.cache, &token, FIELD(token)) &&
	       !token;
}

static void send_ready(struct x86_vcpu *vcpu, u32 token)
{
	u32 none = 0;

	if (kvm_write_guest_cached(vcpu->core.kvm, &vcpu->apf.cache, &token, FIELD(token)))
		return;
	vcpu->apf.ready_sent = true;
	if (x86_lapic_local_vector(vcpu, vcpu->apf.vector) >= 0)
		return;
	/* Its APIC is off: there is nobody who could acknowledge. */
	vcpu->apf.ready_sent = false;
	kvm_write_guest_cached(vcpu->core.kvm, &vcpu->apf.cache, &none, FIELD(token));
}

void x86_async_pf_ready(struct x86_vcpu *vcpu)
{
	u32 token;

	/* If it halts for a page that has not come, it will halt again. */
	vcpu->apf_halted = false;

	if (vcpu->apf.wake_all && ready_slot_free(vcpu)) {
		vcpu->apf.wake_all = false;
		send_ready(vcpu, TOKEN_ALL);
	}
	while (kvm_async_pf_has_done(&vcpu->core)) {
		if (apf_on(vcpu) && !ready_slot_free(vcpu))
			return;		/* the acknowledgement brings us back */
		if (kvm_async_pf_take(&vcpu->core, &token) && token && apf_on(vcpu))
			send_ready(vcpu, token);
	}
}

/* ---- "page not present" --------------------------------------------------------------- */

/* May the guest be told by a #PF, at this instruction? */
static bool can_tell(struct x86_vcpu *vcpu)
{
	u32 flags;

	if (!apf_on(vcpu))
		return false;
	if (!(vcpu->apf.msr & KVM_ASYNC_PF_SEND_ALWAYS) && !vendor_call(get_cpl)(vcpu))
		return false;
	/* Not while it has not looked at the last one. */
	return !kvm_read_guest_cached(vcpu->core.kvm, &vcpu->apf.cache, &flags, FIELD(flags)) &&
	       !flags;
}

/* Unlike any other that a vCPU of this VM waits for; never 0 nor TOKEN_ALL. */
static u32 next_token(struct x86_vcpu *vcpu)
{
	BUILD_BUG_ON(X86_MAX_VCPU_IDS > 1 << 12);
	do {
		vcpu->apf.last_id = (vcpu->apf.last_id + 1) & 0xfffff;
	} while (!vcpu->apf.last_id || vcpu->apf.last_id == 0xfffff);
	return vcpu->apf.last_id << 12 | vcpu->core.id;
}

static bool tell(struct x86_vcpu *vcpu, u32 token)
{
	struct x86_fault_info fault = {
		.vector = PF_VECTOR, .error_code_valid = true, .address = token,
	};
	u32 flags = KVM_PV_REASON_PAGE_NOT_PRESENT;

	if (kvm_write_guest_cached(vcpu->core.kvm, &vcpu->apf.cache, &flags, FIELD(flags)))
		return false;
	x86_inject_page_fault(vcpu, &fault);
	return true;
}

/* Could the guest do anything else now? */
static bool can_go_on(struct x86_vcpu *vcpu)
{
	if (!x86_has_lapic(vcpu) || x86_event_reinjection(vcpu) || vcpu->exception.pending)
		return false;
	/* A debugger's steps, and a guest whose HLT is its own affair, stay as they are. */
	if (vcpu->core.guest_debug || x86_vcpu_vm(vcpu)->hlt_in_guest)
		return false;
	return vendor_call(irq_allowed)(vcpu, false) > 0;
}

int x86_faultin_pfn(struct x86_vcpu *vcpu, struct kvm_memory_slot *slot, gfn_t gfn, bool write,
		    struct kvm_faultin *out)
{
	struct kvm_async_pf *pf;
	u32 token;
	int err;

	if (!can_go_on(vcpu))
		return kvm_faultin_pfn(slot, gfn, write, KVM_FAULTIN_WAIT, out);
	err = kvm_faultin_pfn(slot, gfn, write, KVM_FAULTIN_NOWAIT, out);
	if (err != -EBUSY)
		return err;

	/* Another task of the guest's wants the same page: nothing new to tell. */
	if (kvm_async_pf_waiting(&vcpu->core, gfn)) {
		vcpu->apf_halted = true;
		return X86_FAULTIN_LATER;
	}
	pf = kvm_async_pf_new(&vcpu->core, gfn, kvm_slot_hva(slot, gfn), write);
	if (!pf)
		return kvm_faultin_pfn(slot, gfn, write, KVM_FAULTIN_WAIT, out);

	if (can_tell(vcpu)) {
		token = next_token(vcpu);
		if (tell(vcpu, token))
			pf->token = token;
	}
	if (!pf->token)
		vcpu->apf_halted = true;
	kvm_async_pf_launch(pf);
	return X86_FAULTIN_LATER;
}
