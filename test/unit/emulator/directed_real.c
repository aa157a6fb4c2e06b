// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real and virtual-8086 mode: 16 bit addressing, wrapping, interrupts, and the
 * flags that VME virtualizes.
 */
#include "directed.h"

static void test_addressing16(void)
{
	static const char * const names[8] = {
		"bx+si", "bx+di", "bp+si", "bp+di", "si", "di", "bp", "bx",
	};
	static const u16 bases[8] = {
		0x1100 + 0x220, 0x1100 + 0x330, 0x4400 + 0x220, 0x4400 + 0x330,
		0x220, 0x330, 0x4400, 0x1100,
	};
	unsigned int rm, mod;

	start(X86_EMULATOR_REAL, 0);
	m.gpr[RBX] = 0xffff1100;
	m.gpr[RBP] = 0x4400;
	m.gpr[RSI] = 0x220;
	m.gpr[RDI] = 0x330;
	m.seg[DS].base = 0x20000;
	m.seg[SS].base = 0x40000;
	for (rm = 0; rm < 8; rm++) {
		for (mod = 0; mod < 3; mod++) {
			u8 code[5] = { 0x8d, mod << 6 | rm, 0xfe, 0xff };	/* lea ax */
			u16 ea = bases[rm] + (mod ? mod == 1 ? -2 : 0xfffe : 0);
			bool absolute = mod == 0 && rm == 6;
			bool stack = !absolute && (rm == 2 || rm == 3 || rm == 6);

			if (absolute)
				ea = 0xfffe;
			m.gpr[RAX] = 0x55550000;
			CHECK(run_at(code, 4) == EMUL_OK);
			if (m.gpr[RAX] != (0x55550000 | ea)) {
				printf("# mod %u [%s]: %llx\n", mod, names[rm], m.gpr[RAX]);
				CHECK(false);
			}
			CHECK(m.ctx.rip == CODE + 2 + (absolute ? 2 : mod));
			/* The same as a load shows the segment. */
			put16((stack ? 0x40000 : 0x20000) + ea, 0xabcd);
			code[0] = 0x8b;
			CHECK(run_at(code, 4) == EMUL_OK && (m.gpr[RAX] & 0xffff) == 0xabcd);
			put16((stack ? 0x40000 : 0x20000) + ea, 0);
		}
	}
	passes("real mode: all 16 bit addressing forms, their segments and lengths");
}

static void test_real_limits(void)
{
	start(X86_EMULATOR_REAL, 0);
	m.gpr[RBX] = 0xffff;
	CHECK(RUN(0x8a, 0x07) == EMUL_OK);			/* mov al, [bx] */
	CHECK(faults(RUN(0x8b, 0x07), VEC_GP, 0));		/* mov ax, [bx] */
	CHECK(faults(RUN(0x36, 0x8b, 0x07), VEC_SS, 0));
	m.gpr[RBX] = 0x12340;
	CHECK(faults(RUN(0x67, 0x8b, 0x03), VEC_GP, 0));	/* mov ax, [ebx] */
	m.seg[DS].limit = 0xffffffff;				/* "unreal" */
	put16(0x12340, 0x4321);
	CHECK(RUN(0x67, 0x8b, 0x03) == EMUL_OK && (m.gpr[RAX] & 0xffff) == 0x4321);
	m.gpr[RAX] = 0x1000;
	CHECK(RUN(0x8e, 0xd8) == EMUL_OK);			/* mov ds, ax */
	CHECK(m.seg[DS].base == 0x10000 && m.seg[DS].limit == 0xffffffff);
	m.gpr[RSP] = 0xaaaa0000;
	CHECK(RUN(0x50) == EMUL_OK && m.gpr[RSP] == 0xaaaafffe && get16(0xfffe) == 0x1000);
	m.gpr[RSP] = 1;
	CHECK(faults(RUN(0x50), VEC_SS, 0));
	m.gpr[RSP] = 6;
	CHECK(RUN(0x60) == EMUL_OK && (m.gpr[RSP] & 0xffff) == 0xfff6);	/* pusha wraps */
	CHECK(get16(4) == 0x1000 && get16(0xfffc) == 6);
	CHECK(RUN(0x61) == EMUL_OK && (m.gpr[RSP] & 0xffff) == 6);
	CHECK(RUN(0xeb, 0xfe) == EMUL_OK && m.ctx.rip == CODE);
	CHECK(RUN(0xe9, 0xfd, 0xf0) == EMUL_OK && m.ctx.rip == 0x100);
	passes("real mode: limits, unreal mode, stacks and jumps that wrap");
}

static void test_real_transfers(void)
{
	start(X86_EMULATOR_REAL, 0);
	m.idt.limit = 0x3ff;
	put16(0x21 * 4, 0x1234);
	put16(0x21 * 4 + 2, 0x2000);
	m.ctx.rflags = FLAG_FIXED | FLAG_IF | FLAG_CF;
	CHECK(RUN(0xcd, 0x21) == EMUL_OK);
	CHECK(m.seg[CS].selector == 0x2000 && m.seg[CS].base == 0x20000);
	CHECK(m.ctx.rip == 0x1234 && m.ctx.rflags == (FLAG_FIXED | FLAG_CF));
	CHECK(get16(STACK - 2) == (FLAG_FIXED | FLAG_IF | FLAG_CF) &&
	      get16(STACK - 4) == 0 && get16(STACK - 6) == CODE + 2);
	CHECK(run(BYTES(0xcf)) == EMUL_OK);			/* iret */
	CHECK(m.seg[CS].base == 0 && m.ctx.rip == CODE + 2 && m.gpr[RSP] == STACK);
	CHECK(m.ctx.rflags == (FLAG_FIXED | FLAG_IF | FLAG_CF) && m.nmi_unblocked == 1);
	m.idt.limit = 0x21 * 4 + 2;
	CHECK(RUN(0xcd, 0x21) == EMUL_FAULT && m.ctx.exception.vector == VEC_GP);
	passes("real mode: INT n and IRET");

	CHECK(RUN(0x9a, 0x00, 0x01, 0x00, 0x30) == EMUL_OK);	/* call 3000:100 */
	CHECK(m.seg[CS].base == 0x30000 && m.ctx.rip == 0x100);
	CHECK(get16(STACK - 2) == 0 && get16(STACK - 4) == CODE + 5);
	CHECK(run(BYTES(0xca, 4, 0)) == EMUL_OK);		/* retf 4 */
	CHECK(m.ctx.rip == CODE + 5 && m.gpr[RSP] == STACK + 4 && m.seg[CS].base == 0);
	put16(DATA, 0x40);
	put16(DATA + 2, 0x1000);
	m.gpr[RBX] = DATA;
	CHECK(RUN(0xff, 0x2f) == EMUL_OK);			/* jmp far [bx] */
	CHECK(m.seg[CS].base == 0x10000 && m.ctx.rip == 0x40);
	m.seg[CS].base = 0;
	CHECK(RUN(0xc5, 0x37) == EMUL_OK);			/* lds si, [bx] */
	CHECK((m.gpr[RSI] & 0xffff) == 0x40 && m.seg[DS].base == 0x10000);
	CHECK(RUN(0x66, 0xea, 0, 0, 1, 0, 0, 0) == EMUL_FAULT);	/* jmp 0:10000 */
	CHECK(RUN(0x0f, 0x00, 0xc0) == EMUL_FAULT && m.ctx.exception.vector == VEC_UD);
	passes("real mode: far calls, returns and jumps, far pointers; no SLDT");
}

static void test_vm86(void)
{
	const u64 base = FLAG_FIXED | FLAG_VM;

	start(X86_EMULATOR_VM86, 3);
	protected_tables();
	m.seg[CS].selector = 0;
	m.seg[SS].selector = 0;
	m.ctx.rflags = base;
	put16(TSS + 102, 0x68);			/* no I/O bitmap */
	CHECK(faults(RUN(0xfa), VEC_GP, 0));			/* cli */
	CHECK(faults(RUN(0x9c), VEC_GP, 0));			/* pushf */
	CHECK(faults(RUN(0x9d), VEC_GP, 0));
	CHECK(faults(RUN(0xcd, 0x10), VEC_GP, 0));
	CHECK(faults(RUN(0xcf), VEC_GP, 0));
	CHECK(faults(RUN(0xf4), VEC_GP, 0));
	CHECK(faults(RUN(0xe4, 0x10), VEC_GP, 0));		/* in: no bitmap */
	passes("virtual-8086 mode, IOPL 0: CLI, PUSHF, POPF, INT, IRET, HLT, IN are #GP(0)");

	m.cr[4] |= CR4_VME_BIT;
	CHECK(RUN(0xfb) == EMUL_OK && m.ctx.rflags == (base | FLAG_VIF));
	CHECK(RUN(0x9c) == EMUL_OK && get16(STACK - 2) == (FLAG_FIXED | FLAG_IOPL | FLAG_IF));
	CHECK(RUN(0xfa) == EMUL_OK && m.ctx.rflags == base);
	CHECK(RUN(0x9d) == EMUL_OK && m.ctx.rflags == (base | FLAG_VIF));
	m.ctx.rflags = base | FLAG_VIP;
	CHECK(faults(RUN(0xfb), VEC_GP, 0));
	m.ctx.rflags = base | FLAG_VIF;
	put16(TSS + 102, 0x88);			/* I/O bitmap; redirection at 0x68 */
	m.seg[TR].limit = 0x2088;
	put16(0x10 * 4, 0x77);
	put16(0x10 * 4 + 2, 0x3000);
	CHECK(RUN(0xcd, 0x10) == EMUL_OK && m.seg[CS].base == 0x30000 && m.ctx.rip == 0x77);
	CHECK(get16(STACK - 2) == (FLAG_FIXED | FLAG_IOPL | FLAG_IF));
	CHECK(m.ctx.rflags == base && m.ctx.mode == X86_EMULATOR_VM86);
	CHECK(run(BYTES(0xcf)) == EMUL_OK && m.ctx.rip == CODE + 2);
	CHECK(m.ctx.rflags == (base | FLAG_VIF));
	passes("virtual-8086 mode with VME: VIF stands for IF, INT goes to the 8086 program");

	ram[TSS + 0x68 + 2] = 1;		/* INT 10 is the monitor's */
	m.ctx.rflags = base | FLAG_IOPL;
	gate(IDT, 0x10, 8, 0x1800, 0xee, 0);
	put32(TSS + 4, STACK0);
	put32(TSS + 8, 16);
	m.seg[GS].selector = 0x1111;
	m.seg[ES].selector = 0x2222;
	CHECK(RUN(0xcd, 0x10) == EMUL_OK);
	CHECK(m.ctx.mode == X86_EMULATOR_PROT32 && m.ctx.cpl == 0 && m.ctx.rip == 0x1800);
	CHECK(m.gpr[RSP] == STACK0 - 36 && m.seg[DS].unusable && m.seg[SS].selector == 16);
	CHECK(get32(STACK0 - 4) == 0x1111 && get32(STACK0 - 16) == 0x2222);
	CHECK(get32(STACK0 - 24) == STACK && get32(STACK0 - 28) == (base | FLAG_IOPL));
	CHECK(get32(STACK0 - 36) == CODE + 2 && m.ctx.rflags == (FLAG_FIXED | FLAG_IOPL));
	CHECK(run(BYTES(0xcf)) == EMUL_OK);
	CHECK(m.ctx.mode == X86_EMULATOR_VM86 && m.ctx.cpl == 3 && m.ctx.rip == CODE + 2);
	CHECK(m.seg[GS].selector == 0x1111 && m.seg[GS].base == 0x11110);
	CHECK(m.gpr[RSP] == STACK && m.ctx.rflags == (base | FLAG_IOPL));
	passes("an interrupt from virtual-8086 mode to CPL 0, and IRET back");
}

void test_real_mode(void)
{
	test_addressing16();
	test_real_limits();
	test_real_transfers();
	test_vm86();
}
