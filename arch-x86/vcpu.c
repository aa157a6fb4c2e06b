// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arch half of a vCPU: making it from its rooms, in order, and unmaking it; what
 * happens when its thread comes onto a CPU and leaves it; whether it has something to
 * do. Its ioctls are in vcpu_ioctl.c, KVM_RUN is in run.c.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/srcu.h>

#include "core/arch.h"
#include "core/vcpu.h"
#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/fpu.h"
#include "arch-x86/cpu/mce.h"
#include "arch-x86/cpu/msr.h"
#include "arch-x86/cpu/mtrr.h"
#include "arch-x86/cpu/smm.h"
#include "arch-x86/io.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/pv/pv.h"
#include "arch-x86/regs.h"
#include "arch-x86/run.h"
#include "arch-x86/time/time.h"
#include "arch-x86/vendor_call.h"

/* ---- life ------------------------------------------------------------------- */

int kvm_arch_vcpu_precreate(struct kvm *kvm, unsigned int id)
{
	return id < (x86_vm_of(kvm)->max_vcpu_ids ?: X86_MAX_VCPU_IDS) ? 0 : -EINVAL;
}

struct kvm_vcpu *kvm_arch_vcpu_alloc(struct kvm *kvm)
{
	/* The vendor's structure begins with ours, and ours with core's. */
	struct x86_vcpu *vcpu = kvzalloc(x86_vendor_ops()->vcpu_size, GFP_KERNEL_ACCOUNT);

	return vcpu ? &vcpu->core : ERR_PTR(-ENOMEM);
}

void kvm_arch_vcpu_free(struct kvm_vcpu *core)
{
	kvfree(x86_vcpu_of(core));
}

static bool is_boot_cpu(const struct x86_vcpu *vcpu)
{
	return vcpu->core.id == x86_vcpu_vm(vcpu)->boot_vcpu_id;
}

int kvm_arch_vcpu_create(struct kvm_vcpu *core)
{
	struct x86_vcpu *vcpu = x86_vcpu_of(core);
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct page *page;
	int idx, r;

	/* APs of an in-kernel APIC wait for INIT and SIPI, others for user space. */
	if (x86_irqchip_in_kernel(vm) && !is_boot_cpu(vcpu))
		vcpu->mp_state = KVM_MP_STATE_UNINITIALIZED;
	else
		vcpu->mp_state = KVM_MP_STATE_RUNNABLE;
	x86_msr_feature(MSR_IA32_UCODE_REV, &vcpu->microcode_version);
	x86_msr_feature(MSR_IA32_ARCH_CAPABILITIES, &vcpu->arch_capabilities);
	/* All registers are 0 until RESET has written them: nothing to ask a vendor for. */
	vcpu->regs_avail = ~0UL;
	x86_vcpu_emulator_init(vcpu);

	r = x86_vcpu_init_cpuid(vcpu);
	if (r)
		return r;
	r = x86_mmu_vcpu_create(vcpu);
	if (r)
		goto free_cpuid;
	r = x86_lapic_create(vcpu);
	if (r)
		goto destroy_mmu;
	r = -ENOMEM;
	page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!page)
		goto destroy_lapic;
	vcpu->pio_data = page_address(page);
	r = x86_mce_create(vcpu);
	if (r)
		goto free_pio;
	r = x86_fpu_create(vcpu);
	if (r)
		goto destroy_mce;
	r = x86_time_vcpu_create(vcpu);
	if (r)
		goto destroy_fpu;
	r = vendor_call(vcpu_create)(vcpu);
	if (r)
		goto destroy_fpu;

	kvm_vcpu_load(core);
	idx = srcu_read_lock(&core->kvm->srcu);
	x86_vcpu_reset(vcpu, false);
	srcu_read_unlock(&core->kvm->srcu, idx);
	kvm_vcpu_put(core);
	return 0;

destroy_fpu:
	x86_fpu_destroy(vcpu);
destroy_mce:
	x86_mce_destroy(vcpu);
free_pio:
	free_page((unsigned long)vcpu->pio_data);
destroy_lapic:
	x86_lapic_destroy(vcpu);
destroy_mmu:
	x86_mmu_vcpu_destroy(vcpu);
free_cpuid:
	x86_vcpu_free_cpuid(vcpu);
	return r;
}

void kvm_arch_vcpu_postcreate(struct kvm_vcpu *core)
{
	struct x86_vcpu *vcpu = x86_vcpu_of(core);

	/* core->mutex, as for an ioctl: the vCPU is visible to the VM already. */
	mutex_lock(&core->mutex);
	x86_lapic_vcpu_online(vcpu);
	kvm_vcpu_load(core);
	x86_time_vcpu_postcreate(vcpu);
	kvm_vcpu_put(core);
	mutex_unlock(&core->mutex);
}

void kvm_arch_vcpu_destroy(struct kvm_vcpu *core)
{
	struct x86_vcpu *vcpu = x86_vcpu_of(core);

	vendor_call(vcpu_destroy)(vcpu);
	x86_fpu_destroy(vcpu);
	x86_mce_destroy(vcpu);
	x86_lapic_destroy(vcpu);
	x86_mmu_vcpu_destroy(vcpu);
	free_page((unsigned long)vcpu->pio_data);
	x86_vcpu_free_cpuid(vcpu);
}

struct page *kvm_arch_vcpu_page(struct kvm_vcpu *core, unsigned long pgoff)
{
	if (pgoff == KVM_PIO_PAGE_OFFSET)
		return virt_to_page(x86_vcpu_of(core)->pio_data);
	return NULL;
}

/* ---- onto a CPU and off it --------------------------------------------------- */

void kvm_arch_vcpu_load(struct kvm_vcpu *core, int cpu)
{
	struct x86_vcpu *vcpu = x86_vcpu_of(core);

	vendor_call(vcpu_load)(vcpu, cpu);
	x86_time_vcpu_load(vcpu, cpu);
	if (vcpu->steal.msr & KVM_MSR_ENABLED)
		kvm_make_request(X86_REQ_STEAL_UPDATE, core);
}

void kvm_arch_vcpu_put(struct kvm_vcpu *core)
{
	struct x86_vcpu *vcpu = x86_vcpu_of(core);

	if (core->preempted)
		WRITE_ONCE(vcpu->preempted_in_kernel, !vendor_call(get_cpl)(vcpu));
	x86_steal_time_set_preempted(vcpu);
	vendor_call(vcpu_put)(vcpu);
	x86_time_vcpu_put(vcpu);
}

/* ---- has it something to do? -------------------------------------------------- */

static bool has_events(struct x86_vcpu *vcpu)
{
	struct kvm_vcpu *core = &vcpu->core;

	if (x86_lapic_init_sipi_pending(vcpu) || x86_lapic_pv_unhalted(vcpu, false))
		return true;
	if (vcpu->exception.pending || kvm_test_request(X86_REQ_TRIPLE_FAULT, core))
		return true;
	if ((kvm_test_request(X86_REQ_NMI, core) || vcpu->nmi_pending) &&
	    vendor_call(nmi_allowed)(vcpu, false))
		return true;
	if (x86_smi_due(vcpu))
		return true;
	return x86_cpu_has_interrupt(vcpu) && vendor_call(irq_allowed)(vcpu, false);
}

bool kvm_arch_vcpu_runnable(struct kvm_vcpu *core)
{
	struct x86_vcpu *vcpu = x86_vcpu_of(core);

	if (READ_ONCE(vcpu->mp_state) == KVM_MP_STATE_RUNNABLE && !vcpu->apf_halted)
		return true;
	return has_events(vcpu);
}

bool kvm_arch_vcpu_awaited(struct kvm_vcpu *core)
{
	struct x86_vcpu *vcpu = x86_vcpu_of(core);

	/* Whether it takes them depends on registers that are not ours to read here. */
	return x86_lapic_init_sipi_pending(vcpu) || x86_lapic_pv_unhalted(vcpu, false) ||
	       kvm_test_request(X86_REQ_NMI, core) || kvm_test_request(X86_REQ_SMI, core) ||
	       x86_cpu_has_interrupt(vcpu);
}

bool kvm_arch_vcpu_in_kernel(struct kvm_vcpu *core)
{
	return READ_ONCE(x86_vcpu_of(core)->preempted_in_kernel);
}

bool kvm_arch_vcpu_should_kick(struct kvm_vcpu *core)
{
	return cmpxchg(&core->mode, KVM_VCPU_IN_GUEST, KVM_VCPU_EXITING) == KVM_VCPU_IN_GUEST;
}
