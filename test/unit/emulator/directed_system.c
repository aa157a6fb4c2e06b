// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that reach the machine: ports, control and debug registers,
 * MSRs, tables, and who may use them.
 */
#include "directed.h"

static u32 bytes32(const u8 *bytes)
{
	u32 value;

	memcpy(&value, bytes, 4);
	return value;
}

static void test_ports(void)
{
	unsigned int i;

	start(X86_EMULATOR_PROT32, 0);
	m.gpr[RAX] = 0xffffffff12345678;
	m.gpr[RDX] = 0x3f8;
	CHECK(RUN(0xec) == EMUL_OK && m.port == 0x3f8);			/* in al, dx */
	CHECK(m.gpr[RAX] == (0xffffffff12345600 | m.port_in[0]));
	CHECK(RUN(0xe5, 0x40) == EMUL_OK && m.port == 0x40);		/* in eax, 40 */
	CHECK(m.gpr[RAX] == bytes32(m.port_in + 1));
	CHECK(RUN(0x66, 0xef) == EMUL_OK && m.port_out_len == 2);	/* out dx, ax */
	CHECK(!memcmp(m.port_out, &m.gpr[RAX], 2) && m.port == 0x3f8);
	passes("IN and OUT in all sizes");

	m.port_in_pos = 0;
	m.gpr[RDI] = DATA + 0x1f0;
	m.gpr[RCX] = 2500;
	CHECK(RUN(0xf3, 0x6c) == EMUL_OK);				/* rep insb */
	CHECK(m.gpr[RCX] == 0 && m.gpr[RDI] == DATA + 0x1f0 + 2500 && m.retired < 10);
	for (i = 0; i < 2500; i++)
		CHECK(ram[DATA + 0x1f0 + i] == m.port_in[i]);
	m.ctx.rflags |= FLAG_DF;
	m.port_in_pos = 0;
	m.gpr[RDI] = DATA + 64;
	m.gpr[RCX] = 8;
	CHECK(RUN(0xf3, 0x6d) == EMUL_OK && m.gpr[RDI] == DATA + 32);
	CHECK(get32(DATA + 64) == bytes32(m.port_in));
	CHECK(get32(DATA + 36) == bytes32(m.port_in + 28));
	m.ctx.rflags &= ~FLAG_DF;
	m.port_out_len = 0;
	m.gpr[RSI] = DATA + 0x1f0;
	m.gpr[RCX] = 1000;
	CHECK(RUN(0xf3, 0x66, 0x6f) == EMUL_OK && m.port_out_len == 2000);
	CHECK(!memcmp(m.port_out, ram + DATA + 0x1f0, 2000) && m.gpr[RSI] == DATA + 0x1f0 + 2000);
	m.port_in_pos = 0;
	m.gpr[RDI] = RAM_SIZE - 10;
	m.gpr[RCX] = 100;
	CHECK(faults(RUN(0xf3, 0x6c), VEC_PF, 2) && m.gpr[RCX] == 90);
	CHECK(m.port_in_pos == 10 && m.ctx.exception.address == RAM_SIZE);
	m.gpr[RCX] = 0;
	CHECK(RUN(0xf3, 0x6c) == EMUL_OK && m.port_in_pos == 10);
	passes("string I/O in blocks; a page fault costs no data");

	start(X86_EMULATOR_PROT32, 3);
	protected_tables();
	put16(TSS + 102, 104);
	m.seg[TR].limit = 104 + 0x80;
	memset(ram + TSS + 104, 0xff, 0x81);
	ram[TSS + 104 + 0x7f] = 0xc0;			/* 3f8 to 3fd */
	m.gpr[RDX] = 0x3f8;
	CHECK(RUN(0xec) == EMUL_OK);
	CHECK(RUN(0xed) == EMUL_OK);
	m.gpr[RDX] = 0x3fa;
	CHECK(RUN(0xed) == EMUL_OK);
	m.gpr[RDX] = 0x3fb;
	CHECK(faults(RUN(0xed), VEC_GP, 0));
	m.gpr[RDX] = 0x80;
	CHECK(faults(RUN(0xee), VEC_GP, 0));
	m.gpr[RDX] = 0x400;
	CHECK(faults(RUN(0xec), VEC_GP, 0));		/* beyond the bitmap */
	CHECK(faults(RUN(0xf3, 0x6c), VEC_GP, 0));	/* with ECX 0, too */
	m.ctx.rflags |= FLAG_IOPL;
	CHECK(RUN(0xec) == EMUL_OK);
	passes("port permissions: IOPL and the TSS's bitmap");
}

static void test_control_registers(void)
{
	start(X86_EMULATOR_PROT64, 0);
	m.gpr[RAX] = 0x123456789;
	CHECK(RUN(0x0f, 0x22, 0xd8) == EMUL_OK && m.cr[3] == 0x123456789);
	CHECK(RUN(0x0f, 0x20, 0xdb) == EMUL_OK && m.gpr[RBX] == 0x123456789);
	m.gpr[RAX] = 5;
	CHECK(RUN(0x44, 0x0f, 0x22, 0xc0) == EMUL_OK && m.cr[8] == 5);
	CHECK(RUN(0xf0, 0x0f, 0x20, 0xc1) == EMUL_OK && m.gpr[RCX] == 5);	/* AMD's CR8 */
	m.gpr[RAX] = 1u << 31;
	CHECK(faults(RUN(0x0f, 0x22, 0xc0), VEC_GP, 0));
	CHECK(faults(RUN(0x0f, 0x22, 0xe8), VEC_UD, -1));		/* cr5 */
	m.cr[0] |= CR0_TS_BIT;
	CHECK(RUN(0x0f, 0x06) == EMUL_OK && !(m.cr[0] & CR0_TS_BIT));
	m.gpr[RAX] = 0xe;
	m.cr[0] = 0x80000011;
	CHECK(RUN(0x0f, 0x01, 0xf0) == EMUL_OK && m.cr[0] == 0x8000001f);	/* lmsw keeps PE */
	CHECK(RUN(0x0f, 0x01, 0xe3) == EMUL_OK && m.gpr[RBX] == 0x8000001f);
	m.gpr[RAX] = DATA;
	CHECK(RUN(0x0f, 0x01, 0x20) == EMUL_OK && get32(DATA) == 0x1f);	/* 16 bits */
	passes("control registers, CLTS, LMSW, SMSW");

	m.dr[7] = 0x400;
	m.gpr[RAX] = 0x1234;
	CHECK(RUN(0x0f, 0x23, 0xc0) == EMUL_OK && m.dr[0] == 0x1234);
	CHECK(RUN(0x0f, 0x23, 0xe8) == EMUL_OK && m.dr[7] == 0x1234);	/* dr5 is dr7 */
	m.cr[4] |= CR4_DE_BIT;
	CHECK(faults(RUN(0x0f, 0x23, 0xe8), VEC_UD, -1));
	m.gpr[RAX] = 1ull << 32;
	CHECK(faults(RUN(0x0f, 0x23, 0xf8), VEC_GP, 0));
	CHECK(faults(RUN(0x44, 0x0f, 0x23, 0xc0), VEC_UD, -1));		/* dr8 */
	m.dr[7] = DR7_GD_BIT;
	m.dr[6] = 0xffff0ff0;
	CHECK(faults(RUN(0x0f, 0x21, 0xc0), VEC_DB, -1) && m.dr[6] == (0xffff0ff0 | DR6_BD_BIT));
	passes("debug registers: DR4 and DR5, DE, GD");
}

static void test_msrs(void)
{
	start(X86_EMULATOR_PROT64, 0);
	m.gpr[RCX] = 0xffffffffc0000082;
	m.gpr[RAX] = 0xaaaaaaaa11111111;
	m.gpr[RDX] = 0xbbbbbbbb22222222;
	CHECK(RUN(0x0f, 0x30) == EMUL_OK && m.lstar == 0x2222222211111111);
	CHECK(RUN(0x0f, 0x32) == EMUL_OK && m.gpr[RAX] == 0x11111111 && m.gpr[RDX] == 0x22222222);
	m.gpr[RCX] = 0x99999;
	CHECK(faults(RUN(0x0f, 0x32), VEC_GP, 0) && faults(RUN(0x0f, 0x30), VEC_GP, 0));
	CHECK(RUN(0x0f, 0x31) == EMUL_OK && m.gpr[RDX] == 0x11223344);
	CHECK(RUN(0x0f, 0xa2) == EMUL_OK && m.gpr[RAX] == 0x12345678);
	m.gpr[RCX] = 0;
	m.gpr[RAX] = 3;
	m.gpr[RDX] = 0;
	CHECK(faults(RUN(0x0f, 0x01, 0xd1), VEC_UD, -1));	/* no OSXSAVE */
	m.cr[4] |= CR4_OSXSAVE_BIT;
	CHECK(RUN(0x0f, 0x01, 0xd1) == EMUL_OK && m.xcr0 == 3);
	CHECK(RUN(0x0f, 0x01, 0xd0) == EMUL_OK && m.gpr[RAX] == 3);
	m.gpr[RAX] = 2;
	CHECK(faults(RUN(0x0f, 0x01, 0xd1), VEC_GP, 0));
	CHECK(RUN(0xf4) == EMUL_OK && m.halts == 1);
	CHECK(RUN(0x0f, 0x01, 0xd9) == EMUL_OK && m.hypercalls == 1 && m.gpr[RAX] == 42);
	m.gpr[RAX] = 0x7000;
	CHECK(RUN(0x0f, 0x01, 0x38) == EMUL_OK && m.flushed == 0x7000);
	CHECK(RUN(0x0f, 0xaa) == EMUL_OK && m.rsms == 1 && m.ctx.rip == 0xabcd);
	passes("MSRs, TSC, CPUID, XCR0, HLT, VMMCALL, INVLPG, RSM");
}

static void test_counters_and_caches(void)
{
	start(X86_EMULATOR_PROT64, 0);
	m.gpr[RCX] = 2;
	CHECK(RUN(0x0f, 0x33) == EMUL_OK && m.gpr[RAX] == 2);		/* rdpmc */
	m.gpr[RCX] = 4;
	CHECK(faults(RUN(0x0f, 0x33), VEC_GP, 0));
	m.tsc_aux = 0x77;
	CHECK(RUN(0x0f, 0x01, 0xf9) == EMUL_OK && m.gpr[RCX] == 0x77);	/* rdtscp */
	CHECK(RUN(0xf3, 0x0f, 0xc7, 0xf8) == EMUL_OK && m.gpr[RAX] == 0x77);	/* rdpid */
	m.ctx.features &= ~(X86_EMULATOR_FEAT_RDTSCP | X86_EMULATOR_FEAT_RDPID);
	CHECK(faults(RUN(0x0f, 0x01, 0xf9), VEC_UD, -1));
	CHECK(faults(RUN(0xf3, 0x0f, 0xc7, 0xf8), VEC_UD, -1));
	CHECK(RUN(0x0f, 0x09) == EMUL_OK && m.flushes == 1);		/* wbinvd */
	m.gpr[RBX] = DATA;
	CHECK(RUN(0x0f, 0xae, 0x3b) == EMUL_OK);			/* clflush */
	m.gpr[RBX] = RAM_SIZE;
	CHECK(faults(RUN(0x0f, 0xae, 0x3b), VEC_PF, 0));
	passes("RDPMC, RDTSCP, RDPID, WBINVD, CLFLUSH");

	m.gpr[RBX] = DATA;
	m.gpr[RAX] = 0;
	put64(DATA, 5);
	put64(DATA + 8, 0x1000);
	CHECK(RUN(0x66, 0x0f, 0x38, 0x82, 0x03) == EMUL_OK && m.flushed == 0x1000);
	put64(DATA + 8, 0x800000000000);
	CHECK(faults(RUN(0x66, 0x0f, 0x38, 0x82, 0x03), VEC_GP, 0));
	m.gpr[RAX] = 1;
	CHECK(RUN(0x66, 0x0f, 0x38, 0x82, 0x03) == EMUL_OK && m.flushed == 5);
	put64(DATA, 0x1000);
	CHECK(faults(RUN(0x66, 0x0f, 0x38, 0x82, 0x03), VEC_GP, 0));
	m.gpr[RAX] = 4;
	CHECK(faults(RUN(0x66, 0x0f, 0x38, 0x82, 0x03), VEC_GP, 0));
	passes("INVPCID: types, reserved bits, canonical addresses");

	CHECK(RUN(0x0f, 0x01, 0xcb) == EMUL_OK && (m.ctx.rflags & FLAG_AC));	/* stac */
	CHECK(RUN(0x0f, 0x01, 0xca) == EMUL_OK && !(m.ctx.rflags & FLAG_AC));
	m.cr[4] |= CR4_OSXSAVE_BIT;
	m.gpr[RCX] = 1;
	CHECK(RUN(0x0f, 0x01, 0xd0) == EMUL_UNHANDLEABLE);		/* xgetbv 1 */
	m.gpr[RCX] = 2;
	CHECK(faults(RUN(0x0f, 0x01, 0xd0), VEC_GP, 0));
	CHECK(RUN(0x9b) == EMUL_OK);					/* fwait */
	m.cr[0] |= CR0_TS_BIT | CR0_MP_BIT;
	CHECK(faults(RUN(0x9b), VEC_NM, -1));
	CHECK(faults(RUN(0x0f, 0x10, 0x03), VEC_NM, -1));		/* movups */
	CHECK(faults(RUN(0x0f, 0x6f, 0x03), VEC_NM, -1));		/* movq mm */
	m.cr[0] |= CR0_EM_BIT;
	CHECK(faults(RUN(0x0f, 0x10, 0x03), VEC_UD, -1));
	CHECK(faults(RUN(0x0f, 0x6f, 0x03), VEC_UD, -1));
	m.cr[0] &= ~(CR0_EM_BIT | CR0_TS_BIT);
	m.cr[4] &= ~CR4_OSFXSR_BIT;
	CHECK(faults(RUN(0x0f, 0x10, 0x03), VEC_UD, -1));
	CHECK(RUN(0xc5, 0xf8, 0x10, 0x03) == EMUL_OK);			/* vmovups */
	m.xcr0 = 3;
	CHECK(faults(RUN(0xc5, 0xf8, 0x10, 0x03), VEC_UD, -1));
	passes("STAC, CLAC, XGETBV; #NM and #UD of vector instructions");
}

static void test_privilege(void)
{
	static const u8 cases[][4] = {
		{ 0xf4 }, { 0x0f, 0x06 }, { 0x0f, 0x08 }, { 0x0f, 0x09 }, { 0x0f, 0x30 },
		{ 0x0f, 0x32 }, { 0x0f, 0x20, 0xc0 }, { 0x0f, 0x22, 0xc0 }, { 0x0f, 0x21, 0xc0 },
		{ 0x0f, 0x23, 0xc0 }, { 0x0f, 0x01, 0x10 }, { 0x0f, 0x01, 0x18 },
		{ 0x0f, 0x01, 0x38 }, { 0x0f, 0x01, 0xf0 }, { 0x0f, 0x00, 0xd0 },
		{ 0x0f, 0x00, 0xd8 }, { 0xfa }, { 0xfb }, { 0xe4, 0x80 },
	};
	static const u8 umip[][4] = {
		{ 0x0f, 0x01, 0x00 }, { 0x0f, 0x01, 0x08 }, { 0x0f, 0x01, 0xe0 },
		{ 0x0f, 0x00, 0xc0 }, { 0x0f, 0x00, 0xc8 },
	};
	unsigned int i;

	start(X86_EMULATOR_PROT64, 3);
	m.seg[TR].limit = 0x50;
	m.gpr[RAX] = DATA;
	for (i = 0; i < sizeof(cases) / 4; i++) {
		bool ok = faults(run_at(cases[i], 4), VEC_GP, 0);

		if (!ok)
			printf("# case %u\n", i);
		CHECK(ok && m.ctx.rip == CODE);
	}
	for (i = 0; i < sizeof(umip) / 4; i++) {
		m.gpr[RAX] = DATA;
		m.cr[4] &= ~CR4_UMIP_BIT;
		CHECK(run_at(umip[i], 4) == EMUL_OK);
		m.cr[4] |= CR4_UMIP_BIT;
		m.gpr[RAX] = DATA;
		CHECK(faults(run_at(umip[i], 4), VEC_GP, 0));
	}
	CHECK(RUN(0x0f, 0x31) == EMUL_OK);
	m.cr[4] |= CR4_TSD_BIT;
	CHECK(faults(RUN(0x0f, 0x31), VEC_GP, 0));
	CHECK(faults(RUN(0x0f, 0x33), VEC_GP, 0));
	CHECK(faults(RUN(0x0f, 0x01, 0xcb), VEC_UD, -1));	/* stac */
	passes("privileged instructions at CPL 3, UMIP, TSD, PCE");
}

static void test_tables(void)
{
	start(X86_EMULATOR_PROT64, 0);
	protected_tables();
	m.gpr[RBX] = DATA;
	put16(DATA, 0x1234);
	put64(DATA + 2, 0xffff888000001000);
	CHECK(RUN(0x0f, 0x01, 0x1b) == EMUL_OK);			/* lidt */
	CHECK(m.idt.base == 0xffff888000001000 && m.idt.limit == 0x1234);
	put64(DATA + 2, 0x800000000000);
	CHECK(faults(RUN(0x0f, 0x01, 0x1b), VEC_GP, 0));
	CHECK(RUN(0x0f, 0x01, 0x4b, 0x20) == EMUL_OK);			/* sidt */
	CHECK(get16(DATA + 32) == 0x1234 && get64(DATA + 34) == 0xffff888000001000);
	put64(GDT + 6 * 8 + 8, 1);					/* base above 4 GB */
	m.gpr[RAX] = 6 * 8;
	CHECK(RUN(0x0f, 0x00, 0xd8) == EMUL_OK);			/* ltr */
	CHECK(m.seg[TR].base == (1ull << 32 | TSS2) && m.seg[TR].type == 11);
	CHECK((ram[GDT + 53] & 15) == 11);
	CHECK(faults(RUN(0x0f, 0x00, 0xd8), VEC_GP, 48));		/* busy */
	CHECK(faults(RUN(0x0f, 0x00, 0xd0), VEC_GP, 48));		/* lldt of a TSS */
	m.gpr[RAX] = 0;
	CHECK(RUN(0x0f, 0x00, 0xd0) == EMUL_OK && m.seg[LDTR].unusable);
	CHECK(faults(RUN(0x0f, 0x00, 0xd8), VEC_GP, 0));
	CHECK(RUN(0x0f, 0x00, 0xc8) == EMUL_OK && m.gpr[RAX] == 48);	/* str */
	passes("LIDT, SIDT, LTR, LLDT, STR");
}

/* Data and port breakpoints: traps behind the instruction, none if it faults. */
static void test_watchpoints(void)
{
	start(X86_EMULATOR_PROT64, 0);
	m.dr[0] = DATA + 4;
	m.dr[1] = DATA + 8;
	m.dr[2] = DATA + 17;		/* of 8 bytes: the low bits don't count */
	m.dr[3] = 0x81;
	m.gpr[RBX] = DATA;
	m.gpr[RDX] = 0x80;
	/* 0: writes of 4; 1: 1 byte, reads and writes; 2: 8, reads and writes; 3: port. */
	m.ctx.watch_dr7 = 0x55 | 0xdu << 16 | 0x3u << 20 | 0xbu << 24 | 0x2u << 28;
	CHECK(RUN(0x8b, 0x43, 0x04) == EMUL_OK && !m.ctx.trap_dr6);	/* mov 4(rbx), eax */
	CHECK(RUN(0x89, 0x43, 0x04) == EMUL_OK && m.ctx.trap_dr6 == 1);
	CHECK(RUN(0x88, 0x43, 0x07) == EMUL_OK && m.ctx.trap_dr6 == 1);
	CHECK(RUN(0x88, 0x43, 0x03) == EMUL_OK && !m.ctx.trap_dr6);
	CHECK(RUN(0x48, 0x89, 0x43, 0x01) == EMUL_OK && m.ctx.trap_dr6 == 3);
	CHECK(RUN(0x8a, 0x43, 0x08) == EMUL_OK && m.ctx.trap_dr6 == 2);
	CHECK(RUN(0x8a, 0x43, 0x10) == EMUL_OK && m.ctx.trap_dr6 == 4);
	CHECK(RUN(0xf0, 0x0f, 0xb1, 0x43, 0x04) == EMUL_OK && m.ctx.trap_dr6 == 1);
	m.ctx.rflags |= FLAG_TF;
	CHECK(RUN(0x8a, 0x43, 0x17) == EMUL_OK && m.ctx.trap_dr6 == (4 | DR6_BS_BIT));
	m.ctx.rflags &= ~FLAG_TF;
	CHECK(RUN(0xec) == EMUL_OK && !m.ctx.trap_dr6);			/* DE is clear */
	m.cr[4] |= CR4_DE_BIT;
	CHECK(RUN(0xec) == EMUL_OK && !m.ctx.trap_dr6);
	CHECK(RUN(0x66, 0xed) == EMUL_OK && m.ctx.trap_dr6 == 8);

	/* REP stops behind the iteration that hits. */
	m.gpr[RDI] = DATA;
	m.gpr[RCX] = 10;
	CHECK(RUN(0xf3, 0xaa) == EMUL_OK && m.ctx.trap_dr6 == 1);
	CHECK(m.ctx.repeating && m.gpr[RCX] == 5 && m.gpr[RDI] == DATA + 5);

	m.gpr[RSP] = DATA + 12;
	CHECK(RUN(0x50) == EMUL_OK && m.ctx.trap_dr6 == 3);		/* push */
	/* Behind MOV SS, and where the instruction faults: nothing. */
	protected_tables();
	put16(DATA + 8, 16);
	CHECK(RUN(0x8e, 0x53, 0x08) == EMUL_OK && !m.ctx.trap_dr6);
	m.region[0].writable = false;
	CHECK(faults(RUN(0x89, 0x43, 0x04), VEC_PF, 3) && !m.ctx.trap_dr6);
	m.region[0].writable = true;
	passes("breakpoints on data and ports: lengths, types, REP, MOV SS");
}

/* An exception that x87 code has left pending comes with what waits for it. */
static void test_pending_x87(void)
{
	start(X86_EMULATOR_PROT64, 0);
	m.gpr[RBX] = DATA;
	m.x87.control &= ~1u;
	m.x87.status |= 1;
	CHECK(faults(RUN(0x9b), VEC_MF, -1));				/* fwait */
	CHECK(faults(RUN(0x0f, 0x6f, 0x03), VEC_MF, -1));		/* movq (rbx), mm0 */
	CHECK(faults(RUN(0x0f, 0x7f, 0x03), VEC_MF, -1));
	CHECK(faults(RUN(0x0f, 0x6e, 0x03), VEC_MF, -1));		/* movd */
	CHECK(RUN(0x0f, 0x10, 0x03) == EMUL_OK);			/* movups doesn't care */
	CHECK(faults(RUN(0xd9, 0x03), VEC_MF, -1));			/* flds */
	CHECK(faults(RUN(0xdd, 0x1b), VEC_MF, -1));			/* fstpl */
	CHECK(RUN(0xdd, 0x3b) == EMUL_OK && get16(DATA) == 0x8081);	/* fnstsw doesn't wait */
	CHECK(RUN(0xdf, 0xe0) == EMUL_OK && (u16)m.gpr[RAX] == 0x8081);
	m.cr[0] |= CR0_TS_BIT;
	CHECK(faults(RUN(0x0f, 0x6f, 0x03), VEC_NM, -1));
	CHECK(faults(RUN(0xd9, 0x3b), VEC_NM, -1));			/* fnstcw */
	passes("FWAIT and MMX report a pending x87 exception");
}

/* Numbers to memory and back; a store that faults leaves the stack alone. */
static void test_x87_moves(void)
{
	start(X86_EMULATOR_PROT64, 0);
	m.gpr[RBX] = DATA;
	put64(DATA, 0x4000000000000000);
	CHECK(RUN(0xdd, 0x03) == EMUL_OK && (m.x87.status & 0x3800) == 0x3800);	/* fldl 2.0 */
	CHECK(m.x87.fip == CODE && m.x87.fdp == DATA && m.x87.fcs_fop >> 16 == 0x503);
	CHECK(RUN(0xdf, 0x53, 0x08) == EMUL_OK && get16(DATA + 8) == 2);	/* fists */
	m.region[0].writable = false;
	CHECK(faults(RUN(0xdb, 0x7b, 0x10), VEC_PF, 3));			/* fstpt */
	CHECK((m.x87.status & 0x3800) == 0x3800);
	m.region[0].writable = true;
	CHECK(RUN(0xdb, 0x7b, 0x10) == EMUL_OK && !(m.x87.status & 0x3800));
	CHECK(get64(DATA + 0x10) == 1ull << 63 && get16(DATA + 0x18) == 0x4000);
	/* Ten bytes, of which the last two are beyond what is canonical, and the first absent. */
	m.gpr[RBX] = 0x800000000000 - 8;
	CHECK(faults(RUN(0xdb, 0x2b), VEC_PF, 0));				/* fldt */
	CHECK(faults(RUN(0xdb, 0x3b), VEC_PF, 2));
	m.gpr[RBX] -= 1;
	CHECK(faults(RUN(0xdd, 0x03), VEC_PF, 0));
	m.gpr[RBX] += 2;
	CHECK(faults(RUN(0xdb, 0x2b), VEC_GP, 0));
	m.gpr[RBX] = DATA;
	/* An empty stack, unmasked: nothing is stored, and the next one reports it. */
	m.x87.control &= ~1u;
	CHECK(RUN(0xd9, 0x5b, 0x20) == EMUL_OK && !get32(DATA + 0x20));		/* fstps */
	CHECK((m.x87.status & 0x81) == 0x81);
	CHECK(faults(RUN(0x9b), VEC_MF, -1));
	passes("x87 moves: conversion, faults, unmasked exceptions, pointers");
}

/* What a kernel looks for an x87 with, and some of each kind. */
static void test_x87_arithmetic(void)
{
	start(X86_EMULATOR_REAL, 0);
	m.gpr[RBX] = DATA;
	m.x87.control &= ~1u;
	m.x87.status |= 0x81;
	CHECK(faults(RUN(0xd9, 0xe8), VEC_MF, -1));			/* fld1: waits */
	CHECK(RUN(0xdb, 0xe2) == EMUL_OK && !(m.x87.status & 0xff));	/* fnclex doesn't */
	m.x87.status |= 0x81;
	CHECK(RUN(0xdb, 0xe3) == EMUL_OK);				/* fninit */
	CHECK((u16)m.x87.control == 0x37f && !(u16)m.x87.status && (u16)m.x87.tag == 0xffff);
	CHECK(RUN(0xd9, 0x3f) == EMUL_OK && get16(DATA) == 0x37f);	/* fnstcw [bx] */
	CHECK(RUN(0xd9, 0xe8) == EMUL_OK && RUN(0xd8, 0xc0) == EMUL_OK);	/* 1 + 1 */
	put16(DATA, 20);
	CHECK(RUN(0xde, 0x0f) == EMUL_OK);				/* fimul [bx] */
	CHECK(RUN(0xdf, 0x17) == EMUL_OK && get16(DATA) == 40);		/* fist [bx] */
	CHECK(RUN(0xd9, 0xee) == EMUL_OK);				/* fldz */
	m.ctx.rflags |= FLAG_OF | FLAG_SF;
	CHECK(RUN(0xdb, 0xf1) == EMUL_OK);				/* fcomi st(1): below */
	CHECK((m.ctx.rflags & FLAGS_ARITH) == FLAG_CF);
	CHECK(RUN(0xda, 0xc1) == EMUL_OK);				/* fcmovb st(1) */
	CHECK(RUN(0xdf, 0x1f) == EMUL_OK && get16(DATA) == 40);		/* fistp [bx] */
	/* An empty register, unmasked: the next one reports it. */
	m.x87.control &= ~1u;
	CHECK(RUN(0xdb, 0xf3) == EMUL_OK);
	CHECK(faults(RUN(0xd9, 0xd0), VEC_MF, -1));			/* fnop */
	m.cr[0] |= CR0_EM_BIT;
	CHECK(faults(RUN(0xdb, 0xe3), VEC_NM, -1));
	passes("x87 arithmetic, comparison, FNINIT and FNCLEX");
}

void test_system_instructions(void)
{
	test_x87_arithmetic();
	test_x87_moves();
	test_watchpoints();
	test_pending_x87();
	test_ports();
	test_control_registers();
	test_msrs();
	test_counters_and_caches();
	test_privilege();
	test_tables();
}
