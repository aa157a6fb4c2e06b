/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel, a core and an x86 machine just large enough for the interrupt
 * controllers: one thread, so locks do nothing and "atomic" is plain. Whoever includes it
 * may have STEP(address) do something before each access that others could see.
 */
#ifndef TEST_UNIT_IRQCHIP_KERNEL_H
#define TEST_UNIT_IRQCHIP_KERNEL_H

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kvm.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int64_t s64;
typedef u64 gpa_t;
typedef struct { int counter; } atomic_t;

#define BITS_PER_LONG	64
#define PAGE_SIZE	4096UL
#define HZ		250
#define U32_MAX		UINT32_MAX
#define BIT(n)		(1UL << (n))
#define BIT_ULL(n)	(1ULL << (n))
#define GENMASK(h, l)	((~0UL << (l)) & (~0UL >> (63 - (h))))
#define GENMASK_ULL(h, l) ((~0ULL << (l)) & (~0ULL >> (63 - (h))))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#ifndef STEP
#define STEP(p)		((void)0)
#endif
#define READ_ONCE(x)	({ STEP(&(x)); *(const volatile typeof(x) *)&(x); })
#define WRITE_ONCE(x, v) ({ STEP(&(x)); *(volatile typeof(x) *)&(x) = (v); })
#define __aligned(n)	__attribute__((__aligned__(n)))
#define likely(x)	(x)
#define unlikely(x)	(x)
#define noinline	__attribute__((__noinline__))
#define fallthrough	__attribute__((__fallthrough__))
#define __rcu
#define __user
#define __acquires(lock)
#define __releases(lock)
#define EXPORT_SYMBOL_GPL(x) struct __exported_##x
#define min(a, b)	((a) < (b) ? (a) : (b))
#define max(a, b)	((a) > (b) ? (a) : (b))
#define min_t(t, a, b)	min((t)(a), (t)(b))
#define max_t(t, a, b)	max((t)(a), (t)(b))
#define container_of(p, t, m) ((t *)((char *)(p) - offsetof(t, m)))
#define struct_size(p, m, n) (sizeof(*(p)) + sizeof((p)->m[0]) * (n))
#define array_index_nospec(i, n) ((i) % (n))
#define offset_in_page(x) ((unsigned long)(x) & (PAGE_SIZE - 1))
#define gpa_to_gfn(x)	((u64)(x) >> 12)
#define smp_mb()	((void)0)
#define smp_rmb()	((void)0)
#define smp_wmb()	((void)0)
#define smp_mb__after_atomic() ((void)0)
#define preempt_disable() ((void)0)
#define preempt_enable() ((void)0)
#define smp_load_acquire(p) READ_ONCE(*(p))
#define smp_store_release(p, v) WRITE_ONCE(*(p), v)
#define xchg(p, v)	({ STEP(p); typeof(*(p)) __o = *(p); *(p) = (v); __o; })
#define fls(x)		((x) ? 32 - __builtin_clz(x) : 0)
#define __ffs(x)	((unsigned int)__builtin_ctzl(x))
#define ilog2(x)	(63 - __builtin_clzl(x))

static inline bool test_bit(unsigned int n, const unsigned long *p)
{
	return p[n / 64] >> (n % 64) & 1;
}
static inline void __set_bit(unsigned int n, unsigned long *p) { p[n / 64] |= BIT(n % 64); }
static inline void __clear_bit(unsigned int n, unsigned long *p) { p[n / 64] &= ~BIT(n % 64); }
static inline bool test_and_set_bit(unsigned int n, unsigned long *p)
{
	bool old;

	STEP(p);
	old = test_bit(n, p);
	__set_bit(n, p);
	return old;
}
static inline bool __test_and_clear_bit(unsigned int n, unsigned long *p)
{
	bool old = test_bit(n, p);

	__clear_bit(n, p);
	return old;
}
#define set_bit(n, p)	({ STEP(p); __set_bit(n, p); })
#define clear_bit(n, p)	({ STEP(p); __clear_bit(n, p); })
#define DECLARE_BITMAP(name, n) unsigned long name[(n) / 64]
static inline unsigned long find_last_bit(const unsigned long *p, unsigned long n)
{
	unsigned long i = n;

	while (i--)
		if (test_bit(i, p))
			return i;
	return n;
}
#define BITS_TO_LONGS(n) (((n) + 63) / 64)
#define bitmap_zero(p, n) memset(p, 0, (n) / 8)
#define bitmap_copy(d, s, n) memcpy(d, s, (n) / 8)
#define for_each_set_bit(b, p, n) for ((b) = 0; (b) < (n); (b)++) if (!test_bit(b, p)) {} else
static inline unsigned long find_next_zero_bit(const unsigned long *p, unsigned long n, unsigned long b)
{
	while (b < n && test_bit(b, p))
		b++;
	return b;
}

#define atomic_read(a)		((a)->counter)
#define atomic_read_acquire(a)	((a)->counter)
#define atomic_set(a, v)	((a)->counter = (v))
#define atomic_set_release(a, v) ((a)->counter = (v))
#define atomic_inc(a)		((a)->counter++)
#define atomic_add(n, a)	((a)->counter += (n))
#define atomic_xchg(a, v)	xchg(&(a)->counter, v)

/* Locks and lifetimes. */
typedef struct { bool held; } spinlock_t;
struct mutex { bool held; };
#define spin_lock_init(l)	((l)->held = false)
#define spin_lock(l)		({ if ((l)->held) abort(); (l)->held = true; })
#define spin_unlock(l)		({ if (!(l)->held) abort(); (l)->held = false; })
#define mutex_lock		spin_lock
#define mutex_unlock		spin_unlock
#define lockdep_is_held(l)	((l)->held)
#define lockdep_assert_held(l)	({ if (!(l)->held) abort(); })
#define rcu_read_lock()		((void)0)
#define rcu_read_unlock()	((void)0)
#define rcu_dereference(p)	(p)
#define rcu_dereference_protected(p, c) (p)
#define rcu_replace_pointer(p, v, c) xchg(&(p), v)
#define RCU_INIT_POINTER(p, v)	((p) = (v))
#define kvfree_rcu(p, f)	free(p)
#define srcu_read_lock(s)	0
#define srcu_read_unlock(s, i)	((void)(i))
struct rcu_head { int unused; };
#define GFP_KERNEL_ACCOUNT	0
#define __GFP_ZERO		0
#define alloc_page(f)		((struct page *)calloc(1, PAGE_SIZE))
#define __free_page(p)		free(p)
#define get_zeroed_page(f)	((unsigned long)calloc(1, PAGE_SIZE))
#define free_page(p)		free((void *)(p))
#define kzalloc(n, f)		calloc(1, n)
#define kvzalloc(n, f)		calloc(1, n)
#define kfree			free
enum hrtimer_restart { HRTIMER_NORESTART };
struct hrtimer { int unused; };
struct work_struct { int unused; };
struct delayed_work { struct work_struct work; bool queued; };
#define INIT_DELAYED_WORK(w, f)	((w)->queued = false, (void)(f))
#define schedule_delayed_work(w, t) ((w)->queued = true)
#define cancel_delayed_work_sync(w) ((w)->queued = false)

/* core */
struct hlist_node { void *next; };
struct kvm_gpa_cache { int unused; };
struct kvm {
	struct mutex lock, slots_lock, irq_lock;
	int irq_srcu, created_vcpus;
	atomic_t online_vcpus;
	struct kvm_vcpu *vcpus[8];
};
enum { KVM_VCPU_OUTSIDE_GUEST, KVM_VCPU_IN_GUEST, KVM_VCPU_EXITING };
struct kvm_vcpu {
	struct kvm *kvm;
	int id, cpu, mode, kicks;
	u64 requests;
	u32 guest_debug;
};
#define kvm_for_each_vcpu(i, v, k) \
	for ((i) = 0; (i) < (k)->online_vcpus.counter && ((v) = (k)->vcpus[i]); (i)++)
#define kvm_make_request(r, v)	({ STEP(&(v)->requests); (v)->requests |= BIT(r); })
void kvm_vcpu_kick(struct kvm_vcpu *v);
/* This thread's CPU, and an IPI that there is for its vCPU alone. */
int smp_processor_id(void);
#define cpumask_of(cpu)		(cpu)
#define POSTED_INTR_VECTOR	0xf2
void __apic_send_IPI_mask(int cpu, int vector);
struct kvm_io_device { const struct kvm_io_device_ops *ops; };
struct kvm_io_device_ops {
	int (*read)(struct kvm_vcpu *v, struct kvm_io_device *d, gpa_t a, int len, void *val);
	int (*write)(struct kvm_vcpu *v, struct kvm_io_device *d, gpa_t a, int len, const void *val);
	bool read_irqoff, write_irqoff;
};
enum { KVM_MMIO_BUS, KVM_PIO_BUS };
#define kvm_iodevice_init(d, o)	((d)->ops = (o))
int kvm_io_bus_register_dev(struct kvm *kvm, int bus, gpa_t addr, int len, struct kvm_io_device *dev);
int kvm_io_bus_unregister_dev(struct kvm *kvm, int bus, struct kvm_io_device *dev);
int kvm_make_all_cpus_request(struct kvm *kvm, unsigned int req);

#define KVM_MAX_IRQ_ROUTES	4096
#define KVM_MAX_IRQCHIPS	3
#define KVM_USERSPACE_IRQ_SOURCE_ID	0
#define KVM_ARCH_IRQ_SOURCE_BASE	2
struct kvm_kernel_irq_routing_entry {
	u32 gsi, type;
	int (*set)(struct kvm_kernel_irq_routing_entry *e, struct kvm *kvm, int src, int level, bool st);
	union {
		struct { unsigned int irqchip, pin; } irqchip;
		struct { u32 address_lo, address_hi, data, flags, devid; } msi;
	};
};
int kvm_irq_map_gsi(struct kvm *kvm, struct kvm_kernel_irq_routing_entry *e, u32 gsi);
int kvm_set_irq_routing(struct kvm *kvm, const struct kvm_irq_routing_entry *e, unsigned int nr,
			unsigned int flags);
void kvm_notify_acked_irq(struct kvm *kvm, unsigned int chip, unsigned int pin);
bool kvm_irq_has_notifier(struct kvm *kvm, unsigned int chip, unsigned int pin);

/* the machine */
enum { X86_REQ_EVENT, X86_REQ_SMI, X86_REQ_SCAN_IOAPIC, X86_REQ_IOAPIC_EOI_EXIT,
       X86_REQ_APICV_UPDATE, KVM_REQ_TLB_FLUSH };
enum x86_irqchip_mode { X86_IRQCHIP_NONE, X86_IRQCHIP_KERNEL, X86_IRQCHIP_SPLIT };
struct x86_vcpu {
	struct kvm_vcpu core;
	struct x86_lapic *apic;
	struct x86_posted *posted;
	u64 apic_base, cr8;
	u64 eoi_exit_bitmap[4];
	u8 pending_ioapic_eoi, pending_external_vector;
	bool pending_external_vector_valid;
	struct { bool injected; u8 vector; } interrupt;
	struct { bool pending; } pv_eoi;
	int nmis, smis;
};
struct x86_vm {
	struct kvm core;
	enum x86_irqchip_mode irqchip_mode;
	struct x86_pic *pic;
	struct x86_ioapic *ioapic;
	struct mutex apic_map_lock;
	struct x86_apic_map *apic_map;
	atomic_t apic_map_dirty, lvt0_nmi_count;
	unsigned long irq_sources_bitmap;
	u32 nr_reserved_ioapic_pins;
	u64 apic_bus_cycle_ns, disabled_quirks;
	bool x2apic_format, x2apic_broadcast_quirk_disabled;
	struct page *apic_page;
	bool apic_page_used;
};
void x86_mmu_unmap_apic_page(struct x86_vm *vm);
static inline struct x86_vcpu *x86_vcpu_of(struct kvm_vcpu *v) { return (struct x86_vcpu *)v; }
static inline struct x86_vm *x86_vm_of(struct kvm *k) { return (struct x86_vm *)k; }
static inline struct x86_vm *x86_vcpu_vm(const struct x86_vcpu *v) { return x86_vm_of(v->core.kvm); }
enum { X86_FEATURE_X2APIC, X86_FEATURE_TSC_DEADLINE_TIMER };
#define guest_cpuid_has(v, f)	true
struct x86_vendor_caps { bool irq_delivery, irq_posting, apic_page; };
struct x86_apicv_ops {
	void (*changed)(struct x86_vcpu *vcpu);
	void (*set_requested)(struct x86_vcpu *vcpu, int vector);
	void (*set_in_service)(struct x86_vcpu *vcpu, int vector);
	void (*set_eoi_exits)(struct x86_vcpu *vcpu, const u64 bitmap[4]);
};
struct x86_vendor_ops { const struct x86_apicv_ops *apicv; };
const struct x86_vendor_ops *x86_vendor_ops(void);
extern bool x86_force_emulation;
const struct x86_vendor_caps *x86_vendor_caps(void);
void x86_inject_nmi(struct x86_vcpu *vcpu);
void x86_inject_smi(struct x86_vcpu *vcpu);
#define vendor_call(op)		fake_##op
void fake_update_cr8_intercept(struct x86_vcpu *vcpu, int tpr, int irr);

/* registers, SDM 3A table 10-1 and figures of chapter 10 */
#define MSR_IA32_APICBASE_BSP	BIT(8)
#define X2APIC_ENABLE		BIT(10)
#define MSR_IA32_APICBASE_ENABLE BIT(11)
#define MSR_IA32_TSC_DEADLINE	0x6e0
#define APIC_DEFAULT_PHYS_BASE	0xfee00000
#ifndef KVM_APIC_REG_SIZE
#define KVM_APIC_REG_SIZE	0x400
#endif
#define APIC_ID		0x20
#define APIC_LVR	0x30
#define  APIC_LVR_DIRECTED_EOI	(1 << 24)
#define APIC_TASKPRI	0x80
#define APIC_ARBPRI	0x90
#define APIC_PROCPRI	0xa0
#define APIC_EOI	0xb0
#define APIC_RRR	0xc0
#define APIC_LDR	0xd0
#define  APIC_LDR_MASK	0xff000000u
#define APIC_DFR	0xe0
#define APIC_SPIV	0xf0
#define  APIC_SPIV_DIRECTED_EOI	(1 << 12)
#define  APIC_SPIV_FOCUS_DISABLED (1 << 9)
#define  APIC_SPIV_APIC_ENABLED	(1 << 8)
#define APIC_ISR	0x100
#define APIC_TMR	0x180
#define APIC_IRR	0x200
#define APIC_ESR	0x280
#define  APIC_ESR_SENDILL	0x20
#define  APIC_ESR_RECVILL	0x40
#define  APIC_ESR_ILLREGA	0x80
#define APIC_ICR	0x300
#define  APIC_DEST_SELF		0x40000
#define  APIC_DEST_ALLBUT	0xc0000
#define  APIC_INT_LEVELTRIG	0x8000
#define  APIC_INT_ASSERT	0x4000
#define  APIC_ICR_BUSY		0x1000
#define  APIC_DEST_LOGICAL	0x800
#define  APIC_VECTOR_MASK	0xff
#define APIC_ICR2	0x310
#define APIC_LVTT	0x320
#define APIC_LVTTHMR	0x330
#define APIC_LVTPC	0x340
#define APIC_LVT0	0x350
#define APIC_LVT1	0x360
#define APIC_LVTERR	0x370
#define  APIC_LVT_TIMER_PERIODIC (1 << 17)
#define  APIC_LVT_TIMER_TSCDEADLINE (2 << 17)
#define  APIC_LVT_MASKED	(1 << 16)
#define  APIC_LVT_LEVEL_TRIGGER	(1 << 15)
#define  APIC_LVT_REMOTE_IRR	(1 << 14)
#define  APIC_INPUT_POLARITY	(1 << 13)
#define  APIC_SEND_PENDING	(1 << 12)
#define  APIC_MODE_MASK		0x700
#define  GET_APIC_DELIVERY_MODE(x) (((x) >> 8) & 7)
#define  APIC_MODE_NMI		4
#define  APIC_MODE_EXTINT	7
#define APIC_TMICT	0x380
#define APIC_TMCCT	0x390
#define APIC_TDCR	0x3e0
#define APIC_SELF_IPI	0x3f0

#endif
