/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The local APIC as the rooms of irqchip/ share it: the register page, vectors
 * in it, messages and who receives them. Nobody outside irqchip/ includes this:
 * irqchip.h is the front door.
 *
 * Who writes what (no lock is needed in the fast paths because of it):
 *   IRR, TMR   set by any thread or interrupt handler, atomically; IRR is
 *              cleared by the vCPU's thread, atomically
 *   ISR, TPR, PPR, LVTs, timer registers: the vCPU's thread only (or an ioctl
 *              that holds its mutex); others read single 32-bit words
 * Locks: apic_map_lock (mutex, writers of the map) comes before nothing else of
 * ours; the map is read under RCU.
 */
#ifndef ARCH_X86_IRQCHIP_LAPIC_H
#define ARCH_X86_IRQCHIP_LAPIC_H

#include <asm/apicdef.h>

#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/irqchip/posted.h"

/* Delivery modes (SDM 3A 10.6.1), as in bits 10:8 of ICR, LVT, RTE and MSI. */
enum x86_delivery_mode {
	X86_DM_FIXED, X86_DM_LOWEST, X86_DM_SMI, X86_DM_REMRD,
	X86_DM_NMI, X86_DM_INIT, X86_DM_SIPI, X86_DM_EXTINT,
};

/* Destination shorthands, as in bits 19:18 of ICR. */
enum x86_irq_shorthand {
	X86_DEST_NONE, X86_DEST_SELF, X86_DEST_ALL, X86_DEST_ALL_BUT_SELF,
};

/**
 * struct x86_irq_msg - a message on the interrupt bus
 * @dest: destination; 8 bits unless sender or receiver is in x2APIC mode
 * @vector: 0-255
 * @mode: enum x86_delivery_mode
 * @shorthand: enum x86_irq_shorthand; not NONE only with a sending APIC
 * @logical: @dest is a logical destination
 * @level: level-triggered (IOAPIC, MSI) or INIT level de-assert (ICR)
 * @assert: false only for INIT level de-assert
 */
struct x86_irq_msg {
	u32 dest;
	u8 vector;
	u8 mode;
	u8 shorthand;
	bool logical;
	bool level;
	bool assert;
};

/* Bits of x86_lapic.pending_events. */
#define LAPIC_EVENT_INIT	0
#define LAPIC_EVENT_SIPI	1

/**
 * struct x86_lapic_timer - one of three counters (SDM 3A 10.5.4)
 * @hrtimer: fires in hard interrupt context
 * @mode: APIC_LVT_TIMER_ONESHOT, _PERIODIC or _TSCDEADLINE
 * @divide: by how much the bus clock is divided, 1..128
 * @period_ns: length of a full count of TMICT; 0: not counting
 * @tsc_deadline: guest TSC at which to fire; 0: disarmed (a: the callback zeroes it)
 * @in_hardware: the vendor leaves the guest at @tsc_deadline; @hrtimer is idle (v)
 */
struct x86_lapic_timer {
	struct hrtimer hrtimer;
	u32 mode;
	u32 divide;
	u64 period_ns;
	u64 tsc_deadline;
	bool in_hardware;
};

/**
 * struct x86_lapic - a vCPU's local APIC
 * @vcpu: whose (c)
 * @regs: a page, registers at the offsets of SDM 3A table 10-1 (c)
 * @sw_enabled: SVR bit 8 (a)
 * @irr_pending: false: the IRR is empty; true: look (a)
 * @isr_highest: highest vector in service, -1: none (v; read by others)
 * @esr_pending: errors since ESR was last written (a)
 * @pending_events: INIT and SIPI that have arrived (a)
 * @sipi_vector: written before LAPIC_EVENT_SIPI is set (a)
 * @lowest_prio_count: interrupts taken by lowest-priority arbitration (a)
 * @virtualized: the vendor has operations for it (c)
 * @posts: the CPU may write to the IRR while the guest runs, so others post (c)
 * @posted: vectors posted that are for the vCPU's thread to take, never for the CPU (a)
 * @apicv: the CPU delivers; ->isr_highest and PPR are not kept (v)
 * @apicv_mode: for which the vendor's controls are set (v)
 * @eoi_exits: as the vendor has them, with @apicv (v)
 * @lvt0_nmi: LVT0 passes timer ticks as NMIs (v)
 * @pv_unhalt: another vCPU has kicked this one out of HLT (a)
 * @vapic: TPR page of KVM_SET_VAPIC_ADDR (v)
 * @timer: its timer
 */
struct x86_lapic {
	struct x86_vcpu *vcpu;
	void *regs;
	bool sw_enabled;
	bool irr_pending;
	int isr_highest;
	unsigned long esr_pending;
	unsigned long pending_events;
	u8 sipi_vector;
	bool lvt0_nmi;
	bool pv_unhalt;
	atomic_t lowest_prio_count;
	bool virtualized;
	bool posts;
	bool apicv;
	enum x86_apic_mode apicv_mode;
	struct x86_posted posted;
	u64 eoi_exits[4];
	struct {
		bool active;
		bool report_tpr, write;
		u64 rip;
		struct kvm_gpa_cache cache;
	} vapic;
	struct x86_lapic_timer timer;
};

/* ---- registers ------------------------------------------------------------ */

static inline u32 lapic_reg(const struct x86_lapic *apic, unsigned int reg)
{
	return READ_ONCE(*(u32 *)(apic->regs + reg));
}

static inline void lapic_set_reg(struct x86_lapic *apic, unsigned int reg, u32 val)
{
	WRITE_ONCE(*(u32 *)(apic->regs + reg), val);
}

/* IRR, ISR and TMR are 256 bits each, 32 of them at every 16 bytes. */
static inline unsigned long *lapic_vec_word(const struct x86_lapic *apic,
					    unsigned int base, u8 vec)
{
	return apic->regs + base + (vec >> 5) * 0x10;
}

static inline bool lapic_test_vec(const struct x86_lapic *apic, unsigned int base, u8 vec)
{
	return lapic_reg(apic, base + (vec >> 5) * 0x10) & BIT(vec & 31);
}

/**
 * lapic_highest() - highest vector set in IRR, ISR or TMR
 * @apic: the APIC
 * @base: APIC_IRR, APIC_ISR or APIC_TMR
 *
 * Any thread. Return: vector, or -1.
 */
static inline int lapic_highest(const struct x86_lapic *apic, unsigned int base)
{
	int i;

	for (i = 7; i >= 0; i--) {
		u32 word = lapic_reg(apic, base + i * 0x10);

		if (word)
			return i * 32 + fls(word) - 1;
	}
	return -1;
}

/** lapic_highest_posted() - the highest vector posted and not in the IRR yet, -1: none. Any
 *  thread (posted.c) */
int lapic_highest_posted(const struct x86_lapic *apic);

/* The highest one requested, whether or not it is in the IRR already. Any thread. */
static inline int lapic_highest_irr(const struct x86_lapic *apic)
{
	int posted = apic->posts ? lapic_highest_posted(apic) : -1;
	int irr = -1;

	if (READ_ONCE(apic->irr_pending) || READ_ONCE(apic->apicv))
		irr = lapic_highest(apic, APIC_IRR);
	return max(posted, irr);
}

/* The highest one in service. Any thread; others than the vCPU's see it a little late. */
static inline int lapic_highest_isr(const struct x86_lapic *apic)
{
	return READ_ONCE(apic->apicv) ? lapic_highest(apic, APIC_ISR) :
					READ_ONCE(apic->isr_highest);
}

static inline bool lapic_hw_enabled(const struct x86_lapic *apic)
{
	return READ_ONCE(apic->vcpu->apic_base) & MSR_IA32_APICBASE_ENABLE;
}

static inline bool lapic_x2apic(const struct x86_lapic *apic)
{
	return READ_ONCE(apic->vcpu->apic_base) & X2APIC_ENABLE;
}

/* The APIC ID: 32 bits in x2APIC mode, else the top byte of the register. */
static inline u32 lapic_id(const struct x86_lapic *apic)
{
	u32 id = lapic_reg(apic, APIC_ID);

	return lapic_x2apic(apic) ? id : id >> 24;
}

/* Logical x2APIC ID (SDM 3A 10.12.10.2). */
static inline u32 lapic_x2apic_ldr(u32 id)
{
	return (id >> 4) << 16 | BIT(id & 0xf);
}

/**
 * lapic_ppr() - processor priority (SDM 3A 10.8.3.1), without storing it
 * @apic: the APIC. Any thread.
 */
static inline u32 lapic_ppr(const struct x86_lapic *apic)
{
	u32 tpr = lapic_reg(apic, APIC_TASKPRI) & 0xff;
	int isr = lapic_highest_isr(apic);
	u32 isrv = isr < 0 ? 0 : isr & 0xf0;

	return (tpr & 0xf0) >= isrv ? tpr : isrv;
}

/* ---- lapic.c: reading and writing registers --------------------------------- */

/**
 * lapic_update_ppr() - recompute PPR after TPR or ISR changed; ask for injection
 *	if an interrupt may now be deliverable
 * @apic: the APIC; the vCPU's thread
 */
void lapic_update_ppr(struct x86_lapic *apic);

/**
 * lapic_write_tpr() - TPR as the guest or user space sets it
 * @apic: the APIC; the vCPU's thread
 * @tpr: 0-255
 */
void lapic_write_tpr(struct x86_lapic *apic, u32 tpr);

/**
 * lapic_eoi() - the guest has handled the highest interrupt in service
 * @apic: the APIC; the vCPU's thread, takes the IOAPIC's lock for level interrupts
 *
 * SDM 3A 10.8.5. Nothing happens if none is in service.
 */
void lapic_eoi(struct x86_lapic *apic);

/** lapic_eoi_matters() - must an IOAPIC, or who waits for its pin, hear of this EOI? */
bool lapic_eoi_matters(const struct x86_lapic *apic, u8 vec);

/**
 * lapic_set_svr() - spurious vector register, with what follows from bit 8
 * @apic: the APIC; the vCPU's thread
 * @val: checked value. The caller updates the APIC map.
 */
void lapic_set_svr(struct x86_lapic *apic, u32 val);

/** lapic_version() - what the version register reads (SDM 3A 10.4.8) */
u32 lapic_version(const struct x86_lapic *apic);

/** lapic_svr_mask() - bits that exist in the spurious vector register */
u32 lapic_svr_mask(const struct x86_lapic *apic);

/**
 * lapic_lvt_mask() - bits that can be written in an LVT register
 * @apic: the APIC
 * @reg: APIC_LVTT ... APIC_LVTERR
 */
u32 lapic_lvt_mask(const struct x86_lapic *apic, u32 reg);

/**
 * lapic_set_lvt() - an LVT register, and what follows from it
 * @apic: the APIC; the vCPU's thread
 * @reg: APIC_LVTT ... APIC_LVTERR
 * @val: masked by lapic_lvt_mask() here; the mask bit is forced if software-disabled
 */
void lapic_set_lvt(struct x86_lapic *apic, u32 reg, u32 val);

/**
 * lapic_load_lvt() - likewise at reset and restore, where a software-disabled APIC
 *	may have an unmasked LVT0 (KVM_X86_QUIRK_LINT0_REENABLED)
 */
void lapic_load_lvt(struct x86_lapic *apic, u32 reg, u32 val);

/**
 * lapic_error() - record an error for ESR and raise the error interrupt
 * @apic: the APIC; any context
 * @bit: APIC_ESR_*
 */
void lapic_error(struct x86_lapic *apic, u32 bit);

/** lapic_reg_written() - what follows from a value that is in its register already, unchecked:
 *  an APIC-write exit (SDM 3C 30.4.3.2). Return: is there a register to write? */
bool lapic_reg_written(struct x86_lapic *apic, u32 reg);

/** lapic_eoi_done() - @vec is out of service: tell the IOAPIC, if it wants to hear of it */
void lapic_eoi_done(struct x86_lapic *apic, u8 vec);

/* ---- apicv.c: the CPU delivers --------------------------------------------- */

/** lapic_apicv_init() - of a new APIC */
void lapic_apicv_init(struct x86_lapic *apic);
/** lapic_tell_in_service() - with ->apicv: the ISR was changed by us. Loaded */
void lapic_tell_in_service(struct x86_lapic *apic);
/** x86_apic_page_create() / _free() - a VM's page at the APIC's address. 0, -ENOMEM */
int x86_apic_page_create(struct x86_vm *vm);
void x86_apic_page_free(struct x86_vm *vm);
/** lapic_update_page() - APIC modes have changed: may that page be mapped? apic_map_lock;
 *  takes mmu_lock */
void lapic_update_page(struct x86_vm *vm);
/** lapic_apicv_stale() - state that the CPU was told has changed. Any thread */
static inline void lapic_apicv_stale(struct x86_lapic *apic)
{
	if (apic->virtualized)
		kvm_make_request(X86_REQ_APICV_UPDATE, &apic->vcpu->core);
}

/* ---- posted.c: vectors for an IRR that is not ours to write ------------------- */

/** lapic_posted_create() / _free() - of a new APIC, whose vCPU is set. 0, -ENOMEM */
int lapic_posted_create(struct x86_lapic *apic);
void lapic_posted_free(struct x86_lapic *apic);
/**
 * lapic_post() - an interrupt for a vCPU whose IRR may be in the CPU's hands, and a
 *	notification of it
 * @apic: the APIC; ->posts
 * @vector: 16-255; TMR says already how it is triggered
 * @level: level-triggered: the vCPU leaves the guest for it
 *
 * Any context. Return: false: it was posted already, and who did that notifies.
 * SDM 3C 29.6.
 */
bool lapic_post(struct x86_lapic *apic, u8 vector, bool level);
/** lapic_collect_posted() - posted vectors go into the IRR. The vCPU is not in guest mode;
 *  its thread, or an ioctl on it */
void lapic_collect_posted(struct x86_lapic *apic);
/** lapic_drop_posted() - the IRR is replaced, or empty from now on. Likewise */
void lapic_drop_posted(struct x86_lapic *apic);

/** lapic_notify() - it has something to inject: out of guest mode, or of HLT. Any context */
static inline void lapic_notify(struct x86_lapic *apic)
{
	kvm_make_request(X86_REQ_EVENT, &apic->vcpu->core);
	kvm_vcpu_kick(&apic->vcpu->core);
}

/* ---- lapic_deliver.c: messages arriving at one APIC, and being sent ---------- */

/**
 * lapic_accept() - an APIC receives a message
 * @apic: hardware-enabled APIC
 * @mode: enum x86_delivery_mode
 * @vector: vector, or SIPI's page
 * @level: level-triggered, see struct x86_irq_msg
 * @assert: likewise
 *
 * Any context, also hard interrupts. Return: 1 taken, 0 coalesced with one that is
 * already in the IRR, -1 ignored.
 */
int lapic_accept(struct x86_lapic *apic, u32 mode, u8 vector, bool level, bool assert);

/**
 * lapic_local_deliver() - an interrupt of the APIC's own, as its LVT register says
 * @apic: the APIC
 * @lvt: APIC_LVTT ... APIC_LVTERR
 *
 * Any context. Return: as lapic_accept(); -1 if masked.
 */
int lapic_local_deliver(struct x86_lapic *apic, u32 lvt);

/**
 * lapic_send_icr() - send what is written to ICR (SDM 3A 10.6.1)
 * @apic: the sender
 * @lo: low half
 * @dest: destination field, 8 bits or (x2APIC) 32
 *
 * Any context (RCU reader taken inside).
 */
void lapic_send_icr(struct x86_lapic *apic, u32 lo, u32 dest);

/** x86_lapic_pending() - vector in IRR whose class is above PPR, or -1. Any thread. */
int x86_lapic_pending(struct x86_vcpu *vcpu);
/** x86_lapic_ack() - the CPU takes the pending vector: IRR to ISR. Vector or -1. */
int x86_lapic_ack(struct x86_vcpu *vcpu);

/* ---- apic_map.c: who receives a message ------------------------------------ */

/**
 * x86_irq_deliver() - send a message to all that it is for
 * @vm: the VM
 * @src: sending APIC, NULL for IOAPIC and MSI
 * @msg: the message
 *
 * Any context. Return: number of APICs that took it; 0 all coalesced; -1 nobody
 * there, or all ignored it.
 */
int x86_irq_deliver(struct x86_vm *vm, struct x86_lapic *src, const struct x86_irq_msg *msg);

/**
 * x86_irq_deliver_fast() - likewise, if the map knows the destinations at once
 * @vm: the VM
 * @src: sending APIC or NULL
 * @msg: the message
 * @result: as x86_irq_deliver() returns
 *
 * Bounded work (16 destinations), any context. Return: false if every vCPU would have
 * to be asked; nothing is delivered then.
 */
bool x86_irq_deliver_fast(struct x86_vm *vm, struct x86_lapic *src,
			  const struct x86_irq_msg *msg, int *result);

/**
 * x86_apic_match() - is a message for this APIC?
 * @apic: hardware-enabled receiver
 * @src: sending APIC or NULL
 * @msg: the message
 *
 * Any thread. SDM 3A 10.6.2.
 */
bool x86_apic_match(const struct x86_lapic *apic, const struct x86_lapic *src,
		    const struct x86_irq_msg *msg);

/**
 * x86_apic_map_find() - vCPU whose (x2)APIC ID is @id
 * Context: RCU reader. Return: its APIC or NULL.
 */
struct x86_lapic *x86_apic_map_find(struct x86_vm *vm, u32 id);

/** x86_apic_map_free() - at the VM's end, no vCPU is left */
void x86_apic_map_free(struct x86_vm *vm);

/** x86_apic_map_touch() - something that the map is made from has changed */
static inline void x86_apic_map_touch(struct x86_vm *vm)
{
	atomic_set_release(&vm->apic_map_dirty, 1);
}

/* ---- lapic_timer.c ---------------------------------------------------------- */

void lapic_timer_init(struct x86_lapic *apic);
/** lapic_timer_cancel() - stop; returns when the callback no longer runs. Not from it. */
void lapic_timer_cancel(struct x86_lapic *apic);
/** lapic_timer_start() - count from TMICT (one-shot, periodic). The vCPU's thread. */
void lapic_timer_start(struct x86_lapic *apic);
/** lapic_timer_restore() - count on from @tmcct, after KVM_SET_LAPIC */
void lapic_timer_restore(struct x86_lapic *apic, u32 tmcct);
/** lapic_timer_count() - what TMCCT reads now */
u32 lapic_timer_count(struct x86_lapic *apic);
/** lapic_timer_lvtt_written() - LVTT's mode may have changed: SDM 3A 10.5.4.1 */
void lapic_timer_lvtt_written(struct x86_lapic *apic);
/** lapic_timer_tdcr_written() - the divide configuration changed */
void lapic_timer_tdcr_written(struct x86_lapic *apic);

/* ---- lapic_pv.c -------------------------------------------------------------- */

/** lapic_report_tpr() - KVM_TPR_ACCESS_REPORTING: tell user space of an access to TPR */
void lapic_report_tpr(struct x86_lapic *apic, bool write);
/** lapic_withdraw_pv_eoi() - no offer to end an interrupt by a flag is open after this:
 *  state can be saved. The vCPU's thread or an ioctl on it, sleeps. */
void lapic_withdraw_pv_eoi(struct x86_lapic *apic);

/* ---- msi.c ------------------------------------------------------------------- */

/** x86_msi_decode() - address and data of an MSI (SDM 3A 10.11) as a message */
void x86_msi_decode(const struct x86_vm *vm, const struct kvm_kernel_irq_routing_entry *e,
		    struct x86_irq_msg *msg);
/** x86_msi_set_route() - kvm_arch_set_routing_entry() for an MSI. 0, -EINVAL. */
int x86_msi_set_route(struct x86_vm *vm, struct kvm_kernel_irq_routing_entry *e,
		      const struct kvm_irq_routing_entry *ue);
/** x86_set_msi() - ->set() of an MSI route */
int x86_set_msi(struct kvm_kernel_irq_routing_entry *e, struct kvm *kvm,
		int irq_source_id, int level, bool line_status);

/* ---- pic.c -------------------------------------------------------------------- */

/** x86_pic_create() - make the two chips, put them on the port bus.
 *  Context: kvm->slots_lock. 0, -ENOMEM, -ENOSPC. */
int x86_pic_create(struct x86_vm *vm);
/** x86_pic_unregister() - off the bus (slots_lock held); x86_pic_free() - when it is off,
 *  or the bus is gone */
void x86_pic_unregister(struct x86_vm *vm);
void x86_pic_free(struct x86_vm *vm);
/** x86_pic_set_irq() - drive input @irq (0-15) for @source. 1, 0 coalesced, -1 masked */
int x86_pic_set_irq(struct x86_vm *vm, int irq, int source, int level);
/** x86_pic_output() - is INTR asserted? Any thread, no lock. */
bool x86_pic_output(struct x86_vm *vm);
/** x86_pic_ack() - INTA cycle: the vector */
int x86_pic_ack(struct x86_vm *vm);
/** x86_pic_get_state() / x86_pic_set_state() - KVM_GET/SET_IRQCHIP of one of the two */
void x86_pic_get_state(struct x86_vm *vm, int chip, struct kvm_pic_state *s);
void x86_pic_set_state(struct x86_vm *vm, int chip, const struct kvm_pic_state *s);

/* ---- ioapic.c ----------------------------------------------------------------- */

/** x86_ioapic_create() - Context: kvm->slots_lock. 0, -ENOMEM, -ENOSPC. */
int x86_ioapic_create(struct x86_vm *vm);
void x86_ioapic_unregister(struct x86_vm *vm);
/** x86_ioapic_stop() - nothing is re-delivered later; before the vCPUs are freed */
void x86_ioapic_stop(struct x86_vm *vm);
void x86_ioapic_free(struct x86_vm *vm);
/** x86_ioapic_set_irq() - drive @pin for @source. >0, 0 coalesced, -1 masked */
int x86_ioapic_set_irq(struct x86_vm *vm, unsigned int pin, int source, int level);
/** x86_ioapic_eoi() - a local APIC has finished @vector, which was level-triggered or
 *  somebody wants to know. The vCPU's thread. */
void x86_ioapic_eoi(struct x86_vm *vm, struct x86_lapic *apic, u8 vector);
/** x86_ioapic_scan() - set in @bitmap the vectors whose EOI by @apic matters to us */
void x86_ioapic_scan(struct x86_vm *vm, struct x86_lapic *apic, unsigned long *bitmap);
/** x86_ioapic_drop_source() - an interrupt source goes: its levels fall */
void x86_ioapic_drop_source(struct x86_vm *vm, int source);
void x86_pic_drop_source(struct x86_vm *vm, int source);
void x86_ioapic_get_state(struct x86_vm *vm, struct kvm_ioapic_state *s);
void x86_ioapic_set_state(struct x86_vm *vm, const struct kvm_ioapic_state *s);

#endif
