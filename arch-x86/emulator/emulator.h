/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction emulator's contract: the context that a vCPU embeds, the
 * operations that its owner (the glue, arch-x86/emulate.c; a test in user
 * space) supplies, and the calls that it makes.
 *
 * The emulator owns: decoding, operand access, the architectural checks of each
 * instruction, and the order in which its effects become visible. It knows no
 * vCPU, no guest page table, no device and no vendor; all of that is behind
 * struct x86_emulator_ops. It allocates nothing, takes no lock, and keeps
 * nothing from one instruction to the next but what the context holds.
 *
 * One instruction, start to finish:
 *
 *	ctx->mode, ->cpl, ->rip, ->rflags, ->features = the guest's;
 *	x86_emulator_begin(ctx, bytes, nr_bytes);
 *	r = x86_emulator_decode(ctx);
 *	if (r == X86_EMULATOR_CONTINUE)
 *		r = x86_emulator_execute(ctx);
 *
 * Results, of operations and of calls alike: enum x86_emulator_result.
 *
 * All or nothing. General registers, RIP and RFLAGS are changed in the context
 * only, and handed to the owner (set_gpr, ctx->rip, ctx->rflags) when the
 * instruction has succeeded. Memory, ports, segments and system registers are
 * written by operations, after everything that can fault has been checked.
 * When anything but CONTINUE is returned, nothing of this instruction (of this
 * iteration, for a repeated string instruction) has happened to the guest;
 * earlier iterations have been handed over.
 *
 * Reads that user space must answer. read(), cmpxchg(), io_in() or get_msr()
 * return IO_NEEDED when the data isn't there yet; execute() stops and returns
 * IO_NEEDED with nothing changed. When the data has come, the owner calls
 * execute() again, on the same context: the instruction starts from its first
 * read again. So all reads that came before are asked again, in the same
 * order, and the owner answers those that had side effects (MMIO, ports) from
 * a log that it keeps until ->retired() is called. begin() empties the log, too.
 *
 * Writes that user space must see. write() and io_out() don't wait: the owner
 * queues the data, sets ctx->io_pending, returns CONTINUE and exits to user
 * space when execute() has returned. A repeated string instruction sees
 * io_pending and stops after this iteration. An instruction calls write() at
 * most a few times (at most 32 bytes each, but for task switches, stack frames
 * and string I/O).
 */
#ifndef ARCH_X86_EMULATOR_EMULATOR_H
#define ARCH_X86_EMULATOR_EMULATOR_H

#include "types.h"

/**
 * enum x86_emulator_result - what an operation or a call returns
 * @X86_EMULATOR_CONTINUE: done.
 * @X86_EMULATOR_UNHANDLEABLE: can't be emulated: the instruction is not in the
 *	table or its operand is of no use there; the owner reports
 *	KVM_EXIT_INTERNAL_ERROR with ctx->insn.bytes.
 * @X86_EMULATOR_FAULT: the guest gets ctx->exception.
 * @X86_EMULATOR_RETRY: something raced (a page went away between check and
 *	access); enter the guest or emulate again, nothing has changed.
 * @X86_EMULATOR_IO_NEEDED: user space must supply data; call
 *	x86_emulator_execute() again when it has.
 * @X86_EMULATOR_INTERCEPTED: ->intercept() has turned the instruction into an
 *	exit of a nested guest; nothing else is to be done.
 */
enum x86_emulator_result {
	X86_EMULATOR_CONTINUE,
	X86_EMULATOR_UNHANDLEABLE,
	X86_EMULATOR_FAULT,
	X86_EMULATOR_RETRY,
	X86_EMULATOR_IO_NEEDED,
	X86_EMULATOR_INTERCEPTED,
};

/**
 * enum x86_emulator_mode - what decides default sizes and segmentation
 * @X86_EMULATOR_REAL: CR0.PE = 0.
 * @X86_EMULATOR_VM86: CR0.PE = 1, RFLAGS.VM = 1 (and not long mode).
 * @X86_EMULATOR_PROT16: protected or compatibility mode, CS.D = 0.
 * @X86_EMULATOR_PROT32: protected or compatibility mode, CS.D = 1.
 * @X86_EMULATOR_PROT64: EFER.LMA = 1 and CS.L = 1.
 */
enum x86_emulator_mode {
	X86_EMULATOR_REAL,
	X86_EMULATOR_VM86,
	X86_EMULATOR_PROT16,
	X86_EMULATOR_PROT32,
	X86_EMULATOR_PROT64,
};

/* General registers, in the order of their encoding (SDM 2A table 2-2). */
enum {
	X86_EMULATOR_RAX, X86_EMULATOR_RCX, X86_EMULATOR_RDX, X86_EMULATOR_RBX,
	X86_EMULATOR_RSP, X86_EMULATOR_RBP, X86_EMULATOR_RSI, X86_EMULATOR_RDI,
	X86_EMULATOR_R8, X86_EMULATOR_R9, X86_EMULATOR_R10, X86_EMULATOR_R11,
	X86_EMULATOR_R12, X86_EMULATOR_R13, X86_EMULATOR_R14, X86_EMULATOR_R15,
	X86_EMULATOR_NR_GPRS,
};

/* Segment registers: the first six in the order of their encoding. */
enum {
	X86_EMULATOR_ES, X86_EMULATOR_CS, X86_EMULATOR_SS, X86_EMULATOR_DS,
	X86_EMULATOR_FS, X86_EMULATOR_GS, X86_EMULATOR_LDTR, X86_EMULATOR_TR,
	X86_EMULATOR_NR_SEGMENTS,
};

/**
 * struct x86_emulator_segment - a segment register with its hidden part
 * @base: linear address of its first byte.
 * @limit: of the last byte, in bytes (granularity applied).
 * @selector: visible part.
 * @type: descriptor type, 4 bits.
 * @s: 1: code or data, 0: system.
 * @dpl: descriptor privilege level.
 * @present: the P bit.
 * @avl: the AVL bit.
 * @l: 64 bit code.
 * @db: the D or B bit.
 * @g: granularity bit (@limit is in bytes whatever it says).
 * @unusable: 1: nothing may be accessed through it (null selector).
 */
struct x86_emulator_segment {
	u64 base;
	u32 limit;
	u16 selector;
	u8 type;
	u8 s, dpl, present, avl, l, db, g;
	u8 unusable;
};

/**
 * struct x86_emulator_table - GDTR or IDTR
 * @base: linear address.
 * @limit: offset of the last byte.
 */
struct x86_emulator_table {
	u64 base;
	u16 limit;
};

/**
 * struct x86_emulator_exception - what the guest gets on X86_EMULATOR_FAULT
 * @vector: 0 to 31.
 * @has_error_code: @error_code is pushed.
 * @error_code: as pushed.
 * @address: CR2, of a #PF.
 * @nested_page_fault: the owner's own mark, set by its read(), write() ...:
 *	the fault is of the nested guest's second level; the emulator only
 *	clears it.
 */
struct x86_emulator_exception {
	u8 vector;
	bool has_error_code;
	bool nested_page_fault;
	u32 error_code;
	u64 address;
};

/* What a memory operation's @access says. A read has neither WRITE nor FETCH. */
enum {
	/* The translation is checked for a write (also in a read that a write follows). */
	X86_EMULATOR_WRITE	= 1 << 0,
	/* An instruction fetch. */
	X86_EMULATOR_FETCH	= 1 << 1,
	/* With the rights of CPL 3; else of CPL 0 to 2. */
	X86_EMULATOR_USER	= 1 << 2,
	/* Implicit supervisor access (descriptor tables, TSS): SMAP whatever AC says. */
	X86_EMULATOR_IMPLICIT	= 1 << 3,
	/* Part of a LOCKed instruction. */
	X86_EMULATOR_LOCKED	= 1 << 4,
};

/* The guest's CPUID and vendor, as far as instructions depend on them. */
enum {
	X86_EMULATOR_FEAT_INTEL		= 1 << 0,	/* GenuineIntel's behaviour, else AMD's */
	X86_EMULATOR_FEAT_LM		= 1 << 1,
	X86_EMULATOR_FEAT_MMX		= 1 << 2,
	X86_EMULATOR_FEAT_SSE		= 1 << 3,
	X86_EMULATOR_FEAT_SSE2		= 1 << 4,
	X86_EMULATOR_FEAT_SSE3		= 1 << 5,
	X86_EMULATOR_FEAT_SSE4_1	= 1 << 6,
	X86_EMULATOR_FEAT_SSE4_2	= 1 << 7,
	X86_EMULATOR_FEAT_AVX		= 1 << 8,
	X86_EMULATOR_FEAT_AVX2		= 1 << 9,
	X86_EMULATOR_FEAT_MOVBE		= 1 << 10,
	X86_EMULATOR_FEAT_POPCNT	= 1 << 11,
	X86_EMULATOR_FEAT_LZCNT		= 1 << 12,	/* else BSR (the prefix is ignored) */
	X86_EMULATOR_FEAT_BMI1		= 1 << 13,	/* TZCNT too, else BSF */
	X86_EMULATOR_FEAT_BMI2		= 1 << 14,
	X86_EMULATOR_FEAT_ADX		= 1 << 15,
	X86_EMULATOR_FEAT_CX8		= 1 << 16,
	X86_EMULATOR_FEAT_CX16		= 1 << 17,
	X86_EMULATOR_FEAT_CMOV		= 1 << 18,
	X86_EMULATOR_FEAT_SEP		= 1 << 19,
	X86_EMULATOR_FEAT_SYSCALL	= 1 << 20,
	X86_EMULATOR_FEAT_RDTSCP	= 1 << 21,
	X86_EMULATOR_FEAT_RDPID		= 1 << 22,
	X86_EMULATOR_FEAT_FSGSBASE	= 1 << 23,
	X86_EMULATOR_FEAT_SMAP		= 1 << 24,	/* CLAC, STAC */
	X86_EMULATOR_FEAT_INVPCID	= 1 << 25,
	X86_EMULATOR_FEAT_XSAVE		= 1 << 26,
	X86_EMULATOR_FEAT_MONITOR	= 1 << 27,
	X86_EMULATOR_FEAT_CLFLUSH	= 1 << 28,	/* CLFLUSH, and OPT, WB where known */
	X86_EMULATOR_FEAT_SVM		= 1 << 29,
	X86_EMULATOR_FEAT_WBNOINVD	= 1 << 30,
	X86_EMULATOR_FEAT_LAHF64	= 1u << 31,
};

/* More of them: an enum's constants have 32 bits. */
#define X86_EMULATOR_FEAT_AVX512F	(1ull << 32)
#define X86_EMULATOR_FEAT_AVX512VL	(1ull << 33)
#define X86_EMULATOR_FEAT_AVX512BW	(1ull << 34)
#define X86_EMULATOR_FEAT_MOVDIRI	(1ull << 35)

/**
 * enum x86_emulator_insn - instructions that vendors intercept, by name
 *
 * ctx->insn.id after decode; 0 for all others. A glue that decodes only to skip
 * compares it with what the exit reason says.
 */
enum x86_emulator_insn {
	X86_EMULATOR_INSN_OTHER,
	X86_EMULATOR_INSN_CPUID, X86_EMULATOR_INSN_RDMSR, X86_EMULATOR_INSN_WRMSR,
	X86_EMULATOR_INSN_HLT, X86_EMULATOR_INSN_IN, X86_EMULATOR_INSN_OUT,
	X86_EMULATOR_INSN_INS, X86_EMULATOR_INSN_OUTS,
	X86_EMULATOR_INSN_VMMCALL, X86_EMULATOR_INSN_VMCALL,
	X86_EMULATOR_INSN_MOV_FROM_CR, X86_EMULATOR_INSN_MOV_TO_CR,
	X86_EMULATOR_INSN_MOV_FROM_DR, X86_EMULATOR_INSN_MOV_TO_DR,
	X86_EMULATOR_INSN_CLTS, X86_EMULATOR_INSN_LMSW, X86_EMULATOR_INSN_SMSW,
	X86_EMULATOR_INSN_INVLPG, X86_EMULATOR_INSN_INVLPGA, X86_EMULATOR_INSN_INVPCID,
	X86_EMULATOR_INSN_INVD, X86_EMULATOR_INSN_WBINVD, X86_EMULATOR_INSN_WBNOINVD,
	X86_EMULATOR_INSN_LGDT, X86_EMULATOR_INSN_SGDT,
	X86_EMULATOR_INSN_LIDT, X86_EMULATOR_INSN_SIDT,
	X86_EMULATOR_INSN_LLDT, X86_EMULATOR_INSN_SLDT,
	X86_EMULATOR_INSN_LTR, X86_EMULATOR_INSN_STR,
	X86_EMULATOR_INSN_RDTSC, X86_EMULATOR_INSN_RDTSCP, X86_EMULATOR_INSN_RDPMC,
	X86_EMULATOR_INSN_XSETBV, X86_EMULATOR_INSN_XGETBV, X86_EMULATOR_INSN_PAUSE,
	X86_EMULATOR_INSN_INT_N, X86_EMULATOR_INSN_INT3, X86_EMULATOR_INSN_INTO,
	X86_EMULATOR_INSN_ICEBP, X86_EMULATOR_INSN_IRET,
	X86_EMULATOR_INSN_PUSHF, X86_EMULATOR_INSN_POPF, X86_EMULATOR_INSN_RSM,
	X86_EMULATOR_INSN_MONITOR, X86_EMULATOR_INSN_MWAIT,
	X86_EMULATOR_INSN_VMRUN, X86_EMULATOR_INSN_VMLOAD, X86_EMULATOR_INSN_VMSAVE,
	X86_EMULATOR_INSN_STGI, X86_EMULATOR_INSN_CLGI, X86_EMULATOR_INSN_SKINIT,
	X86_EMULATOR_INSN_RDPRU, X86_EMULATOR_INSN_INVLPGB, X86_EMULATOR_INSN_TLBSYNC,
	X86_EMULATOR_INSN_RDRAND, X86_EMULATOR_INSN_RDSEED, X86_EMULATOR_INSN_VMX,
};

/* Why a task switch (SDM 3A 7.3). */
enum x86_emulator_task_reason {
	X86_EMULATOR_TASK_CALL,
	X86_EMULATOR_TASK_IRET,
	X86_EMULATOR_TASK_JMP,
	X86_EMULATOR_TASK_GATE,		/* exception or interrupt through the IDT */
};

/* What is delivered through the IDT or the IVT. */
enum x86_emulator_event {
	X86_EMULATOR_EVENT_EXTERNAL,	/* interrupt or NMI: EXT, no DPL check */
	X86_EMULATOR_EVENT_EXCEPTION,	/* a fault or trap of the CPU's: likewise */
	X86_EMULATOR_EVENT_INT_N,	/* INT n: DPL and, in VM86, IOPL and VME */
	X86_EMULATOR_EVENT_INT3,	/* INT3, INTO: DPL only */
};

/* ctx->interrupt_shadow: for one instruction, no interrupt is taken. */
enum {
	X86_EMULATOR_SHADOW_STI		= 1 << 0,
	X86_EMULATOR_SHADOW_MOV_SS	= 1 << 1,
};

struct x86_emulator;
struct x86_emulator_opcode;

/**
 * struct x86_emulator_ops - what the owner supplies
 *
 * All are called in the vCPU's own thread, from within decode(), execute(),
 * deliver() or task_switch(), and may sleep if the owner calls these where it
 * may. One that isn't marked optional must be there. @ctx is the context passed
 * in, from which the owner finds its vCPU by container_of().
 *
 * Where FAULT is said to mean #GP(0), the emulator fills in ctx->exception.
 */
struct x86_emulator_ops {
	/**
	 * @get_gpr: the value of general register @reg (0 to 15), 64 bits;
	 * outside 64 bit mode upper halves are ignored. Read at most once per
	 * begin() or execute().
	 */
	u64 (*get_gpr)(struct x86_emulator *ctx, unsigned int reg);
	/** @set_gpr: a register that a successful instruction changed. */
	void (*set_gpr)(struct x86_emulator *ctx, unsigned int reg, u64 value);

	/**
	 * @read: copy @len bytes of guest memory at linear address @linear,
	 * which may span two pages, with the rights in @access. Segments,
	 * canonical form and LAM have been seen to; paging, protection keys
	 * and SMAP (with ctx->rflags' AC) are the owner's.
	 * Returns CONTINUE; FAULT with ctx->exception filled in (#PF);
	 * IO_NEEDED, RETRY, UNHANDLEABLE. With X86_EMULATOR_FETCH: bytes of the
	 * instruction; MMIO is UNHANDLEABLE there.
	 */
	int (*read)(struct x86_emulator *ctx, u64 linear, void *data,
		    unsigned int len, u32 access);
	/**
	 * @write: the same for a write; both pages are checked before either
	 * is written. MMIO is queued (see above): between two calls of
	 * ->retired() there is one, but for a few instructions (ENTER, PUSHA
	 * on a stack that wraps), for which UNHANDLEABLE may be returned.
	 */
	int (*write)(struct x86_emulator *ctx, u64 linear, const void *data,
		     unsigned int len, u32 access);
	/**
	 * @probe: check that an access of @len bytes with these rights would
	 * not fault; nothing is accessed. CONTINUE, FAULT, RETRY.
	 */
	int (*probe)(struct x86_emulator *ctx, u64 linear, unsigned int len, u32 access);
	/**
	 * @cmpxchg: atomically (with regard to all vCPUs) write @new if the
	 * memory holds @old, else copy what it holds to @old. @len is 1, 2, 4,
	 * 8 or 16, at any alignment. The caller sees by a change of @old that
	 * it failed. @old has been read with LOCKED or WRITE access just before,
	 * so for MMIO it is taken for what is there: only the write is left.
	 * Returns as read. Callers put the name in parentheses: kernel headers
	 * may define a macro of it.
	 */
	int (*cmpxchg)(struct x86_emulator *ctx, u64 linear, void *old,
		       const void *new, unsigned int len, u32 access);

	/**
	 * @io_in: read @count times @size (1, 2, 4) bytes from @port to @data,
	 * packed, at most X86_EMULATOR_IO_BUFFER bytes in all. IOPL and the
	 * I/O bitmap have been checked. CONTINUE; IO_NEEDED: execute() will be
	 * called again, and will ask for the same; UNHANDLEABLE.
	 */
	int (*io_in)(struct x86_emulator *ctx, u16 port, unsigned int size,
		     void *data, unsigned int count);
	/**
	 * @io_out: write; queued if user space must see it (ctx->io_pending).
	 * CONTINUE or UNHANDLEABLE.
	 */
	int (*io_out)(struct x86_emulator *ctx, u16 port, unsigned int size,
		      const void *data, unsigned int count);

	/**
	 * @retired: an instruction, or an iteration of a repeated one, is done:
	 * the log of reads is forgotten. Optional.
	 */
	void (*retired)(struct x86_emulator *ctx);
	/**
	 * @should_yield: asked between iterations of a repeated string
	 * instruction: true stops it there (an interrupt, a signal,
	 * need_resched). Optional.
	 */
	bool (*should_yield)(struct x86_emulator *ctx);

	/** @get_segment: segment register @seg (X86_EMULATOR_ES ... TR). */
	void (*get_segment)(struct x86_emulator *ctx, unsigned int seg,
			    struct x86_emulator_segment *segment);
	/** @set_segment: likewise; all checks have been made. */
	void (*set_segment)(struct x86_emulator *ctx, unsigned int seg,
			    const struct x86_emulator_segment *segment);
	/** @get_gdt: GDTR. */
	void (*get_gdt)(struct x86_emulator *ctx, struct x86_emulator_table *table);
	/** @set_gdt: GDTR. */
	void (*set_gdt)(struct x86_emulator *ctx, const struct x86_emulator_table *table);
	/** @get_idt: IDTR. */
	void (*get_idt)(struct x86_emulator *ctx, struct x86_emulator_table *table);
	/** @set_idt: IDTR. */
	void (*set_idt)(struct x86_emulator *ctx, const struct x86_emulator_table *table);
	/**
	 * @set_cpl: the privilege level becomes @cpl; comes together with
	 * set_segment() of CS, after it. ctx->cpl is kept up by the emulator.
	 */
	void (*set_cpl)(struct x86_emulator *ctx, unsigned int cpl);

	/** @get_cr: CR0, CR2, CR3, CR4 or CR8; @cr is one of these. */
	u64 (*get_cr)(struct x86_emulator *ctx, unsigned int cr);
	/**
	 * @set_cr: write it, with all checks of reserved bits and combinations.
	 * CONTINUE (if user space must see CR8, with ctx->io_pending set);
	 * FAULT: #GP(0).
	 */
	int (*set_cr)(struct x86_emulator *ctx, unsigned int cr, u64 value);
	/** @get_dr: DR0 to DR3, DR6, DR7. GD, DE, CPL have been checked. */
	u64 (*get_dr)(struct x86_emulator *ctx, unsigned int dr);
	/** @set_dr: CONTINUE; FAULT: #GP(0) (upper half not 0). */
	int (*set_dr)(struct x86_emulator *ctx, unsigned int dr, u64 value);
	/** @get_xcr0: XCR0. */
	u64 (*get_xcr0)(struct x86_emulator *ctx);
	/** @set_xcr: XSETBV of @index: CONTINUE; FAULT: #GP(0). */
	int (*set_xcr)(struct x86_emulator *ctx, u32 index, u64 value);

	/**
	 * @get_msr: RDMSR. CONTINUE; FAULT: #GP(0); IO_NEEDED; UNHANDLEABLE.
	 * Also asked for the emulator's own needs: EFER, STAR, LSTAR, CSTAR,
	 * SFMASK, SYSENTER_*, FS_BASE, GS_BASE, KERNEL_GS_BASE, TSC_AUX.
	 */
	int (*get_msr)(struct x86_emulator *ctx, u32 index, u64 *value);
	/** @set_msr: WRMSR, likewise. */
	int (*set_msr)(struct x86_emulator *ctx, u32 index, u64 value);
	/**
	 * @cpuid: leaf @regs[0], subleaf @regs[1]; fills EAX, EBX, ECX, EDX.
	 * FAULT: #GP(0), for CPUID faulting.
	 */
	int (*cpuid)(struct x86_emulator *ctx, u32 regs[4]);
	/** @rdtsc: the guest's time-stamp counter. */
	u64 (*rdtsc)(struct x86_emulator *ctx);
	/** @rdpmc: FAULT: #GP(0). CR4.PCE and CPL have been checked. */
	int (*rdpmc)(struct x86_emulator *ctx, u32 index, u64 *value);
	/** @hlt: the vCPU halts after this instruction. */
	int (*hlt)(struct x86_emulator *ctx);
	/** @invlpg: drop translations of a linear address. */
	int (*invlpg)(struct x86_emulator *ctx, u64 linear);
	/** @invpcid: FAULT: #GP(0). */
	int (*invpcid)(struct x86_emulator *ctx, u64 type, u64 pcid, u64 linear);
	/** @wbinvd: WBINVD, WBNOINVD, INVD. */
	int (*wbinvd)(struct x86_emulator *ctx);
	/**
	 * @hypercall: VMCALL or VMMCALL; arguments and result through
	 * x86_emulator_get_gpr() and set_gpr(). RIP has not advanced yet.
	 */
	int (*hypercall)(struct x86_emulator *ctx);
	/**
	 * @rsm: leave SMM: the owner loads all state itself; then the emulator
	 * writes nothing back. FAULT: with ctx->exception (#UD outside SMM).
	 * Optional (then #UD).
	 */
	int (*rsm)(struct x86_emulator *ctx);
	/** @unblock_nmi: IRET has succeeded. Optional. */
	void (*unblock_nmi)(struct x86_emulator *ctx);
	/**
	 * @update_mode: ctx->mode, ->cpl or RFLAGS.VM may have changed, by a
	 * far transfer, IRET or task switch. Optional.
	 */
	void (*update_mode)(struct x86_emulator *ctx);

	/**
	 * @read_vector: copy @len (16, 32, 64) bytes of XMM, YMM, ZMM @reg (0 to 31).
	 * The guest's FPU state is loaded or saved as the owner likes.
	 */
	void (*read_vector)(struct x86_emulator *ctx, unsigned int reg, void *data,
			    unsigned int len);
	/**
	 * @write_vector: the low @len bytes; what is above is zeroed if
	 * @zero_upper (VEX), kept otherwise.
	 */
	void (*write_vector)(struct x86_emulator *ctx, unsigned int reg,
			     const void *data, unsigned int len, bool zero_upper);
	/**
	 * @read_mmx: MM @reg. @write_mmx: likewise, and the tag word becomes
	 * valid, TOP 0, exponent all ones (SDM 1 9.5).
	 */
	u64 (*read_mmx)(struct x86_emulator *ctx, unsigned int reg);
	void (*write_mmx)(struct x86_emulator *ctx, unsigned int reg, u64 value);

	/**
	 * @x87_pending: is an unmasked x87 exception pending, that the next x87 or
	 * MMX instruction that waits must report? CONTINUE: no; FAULT: yes. The
	 * emulator fills in #MF, and asks before it touches an x87 or MMX register.
	 */
	int (*x87_pending)(struct x86_emulator *ctx);

	/**
	 * @x87_load: execute the x87 instruction @insn, (opcode & 7) << 3 | modrm.reg,
	 * which reads memory: its operand's bytes are in @data. None is pending.
	 */
	void (*x87_load)(struct x86_emulator *ctx, unsigned int insn, const void *data);
	/**
	 * @x87_store: likewise of one that stores: fills @data, as much as it
	 * stores. Unless @commit, the x87 is then as before. False: an unmasked
	 * exception keeps it from storing (SDM 1 8.5), and is pending after @commit.
	 */
	bool (*x87_store)(struct x86_emulator *ctx, unsigned int insn, void *data,
			  bool commit);

	/**
	 * @x87_register: execute the x87 instruction without a memory operand @insn,
	 * (opcode & 7) << 6 | (modrm & 63): one that the manuals define, and not FNSTSW
	 * AX. @flags is the low byte of RFLAGS, which FCMOVcc reads and FCOMI writes.
	 * None is pending, or it doesn't wait.
	 */
	void (*x87_register)(struct x86_emulator *ctx, unsigned int insn, u8 *flags);

	/**
	 * @intercept: a nested hypervisor may want @insn; asked after #UD
	 * and privilege checks, before operands are read. CONTINUE or INTERCEPTED.
	 * Optional.
	 */
	int (*intercept)(struct x86_emulator *ctx, enum x86_emulator_insn insn);
};

#define X86_EMULATOR_MAX_INSN_LEN	15
#define X86_EMULATOR_IO_BUFFER		1024

/* Where an operand is. */
enum x86_emulator_operand_kind {
	X86_EMULATOR_OPERAND_NONE,
	X86_EMULATOR_OPERAND_GPR,
	X86_EMULATOR_OPERAND_GPR_HIGH,	/* AH, CH, DH, BH: @reg is 0 to 3 */
	X86_EMULATOR_OPERAND_MEMORY,
	X86_EMULATOR_OPERAND_IMMEDIATE,
	X86_EMULATOR_OPERAND_SEGMENT,
	X86_EMULATOR_OPERAND_CR,
	X86_EMULATOR_OPERAND_DR,
	X86_EMULATOR_OPERAND_VECTOR,
	X86_EMULATOR_OPERAND_MMX,
};

/**
 * struct x86_emulator_operand - a decoded operand
 * @kind: enum x86_emulator_operand_kind.
 * @size: in bytes.
 * @reg: register number.
 * @seg: segment of a memory operand, overrides applied.
 * @value: the immediate, sign extended; of a memory operand, once execute() has
 *	started, the offset in its segment, truncated to the address size.
 */
struct x86_emulator_operand {
	u8 kind;
	u8 size;
	u8 reg;
	u8 seg;
	u64 value;
};

/**
 * struct x86_emulator_decoded - a decoded instruction
 *
 * For the owner: @bytes, @nr_bytes (fetched so far), @length, @id, @op_size.
 * The rest is the emulator's own, laid open since the context is embedded.
 */
struct x86_emulator_decoded {
	u8 bytes[X86_EMULATOR_MAX_INSN_LEN];
	u8 nr_bytes;
	u8 length;
	u8 id;
	u8 op_size;
	u8 addr_size;

	u8 map;			/* 0: one byte, 1: 0F, 2: 0F38, 3: 0F3A */
	u8 opcode;
	u8 modrm;
	u8 sib;
	u8 rex;			/* 0x40 to 0x4f, 0: none; made up from VEX */
	u8 rep;			/* the last of F2, F3; 0: none */
	u8 vex;			/* VEX: 1 + L; EVEX: 1 + L'L; 0: none */
	u8 vvvv;
	s8 seg_override;	/* -1: none */
	bool opsize_prefix;
	bool addrsize_prefix;
	bool lock;
	bool has_modrm;
	bool evex;
	u8 evex_reg, evex_rm;	/* 16: what EVEX adds to vector registers' numbers */

	u8 base;		/* registers of a memory operand, 0xff: none */
	u8 index;
	u8 scale;
	bool rip_relative;
	s64 displacement;

	const struct x86_emulator_opcode *op;
	struct x86_emulator_operand operand[4];
};

/**
 * struct x86_emulator - the context of one vCPU's emulation
 *
 * No locks: only the vCPU's thread touches it.
 */
struct x86_emulator {
	/* Set once by the owner. */
	const struct x86_emulator_ops *ops;
	/* Set when the guest's CPUID is: X86_EMULATOR_FEAT_*. */
	u64 features;

	/* Set by the owner for each instruction; brought up to date by success. */
	enum x86_emulator_mode mode;
	u8 cpl;
	u64 rip;
	u64 rflags;
	/*
	 * DR7, if it has breakpoints on data or ports enabled, else 0; and DR0 to DR3.
	 * (Breakpoints on instructions are the owner's: they come before decode.)
	 */
	u32 watch_dr7;
	const u64 *watch_db;

	/* Results. */
	/* Valid after FAULT. */
	struct x86_emulator_exception exception;
	/* After success: X86_EMULATOR_SHADOW_*; replaces the shadow of before. */
	u8 interrupt_shadow;
	/* After success: bits for DR6 of a #DB trap that is now due; 0: none. */
	u32 trap_dr6;
	/* After success: a repeated string instruction has more to do; RIP is still at it. */
	bool repeating;
	/* Set by the owner in write() and io_out(), cleared by begin(); see above. */
	bool io_pending;

	struct x86_emulator_decoded insn;

	/* The emulator's own. */
	u64 next_rip;
	u64 next_rflags;
	u32 next_dr6;			/* breakpoints hit so far */
	bool next_step;			/* a single-step trap follows */
	u64 gpr[X86_EMULATOR_NR_GPRS];
	struct x86_emulator_segment segment[X86_EMULATOR_NR_SEGMENTS];
	u16 gpr_valid;
	u16 gpr_dirty;
	u8 segment_valid;
	bool no_writeback;
	u8 wide[2][64];			/* vector operands */
	u8 io_buffer[X86_EMULATOR_IO_BUFFER];
};

/**
 * x86_emulator_begin - start with a new instruction
 * @ctx: context; mode, cpl, rip, rflags and features are set before or after.
 * @bytes: the first bytes of the instruction, if the CPU supplied them (decode
 *	assists); NULL: none.
 * @nr_bytes: how many, 0 to 15; what is missing is read when decode needs it.
 *
 * Forgets everything cached of the vCPU. The bytes are trusted to have passed
 * the CPU's own fetch checks.
 */
void x86_emulator_begin(struct x86_emulator *ctx, const u8 *bytes, unsigned int nr_bytes);

/**
 * x86_emulator_decode - decode the instruction at ctx->rip
 * @ctx: context, after x86_emulator_begin().
 *
 * Only fetches: no operand is read and nothing is changed. After CONTINUE,
 * ctx->insn.length, .id and .op_size are valid. Of some instructions only the
 * length is known: execute() then says UNHANDLEABLE.
 *
 * Return: CONTINUE;
 * FAULT: #PF or #GP of the fetch, #GP(0) of more than 15 bytes, #UD of an
 * encoding that the manuals say is undefined (in this mode, with LOCK ...);
 * UNHANDLEABLE: not in the table, or code isn't in memory; RETRY.
 */
int x86_emulator_decode(struct x86_emulator *ctx);

/**
 * x86_emulator_execute - execute the decoded instruction
 * @ctx: context, after a successful x86_emulator_decode(), or after
 *	IO_NEEDED from this function.
 *
 * Return: CONTINUE: ctx->rip, ->rflags, ->interrupt_shadow, ->trap_dr6,
 * ->repeating are to be taken over by the owner (registers have been set); others
 * as explained at enum x86_emulator_result. After FAULT and IO_NEEDED, ctx->rip,
 * ->rflags and registers are as before the instruction, but that a repeated
 * string instruction has handed over those of its last whole iteration, and that
 * a fault of the new task of a task switch finds the new task's.
 */
int x86_emulator_execute(struct x86_emulator *ctx);

/**
 * x86_emulator_skip - step over the decoded instruction without executing it
 * @ctx: context, after a successful x86_emulator_decode().
 *
 * For exits whose work is done elsewhere, on CPUs that don't save the next RIP
 * (APM 2 15.7.1). Sets ctx->rip behind the instruction (truncated to 32 bits
 * outside 64 bit mode), clears RFLAGS.RF, sets ->interrupt_shadow to 0 and
 * ->trap_dr6 to DR6.BS if TF is set.
 */
void x86_emulator_skip(struct x86_emulator *ctx);

/**
 * x86_emulator_task_switch - hardware task switch (SDM 3A 7.3)
 * @ctx: context, after x86_emulator_begin(); ctx->rip is what is saved in the
 *	old TSS: of the next instruction for CALL, JMP, IRET and software interrupts.
 * @selector: of the new TSS (descriptor; the task gate has been followed).
 * @idt_vector: of a software interrupt (INT n, INT3, INTO), whose gate's DPL is
 *	checked; -1: an exception, an external interrupt, or no gate of the IDT.
 * @reason: X86_EMULATOR_TASK_*.
 * @has_error_code: push @error_code on the new stack.
 * @error_code: to push.
 *
 * Return: CONTINUE: registers, segments, CR3, RFLAGS, mode are the new task's;
 * FAULT: before the commit point nothing has changed; a fault that the manual
 * places behind it (a segment of the new TSS is bad) comes with the new task's
 * state loaded, ctx->rip included. Either way the owner injects ctx->exception
 * into the state that it then finds.
 */
int x86_emulator_task_switch(struct x86_emulator *ctx, u16 selector, int idt_vector,
			     enum x86_emulator_task_reason reason,
			     bool has_error_code, u32 error_code);

/**
 * x86_emulator_deliver - deliver an event through the IDT (or the real-mode IVT)
 * @ctx: context, after x86_emulator_begin(); ctx->rip is what is pushed.
 * @vector: 0 to 255.
 * @event: what it is.
 * @has_error_code: the exception has one (not pushed in real mode).
 * @error_code: it.
 *
 * For CPUs that can't inject in the guest's current mode, and forced emulation.
 *
 * Return: CONTINUE with ctx->rip, ->rflags, ->mode, ->cpl the handler's; FAULT:
 * the delivery faulted, with EXT in the error code where it belongs, and nothing
 * has changed (double faults are the owner's); others as execute().
 */
int x86_emulator_deliver(struct x86_emulator *ctx, u8 vector,
			 enum x86_emulator_event event,
			 bool has_error_code, u32 error_code);

/**
 * x86_emulator_get_gpr - a general register as this instruction sees it
 * @ctx: context.
 * @reg: X86_EMULATOR_RAX ... R15.
 *
 * For use within operations such as ->hypercall().
 *
 * Return: its 64 bits.
 */
u64 x86_emulator_get_gpr(struct x86_emulator *ctx, unsigned int reg);

/**
 * x86_emulator_set_gpr - set a general register, when the instruction succeeds
 * @ctx: context.
 * @reg: X86_EMULATOR_RAX ... R15.
 * @value: all 64 bits.
 */
void x86_emulator_set_gpr(struct x86_emulator *ctx, unsigned int reg, u64 value);

#endif
