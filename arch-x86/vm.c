// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arch half of a VM: its life, what it can do (KVM_CHECK_EXTENSION), what
 * user space switches on (KVM_ENABLE_CAP), its ioctls, and the ioctls of
 * /dev/kvm. Each case hands over to the room that owns the matter.
 */
#include <linux/kvm_para.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/sched/stat.h>
#include <linux/uaccess.h>
#include <compat/spec.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/fpu.h"
#include "arch-x86/cpu/mce.h"
#include "arch-x86/cpu/msr.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/mmu/mmu.h"
#include "arch-x86/time/time.h"
#include "arch-x86/vendor_call.h"
#include "core/arch.h"
#include "core/memslot.h"
#include "core/vcpu.h"

/* Where QEMU's firmware leaves room (KVM_SET_IDENTITY_MAP_ADDR's default). */
#define X86_DEFAULT_IDENTITY_MAP	0xfffbc000ULL

/*
 * KVM_CAP_DISABLE_QUIRKS2: those that can be turned off here. SLOT_ZAP_ALL always is: a
 * slot that goes takes no other slot's translations with it.
 */
#define X86_QUIRKS	(KVM_X86_QUIRK_LINT0_REENABLED | KVM_X86_QUIRK_CD_NW_CLEARED | \
			 KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT | \
			 KVM_X86_QUIRK_FIX_HYPERCALL_INSN | \
			 KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS | KVM_X86_QUIRK_SLOT_ZAP_ALL)

#define X86_GUESTDBG_FLAGS	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | \
				 KVM_GUESTDBG_USE_HW_BP | KVM_GUESTDBG_USE_SW_BP | \
				 KVM_GUESTDBG_INJECT_BP | KVM_GUESTDBG_INJECT_DB | \
				 KVM_GUESTDBG_BLOCKIRQ)

#define X86_CLOCK_FLAGS		(KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC)

#define X86_X2APIC_API_FLAGS	(KVM_X2APIC_API_USE_32BIT_IDS | \
				 KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK)

/* KVM_CAP_EXIT_HYPERCALL: those that user space may ask to do itself. */
#define X86_EXIT_HYPERCALLS	BIT_ULL(KVM_HC_MAP_GPA_RANGE)

#define X86_USER_MSR_REASONS	(KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN | \
				 KVM_MSR_EXIT_REASON_FILTER)

/* ---- life ------------------------------------------------------------------ */

struct kvm *kvm_arch_vm_alloc(unsigned long type)
{
	struct x86_vm *vm;

	if (type != KVM_X86_DEFAULT_VM)
		return ERR_PTR(-EINVAL);
	vm = kvzalloc(x86_vendor_ops()->vm_size, GFP_KERNEL_ACCOUNT);
	return vm ? &vm->core : ERR_PTR(-ENOMEM);
}

void kvm_arch_vm_free(struct kvm *kvm)
{
	kvfree(x86_vm_of(kvm));
}

int kvm_arch_vm_init(struct kvm *kvm)
{
	struct x86_vm *vm = x86_vm_of(kvm);
	int r;

	mutex_init(&vm->apic_map_lock);
	/* User space and irqfd's resampler hold the first sources (core/irq_routing.h). */
	vm->irq_sources_bitmap = BIT(KVM_USERSPACE_IRQ_SOURCE_ID) |
				 BIT(KVM_IRQFD_RESAMPLE_SOURCE_ID);
	vm->identity_map_addr = X86_DEFAULT_IDENTITY_MAP;
	vm->boot_vcpu_id = 0;
	x86_time_vm_init(vm);

	r = x86_mmu_vm_init(vm);
	if (r)
		return r;
	r = vendor_call(vm_init)(vm);
	if (r)
		x86_mmu_vm_destroy(vm);
	return r;
}

void kvm_arch_vm_pre_destroy(struct kvm *kvm)
{
	/* What injects by itself: the PIT's timer, the IOAPIC after a storm. */
	x86_pit_destroy(x86_vm_of(kvm));
	x86_vm_stop_irqchip(x86_vm_of(kvm));
}

void kvm_arch_vm_destroy(struct kvm *kvm)
{
	struct x86_vm *vm = x86_vm_of(kvm);

	x86_mmu_vm_stop(vm);
	kvm_vcpus_destroy(kvm);
	x86_vm_destroy_irqchip(vm);
	x86_vm_free_msr_filter(vm);
	x86_mmu_vm_destroy(vm);
	vendor_call(vm_destroy)(vm);
}

/* ---- what it can do ----------------------------------------------------------- */

static bool mitigate_smt_rsb;
module_param(mitigate_smt_rsb, bool, 0444);
MODULE_PARM_DESC(mitigate_smt_rsb,
		 "on CPUs whose threads predict each other's returns guests may not halt by themselves");

static u64 x86_disable_exits_supported(void)
{
	u64 r = KVM_X86_DISABLE_EXITS_HLT;

	/* A thread that halts hands its return predictions to the other one (AMD-SB-1045). */
	if (mitigate_smt_rsb && kvmc_smt_rsb())
		r = 0;
	if (x86_vendor_caps()->pause_loop_exit)
		r |= KVM_X86_DISABLE_EXITS_PAUSE;
	return r;
}

int kvm_arch_check_extension(struct kvm *kvm, long cap)
{
	struct x86_vm *vm = kvm ? x86_vm_of(kvm) : NULL;

	switch (cap) {
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_HLT:
	case KVM_CAP_MMU_SHADOW_CACHE_CONTROL:
	case KVM_CAP_SET_TSS_ADDR:
	case KVM_CAP_SET_IDENTITY_MAP_ADDR:
	case KVM_CAP_EXT_CPUID:
	case KVM_CAP_EXT_EMUL_CPUID:
	case KVM_CAP_CLOCKSOURCE:
	case KVM_CAP_PIT:
	case KVM_CAP_PIT2:
	case KVM_CAP_PIT_STATE2:
	case KVM_CAP_REINJECT_CONTROL:
	case KVM_CAP_NOP_IO_DELAY:
	case KVM_CAP_MP_STATE:
	case KVM_CAP_USER_NMI:
	case KVM_CAP_X86_SMM:
	case KVM_CAP_SET_BOOT_CPU_ID:
	case KVM_CAP_INTERNAL_ERROR_DATA:
	case KVM_CAP_VCPU_EVENTS:
	case KVM_CAP_INTR_SHADOW:
	case KVM_CAP_EXCEPTION_PAYLOAD:
	case KVM_CAP_X86_TRIPLE_FAULT_EVENT:
	case KVM_CAP_DEBUGREGS:
	case KVM_CAP_X86_ROBUST_SINGLESTEP:
	case KVM_CAP_SET_GUEST_DEBUG:
	case KVM_CAP_ENABLE_CAP:
	case KVM_CAP_XSAVE:
	case KVM_CAP_GET_TSC_KHZ:
	case KVM_CAP_TSC_DEADLINE_TIMER:
	case KVM_CAP_KVMCLOCK_CTRL:
	case KVM_CAP_IOAPIC_POLARITY_IGNORED:
	case KVM_CAP_DISABLE_QUIRKS:
	case KVM_CAP_SPLIT_IRQCHIP:
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_GET_MSR_FEATURES:
	case KVM_CAP_MSR_PLATFORM_INFO:
	case KVM_CAP_ENFORCE_PV_FEATURE_CPUID:
	case KVM_CAP_X86_MSR_FILTER:
	case KVM_CAP_SREGS2:
	case KVM_CAP_VCPU_ATTRIBUTES:
	case KVM_CAP_SYS_ATTRIBUTES:
	case KVM_CAP_EXIT_ON_EMULATION_FAILURE:
	case KVM_CAP_VM_DISABLE_NX_HUGE_PAGES:
	case KVM_CAP_ASYNC_PF:
	case KVM_CAP_ASYNC_PF_INT:
	case KVM_CAP_X86_APIC_BUS_CYCLES_NS:
		return 1;
	case KVM_CAP_X86_USER_SPACE_MSR:
		return X86_USER_MSR_REASONS;
	case KVM_CAP_SYNC_REGS:
		return KVM_SYNC_X86_VALID_FIELDS;
	case KVM_CAP_EXIT_HYPERCALL:
		return X86_EXIT_HYPERCALLS;
	case KVM_CAP_ADJUST_CLOCK:
		return X86_CLOCK_FLAGS;
	case KVM_CAP_SET_GUEST_DEBUG2:
		return X86_GUESTDBG_FLAGS;
	case KVM_CAP_X2APIC_API:
		return X86_X2APIC_API_FLAGS;
	case KVM_CAP_DISABLE_QUIRKS2:
		return X86_QUIRKS;
	case KVM_CAP_X86_DISABLE_EXITS:
		return x86_disable_exits_supported();
	case KVM_CAP_STEAL_TIME:
		return sched_info_on();
	case KVM_CAP_XCRS:
		return boot_cpu_has(X86_FEATURE_XSAVE);
	case KVM_CAP_XSAVE2:
		return x86_fpu_uabi_size(vm);
	case KVM_CAP_MCE:
		return X86_MAX_MCE_BANKS;
	case KVM_CAP_MAX_VCPU_ID:
		return X86_MAX_VCPU_IDS;
	case KVM_CAP_TSC_CONTROL:
	case KVM_CAP_VM_TSC_CONTROL:
		return x86_vendor_caps()->tsc_scaling;
	case KVM_CAP_VM_TYPES:
		return BIT(KVM_X86_DEFAULT_VM);
	case KVM_CAP_VAPIC:
		/* Accesses that the CPU does are not reported. */
		return !x86_vendor_caps()->tpr_in_hardware;
	case KVM_CAP_MULTI_ADDRESS_SPACE:
		return KVM_ADDRESS_SPACE_NUM;
	case KVM_CAP_PRE_FAULT_MEMORY:
		return x86_vendor_caps()->npt;
	}
	return 0;
}

/* KVM_CAP_X86_DISABLE_EXITS: only before there is a vCPU, whose intercepts are set up by it. */
static int x86_vm_disable_exits(struct x86_vm *vm, u64 exits)
{
	int r = -EINVAL;

	if (exits & ~x86_disable_exits_supported())
		return -EINVAL;
	mutex_lock(&vm->core.lock);
	if (!vm->core.created_vcpus) {
		if (exits & KVM_X86_DISABLE_EXITS_HLT)
			vm->hlt_in_guest = true;
		if (exits & KVM_X86_DISABLE_EXITS_PAUSE)
			vm->pause_in_guest = true;
		r = 0;
	}
	mutex_unlock(&vm->core.lock);
	return r;
}

/* KVM_CAP_MAX_VCPU_ID: a bound that user space knows; once, and not below the boot CPU. */
static int x86_vm_limit_vcpu_ids(struct x86_vm *vm, u64 limit)
{
	int r = -EINVAL;

	if (limit > X86_MAX_VCPU_IDS)
		return -EINVAL;
	mutex_lock(&vm->core.lock);
	if (vm->max_vcpu_ids == limit) {
		r = 0;
	} else if (!vm->max_vcpu_ids && !vm->core.created_vcpus && vm->boot_vcpu_id <= limit) {
		vm->max_vcpu_ids = limit;
		r = 0;
	}
	mutex_unlock(&vm->core.lock);
	return r;
}

/* KVM_CAP_X86_APIC_BUS_CYCLES_NS: what the APIC's timer counts, before there is one. */
static int x86_vm_set_apic_bus(struct x86_vm *vm, u64 ns)
{
	int r = -EINVAL;

	/* The longest count, 32 bits divided by 128, must stay a time. */
	if (!ns || ns > div64_u64(S64_MAX, 128ULL * U32_MAX))
		return -EINVAL;
	mutex_lock(&vm->core.lock);
	if (!x86_irqchip_in_kernel(vm)) {
		r = -ENXIO;
	} else if (!vm->core.created_vcpus) {
		vm->apic_bus_cycle_ns = ns;
		r = 0;
	}
	mutex_unlock(&vm->core.lock);
	return r;
}

int kvm_arch_vm_enable_cap(struct kvm *kvm, struct kvm_enable_cap *cap)
{
	struct x86_vm *vm = x86_vm_of(kvm);

	if (cap->flags)
		return -EINVAL;

	switch (cap->cap) {
	case KVM_CAP_DISABLE_QUIRKS2:
		if (cap->args[0] & ~X86_QUIRKS)
			return -EINVAL;
		fallthrough;
	case KVM_CAP_DISABLE_QUIRKS:
		WRITE_ONCE(vm->disabled_quirks, vm->disabled_quirks | (cap->args[0] & X86_QUIRKS));
		return 0;
	case KVM_CAP_SPLIT_IRQCHIP:
		return x86_vm_split_irqchip(vm, cap->args[0]);
	case KVM_CAP_X2APIC_API:
		if (cap->args[0] & ~X86_X2APIC_API_FLAGS)
			return -EINVAL;
		if (cap->args[0] & KVM_X2APIC_API_USE_32BIT_IDS)
			WRITE_ONCE(vm->x2apic_format, true);
		if (cap->args[0] & KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK)
			WRITE_ONCE(vm->x2apic_broadcast_quirk_disabled, true);
		return 0;
	case KVM_CAP_X86_DISABLE_EXITS:
		return x86_vm_disable_exits(vm, cap->args[0]);
	case KVM_CAP_EXCEPTION_PAYLOAD:
		WRITE_ONCE(vm->exception_payload_enabled, cap->args[0]);
		return 0;
	case KVM_CAP_X86_TRIPLE_FAULT_EVENT:
		WRITE_ONCE(vm->triple_fault_event, cap->args[0]);
		return 0;
	case KVM_CAP_X86_USER_SPACE_MSR:
		if (cap->args[0] & ~(u64)X86_USER_MSR_REASONS)
			return -EINVAL;
		WRITE_ONCE(vm->user_space_msr_mask, cap->args[0]);
		return 0;
	case KVM_CAP_MAX_VCPU_ID:
		return x86_vm_limit_vcpu_ids(vm, cap->args[0]);
	case KVM_CAP_X86_APIC_BUS_CYCLES_NS:
		return x86_vm_set_apic_bus(vm, cap->args[0]);
	case KVM_CAP_EXIT_HYPERCALL:
		if (cap->args[0] & ~X86_EXIT_HYPERCALLS)
			return -EINVAL;
		WRITE_ONCE(vm->hypercall_exit_enabled, cap->args[0]);
		return 0;
	case KVM_CAP_EXIT_ON_EMULATION_FAILURE:
		if (cap->args[0] & ~1ULL)
			return -EINVAL;
		WRITE_ONCE(vm->exit_on_emulation_error, cap->args[0]);
		return 0;
	case KVM_CAP_VM_DISABLE_NX_HUGE_PAGES:
		return x86_mmu_disable_nx_huge_pages(vm, cap->args[0]);
	case KVM_CAP_MSR_PLATFORM_INFO:
		WRITE_ONCE(vm->hide_platform_info, !cap->args[0]);
		return 0;
	}
	return -EINVAL;
}

/* ---- ioctls of a VM -------------------------------------------------------------- */

static long x86_vm_set_tss_addr(struct x86_vm *vm, unsigned long addr)
{
	/* Three pages below 4 GiB, left free for nothing: real mode is emulated (forced.c). */
	return addr > (unsigned int)(-3 * PAGE_SIZE) ? -EINVAL : 0;
}

static long x86_vm_set_identity_map(struct x86_vm *vm, void __user *argp)
{
	long r = -EINVAL;
	u64 addr;

	if (copy_from_user(&addr, argp, sizeof(addr)))
		return -EFAULT;
	mutex_lock(&vm->core.lock);
	if (!vm->core.created_vcpus && addr <= (u32)-PAGE_SIZE) {
		vm->identity_map_addr = addr ?: X86_DEFAULT_IDENTITY_MAP;
		r = 0;
	}
	mutex_unlock(&vm->core.lock);
	return r;
}

static long x86_vm_set_boot_cpu(struct x86_vm *vm, unsigned long id)
{
	long r = -EBUSY;

	mutex_lock(&vm->core.lock);
	if (!vm->core.created_vcpus) {
		r = -EINVAL;
		if (id < X86_MAX_VCPU_IDS) {
			vm->boot_vcpu_id = id;
			r = 0;
		}
	}
	mutex_unlock(&vm->core.lock);
	return r;
}

static long x86_vm_create_pit(struct x86_vm *vm, unsigned int ioctl, void __user *argp)
{
	struct kvm_pit_config config = { .flags = KVM_PIT_SPEAKER_DUMMY };

	if (ioctl == KVM_CREATE_PIT2 && copy_from_user(&config, argp, sizeof(config)))
		return -EFAULT;
	return x86_pit_create(vm, &config);
}

static long x86_vm_irqchip_state(struct x86_vm *vm, unsigned int ioctl, void __user *argp)
{
	struct kvm_irqchip *chip = memdup_user(argp, sizeof(*chip));
	long r;

	if (IS_ERR(chip))
		return PTR_ERR(chip);
	if (ioctl == KVM_SET_IRQCHIP) {
		r = x86_vm_set_irqchip(vm, chip);
	} else {
		r = x86_vm_get_irqchip(vm, chip);
		if (!r && copy_to_user(argp, chip, sizeof(*chip)))
			r = -EFAULT;
	}
	kfree(chip);
	return r;
}

static long x86_vm_get_pit(struct x86_vm *vm, void __user *argp, size_t size)
{
	struct kvm_pit_state2 state = { };
	long r = x86_pit_get_state(vm, &state);

	/* KVM_GET_PIT's structure is the beginning of KVM_GET_PIT2's. */
	if (!r && copy_to_user(argp, &state, size))
		r = -EFAULT;
	return r;
}

static long x86_vm_set_pit(struct x86_vm *vm, void __user *argp, size_t size)
{
	struct kvm_pit_state2 state = { };

	if (copy_from_user(&state, argp, size))
		return -EFAULT;
	return x86_pit_set_state(vm, &state, size == sizeof(struct kvm_pit_state));
}

static long x86_vm_clock(struct x86_vm *vm, unsigned int ioctl, void __user *argp)
{
	struct kvm_clock_data data = { };
	long r;

	if (ioctl == KVM_SET_CLOCK) {
		if (copy_from_user(&data, argp, sizeof(data)))
			return -EFAULT;
		return x86_vm_set_clock(vm, &data);
	}
	r = x86_vm_get_clock(vm, &data);
	if (!r && copy_to_user(argp, &data, sizeof(data)))
		r = -EFAULT;
	return r;
}

static long x86_vm_reinject(struct x86_vm *vm, void __user *argp)
{
	struct kvm_reinject_control control;

	if (copy_from_user(&control, argp, sizeof(control)))
		return -EFAULT;
	return x86_pit_reinject(vm, control.pit_reinject);
}

static long x86_vm_msr_filter(struct x86_vm *vm, void __user *argp)
{
	struct kvm_msr_filter *filter = memdup_user(argp, sizeof(*filter));
	long r;

	if (IS_ERR(filter))
		return PTR_ERR(filter);
	r = x86_vm_set_msr_filter(vm, filter);
	kfree(filter);
	return r;
}

static long x86_vm_set_tsc_khz(struct x86_vm *vm, unsigned long khz)
{
	long r = -EINVAL;

	if (!x86_vendor_caps()->tsc_scaling || !khz || khz > UINT_MAX)
		return -EINVAL;
	mutex_lock(&vm->core.lock);
	if (!vm->core.created_vcpus) {
		WRITE_ONCE(vm->default_tsc_khz, khz);
		r = 0;
	}
	mutex_unlock(&vm->core.lock);
	return r;
}

long kvm_arch_vm_ioctl(struct kvm *kvm, unsigned int ioctl, unsigned long arg)
{
	struct x86_vm *vm = x86_vm_of(kvm);
	void __user *argp = (void __user *)arg;

	switch (ioctl) {
	case KVM_SET_TSS_ADDR:
		return x86_vm_set_tss_addr(vm, arg);
	case KVM_SET_IDENTITY_MAP_ADDR:
		return x86_vm_set_identity_map(vm, argp);
	case KVM_SET_NR_MMU_PAGES:
		return x86_mmu_set_nr_pages(vm, arg);
	case KVM_SET_BOOT_CPU_ID:
		return x86_vm_set_boot_cpu(vm, arg);
	case KVM_CREATE_IRQCHIP:
		return x86_vm_create_irqchip(vm);
	case KVM_GET_IRQCHIP:
	case KVM_SET_IRQCHIP:
		return x86_vm_irqchip_state(vm, ioctl, argp);
	case KVM_CREATE_PIT:
	case KVM_CREATE_PIT2:
		return x86_vm_create_pit(vm, ioctl, argp);
	case KVM_GET_PIT:
		return x86_vm_get_pit(vm, argp, sizeof(struct kvm_pit_state));
	case KVM_GET_PIT2:
		return x86_vm_get_pit(vm, argp, sizeof(struct kvm_pit_state2));
	case KVM_SET_PIT:
		return x86_vm_set_pit(vm, argp, sizeof(struct kvm_pit_state));
	case KVM_SET_PIT2:
		return x86_vm_set_pit(vm, argp, sizeof(struct kvm_pit_state2));
	case KVM_REINJECT_CONTROL:
		return x86_vm_reinject(vm, argp);
	case KVM_GET_CLOCK:
	case KVM_SET_CLOCK:
		return x86_vm_clock(vm, ioctl, argp);
	case KVM_SET_TSC_KHZ:
		return x86_vm_set_tsc_khz(vm, arg);
	case KVM_GET_TSC_KHZ:
		return READ_ONCE(vm->default_tsc_khz);
	case KVM_X86_SET_MSR_FILTER:
		return x86_vm_msr_filter(vm, argp);
	}
	return -ENOTTY;
}

/* ---- ioctls of /dev/kvm ------------------------------------------------------------ */

static long x86_sys_attr(unsigned int ioctl, void __user *argp)
{
	struct kvm_device_attr attr;
	u64 xcr0 = x86_supported_xcr0();

	if (copy_from_user(&attr, argp, sizeof(attr)))
		return -EFAULT;
	if (attr.flags || attr.group || attr.attr != KVM_X86_XCOMP_GUEST_SUPP)
		return -ENXIO;
	if (ioctl == KVM_HAS_DEVICE_ATTR)
		return 0;
	if ((unsigned long)attr.addr != attr.addr)
		return -EFAULT;
	return put_user(xcr0, (u64 __user *)(unsigned long)attr.addr);
}

static long x86_sys_mce_cap(void __user *argp)
{
	u64 cap = x86_mce_cap_supported();

	return copy_to_user(argp, &cap, sizeof(cap)) ? -EFAULT : 0;
}

long kvm_arch_dev_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	switch (ioctl) {
	case KVM_GET_MSR_INDEX_LIST:
		return x86_get_msr_index_list(argp);
	case KVM_GET_MSR_FEATURE_INDEX_LIST:
		return x86_get_msr_feature_index_list(argp);
	case KVM_GET_MSRS:
		return x86_get_feature_msrs(argp);
	case KVM_GET_SUPPORTED_CPUID:
		return x86_get_supported_cpuid(argp, false);
	case KVM_GET_EMULATED_CPUID:
		return x86_get_supported_cpuid(argp, true);
	case KVM_X86_GET_MCE_CAP_SUPPORTED:
		return x86_sys_mce_cap(argp);
	case KVM_HAS_DEVICE_ATTR:
	case KVM_GET_DEVICE_ATTR:
		return x86_sys_attr(ioctl, argp);
	}
	return -EINVAL;
}
