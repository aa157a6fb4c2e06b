/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's half of a test VM: what C functions that run inside the guest,
 * in long mode at CPL 0, may call. They run in a copy of the test program at
 * the program's own addresses (identity mapped), so that they see its globals
 * as these were when vcpu_long() was called, and the host sees theirs through
 * IN_GUEST(). They can't call libc.
 */
#ifndef TEST_LIB_GUEST_H
#define TEST_LIB_GUEST_H

#include "vm.h"

#define X86_DE		0
#define X86_DB		1
#define X86_NMI		2
#define X86_BP		3
#define X86_OF		4
#define X86_BR		5
#define X86_UD		6
#define X86_NM		7
#define X86_DF		8
#define X86_TS		10
#define X86_NP		11
#define X86_SS		12
#define X86_GP		13
#define X86_PF		14
#define X86_MF		16
#define X86_AC		17
#define X86_XM		19
#define NO_FAULT	0xff

#define MSR_TSC			0x10
#define MSR_APIC_BASE		0x1b
#define MSR_TSC_ADJUST		0x3b
#define MSR_SYSENTER_CS		0x174
#define MSR_SYSENTER_ESP	0x175
#define MSR_SYSENTER_EIP	0x176
#define MSR_MISC_ENABLE		0x1a0
#define MSR_PAT			0x277
#define MSR_TSC_DEADLINE	0x6e0
#define MSR_X2APIC(reg)		(0x800 + ((reg) >> 4))
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_SFMASK		0xc0000084
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102
#define MSR_TSC_AUX		0xc0000103
#define MSR_KVM_WALL_CLOCK	0x11
#define MSR_KVM_SYSTEM_TIME	0x12
#define MSR_KVM_WALL_CLOCK_NEW	0x4b564d00
#define MSR_KVM_SYSTEM_TIME_NEW	0x4b564d01
#define MSR_KVM_ASYNC_PF_EN	0x4b564d02
#define MSR_KVM_STEAL_TIME	0x4b564d03
#define MSR_KVM_PV_EOI_EN	0x4b564d04
#define MSR_KVM_POLL_CONTROL	0x4b564d05

#define EFER_SCE	(1ull << 0)
#define EFER_LME	(1ull << 8)
#define EFER_LMA	(1ull << 10)
#define EFER_NX		(1ull << 11)
#define EFER_SVME	(1ull << 12)

#define CR0_PE		(1u << 0)
#define CR0_MP		(1u << 1)
#define CR0_EM		(1u << 2)
#define CR0_TS		(1u << 3)
#define CR0_ET		(1u << 4)
#define CR0_NE		(1u << 5)
#define CR0_WP		(1u << 16)
#define CR0_AM		(1u << 18)
#define CR0_NW		(1u << 29)
#define CR0_CD		(1u << 30)
#define CR0_PG		(1u << 31)
#define CR4_PSE		(1u << 4)
#define CR4_PAE		(1u << 5)
#define CR4_PGE		(1u << 7)
#define CR4_OSFXSR	(1u << 9)
#define CR4_OSXMMEXCPT	(1u << 10)
#define CR4_UMIP	(1u << 11)
#define CR4_LA57	(1u << 12)
#define CR4_FSGSBASE	(1u << 16)
#define CR4_PCIDE	(1u << 17)
#define CR4_OSXSAVE	(1u << 18)
#define CR4_SMEP	(1u << 20)
#define CR4_SMAP	(1u << 21)

#define FLAG_TF		(1u << 8)
#define FLAG_IF		(1u << 9)
#define FLAG_AC		(1u << 18)

#define APIC_BASE	0xfee00000ul
#define IOAPIC_BASE	0xfec00000ul
#define APIC_ID		0x20
#define APIC_VERSION	0x30
#define APIC_TPR	0x80
#define APIC_PPR	0xa0
#define APIC_EOI	0xb0
#define APIC_LDR	0xd0
#define APIC_DFR	0xe0
#define APIC_SVR	0xf0
#define APIC_ISR	0x100
#define APIC_TMR	0x180
#define APIC_IRR	0x200
#define APIC_ESR	0x280
#define APIC_ICR	0x300
#define APIC_ICR2	0x310
#define APIC_LVTT	0x320
#define APIC_LVT0	0x350
#define APIC_LVT1	0x360
#define APIC_TMICT	0x380
#define APIC_TMCCT	0x390
#define APIC_TDCR	0x3e0
#define APIC_SELF_IPI	0x3f0

/* What a trap handler gets; it may change all of it. */
struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/* One for each vCPU; GS base points to it. */
struct guest_cpu {
	struct guest_cpu *self;
	u64 id;
	u64 fixup;	/* where TRY() goes on after a fault, or 0 */
	u64 vector;	/* of that fault */
	u64 error;
	u64 fault_rip;
	u64 cr2;
	u64 sync;
	u64 user_rsp;	/* guest_user()'s way back */
	u64 user_rbp, user_rbx;
};

struct guest_failure {
	const char *file;
	const char *expr;
	u64 line, a, b;
	bool values;
};

struct guest_note_args {
	const char *fmt;
	u64 arg[4];
};

extern struct guest_cpu guest_cpus[MAX_VCPUS];
extern struct guest_failure guest_failure;
extern struct guest_note_args guest_note_args;

/* guest_handlers[vector]: called with interrupts off; NULL is a failure. */
extern void (*guest_handlers[256])(struct trap_frame *);
/* Interrupts and traps seen by guest_count(), by vector. */
extern volatile u64 guest_counts[256];
extern u8 guest_trap_stubs[];	/* 16 bytes each */

/**
 * guest_done() - the guest's part is over: the host's vcpu_finish() returns.
 */
void guest_done(void) __attribute__((noreturn));

/**
 * guest_sync() - tell the host @value; goes on when the host runs us again.
 */
void guest_sync(u64 value);

/**
 * guest_fail() - end the test; GUEST_ASSERT() and GUEST_EQ() call it.
 */
void guest_fail(const char *file, int line, const char *expr, bool values,
		u64 a, u64 b) __attribute__((noreturn));

/**
 * guest_note() - a "# " line formatted by the host from up to four u64.
 */
void guest_note(const char *fmt, u64 a, u64 b, u64 c, u64 d);

/**
 * guest_handle() - install @fn for @vector.
 */
void guest_handle(u8 vector, void (*fn)(struct trap_frame *));

/**
 * guest_count() - a handler that adds one to guest_counts[vector].
 * guest_count_eoi() - and sends an EOI to the xAPIC (guest_count_eoi_x2: x2APIC).
 */
void guest_count(struct trap_frame *f);
void guest_count_eoi(struct trap_frame *f);
void guest_count_eoi_x2(struct trap_frame *f);

/**
 * guest_user() - call @fn at CPL 3 on a stack of its own; comes back after it.
 * @fn may use neither ports nor guest_* functions except TRY().
 */
void guest_user(void (*fn)(void));

#define GUEST_ASSERT(cond)	do {					\
	if (!(cond))							\
		guest_fail(__FILE__, __LINE__, #cond " is false",	\
			   false, 0, 0);				\
} while (0)
#define GUEST_EQ(a, b)	do {						\
	u64 a_ = (u64)(a), b_ = (u64)(b);				\
	if (a_ != b_)							\
		guest_fail(__FILE__, __LINE__, #a " == " #b, true, a_, b_); \
} while (0)

static inline struct guest_cpu *this_cpu(void)
{
	struct guest_cpu *c;

	asm volatile("mov %%gs:0, %0" : "=r"(c));
	return c;
}

/*
 * TRY(insn, outputs, inputs, clobbers): run @insn; the value is the vector it
 * faulted with (then this_cpu()->error, ->cr2), or NO_FAULT.
 */
#define TRY(insn, ...)	TRY_(insn, ##__VA_ARGS__)
#define TRY_(insn, ...)	({						\
	struct guest_cpu *c_ = this_cpu();				\
	c_->vector = NO_FAULT;						\
	c_->error = 0;							\
	asm volatile("movq $1f, %%gs:16\n\t" insn "\n1:\t"		\
		     "movq $0, %%gs:16" __VA_ARGS__);			\
	barrier();							\
	(u8)c_->vector;							\
})
#define barrier()	asm volatile("" ::: "memory")

#define PORT_OPS(suffix, type)						\
static inline void out##suffix(u16 port, type v)			\
{									\
	asm volatile("out" #suffix " %0, %1" :: "a"(v), "Nd"(port));	\
}									\
static inline type in##suffix(u16 port)					\
{									\
	type v;								\
									\
	asm volatile("in" #suffix " %1, %0" : "=a"(v) : "Nd"(port));	\
	return v;							\
}
PORT_OPS(b, u8)
PORT_OPS(w, u16)
PORT_OPS(l, u32)

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return lo | (u64)hi << 32;
}

static inline void wrmsr(u32 msr, u64 v)
{
	asm volatile("wrmsr" :: "c"(msr), "a"((u32)v), "d"((u32)(v >> 32))
		     : "memory");
}

/* The vector that RDMSR or WRMSR faults with, or NO_FAULT. */
static inline u8 try_rdmsr(u32 msr, u64 *v)
{
	u32 lo = 0, hi = 0;
	u8 vector = TRY("rdmsr", : "+a"(lo), "+d"(hi) : "c"(msr) : "memory");

	if (v)
		*v = lo | (u64)hi << 32;
	return vector;
}

static inline u8 try_wrmsr(u32 msr, u64 v)
{
	return TRY("wrmsr", :: "c"(msr), "a"((u32)v), "d"((u32)(v >> 32))
		   : "memory");
}

static inline void cpuid(u32 fn, u32 index, u32 *a, u32 *b, u32 *c, u32 *d)
{
	*a = fn;
	*c = index;
	asm volatile("cpuid" : "+a"(*a), "=b"(*b), "+c"(*c), "=d"(*d));
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	asm volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) :: "memory");
	return lo | (u64)hi << 32;
}

#define CR_OPS(n)							\
static inline u64 read_cr##n(void)					\
{									\
	u64 v;								\
									\
	asm volatile("mov %%cr" #n ", %0" : "=r"(v) :: "memory");	\
	return v;							\
}									\
static inline void write_cr##n(u64 v)					\
{									\
	asm volatile("mov %0, %%cr" #n :: "r"(v) : "memory");		\
}
CR_OPS(0)
CR_OPS(2)
CR_OPS(3)
CR_OPS(4)
CR_OPS(8)

static inline u64 read_flags(void)
{
	u64 v;

	asm volatile("pushfq; popq %0" : "=r"(v) :: "memory");
	return v;
}

static inline void sti(void) { asm volatile("sti" ::: "memory"); }
static inline void cli(void) { asm volatile("cli" ::: "memory"); }
static inline void sti_nop(void) { asm volatile("sti; nop" ::: "memory"); }
static inline void sti_hlt(void) { asm volatile("sti; hlt" ::: "memory"); }
static inline void cpu_relax(void) { asm volatile("pause" ::: "memory"); }
static inline void invlpg(u64 gva)
{
	asm volatile("invlpg (%0)" :: "r"(gva) : "memory");
}

static inline u32 mmio_read32(u64 gpa) { return *(volatile u32 *)gpa; }
static inline void mmio_write32(u64 gpa, u32 v) { *(volatile u32 *)gpa = v; }
static inline u32 apic_read(u32 reg) { return mmio_read32(APIC_BASE + reg); }
static inline void apic_write(u32 reg, u32 v) { mmio_write32(APIC_BASE + reg, v); }

static inline u32 ioapic_read(u8 reg)
{
	mmio_write32(IOAPIC_BASE, reg);
	return mmio_read32(IOAPIC_BASE + 0x10);
}

static inline void ioapic_write(u8 reg, u32 v)
{
	mmio_write32(IOAPIC_BASE, reg);
	mmio_write32(IOAPIC_BASE + 0x10, v);
}

static inline void ioapic_entry(u8 pin, u64 v)
{
	ioapic_write(0x11 + 2 * pin, v >> 32);
	ioapic_write(0x10 + 2 * pin, v);
}

#endif
