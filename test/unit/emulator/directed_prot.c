// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected and long mode: segment loads, gates, returns, interrupts, SYSCALL,
 * task switches, with the faults that each check gives.
 */
#include "directed.h"

static void test_segment_loads(void)
{
	start(X86_EMULATOR_PROT32, 3);
	protected_tables();
	descriptor(10, 0x1000, 0x2fff, 0xf2, 4);	/* data 3, not yet accessed */
	descriptor(11, 0, 0xfffff, 0x73, 12);		/* not present */
	descriptor(12, 0, 0xfffff, 0xf9, 12);		/* execute only */
	descriptor(13, 0, 0xfffff, 0x9f, 12);		/* conforming, readable, DPL 0 */
	m.gpr[RAX] = 10 * 8 + 3;
	CHECK(RUN(0x8e, 0xc0) == EMUL_OK);		/* mov es, ax */
	CHECK(m.seg[ES].base == 0x1000 && m.seg[ES].limit == 0x2fff && m.seg[ES].db);
	CHECK(m.seg[ES].type == 3 && ram[GDT + 10 * 8 + 5] == 0xf3);
	m.gpr[RAX] = 2 * 8;
	CHECK(faults(RUN(0x8e, 0xc0), VEC_GP, 2 * 8));	/* DPL 0 */
	m.gpr[RAX] = 11 * 8 + 3;
	CHECK(faults(RUN(0x8e, 0xc0), VEC_NP, 11 * 8));
	CHECK(faults(RUN(0x8e, 0xd0), VEC_SS, 11 * 8));
	m.gpr[RAX] = 12 * 8 + 3;
	CHECK(faults(RUN(0x8e, 0xc0), VEC_GP, 12 * 8));
	m.gpr[RAX] = 13 * 8 + 3;
	CHECK(RUN(0x8e, 0xc0) == EMUL_OK);
	m.gpr[RAX] = 0x203;
	CHECK(faults(RUN(0x8e, 0xc0), VEC_GP, 0x200));	/* beyond the limit */
	m.gpr[RAX] = 0x7;
	CHECK(faults(RUN(0x8e, 0xc0), VEC_GP, 4));	/* no LDT */
	m.gpr[RAX] = 3;
	CHECK(RUN(0x8e, 0xc0) == EMUL_OK && m.seg[ES].unusable);
	CHECK(faults(RUN(0x26, 0x8a, 0x00), VEC_GP, 0));
	CHECK(faults(RUN(0x8e, 0xd0), VEC_GP, 0));	/* mov ss, null */
	m.gpr[RAX] = 4 * 8;
	CHECK(faults(RUN(0x8e, 0xd0), VEC_GP, 4 * 8));	/* RPL 0 */
	m.gpr[RAX] = 4 * 8 + 3;
	CHECK(RUN(0x8e, 0xd0) == EMUL_OK);
	passes("segment loads: type, privilege, presence, limit, null; the accessed bit");

	descriptor(14, DATA, 0xfff, 0xf7, 4);		/* expand down */
	m.gpr[RAX] = 14 * 8 + 3;
	CHECK(RUN(0x8e, 0xd8) == EMUL_OK);
	m.gpr[RBX] = 0xfff;
	CHECK(faults(RUN(0x8a, 0x03), VEC_GP, 0));
	m.gpr[RBX] = 0x1000;
	CHECK(RUN(0x8a, 0x03) == EMUL_OK);
	m.gpr[RBX] = 0xffffffff;
	CHECK(faults(RUN(0x66, 0x8b, 0x03), VEC_GP, 0));
	CHECK(faults(RUN(0x2e, 0x88, 0x03), VEC_GP, 0));	/* write to code */
	passes("expand-down segments; code isn't written");

	put32(DATA, 0x55667788);
	put16(DATA + 4, 10 * 8 + 3);
	m.gpr[RBX] = DATA;
	CHECK(RUN(0x36, 0x0f, 0xb4, 0x03) == EMUL_OK);	/* lfs eax, ss:[ebx] */
	CHECK(m.gpr[RAX] == 0x55667788 && m.seg[FS].base == 0x1000);
	put32(STACK, 10 * 8 + 3);
	CHECK(RUN(0x07) == EMUL_OK && m.gpr[RSP] == STACK + 4 && m.seg[ES].base == 0x1000);
	m.gpr[RBX] = 10 * 8 + 3;
	CHECK(RUN(0x0f, 0x03, 0xc3) == EMUL_OK && m.gpr[RAX] == 0x2fff);	/* lsl */
	CHECK(m.ctx.rflags & FLAG_ZF);
	CHECK(RUN(0x0f, 0x02, 0xc3) == EMUL_OK && m.gpr[RAX] == 0x40f300);	/* lar */
	CHECK(RUN(0x0f, 0x00, 0xeb) == EMUL_OK && (m.ctx.rflags & FLAG_ZF));	/* verw */
	m.gpr[RBX] = 8;
	CHECK(RUN(0x0f, 0x02, 0xc3) == EMUL_OK && !(m.ctx.rflags & FLAG_ZF));
	CHECK(RUN(0x0f, 0x00, 0xe3) == EMUL_OK && !(m.ctx.rflags & FLAG_ZF));	/* verr */
	m.gpr[RCX] = 3;
	CHECK(RUN(0x63, 0xcb) == EMUL_OK && m.gpr[RBX] == 11);	/* arpl bx, cx */
	passes("LFS, POP ES, LSL, LAR, VERR, VERW, ARPL");
}

/* PUSHA from below a page that can't be written, into one, and across its end. */
static void test_pusha_faults(void)
{
	static const struct { u32 esp, cr2; } cases[] = {
		{ DATA + 0x1010, DATA + 0x0ffc }, { DATA + 0x1000, DATA + 0x0ffc },
		{ DATA + 0x0f80, DATA + 0x0f7c },
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(X86_EMULATOR_PROT32, 0);
		protected_tables();
		m.region[0].size = DATA;
		machine_map(&m, DATA, 0x1000, ram + DATA, false);
		machine_map(&m, DATA + 0x1000, 0x1000, ram + DATA + 0x1000, true);
		m.gpr[RSP] = cases[i].esp;
		CHECK(faults(RUN(0x60), VEC_PF, 3));
		CHECK(m.ctx.exception.address == cases[i].cr2 && m.gpr[RSP] == cases[i].esp);
		CHECK(!get32(DATA + 0x100c));
	}
	passes("PUSHA faults at the first push that does, and pushes nothing");
}

static void test_gates(void)
{
	start(X86_EMULATOR_PROT32, 3);
	protected_tables();
	put32(TSS + 4, STACK0);
	put32(TSS + 8, 16);
	gate(GDT, 15, 8, 0x2000, 0xec, 2);		/* call gate, DPL 3, 2 words */
	put32(STACK, 0x1111);
	put32(STACK + 4, 0x2222);
	CHECK(RUN(0x9a, 0, 0, 0, 0, 15 * 8 + 3, 0) == EMUL_OK);
	CHECK(m.ctx.rip == 0x2000 && m.ctx.cpl == 0 && m.seg[CS].selector == 8);
	CHECK(m.seg[SS].selector == 16 && m.gpr[RSP] == STACK0 - 24);
	CHECK(get32(STACK0 - 4) == 35 && get32(STACK0 - 8) == STACK);
	CHECK(get32(STACK0 - 12) == 0x2222 && get32(STACK0 - 16) == 0x1111);
	CHECK(get32(STACK0 - 20) == 27 && get32(STACK0 - 24) == CODE + 7);
	m.seg[DS].selector = 16;
	m.seg[DS].dpl = 0;
	CHECK(run(BYTES(0xca, 8, 0)) == EMUL_OK);		/* retf 8 */
	CHECK(m.ctx.cpl == 3 && m.ctx.rip == CODE + 7 && m.gpr[RSP] == STACK + 8);
	CHECK(m.seg[DS].unusable && m.seg[DS].selector == 0 && !m.seg[ES].unusable);
	CHECK(m.seg[SS].selector == 35 && m.seg[CS].selector == 27);
	passes("a call gate to CPL 0 with parameters, and RETF back");

	CHECK(faults(RUN(0xea, 0, 0, 0, 0, 15 * 8 + 3, 0), VEC_GP, 8));
	CHECK(faults(RUN(0xea, 0, 0, 0, 0, 8, 0), VEC_GP, 8));
	CHECK(faults(RUN(0xea, 0, 0, 0, 0, 0, 0), VEC_GP, 0));
	CHECK(faults(RUN(0xea, 0, 0, 0, 0, 35, 0), VEC_GP, 32));
	gate(GDT, 15, 8, 0x2000, 0x8c, 2);
	CHECK(faults(RUN(0x9a, 0, 0, 0, 0, 15 * 8 + 3, 0), VEC_GP, 15 * 8));
	gate(GDT, 15, 8, 0x2000, 0x6c, 2);
	CHECK(faults(RUN(0x9a, 0, 0, 0, 0, 15 * 8 + 3, 0), VEC_NP, 15 * 8));
	gate(GDT, 15, 8, 0x2000, 0xec, 2);
	put32(TSS + 8, 0);
	CHECK(faults(RUN(0x9a, 0, 0, 0, 0, 15 * 8 + 3, 0), VEC_TS, 0));
	put32(TSS + 8, 32);
	CHECK(faults(RUN(0x9a, 0, 0, 0, 0, 15 * 8 + 3, 0), VEC_TS, 32));
	put32(TSS + 8, 16);
	m.seg[TR].limit = 7;
	CHECK(faults(RUN(0x9a, 0, 0, 0, 0, 15 * 8 + 3, 0), VEC_TS, 40));
	CHECK(m.ctx.cpl == 3 && m.gpr[RSP] == STACK + 8 && m.ctx.rip == CODE);
	put32(STACK + 8, 0x1000);
	put32(STACK + 12, 8);
	CHECK(faults(RUN(0xcb), VEC_GP, 8));			/* retf to CPL 0 */
	passes("far transfers that must fault: privilege, presence, type, the TSS's stack");
}

static void test_interrupts32(void)
{
	start(X86_EMULATOR_PROT32, 3);
	protected_tables();
	put32(TSS + 4, STACK0);
	put32(TSS + 8, 16);
	gate(IDT, 0x80, 8, 0x3000, 0xef, 0);		/* trap gate, DPL 3 */
	gate(IDT, 0x81, 8, 0x3100, 0x8e, 0);		/* interrupt gate, DPL 0 */
	gate(IDT, 0x82, 8, 0x3100, 0x6e, 0);		/* not present */
	gate(IDT, 0x83, 8, 0x3100, 0xec, 0);		/* a call gate */
	m.ctx.rflags = FLAG_FIXED | FLAG_IF;
	CHECK(RUN(0xcd, 0x80) == EMUL_OK);
	CHECK(m.ctx.rip == 0x3000 && m.ctx.cpl == 0 && m.gpr[RSP] == STACK0 - 20);
	CHECK(m.ctx.rflags == (FLAG_FIXED | FLAG_IF));
	CHECK(get32(STACK0 - 20) == CODE + 2 && get32(STACK0 - 16) == 27);
	CHECK(get32(STACK0 - 8) == STACK && get32(STACK0 - 4) == 35);
	CHECK(run(BYTES(0xcf)) == EMUL_OK);
	CHECK(m.ctx.cpl == 3 && m.ctx.rip == CODE + 2 && m.gpr[RSP] == STACK);
	CHECK(faults(RUN(0xcd, 0x81), VEC_GP, 0x81 * 8 + 2));
	CHECK(faults(RUN(0xcd, 0x82), VEC_NP, 0x82 * 8 + 2));
	CHECK(faults(RUN(0xcd, 0x83), VEC_GP, 0x83 * 8 + 2));
	m.idt.limit = 0x80 * 8 + 6;
	CHECK(faults(RUN(0xcd, 0x80), VEC_GP, 0x80 * 8 + 2));
	m.idt.limit = 0x7ff;
	passes("INT n through gates, IRET back, and its faults");

	m.ctx.rip = 0x1234;
	x86_emulator_begin(&m.ctx, NULL, 0);
	CHECK(x86_emulator_deliver(&m.ctx, 0x81, X86_EMULATOR_EVENT_EXTERNAL, false, 0) == EMUL_OK);
	CHECK(m.ctx.rip == 0x3100 && !(m.ctx.rflags & FLAG_IF) && m.ctx.cpl == 0);
	x86_emulator_begin(&m.ctx, NULL, 0);
	CHECK(x86_emulator_deliver(&m.ctx, 0x81, X86_EMULATOR_EVENT_EXCEPTION, true, 0x77) ==
	      EMUL_OK);
	CHECK(m.gpr[RSP] == STACK0 - 20 - 16 && get32(m.gpr[RSP]) == 0x77);
	x86_emulator_begin(&m.ctx, NULL, 0);
	CHECK(faults(x86_emulator_deliver(&m.ctx, 0x82, X86_EMULATOR_EVENT_EXTERNAL, false, 0),
		     VEC_NP, 0x82 * 8 + 3));
	passes("events from outside: no DPL check, error codes, EXT");
}

static void idt_gate64(unsigned int vector, u16 selector, u64 offset, u8 access, u8 ist)
{
	gate(IDT, 2 * vector, selector, offset, access, ist);
	put64(IDT + 16 * vector + 8, offset >> 32);
}

static void test_long_mode(void)
{
	start(X86_EMULATOR_PROT64, 3);
	protected_tables();
	m.idt.limit = 0xfff;
	m.seg[CS].selector = 9 * 8 + 3;
	put64(TSS + 4, STACK0 + 8);
	put64(TSS + 36, 0xd000);			/* IST1 */
	idt_gate64(0x20, 7 * 8, 0x3000, 0xee, 0);
	idt_gate64(0x21, 7 * 8, 0x3000, 0xee, 1);
	idt_gate64(0x22, 8, 0x3000, 0xee, 0);		/* 32 bit code */
	m.ctx.rflags = FLAG_FIXED | FLAG_IF;
	CHECK(RUN(0xcd, 0x20) == EMUL_OK);
	CHECK(m.ctx.cpl == 0 && m.ctx.rip == 0x3000 && m.gpr[RSP] == STACK0 - 40);
	CHECK(m.seg[SS].unusable && m.seg[SS].selector == 0);
	CHECK(get64(STACK0 - 8) == 35 && get64(STACK0 - 16) == STACK);
	CHECK(get64(STACK0 - 24) == (FLAG_FIXED | FLAG_IF) && get64(STACK0 - 32) == 75);
	CHECK(get64(STACK0 - 40) == CODE + 2);
	CHECK(run(BYTES(0x48, 0xcf)) == EMUL_OK);
	CHECK(m.ctx.cpl == 3 && m.ctx.rip == CODE + 2 && m.gpr[RSP] == STACK);
	CHECK(m.seg[SS].selector == 35 && !m.seg[SS].unusable);
	CHECK(RUN(0xcd, 0x21) == EMUL_OK && m.gpr[RSP] == 0xd000 - 40);
	CHECK(run(BYTES(0x48, 0xcf)) == EMUL_OK && m.gpr[RSP] == STACK);
	CHECK(faults(RUN(0xcd, 0x22), VEC_GP, 8));
	put64(TSS + 4, 0x800000000000);
	CHECK(faults(RUN(0xcd, 0x20), VEC_SS, 0));
	put64(STACK, 0x800000000000);			/* IRET to where nothing can be */
	put64(STACK + 8, 75);
	put64(STACK + 24, STACK);
	put64(STACK + 32, 35);
	CHECK(faults(RUN(0x48, 0xcf), VEC_GP, 0));
	passes("long mode: interrupts with and without IST, IRETQ");

	m.ctx.rflags = FLAG_FIXED | FLAG_IF | FLAG_TF | FLAG_CF;
	m.star = 0x0033003800000000;			/* SYSRET 33, SYSCALL 38 */
	m.lstar = 0xffffffff80001000;
	m.sfmask = FLAG_IF | FLAG_TF;
	CHECK(RUN(0x0f, 0x05) == EMUL_OK);
	CHECK(m.ctx.rip == 0xffffffff80001000 && m.ctx.cpl == 0);
	CHECK(m.gpr[RCX] == CODE + 2 && m.gpr[R11] == (FLAG_FIXED | FLAG_IF | FLAG_TF | FLAG_CF));
	CHECK(m.ctx.rflags == (FLAG_FIXED | FLAG_CF));
	CHECK(m.seg[CS].selector == 0x38 && m.seg[CS].l && m.seg[SS].selector == 0x40);
	CHECK(RUN(0x48, 0x0f, 0x07) == EMUL_OK);
	CHECK(m.ctx.rip == CODE + 2 && m.ctx.cpl == 3 && m.seg[CS].selector == 0x43);
	CHECK(m.ctx.rflags == (FLAG_FIXED | FLAG_IF | FLAG_TF | FLAG_CF));
	CHECK(m.seg[SS].selector == 0x3b && m.seg[SS].dpl == 3);
	m.efer &= ~1ull;
	CHECK(faults(RUN(0x0f, 0x05), VEC_UD, -1));
	CHECK(faults(RUN(0x0f, 0x34), VEC_UD, -1));	/* SYSENTER, AMD long mode */
	m.ctx.features |= X86_EMULATOR_FEAT_INTEL;
	m.sysenter[0] = 8;
	m.sysenter[1] = 0x7000;
	m.sysenter[2] = 0x3000;
	CHECK(RUN(0x0f, 0x34) == EMUL_OK && m.ctx.rip == 0x3000 && m.gpr[RSP] == 0x7000);
	CHECK(m.ctx.cpl == 0 && m.seg[CS].l && !(m.ctx.rflags & FLAG_IF));
	m.gpr[RDX] = CODE;
	m.gpr[RCX] = STACK;
	CHECK(run(BYTES(0x48, 0x0f, 0x35)) == EMUL_OK && m.ctx.rip == CODE && m.ctx.cpl == 3);
	CHECK(m.seg[CS].selector == 43 && m.gpr[RSP] == STACK);
	m.sysenter[0] = 3;
	CHECK(faults(RUN(0x0f, 0x34), VEC_GP, 0));
	passes("SYSCALL, SYSRET, SYSENTER, SYSEXIT");

	start(X86_EMULATOR_PROT64, 0);
	m.kernel_gs_base = 0x1234;
	m.seg[GS].base = 0x5678;
	CHECK(RUN(0x0f, 0x01, 0xf8) == EMUL_OK);
	CHECK(m.kernel_gs_base == 0x5678 && m.seg[GS].base == 0x1234);
	CHECK(faults(RUN(0xf3, 0x48, 0x0f, 0xae, 0xd0), VEC_UD, -1));
	m.cr[4] |= CR4_FSGSBASE_BIT;
	m.gpr[RAX] = 0x7777;
	CHECK(RUN(0xf3, 0x48, 0x0f, 0xae, 0xd0) == EMUL_OK && m.seg[FS].base == 0x7777);
	m.gpr[RAX] = 0x800000000000;
	CHECK(faults(RUN(0xf3, 0x48, 0x0f, 0xae, 0xd0), VEC_GP, 0));
	m.ctx.cpl = 3;
	CHECK(faults(RUN(0x0f, 0x01, 0xf8), VEC_GP, 0));
	passes("SWAPGS, WRFSBASE");
}

/* The way every boot loader takes: real mode, PE, a far jump. */
static void test_mode_changes(void)
{
	start(X86_EMULATOR_REAL, 0);
	descriptor(1, 0, 0xfffff, 0x9a, 12);
	put16(DATA, 0x1f);
	put32(DATA + 2, 0xff000000 | GDT);
	m.gpr[RBX] = DATA;
	CHECK(RUN(0x0f, 0x01, 0x17) == EMUL_OK);		/* lgdt [bx] */
	CHECK(m.gdt.limit == 0x1f && m.gdt.base == GDT);	/* 24 bits */
	CHECK(RUN(0x66, 0x0f, 0x01, 0x17) == EMUL_OK && m.gdt.base == (0xff000000 | GDT));
	m.gdt.base = GDT;
	m.gpr[RAX] = 0x11;
	CHECK(RUN(0x0f, 0x22, 0xc0) == EMUL_OK && m.cr[0] == 0x11);
	m.ctx.mode = X86_EMULATOR_PROT16;
	CHECK(RUN(0x66, 0xea, 0x00, 0x20, 0, 0, 8, 0) == EMUL_OK);
	CHECK(m.ctx.mode == X86_EMULATOR_PROT32 && m.ctx.rip == 0x2000 && m.seg[CS].type == 11);
	CHECK(ram[GDT + 13] == 0x9b);
	passes("from real mode to 32 bit protected mode: LGDT, MOV CR0, far jump");
}

static void make_tss(u32 tss, u32 eip, u32 flags, u16 cs, u16 ss)
{
	put32(tss + 28, 0x5000);
	put32(tss + 32, eip);
	put32(tss + 36, flags);
	put32(tss + 40, 0xaaaa);		/* eax */
	put32(tss + 56, 0xe000);		/* esp */
	put32(tss + 72, ss);
	put32(tss + 76, cs);
	put32(tss + 80, ss);
	put32(tss + 84, ss);
	put32(tss + 88, 0);
	put32(tss + 92, 0);
	put32(tss + 96, 0);
}

static void test_tasks(void)
{
	int r;

	start(X86_EMULATOR_PROT32, 0);
	protected_tables();
	make_tss(TSS2, 0x3000, 0x202, 8, 16);
	m.gpr[RBX] = 0xbbbb;
	m.cr[0] |= CR0_PG_BIT;
	m.dr[7] = 0x7ff;
	CHECK(RUN(0x9a, 0, 0, 0, 0, 6 * 8, 0) == EMUL_OK);	/* call TSS2 */
	CHECK(m.ctx.rip == 0x3000 && m.gpr[RAX] == 0xaaaa && m.gpr[RSP] == 0xe000);
	CHECK(m.ctx.rflags == (0x202 | FLAG_NT) && m.cr[3] == 0x5000 && (m.cr[0] & CR0_TS_BIT));
	CHECK(m.seg[TR].selector == 48 && m.seg[TR].type == 11 && m.seg[FS].unusable);
	CHECK(get16(TSS2) == 40 && get32(TSS + 32) == CODE + 7 && get32(TSS + 52) == 0xbbbb);
	CHECK((ram[GDT + 45] & 15) == 11 && (ram[GDT + 53] & 15) == 11);
	CHECK(m.dr[7] == 0x6aa);
	CHECK(run(BYTES(0xcf)) == EMUL_OK);			/* iret: back */
	CHECK(m.seg[TR].selector == 40 && m.ctx.rip == CODE + 7 && m.gpr[RBX] == 0xbbbb);
	CHECK(!(get32(TSS2 + 36) & FLAG_NT) && (ram[GDT + 53] & 15) == 9);
	passes("task switch by CALL and back by IRET: state, link, NT, TS, busy bits, CR3");

	CHECK(faults(RUN(0xea, 0, 0, 0, 0, 5 * 8, 0), VEC_GP, 40));	/* busy */
	descriptor(6, TSS2, 0x66, 0x89, 0);
	CHECK(faults(RUN(0xea, 0, 0, 0, 0, 6 * 8, 0), VEC_TS, 48));
	descriptor(6, TSS2, 0x67, 0x09, 0);
	CHECK(faults(RUN(0xea, 0, 0, 0, 0, 6 * 8, 0), VEC_NP, 48));
	CHECK(m.seg[TR].selector == 40 && m.ctx.rip == CODE);
	descriptor(6, TSS2, 0x67, 0x89, 0);
	make_tss(TSS2, 0x3000, 0x2, 16, 16);			/* CS: data */
	r = RUN(0xea, 0, 0, 0, 0, 6 * 8, 0);
	CHECK(faults(r, VEC_TS, 16) && m.seg[TR].selector == 48 && m.ctx.rip == 0x3000);
	CHECK(get32(TSS + 32) == CODE + 7);
	passes("task switches that fault before the switch, and in the new task");

	start(X86_EMULATOR_PROT32, 3);
	protected_tables();
	make_tss(TSS2, 0x3000, 0x2, 8, 16);
	gate(IDT, 13, 6 * 8, 0, 0x85, 0);			/* task gate, DPL 0 */
	m.ctx.rip = 0x1234;
	x86_emulator_begin(&m.ctx, NULL, 0);
	CHECK(faults(x86_emulator_task_switch(&m.ctx, 48, 13, X86_EMULATOR_TASK_GATE, false, 0),
		     VEC_GP, 13 * 8 + 2));
	x86_emulator_begin(&m.ctx, NULL, 0);
	CHECK(x86_emulator_task_switch(&m.ctx, 48, -1, X86_EMULATOR_TASK_GATE, true, 0x99) ==
	      EMUL_OK);
	CHECK(m.ctx.cpl == 0 && m.ctx.rip == 0x3000 && m.gpr[RSP] == 0xe000 - 4);
	CHECK(get32(0xe000 - 4) == 0x99 && get32(TSS + 32) == 0x1234);
	CHECK(m.ctx.rflags == (FLAG_FIXED | FLAG_NT));
	passes("task switch of an exception: error code on the new stack, DPL for INT n only");
}

void test_protected_mode(void)
{
	test_segment_loads();
	test_pusha_faults();
	test_gates();
	test_interrupts32();
	test_long_mode();
	test_mode_changes();
	test_tasks();
}
