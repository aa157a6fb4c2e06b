/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest registers: lazily read from the hardware's control block, written
 * back before entry when dirty. For rooms of kvm.ko (it calls the vendor).
 */
#ifndef ARCH_X86_REGS_H
#define ARCH_X86_REGS_H

#include "arch-x86/x86.h"

static inline bool x86_reg_available(struct x86_vcpu *vcpu, enum x86_reg reg)
{
	return test_bit(reg, &vcpu->regs_avail);
}

static inline void x86_reg_mark_available(struct x86_vcpu *vcpu, enum x86_reg reg)
{
	__set_bit(reg, &vcpu->regs_avail);
}

static inline void x86_reg_mark_dirty(struct x86_vcpu *vcpu, enum x86_reg reg)
{
	__set_bit(reg, &vcpu->regs_avail);
	__set_bit(reg, &vcpu->regs_dirty);
}

static inline bool x86_reg_is_dirty(struct x86_vcpu *vcpu, enum x86_reg reg)
{
	return test_bit(reg, &vcpu->regs_dirty);
}

/**
 * x86_cache_reg() - have the vendor fill a lazily read register
 * Exported: vendors use x86_reg_read() too. Context: loaded.
 */
void x86_cache_reg(struct x86_vcpu *vcpu, enum x86_reg reg);

/** x86_reg_read() / x86_reg_write() - full 64 bits, whatever the mode */
static inline u64 x86_reg_read(struct x86_vcpu *vcpu, enum x86_reg reg)
{
	if (!x86_reg_available(vcpu, reg))
		x86_cache_reg(vcpu, reg);
	return vcpu->regs[reg];
}

static inline void x86_reg_write(struct x86_vcpu *vcpu, enum x86_reg reg, u64 val)
{
	vcpu->regs[reg] = val;
	x86_reg_mark_dirty(vcpu, reg);
}

/* As an instruction writes it: 4 bytes clear the upper half, 1 and 2 leave the rest alone. */
static inline void x86_write_sized(struct x86_vcpu *vcpu, enum x86_reg reg, u64 val,
				   unsigned int size)
{
	u64 mask = size == 1 ? 0xff : 0xffff;

	if (size < 4)
		val = (x86_reg_read(vcpu, reg) & ~mask) | (val & mask);
	else if (size == 4)
		val = (u32)val;
	x86_reg_write(vcpu, reg, val);
}

static inline u64 x86_rip_read(struct x86_vcpu *vcpu) { return x86_reg_read(vcpu, X86_REG_RIP); }
static inline void x86_rip_write(struct x86_vcpu *vcpu, u64 v) { x86_reg_write(vcpu, X86_REG_RIP, v); }
static inline u64 x86_rsp_read(struct x86_vcpu *vcpu) { return x86_reg_read(vcpu, X86_REG_RSP); }
static inline void x86_rsp_write(struct x86_vcpu *vcpu, u64 v) { x86_reg_write(vcpu, X86_REG_RSP, v); }
static inline u64 x86_rax_read(struct x86_vcpu *vcpu) { return x86_reg_read(vcpu, X86_REG_RAX); }
static inline void x86_rax_write(struct x86_vcpu *vcpu, u64 v) { x86_reg_write(vcpu, X86_REG_RAX, v); }

/* MSR-style pair: EDX:EAX. */
static inline u64 x86_edx_eax(struct x86_vcpu *vcpu)
{
	return (x86_reg_read(vcpu, X86_REG_RDX) << 32) | (u32)x86_rax_read(vcpu);
}

/* Control registers. CR0 and CR4 as the guest believes them to be. */
static inline u64 x86_cr0(struct x86_vcpu *vcpu)
{
	if (!x86_reg_available(vcpu, X86_REG_CR0))
		x86_cache_reg(vcpu, X86_REG_CR0);
	return vcpu->cr0;
}

static inline u64 x86_cr4(struct x86_vcpu *vcpu)
{
	if (!x86_reg_available(vcpu, X86_REG_CR4))
		x86_cache_reg(vcpu, X86_REG_CR4);
	return vcpu->cr4;
}

static inline u64 x86_cr3(struct x86_vcpu *vcpu)
{
	if (!x86_reg_available(vcpu, X86_REG_CR3))
		x86_cache_reg(vcpu, X86_REG_CR3);
	return vcpu->cr3;
}

static inline bool x86_cr0_is(struct x86_vcpu *vcpu, u64 bit) { return x86_cr0(vcpu) & bit; }
static inline bool x86_cr4_is(struct x86_vcpu *vcpu, u64 bit) { return x86_cr4(vcpu) & bit; }
/* No vendor lets the guest change these without an exit: there is nothing to ask for. */
static inline bool x86_is_protected(struct x86_vcpu *vcpu) { return vcpu->cr0 & X86_CR0_PE; }
static inline bool x86_is_paging(struct x86_vcpu *vcpu) { return vcpu->cr0 & X86_CR0_PG; }
static inline bool x86_is_pae(struct x86_vcpu *vcpu) { return vcpu->cr4 & X86_CR4_PAE; }
static inline bool x86_is_long_mode(struct x86_vcpu *vcpu) { return vcpu->efer & EFER_LMA; }
static inline bool x86_is_pae_paging(struct x86_vcpu *vcpu)
{
	return x86_is_paging(vcpu) && x86_is_pae(vcpu) && !x86_is_long_mode(vcpu);
}

/** x86_is_noncanonical() - would a 64 bit linear address fault (SDM 1 3.3.7.1)? */
static inline bool x86_is_noncanonical(struct x86_vcpu *vcpu, u64 la)
{
	unsigned int shift = x86_cr4_is(vcpu, X86_CR4_LA57) ? 64 - 57 : 64 - 48;

	return (u64)((s64)(la << shift) >> shift) != la;
}

/** x86_is_64bit_mode() - CS.L in long mode. Context: loaded. */
bool x86_is_64bit_mode(struct x86_vcpu *vcpu);

/**
 * x86_get_rflags() / x86_set_rflags() - as the guest sees them: a debugger's TF is hidden
 * @vcpu: the vCPU, loaded
 * @rflags: new value; the fixed bit is added
 *
 * While user space single-steps, TF is added again for the instruction that it steps.
 */
unsigned long x86_get_rflags(struct x86_vcpu *vcpu);
void x86_set_rflags(struct x86_vcpu *vcpu, unsigned long rflags);

/** x86_get_linear_rip() - CS.base + RIP, wrapped to 32 bits outside 64-bit mode. Loaded. */
unsigned long x86_get_linear_rip(struct x86_vcpu *vcpu);

/**
 * x86_set_cr0() ... x86_set_cr8() - write by the guest, with the checks of SDM 3A 2.5, 4.1,
 *	4.10 and APM 2 3.1; then the vendor, the MMU, CPUID and the TLB hear of it
 * @vcpu: the vCPU, loaded; SRCU held (PAE's PDPTEs may be read)
 * @cr0: value, likewise the others
 *
 * Return: 0; 1: #GP must be injected, nothing changed.
 */
int x86_set_cr0(struct x86_vcpu *vcpu, u64 cr0);
int x86_set_cr3(struct x86_vcpu *vcpu, u64 cr3);
int x86_set_cr4(struct x86_vcpu *vcpu, u64 cr4);
int x86_set_cr8(struct x86_vcpu *vcpu, u64 cr8);
u64 x86_get_cr8(struct x86_vcpu *vcpu);

/**
 * x86_set_efer() - WRMSR of EFER
 * @vcpu: the vCPU, loaded
 * @efer: value; LMA is ignored
 * @host: by user space: what the host can do counts, not CPUID, nor CR0.PG
 *
 * Return: 0; 1: #GP, nothing changed.
 */
int x86_set_efer(struct x86_vcpu *vcpu, u64 efer, bool host);

/**
 * x86_set_xcr() - XSETBV
 * @vcpu: the vCPU
 * @index: only 0 exists
 * @xcr: value; takes effect at the next x86_load_guest_xstate()
 *
 * Return: 0; 1: #GP (SDM 1 13.3), nothing changed.
 */
int x86_set_xcr(struct x86_vcpu *vcpu, u32 index, u64 xcr);

/**
 * x86_cr0_valid() ... x86_efer_valid() - would the value alone be accepted?
 *
 * Without the checks that depend on what the register was before: for user
 * space, who sets them all at once (KVM_SET_SREGS). x86_efer_valid() asks what the
 * host can do, not what CPUID says.
 */
bool x86_cr0_valid(u64 cr0);
bool x86_cr3_valid(struct x86_vcpu *vcpu, u64 cr3);
bool x86_cr4_valid(struct x86_vcpu *vcpu, u64 cr4);
bool x86_efer_valid(u64 efer);

/**
 * x86_cr0_written() / x86_cr4_written() - what follows from a change: EFER.LMA,
 *	TLB, MMU, CPUID
 * @vcpu: the vCPU, loaded; the register has its new value
 * @old: value before
 * @new: value now
 *
 * For who changes the register without x86_set_cr0(): INIT, nested entries.
 */
void x86_cr0_written(struct x86_vcpu *vcpu, u64 old, u64 new);
void x86_cr4_written(struct x86_vcpu *vcpu, u64 old, u64 new);

/**
 * x86_vcpu_get_regs() ... x86_vcpu_set_sregs2() - KVM_GET_REGS ... KVM_SET_SREGS2,
 *	also by KVM_CAP_SYNC_REGS
 * @vcpu: the vCPU, mutex held; loaded by the caller
 *
 * Return: 0, or -EINVAL with nothing changed: a combination of control registers
 * that can't be (SDM 3A 2.5, 4.1), flags unknown.
 */
void x86_vcpu_get_regs(struct x86_vcpu *vcpu, struct kvm_regs *regs);
void x86_vcpu_set_regs(struct x86_vcpu *vcpu, const struct kvm_regs *regs);
void x86_vcpu_get_sregs(struct x86_vcpu *vcpu, struct kvm_sregs *sregs);
int x86_vcpu_set_sregs(struct x86_vcpu *vcpu, const struct kvm_sregs *sregs);
void x86_vcpu_get_sregs2(struct x86_vcpu *vcpu, struct kvm_sregs2 *sregs2);
int x86_vcpu_set_sregs2(struct x86_vcpu *vcpu, const struct kvm_sregs2 *sregs2);

/**
 * x86_vcpu_reset() - RESET or INIT (SDM 3A table 9-1, APM 2 table 14-1)
 * @vcpu: the vCPU, loaded; SRCU held
 * @init_event: INIT: FPU, XCR0, MTRRs, PAT, most MSRs, CR0.CD and NW stay
 *
 * mp_state is the caller's. Sleeps.
 */
void x86_vcpu_reset(struct x86_vcpu *vcpu, bool init_event);

/**
 * x86_emulate_cpuid() ... x86_emulate_invd() - intercepted instructions
 * @vcpu: the vCPU, loaded; SRCU held
 *
 * They do the instruction and step over it, or queue its exception; CPL and
 * #UD have been checked by the CPU unless said otherwise in cpu/insn.c.
 * Return: X86_RESUME; X86_USER, kvm_run is filled; -errno.
 */
int x86_emulate_cpuid(struct x86_vcpu *vcpu);
int x86_emulate_rdmsr(struct x86_vcpu *vcpu);
int x86_emulate_wrmsr(struct x86_vcpu *vcpu);
int x86_emulate_xsetbv(struct x86_vcpu *vcpu);
int x86_emulate_hlt(struct x86_vcpu *vcpu);
int x86_emulate_halt_noskip(struct x86_vcpu *vcpu);
int x86_emulate_hypercall(struct x86_vcpu *vcpu);
int x86_emulate_wbinvd(struct x86_vcpu *vcpu);
int x86_emulate_rdpmc(struct x86_vcpu *vcpu);
int x86_emulate_monitor(struct x86_vcpu *vcpu);
int x86_emulate_mwait(struct x86_vcpu *vcpu);
int x86_emulate_invd(struct x86_vcpu *vcpu);

/**
 * x86_skip_insn() - step over the intercepted instruction, which is done
 * @vcpu: the vCPU, loaded
 *
 * With RFLAGS.TF set the step's #DB is queued, or is the debugger's exit. Where neither
 * vcpu->next_rip nor the CPU tells the instruction's end, it is decoded, which may sleep.
 * Return: X86_RESUME, X86_USER.
 */
int x86_skip_insn(struct x86_vcpu *vcpu);

/**
 * x86_skip_insn_only() - likewise, but TF is the caller's to look at
 */
int x86_skip_insn_only(struct x86_vcpu *vcpu);

/**
 * x86_end_insn() - an instruction is done: go to the next one
 * @vcpu: the vCPU, loaded
 * @next: its RIP
 *
 * RF and the interrupt shadow end with an instruction (SDM 3B 17.3.1.1, 2B STI). Never
 * sleeps; IRQs may be off.
 */
void x86_end_insn(struct x86_vcpu *vcpu, u64 next);

/**
 * x86_cr8_written() - the end of an intercepted write of CR8
 * @vcpu: the vCPU
 * @before: CR8 before it
 * @r: result of the instruction so far
 *
 * Return: @r, or X86_USER: user space has the interrupt controllers, and a lower TPR may
 * let its interrupt in (KVM_EXIT_SET_TPR).
 */
int x86_cr8_written(struct x86_vcpu *vcpu, u64 before, int r);

/** x86_complete_insn_gp() - @err ? inject #GP(0) : skip; the usual end of a MSR or CR write.
 *  Return: as x86_skip_insn(). */
int x86_complete_insn_gp(struct x86_vcpu *vcpu, int err);

#endif
