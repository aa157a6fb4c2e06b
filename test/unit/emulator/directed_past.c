// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where emulators of other hypervisors have failed: each row was a published
 * vulnerability, and is a case here.
 */
#include "directed.h"

/* CVE-2017-2583: a null SS must not leave an impossible privilege level behind. */
static void test_null_stack(void)
{
	start(X86_EMULATOR_PROT64, 0);
	protected_tables();
	m.gpr[RAX] = 3;
	CHECK(faults(RUN(0x8e, 0xd0), VEC_GP, 0));		/* mov ss, RPL 3 at CPL 0 */
	m.gpr[RAX] = 0;
	CHECK(RUN(0x8e, 0xd0) == EMUL_OK && m.seg[SS].unusable && m.seg[SS].dpl == 0);
	m.gpr[RBX] = DATA;
	put64(DATA, 3ull << 32);
	CHECK(faults(RUN(0x0f, 0xb2, 0x03), VEC_GP, 0));	/* lss */
	start(X86_EMULATOR_PROT64, 3);
	protected_tables();
	m.gpr[RAX] = 3;
	CHECK(faults(RUN(0x8e, 0xd0), VEC_GP, 0));
	start(X86_EMULATOR_PROT32, 0);
	protected_tables();
	m.gpr[RAX] = 0;
	CHECK(faults(RUN(0x8e, 0xd0), VEC_GP, 0));
	passes("MOV SS and LSS with a null selector (CVE-2017-2583)");
}

/*
 * CVE-2017-2584, CVE-2018-10853: what writes or reads a table for a program has that
 * program's rights in pages and segments.
 */
static void test_user_rights(void)
{
	static const u8 stores[][4] = {
		{ 0x0f, 0x01, 0x03 }, { 0x0f, 0x01, 0x0b }, { 0x0f, 0x00, 0x03 },
		{ 0x0f, 0x00, 0x0b }, { 0x0f, 0x01, 0x23 }, { 0xd9, 0x3b }, { 0xdd, 0x3b },
		{ 0x0f, 0x11, 0x03 }, { 0x0f, 0x7f, 0x03 }, { 0x0f, 0xc3, 0x03 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		start(X86_EMULATOR_PROT32, 3);
		protected_tables();
		m.gpr[RBX] = DATA;
		CHECK(run_at(stores[i], 4) == EMUL_OK);
		m.region[0].user = false;
		m.ctx.rip = CODE;
		x86_emulator_begin(&m.ctx, stores[i], 4);
		CHECK(x86_emulator_decode(&m.ctx) == EMUL_OK);
		CHECK(faults(x86_emulator_execute(&m.ctx), VEC_PF, 7));
		m.region[0].user = true;
		m.seg[DS].type = 1;
		CHECK(faults(run_at(stores[i], 4), VEC_GP, 0));
		m.seg[DS].type = 3;
		m.seg[DS].limit = DATA;
		CHECK(faults(run_at(stores[i], 4), VEC_GP, 0));
	}
	passes("SGDT, FNSTCW and the like write with the program's rights (CVE-2017-2584, CVE-2018-10853)");
}

/* CVE-2014-3647: no far branch ends where RIP can't be. */
static void test_far_branches(void)
{
	const u64 nowhere = 0x800000000000;
	u64 flags;

	start(X86_EMULATOR_PROT64, 0);
	protected_tables();
	m.ctx.features |= X86_EMULATOR_FEAT_INTEL;
	m.gpr[RBX] = DATA;
	put64(DATA, nowhere);
	put16(DATA + 8, 7 * 8);
	CHECK(faults(RUN(0x48, 0xff, 0x2b), VEC_GP, 0));	/* jmp far */
	CHECK(faults(RUN(0x48, 0xff, 0x1b), VEC_GP, 0));	/* call far */
	CHECK(m.gpr[RSP] == STACK);
	put64(STACK, nowhere);
	put64(STACK + 8, 7 * 8);
	CHECK(faults(RUN(0x48, 0xcb), VEC_GP, 0));		/* retf */
	put64(STACK + 8, 9 * 8 + 3);				/* to CPL 3 */
	put64(STACK + 16, STACK);
	put64(STACK + 24, 4 * 8 + 3);
	CHECK(faults(RUN(0x48, 0xcb), VEC_GP, 0));
	put64(STACK + 16, 2);
	put64(STACK + 24, STACK);
	put64(STACK + 32, 4 * 8 + 3);
	flags = m.ctx.rflags;
	CHECK(faults(RUN(0x48, 0xcf), VEC_GP, 0));		/* iretq */
	CHECK(m.ctx.cpl == 0 && m.seg[CS].l && m.gpr[RSP] == STACK && m.ctx.rflags == flags);
	put64(STACK, nowhere);
	CHECK(faults(RUN(0xc3), VEC_GP, 0));			/* ret */
	m.gpr[RAX] = nowhere;
	CHECK(faults(RUN(0xff, 0xe0), VEC_GP, 0) && faults(RUN(0xff, 0xd0), VEC_GP, 0));
	m.efer |= EFER_SCE_BIT;
	m.gpr[RCX] = nowhere;
	CHECK(faults(RUN(0x48, 0x0f, 0x07), VEC_GP, 0));	/* sysretq */
	m.sysenter[0] = 8;
	m.gpr[RDX] = nowhere;
	CHECK(faults(RUN(0x48, 0x0f, 0x35), VEC_GP, 0));	/* sysexitq */
	CHECK(m.ctx.cpl == 0 && m.ctx.rip == CODE);
	passes("branches to where RIP can't be change nothing (CVE-2014-3647)");
}

/* CVE-2015-0239: SYSENTER where CS is null, in 16 bit code, and in real mode. */
static void test_sysenter(void)
{
	unsigned int mode;

	for (mode = X86_EMULATOR_VM86; mode <= X86_EMULATOR_PROT32; mode++) {
		start(mode, 3);
		m.ctx.features |= X86_EMULATOR_FEAT_INTEL;
		m.sysenter[0] = 3;
		CHECK(faults(RUN(0x0f, 0x34), VEC_GP, 0) && m.ctx.cpl == 3);
		m.sysenter[0] = 8;
		m.sysenter[1] = 0x12345678;
		m.sysenter[2] = 0x3000;
		CHECK(RUN(0x0f, 0x34) == EMUL_OK && m.ctx.rip == 0x3000 && m.ctx.cpl == 0);
		CHECK(m.ctx.mode == X86_EMULATOR_PROT32 && m.gpr[RSP] == 0x12345678);
		CHECK(m.seg[CS].limit == 0xffffffff && !(m.ctx.rflags & (FLAG_VM | FLAG_IF)));
	}
	start(X86_EMULATOR_REAL, 0);
	m.sysenter[0] = 8;
	CHECK(faults(RUN(0x0f, 0x34), VEC_GP, 0));
	CHECK(faults(RUN(0x0f, 0x35), VEC_GP, 0));
	passes("SYSENTER: null CS, 16 bit code, virtual-8086 and real mode (CVE-2015-0239)");
}

/* CVE-2016-8630: an address without an operand, and an operand without an address. */
static void test_no_operand(void)
{
	start(X86_EMULATOR_PROT64, 0);
	CHECK(RUN(0x0f, 0x1f, 0x05, 1, 2, 3, 4) == EMUL_OK);	/* nop, relative to RIP */
	CHECK(RUN(0x0f, 0x18, 0x0d, 1, 2, 3, 4) == EMUL_OK);	/* prefetch */
	CHECK(RUN(0x0f, 0x0d, 0x0d, 1, 2, 3, 4) == EMUL_OK);
	CHECK(faults(RUN(0x8d, 0xc0), VEC_UD, -1));		/* lea of a register */
	CHECK(faults(RUN(0xc4, 0xe2, 0x78, 0xf3, 0x05), VEC_UD, -1));	/* group 17 /0 */
	CHECK(faults(RUN(0x0f, 0xc7, 0xc8), VEC_UD, -1));	/* cmpxchg8b of a register */
	CHECK(faults(RUN(0xff, 0xd8), VEC_UD, -1) && faults(RUN(0xff, 0xe8), VEC_UD, -1));
	CHECK(faults(RUN(0x0f, 0xb2, 0xc0), VEC_UD, -1));	/* lss of a register */
	start(X86_EMULATOR_PROT32, 0);
	CHECK(faults(RUN(0xff, 0xd8), VEC_UD, -1) && faults(RUN(0xff, 0xe8), VEC_UD, -1));
	passes("addresses without operand, operands without address (CVE-2016-8630)");
}

/* VEX.vvvv names eight registers outside 64 bit mode; unused, it is 1111b in each. */
static void test_vvvv(void)
{
	start(X86_EMULATOR_PROT32, 0);
	m.cr[4] |= CR4_OSXSAVE_BIT;
	m.gpr[RBX] = DATA;
	CHECK(RUN(0xc4, 0xc1, 0x78, 0x10, 0x03) == EMUL_OK);		/* vmovups xmm0, [ebx] */
	CHECK(faults(RUN(0xc4, 0xc1, 0x38, 0x10, 0x03), VEC_UD, -1));
	m.gpr[RDX] = 0xff00ff;
	memset(ram + DATA, 0x3c, 4);
	CHECK(RUN(0xc4, 0xe2, 0x28, 0xf2, 0x03) == EMUL_OK);		/* andn eax, edx, [ebx] */
	CHECK(m.gpr[RAX] == 0x3c003c00);
	passes("VEX.vvvv: its fourth bit outside 64 bit mode");
}

/*
 * CVE-2017-7518: SYSCALL and SYSRET step by the flags that they leave: a kernel that
 * masks TF must not get a #DB on the program's stack. And a software interrupt has
 * cleared TF (SDM 3B 18.3.1.4: debuggers must recognize and emulate it).
 */
static void test_steps(void)
{
	start(X86_EMULATOR_PROT64, 3);
	m.efer |= EFER_SCE_BIT;
	m.star = 0x0033003800000000;
	m.lstar = 0xffffffff80001000;
	m.sfmask = FLAG_TF;
	m.ctx.rflags |= FLAG_TF;
	CHECK(RUN(0x0f, 0x05) == EMUL_OK && !m.ctx.trap_dr6);
	CHECK(RUN(0x48, 0x0f, 0x07) == EMUL_OK && m.ctx.trap_dr6 == DR6_BS_BIT);
	m.sfmask = 0;
	CHECK(RUN(0x0f, 0x05) == EMUL_OK && m.ctx.trap_dr6 == DR6_BS_BIT);

	start(X86_EMULATOR_PROT64, 0);
	put64(STACK, FLAG_FIXED | FLAG_TF);
	CHECK(RUN(0x9d) == EMUL_OK && !m.ctx.trap_dr6);		/* popf sets it: not yet */
	put64(m.gpr[RSP], FLAG_FIXED);
	CHECK(RUN(0x9d) == EMUL_OK && m.ctx.trap_dr6 == DR6_BS_BIT);

	start(X86_EMULATOR_REAL, 0);
	m.idt.limit = 0x3ff;
	put16(0x21 * 4, 0x3000);
	put16(3 * 4, 0x3000);
	put16(1 * 4, 0x3000);
	m.ctx.rflags |= FLAG_TF;
	CHECK(RUN(0xcd, 0x21) == EMUL_OK && m.ctx.rip == 0x3000 && !m.ctx.trap_dr6);
	CHECK(!(m.ctx.rflags & FLAG_TF));
	m.ctx.rflags |= FLAG_TF;
	CHECK(RUN(0xcc) == EMUL_OK && !m.ctx.trap_dr6);
	m.ctx.rflags |= FLAG_TF;
	CHECK(RUN(0xf1) == EMUL_OK && !m.ctx.trap_dr6);
	m.ctx.rflags |= FLAG_TF;
	CHECK(RUN(0xce) == EMUL_OK && m.ctx.trap_dr6 == DR6_BS_BIT);	/* into, no overflow */
	passes("single step of SYSCALL, SYSRET, POPF and INT (CVE-2017-7518)");
}

/* CVE-2018-1087, CVE-2018-8897: INT1 behind MOV SS; no DPL check, no bit of DR6. */
static void test_icebp(void)
{
	start(X86_EMULATOR_PROT32, 3);
	protected_tables();
	put32(TSS + 4, STACK0);
	put32(TSS + 8, 16);
	gate(IDT, 1, 8, 0x3000, 0x8e, 0);			/* DPL 0 */
	m.idt.limit = 0xff;
	m.gpr[RAX] = 4 * 8 + 3;
	m.ctx.watch_dr7 = 0;
	CHECK(RUN(0x8e, 0xd0) == EMUL_OK && m.ctx.interrupt_shadow == X86_EMULATOR_SHADOW_MOV_SS);
	CHECK(RUN(0xf1) == EMUL_OK && m.ctx.rip == 0x3000 && m.ctx.cpl == 0);
	CHECK(!m.ctx.interrupt_shadow && !m.ctx.trap_dr6);
	CHECK(get32(m.gpr[RSP]) == CODE + 1 && m.gpr[RSP] == STACK0 - 20);
	start(X86_EMULATOR_PROT32, 3);
	protected_tables();
	gate(IDT, 1, 8, 0x3000, 0x8e, 0);
	m.idt.limit = 0xff;
	CHECK(faults(RUN(0xcd, 0x01), VEC_GP, 1 * 8 + 2));	/* INT 1 isn't that */
	passes("INT1, behind MOV SS, too (CVE-2018-1087)");
}

/* CVE-2026-31588: wide accesses of which only a part is MMIO, restarted. */
static void test_fragments(void)
{
	unsigned int offset, i;
	u8 expected[32];

	for (offset = 1; offset < 32; offset++) {
		start(X86_EMULATOR_PROT64, 0);
		m.cr[4] |= CR4_OSXSAVE_BIT | CR4_OSFXSR_BIT;
		m.xcr0 = 7;
		m.region[0].size = DATA + 0x1000;
		machine_map(&m, DATA + 0x1000, 0x1000, ram + DATA + 0x1000, true)->mmio = true;
		for (i = 0; i < 64; i++)
			ram[DATA + 0x1000 - 32 + i] = offset * 7 + i;
		m.gpr[RBX] = DATA + 0x1000 - offset;
		memcpy(expected, ram + m.gpr[RBX], 32);
		CHECK(RUN(0xc5, 0xfe, 0x6f, 0x0b) == EMUL_OK);	/* vmovdqu ymm1, [rbx] */
		CHECK(!memcmp(m.vector[1], expected, 32));
		m.gpr[RBX] = DATA + 0x2000 - 32 - offset;
		CHECK(RUN(0xc5, 0xfe, 0x7f, 0x0b) == EMUL_OK);
		CHECK(!memcmp(ram + m.gpr[RBX], expected, 32));
		m.gpr[RBX] = DATA + 0x2000 - offset;		/* behind it is nothing */
		memset(ram + m.gpr[RBX], 0, 32);
		CHECK(faults(RUN(0xc5, 0xfe, 0x7f, 0x0b), VEC_PF, 2));
		CHECK(m.ctx.exception.address == DATA + 0x2000 && !ram[m.gpr[RBX]]);
	}
	passes("wide accesses that are partly MMIO, partly absent (CVE-2026-31588)");
}

void test_past_failures(void)
{
	test_null_stack();
	test_user_rights();
	test_far_branches();
	test_sysenter();
	test_no_operand();
	test_vvvv();
	test_steps();
	test_icebp();
	test_fragments();
}
