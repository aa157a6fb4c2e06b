// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tests by hand share, and the tests of decoding, memory and restart.
 */
#include "directed.h"

struct machine m;
u8 ram[RAM_SIZE];
static bool failed;

void check(bool ok, const char *file, int line, const char *what)
{
	if (ok)
		return;
	failed = true;
	printf("# %s:%d: not so: %s (rip %llx, exception %u error %x cr2 %llx)\n", file, line,
	       what, m.ctx.rip, m.ctx.exception.vector, m.ctx.exception.error_code,
	       m.ctx.exception.address);
}

void passes(const char *what)
{
	test_result(!failed, "%s", what);
	failed = false;
}

void put16(u32 address, u16 value)
{
	memcpy(ram + address, &value, 2);
}

void put32(u32 address, u32 value)
{
	memcpy(ram + address, &value, 4);
}

void put64(u32 address, u64 value)
{
	memcpy(ram + address, &value, 8);
}

u16 get16(u32 address)
{
	u16 value;

	memcpy(&value, ram + address, 2);
	return value;
}

u32 get32(u32 address)
{
	u32 value;

	memcpy(&value, ram + address, 4);
	return value;
}

u64 get64(u32 address)
{
	u64 value;

	memcpy(&value, ram + address, 8);
	return value;
}

void start(enum x86_emulator_mode mode, unsigned int cpl)
{
	unsigned int i;

	memset(ram, 0, sizeof(ram));
	machine_init(&m);
	machine_mode(&m, mode, cpl);
	machine_map(&m, 0, RAM_SIZE, ram, true);
	m.gpr[RSP] = STACK;
	for (i = 0; i < sizeof(m.port_in); i++)
		m.port_in[i] = i * 7 + 1;
}

int run(const u8 *bytes, unsigned int len)
{
	memcpy(ram + m.seg[CS].base + m.ctx.rip, bytes, len);
	return machine_run(&m);
}

int run_at(const u8 *bytes, unsigned int len)
{
	m.ctx.rip = CODE;
	return run(bytes, len);
}

bool faults(int r, unsigned int vector, int code)
{
	const struct x86_emulator_exception *e = &m.ctx.exception;

	if (r != EMUL_FAULT || e->vector != vector)
		return false;
	return code < 0 ? !e->has_error_code :
	       e->has_error_code && e->error_code == (u32)code;
}

void descriptor(unsigned int index, u32 base, u32 limit, u8 access, u8 flags)
{
	put16(GDT + 8 * index, limit);
	put16(GDT + 8 * index + 2, base);
	ram[GDT + 8 * index + 4] = base >> 16;
	ram[GDT + 8 * index + 5] = access;
	ram[GDT + 8 * index + 6] = ((limit >> 16) & 15) | flags << 4;
	ram[GDT + 8 * index + 7] = base >> 24;
}

void gate(unsigned int table, unsigned int index, u16 selector, u32 offset, u8 access,
	  u8 count)
{
	put16(table + 8 * index, offset);
	put16(table + 8 * index + 2, selector);
	ram[table + 8 * index + 4] = count;
	ram[table + 8 * index + 5] = access;
	put16(table + 8 * index + 6, offset >> 16);
}

void protected_tables(void)
{
	unsigned int i;

	descriptor(1, 0, 0xfffff, 0x9b, 12);
	descriptor(2, 0, 0xfffff, 0x93, 12);
	descriptor(3, 0, 0xfffff, 0xfb, 12);
	descriptor(4, 0, 0xfffff, 0xf3, 12);
	descriptor(5, TSS, 0x67, 0x8b, 0);
	descriptor(6, TSS2, 0x67, 0x89, 0);
	descriptor(7, 0, 0xfffff, 0x9b, 10);
	descriptor(9, 0, 0xfffff, 0xfb, 10);
	m.gdt = (struct x86_emulator_table){ .base = GDT, .limit = 0xff };
	m.idt = (struct x86_emulator_table){ .base = IDT, .limit = 0x7ff };
	m.seg[TR] = (struct x86_emulator_segment){
		.selector = 5 * 8, .base = TSS, .limit = 0x67, .type = 11, .present = 1,
	};
	m.seg[CS].selector = m.ctx.cpl ? 3 * 8 + 3 : 8;
	for (i = 0; i < 6; i++) {
		if (i != CS)
			m.seg[i].selector = m.ctx.cpl ? 4 * 8 + 3 : 16;
	}
}

static void test_faults_of_fetch(void)
{
	u8 nops[16];
	unsigned int i;
	int r;

	start(X86_EMULATOR_PROT64, 0);
	memset(nops, 0x66, sizeof(nops));
	nops[14] = 0x90;
	CHECK(run_at(nops, 15) == EMUL_OK && m.ctx.rip == CODE + 15);
	nops[14] = 0x66;
	nops[15] = 0x90;
	CHECK(faults(run_at(nops, 16), VEC_GP, 0));
	passes("15 bytes are an instruction, 16 are #GP(0)");

	start(X86_EMULATOR_PROT64, 3);
	for (i = 1; i < 10; i++) {
		static const u8 mov[10] = { 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8 };

		m.ctx.rip = RAM_SIZE - i;
		memcpy(ram + RAM_SIZE - i, mov, i);
		r = machine_run(&m);
		CHECK(faults(r, VEC_PF, 0x14) && m.ctx.exception.address == RAM_SIZE);
	}
	passes("an instruction whose second page is absent is #PF at that page");

	start(X86_EMULATOR_PROT32, 0);
	m.seg[CS].limit = CODE + 2;
	CHECK(RUN(0xb8, 1, 2, 3, 4) == EMUL_FAULT && faults(EMUL_FAULT, VEC_GP, 0));
	CHECK(RUN(0x66, 0x90, 0x90) == EMUL_OK);
	start(X86_EMULATOR_PROT64, 0);
	m.ctx.rip = 0x800000000000;
	CHECK(faults(machine_run(&m), VEC_GP, 0));
	passes("code beyond CS's limit, or not canonical, is #GP(0)");
}

static void test_skip_lengths(void)
{
	static const struct {
		u8 id, len;
		u8 bytes[8];
	} cases[] = {
		{ X86_EMULATOR_INSN_CPUID, 2, { 0x0f, 0xa2 } },
		{ X86_EMULATOR_INSN_CPUID, 5, { 0x66, 0xf3, 0x48, 0x0f, 0xa2 } },
		{ X86_EMULATOR_INSN_RDMSR, 2, { 0x0f, 0x32 } },
		{ X86_EMULATOR_INSN_WRMSR, 3, { 0x48, 0x0f, 0x30 } },
		{ X86_EMULATOR_INSN_HLT, 1, { 0xf4 } },
		{ X86_EMULATOR_INSN_IN, 2, { 0xe4, 0x80 } },
		{ X86_EMULATOR_INSN_IN, 2, { 0x66, 0xed } },
		{ X86_EMULATOR_INSN_OUT, 2, { 0xe6, 0x80 } },
		{ X86_EMULATOR_INSN_OUT, 1, { 0xee } },
		{ X86_EMULATOR_INSN_INS, 2, { 0xf3, 0x6c } },
		{ X86_EMULATOR_INSN_OUTS, 3, { 0xf3, 0x64, 0x6f } },
		{ X86_EMULATOR_INSN_VMMCALL, 3, { 0x0f, 0x01, 0xd9 } },
		{ X86_EMULATOR_INSN_VMCALL, 3, { 0x0f, 0x01, 0xc1 } },
		{ X86_EMULATOR_INSN_MOV_FROM_CR, 3, { 0x0f, 0x20, 0xc0 } },
		{ X86_EMULATOR_INSN_MOV_TO_CR, 4, { 0x44, 0x0f, 0x22, 0xc0 } },
		{ X86_EMULATOR_INSN_MOV_FROM_DR, 3, { 0x0f, 0x21, 0xf8 } },
		{ X86_EMULATOR_INSN_MOV_TO_DR, 3, { 0x0f, 0x23, 0xf8 } },
		{ X86_EMULATOR_INSN_XSETBV, 3, { 0x0f, 0x01, 0xd1 } },
		{ X86_EMULATOR_INSN_INVLPG, 3, { 0x0f, 0x01, 0x38 } },
		{ X86_EMULATOR_INSN_INVLPG, 8, { 0x0f, 0x01, 0xbc, 0x24, 1, 0, 0, 0 } },
		{ X86_EMULATOR_INSN_INVLPGA, 3, { 0x0f, 0x01, 0xdf } },
		{ X86_EMULATOR_INSN_PAUSE, 2, { 0xf3, 0x90 } },
		{ X86_EMULATOR_INSN_RDTSC, 2, { 0x0f, 0x31 } },
		{ X86_EMULATOR_INSN_RDTSCP, 3, { 0x0f, 0x01, 0xf9 } },
		{ X86_EMULATOR_INSN_RDPMC, 2, { 0x0f, 0x33 } },
		{ X86_EMULATOR_INSN_INT_N, 2, { 0xcd, 0x80 } },
		{ X86_EMULATOR_INSN_INT3, 1, { 0xcc } },
		{ X86_EMULATOR_INSN_ICEBP, 1, { 0xf1 } },
		{ X86_EMULATOR_INSN_IRET, 2, { 0x48, 0xcf } },
		{ X86_EMULATOR_INSN_WBINVD, 2, { 0x0f, 0x09 } },
		{ X86_EMULATOR_INSN_WBNOINVD, 3, { 0xf3, 0x0f, 0x09 } },
		{ X86_EMULATOR_INSN_INVD, 2, { 0x0f, 0x08 } },
		{ X86_EMULATOR_INSN_MONITOR, 3, { 0x0f, 0x01, 0xc8 } },
		{ X86_EMULATOR_INSN_MWAIT, 3, { 0x0f, 0x01, 0xc9 } },
		{ X86_EMULATOR_INSN_VMRUN, 3, { 0x0f, 0x01, 0xd8 } },
		{ X86_EMULATOR_INSN_STGI, 3, { 0x0f, 0x01, 0xdc } },
		{ X86_EMULATOR_INSN_CLGI, 3, { 0x0f, 0x01, 0xdd } },
		{ X86_EMULATOR_INSN_SKINIT, 3, { 0x0f, 0x01, 0xde } },
		{ X86_EMULATOR_INSN_RDPRU, 3, { 0x0f, 0x01, 0xfd } },
		{ X86_EMULATOR_INSN_LGDT, 3, { 0x0f, 0x01, 0x10 } },
		{ X86_EMULATOR_INSN_SMSW, 3, { 0x0f, 0x01, 0xe0 } },
		{ X86_EMULATOR_INSN_LMSW, 3, { 0x0f, 0x01, 0xf0 } },
		{ X86_EMULATOR_INSN_CLTS, 2, { 0x0f, 0x06 } },
		{ X86_EMULATOR_INSN_LTR, 3, { 0x0f, 0x00, 0xd8 } },
		{ X86_EMULATOR_INSN_PUSHF, 1, { 0x9c } },
		{ X86_EMULATOR_INSN_RDRAND, 4, { 0x48, 0x0f, 0xc7, 0xf0 } },
	};
	unsigned int i;

	start(X86_EMULATOR_PROT64, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m.ctx.rip = 0xfffffffffffff000;
		m.ctx.rflags = FLAG_RF | FLAG_FIXED;
		x86_emulator_begin(&m.ctx, cases[i].bytes, 8);
		CHECK(x86_emulator_decode(&m.ctx) == EMUL_OK);
		if (m.ctx.insn.id != cases[i].id || m.ctx.insn.length != cases[i].len) {
			printf("# case %u: id %u length %u\n", i, m.ctx.insn.id,
			       m.ctx.insn.length);
			CHECK(false);
		}
		x86_emulator_skip(&m.ctx);
		CHECK(m.ctx.rip == 0xfffffffffffff000 + cases[i].len);
		CHECK(m.ctx.rflags == FLAG_FIXED && !m.ctx.trap_dr6);
	}
	passes("instructions that SVM intercepts have their name and length, and are skipped");
}

static void test_mmio(void)
{
	static u8 device[4096];
	struct machine_region *r;
	unsigned int i;

	start(X86_EMULATOR_PROT64, 0);
	r = machine_map(&m, 0x200000, 4096, device, true);
	r->mmio = true;
	for (i = 0; i < sizeof(device); i++)
		device[i] = i * 3;
	m.cr[4] |= CR4_OSXSAVE_BIT;
	m.gpr[RBX] = 0x200000;
	m.gpr[RAX] = 0x11223344;
	CHECK(RUN(0x01, 0x43, 0x10) == EMUL_OK);		/* add [rbx+16], eax */
	CHECK(device[0x10] == (u8)(0x10 * 3 + 0x44) && m.gpr[RAX] == 0x11223344);
	CHECK(RUN(0x87, 0x43, 0x20) == EMUL_OK);		/* xchg */
	CHECK((m.gpr[RAX] & 0xff) == 0x60 && device[0x20] == 0x44);
	m.gpr[RAX] = device[0x30] | device[0x31] << 8;
	m.gpr[RCX] = 0xbeef;
	CHECK(RUN(0xf0, 0x66, 0x0f, 0xb1, 0x4b, 0x30) == EMUL_OK);	/* lock cmpxchg */
	CHECK((m.ctx.rflags & FLAG_ZF) && device[0x30] == 0xef && device[0x31] == 0xbe);
	CHECK(RUN(0x0f, 0x10, 0x43, 0x40) == EMUL_OK);		/* movups xmm0, [rbx+64] */
	CHECK(!memcmp(m.vector[0], device + 0x40, 16));
	CHECK(RUN(0xc5, 0xfe, 0x7f, 0x43, 0x60) == EMUL_OK);	/* vmovdqu [rbx+96], ymm0 */
	CHECK(!memcmp(m.vector[0], device + 0x60, 32));
	/* vmovdqu64 zmm17, [rbx+64]; [rbx+128], zmm17 */
	CHECK(RUN(0x62, 0xe1, 0xfe, 0x48, 0x6f, 0x4b, 0x01) == EMUL_OK);
	CHECK(!memcmp(m.vector[17], device + 0x40, 64));
	CHECK(RUN(0x62, 0xe1, 0xfe, 0x48, 0x7f, 0x4b, 0x02) == EMUL_OK);
	CHECK(!memcmp(m.vector[17], device + 0x80, 64));
	/* vmovdqa64 wants its alignment, AVX-512's state enabled, and a reserved bit clear. */
	CHECK(faults(RUN(0x62, 0xe1, 0xfd, 0x48, 0x6f, 0x8b, 0x20, 0, 0, 0), VEC_GP, 0));
	CHECK(faults(RUN(0x62, 0xe9, 0xfe, 0x48, 0x6f, 0x4b, 0x01), VEC_UD, -1));
	m.xcr0 = 7;
	CHECK(faults(RUN(0x62, 0xe1, 0xfe, 0x48, 0x6f, 0x4b, 0x01), VEC_UD, -1));
	CHECK(RUN(0xff, 0x73, 0x18) == EMUL_OK);		/* push qword [rbx+24] */
	CHECK(!memcmp(ram + STACK - 8, device + 0x18, 8) && m.gpr[RSP] == STACK - 8);
	passes("MMIO reads that come later give the same result as memory");

	m.gpr[RSI] = 0x200000;
	m.gpr[RDI] = DATA;
	m.gpr[RCX] = 100;
	CHECK(RUN(0xf3, 0xa4) == EMUL_OK);
	CHECK(m.gpr[RCX] == 0 && m.gpr[RSI] == 0x200064 && m.gpr[RDI] == DATA + 100);
	CHECK(!memcmp(ram + DATA, device, 100) && m.ctx.rip == CODE + 2);
	m.retired = 0;
	m.gpr[RSI] = DATA;
	m.gpr[RDI] = 0x200ff0;
	m.gpr[RCX] = 32;
	CHECK(faults(RUN(0xf3, 0xa4), VEC_PF, 2));
	CHECK(m.ctx.exception.address == 0x201000 && m.gpr[RCX] == 16);
	CHECK(m.gpr[RDI] == 0x201000 && m.gpr[RSI] == DATA + 16 && m.ctx.rip == CODE);
	passes("REP MOVS from and to MMIO: each item once, and a fault leaves the rest to do");
}

static void test_not_canonical(void)
{
	start(X86_EMULATOR_PROT64, 3);
	m.gpr[RAX] = 0x800000000000;
	CHECK(faults(RUN(0xff, 0xe0), VEC_GP, 0));		/* jmp rax */
	CHECK(faults(RUN(0x8b, 0x18), VEC_GP, 0));		/* mov ebx, [rax] */
	m.gpr[RSP] = 0x800000000000;
	CHECK(RUN(0x50) == EMUL_FAULT && m.ctx.exception.vector != VEC_SS);
	CHECK(faults(RUN(0x58), VEC_SS, 0));			/* pop rax */
	m.gpr[RSP] = STACK;
	put64(STACK, 0x800000000000);
	CHECK(faults(RUN(0xc3), VEC_GP, 0) && m.gpr[RSP] == STACK);
	m.gpr[RAX] = 0x7ffffffffffe;
	CHECK(faults(RUN(0x8b, 0x18), VEC_GP, 0));
	m.cr[4] |= CR4_LA57_BIT;
	m.gpr[RAX] = 0x800000000000;
	CHECK(faults(RUN(0x8b, 0x18), VEC_PF, 4));
	m.gpr[RAX] = 1ull << 56;
	CHECK(faults(RUN(0x8b, 0x18), VEC_GP, 0));
	m.cr[4] &= ~CR4_LA57_BIT;
	m.cr[3] = CR3_LAM_U48_BIT;
	put32(DATA, 0x12345678);
	m.gpr[RAX] = 0x7123000000000000 | DATA;
	CHECK(RUN(0x8b, 0x18) == EMUL_OK && m.gpr[RBX] == 0x12345678);
	m.gpr[RAX] |= 1ull << 63;
	CHECK(faults(RUN(0x8b, 0x18), VEC_GP, 0));
	passes("addresses that aren't canonical: #GP, #SS for the stack; LA57; LAM");
}

static void test_traps(void)
{
	start(X86_EMULATOR_PROT64, 0);
	m.ctx.rflags |= FLAG_TF | FLAG_RF;
	CHECK(RUN(0x90) == EMUL_OK && m.ctx.trap_dr6 == DR6_BS_BIT);
	CHECK(!(m.ctx.rflags & FLAG_RF));
	CHECK(RUN(0x8e, 0xd0) == EMUL_OK && !m.ctx.trap_dr6);	/* mov ss, eax (null) */
	CHECK(m.ctx.interrupt_shadow == X86_EMULATOR_SHADOW_MOV_SS);
	m.gpr[RCX] = 3;
	m.gpr[RDI] = DATA;
	CHECK(RUN(0xf3, 0xaa) == EMUL_OK && m.gpr[RCX] == 2 && m.ctx.repeating);
	CHECK(m.ctx.trap_dr6 == DR6_BS_BIT && m.ctx.rip == CODE);
	m.ctx.rflags = FLAG_FIXED;
	CHECK(RUN(0xfb) == EMUL_OK && m.ctx.interrupt_shadow == X86_EMULATOR_SHADOW_STI);
	CHECK(m.ctx.rflags & FLAG_IF);
	CHECK(RUN(0xfb) == EMUL_OK && !m.ctx.interrupt_shadow);
	passes("single step traps, also within REP; STI and MOV SS cast a shadow");

	start(X86_EMULATOR_PROT64, 3);
	m.ctx.rflags |= FLAG_AC;
	m.gpr[RAX] = DATA + 1;
	CHECK(RUN(0x8b, 0x18) == EMUL_OK);
	m.cr[0] |= CR0_AM_BIT;
	CHECK(faults(RUN(0x8b, 0x18), VEC_AC, 0));
	CHECK(RUN(0x8a, 0x18) == EMUL_OK);
	passes("alignment is checked at CPL 3 with AC and CR0.AM");
}

static void test_unknown(void)
{
	start(X86_EMULATOR_PROT64, 0);
	CHECK(RUN(0xd9, 0x20) == EMUL_UNHANDLEABLE && m.ctx.insn.length == 2);
	CHECK(RUN(0x62, 0xf1, 0xfe, 0x49, 0x6f, 0x00) == EMUL_UNHANDLEABLE);	/* a mask */
	CHECK(RUN(0x0f, 0x58, 0xc1) == EMUL_UNHANDLEABLE);
	CHECK(m.ctx.rip == CODE && m.ctx.insn.bytes[1] == 0x58);
	CHECK(faults(RUN(0x0f, 0x0b), VEC_UD, -1));
	CHECK(faults(RUN(0xf0, 0x90), VEC_UD, -1));
	CHECK(faults(RUN(0xf0, 0x01, 0xc0), VEC_UD, -1));
	CHECK(faults(RUN(0xf0, 0x39, 0x00), VEC_UD, -1));
	CHECK(faults(RUN(0x0f, 0x20, 0xc8), VEC_UD, -1));	/* mov eax, cr1 */
	CHECK(faults(RUN(0x8e, 0xc8), VEC_UD, -1));		/* mov cs, eax */
	CHECK(faults(RUN(0x06), VEC_UD, -1));
	passes("unknown instructions are unhandleable, with bytes; undefined ones are #UD");
}

void test_directed(void)
{
	test_faults_of_fetch();
	test_skip_lengths();
	test_mmio();
	test_not_canonical();
	test_traps();
	test_unknown();
	test_real_mode();
	test_protected_mode();
	test_system_instructions();
	test_past_failures();
}
