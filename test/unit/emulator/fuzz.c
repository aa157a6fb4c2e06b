// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random bytes in all modes on a machine full of random tables: nothing may
 * crash (the sanitizers watch), loop without progress, or leave half of an
 * instruction behind when it faults.
 */
#include <stdlib.h>
#include <time.h>

#include "directed.h"

static u64 state;

static u64 next(void)
{
	u64 z = (state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned int below(unsigned int n)
{
	return (next() >> 32) * n >> 32;
}

/* Descriptors that are nearly right: most checks are passed, some fail. */
static void random_tables(void)
{
	static const u8 access[] = {
		0x9b, 0x93, 0xfb, 0xf3, 0x9a, 0x92, 0x8b, 0x89, 0x82, 0xec, 0x8c, 0x85, 0xe5,
		0xee, 0x8e, 0xef, 0x81, 0x83, 0x9f, 0xff, 0x97, 0x13, 0x84, 0x86, 0x00,
	};
	unsigned int i;

	for (i = 1; i < 32; i++)
		descriptor(i, below(4) ? 0 : below(RAM_SIZE), below(2) ? 0xfffff : below(0x100),
			   access[below(sizeof(access))], below(16));
	protected_tables();
	for (i = 0; i < 256; i++)
		gate(IDT, i, 8 * below(20) + below(4), below(RAM_SIZE),
		     access[below(sizeof(access))], below(32));
	m.idt = (struct x86_emulator_table){ .base = IDT, .limit = below(0x1000) };
	for (i = 0; i < 0x68; i++)
		ram[TSS + i] = ram[TSS2 + i] = below(3) ? 0 : next();
	put32(TSS + 4, STACK0);
	put32(TSS + 8, 16);
	put32(TSS2 + 32, CODE);
	put32(TSS2 + 76, 8);
	put32(TSS2 + 80, 16);
}

bool fuzz_case(u64 seed, const u8 *code, unsigned int len)
{
	static const enum x86_emulator_mode modes[] = {
		X86_EMULATOR_REAL, X86_EMULATOR_VM86, X86_EMULATOR_PROT16,
		X86_EMULATOR_PROT32, X86_EMULATOR_PROT64,
	};
	struct x86_emulator *ctx = &m.ctx;
	enum x86_emulator_mode mode;
	u64 before[16], flags;
	unsigned int i, steps = 0;
	bool vm86;
	int r;

	state = seed;
	mode = modes[below(5)];
	vm86 = mode == X86_EMULATOR_VM86;
	machine_init(&m);
	machine_mode(&m, mode, vm86 ? 3 : mode == X86_EMULATOR_REAL ? 0 : below(2) * 3);
	machine_map(&m, 0, RAM_SIZE, ram, true);
	random_tables();
	if (mode == X86_EMULATOR_REAL || vm86) {
		for (i = 0; i < 6; i++)
			m.seg[i].selector = m.seg[i].base >> 4;
	}
	m.ctx.features = below(4) ? ~0ull << below(2) : next();
	m.cr[0] |= next() & (CR0_TS_BIT | CR0_EM_BIT | CR0_AM_BIT);
	m.cr[4] |= next() & (CR4_VME_BIT | CR4_PVI_BIT | CR4_DE_BIT | CR4_OSXSAVE_BIT |
			     CR4_UMIP_BIT | CR4_FSGSBASE_BIT | CR4_LA57_BIT);
	for (i = 0; i < 16; i++)
		m.gpr[i] = below(3) ? below(RAM_SIZE) : next();
	m.gpr[RSP] = below(8) ? STACK : next();
	m.gpr[RCX] = below(4) ? below(300) : m.gpr[RCX];
	for (i = 0; i < 64; i += 8)
		put64(STACK + i, below(2) ? 8 * below(20) + below(4) : next());
	ctx->rflags |= next() & 0x3d7fd5;
	if (vm86)
		ctx->rflags |= FLAG_VM;
	m.yield_after = below(20);
	m.dr[7] = 1;			/* cleared by a task switch */
	ctx->rip = CODE;
	for (i = 0; i < 16; i++)
		ram[CODE + i] = next();
	if (below(2))
		ram[CODE] = 0x0f;
	if (!below(8))
		ram[CODE] = below(2) ? 0xcf : 0xcb;
	if (len)
		memcpy(ram + CODE, code, len);
	memcpy(before, m.gpr, sizeof(before));
	flags = ctx->rflags;

	m.log_len = m.log_pos = 0;
	m.port_answered = false;
	x86_emulator_begin(ctx, NULL, 0);
	r = x86_emulator_decode(ctx);
	if (r == EMUL_OK) {
		do {
			m.log_pos = 0;
			m.port_out_len = 0;
			r = x86_emulator_execute(ctx);
		} while (r == EMUL_IO_NEEDED && ++steps < 10);
	}
	if (r == EMUL_OK)
		return !ctx->repeating || m.gpr[RCX] != before[RCX];
	if (r == EMUL_FAULT && (ctx->exception.vector > 31 || ctx->rip != CODE))
		/* Only the new task of a task switch may fault elsewhere. */
		return ctx->exception.vector < 32 && !m.dr[7];
	if (!m.dr[7] || ctx->insn.rep)
		return true;
	return !memcmp(before, m.gpr, sizeof(before)) && ctx->rflags == flags;
}

void test_fuzz(const struct test_options *options)
{
	u64 seed = options->seed, cases = 0, bad = 0;
	clock_t end = clock() + options->seconds * CLOCKS_PER_SEC;

	for (;; seed++, cases++) {
		if (options->cases ? cases >= options->cases : !(seed & 63) && clock() >= end)
			break;
		if (fuzz_case(seed, NULL, 0))
			continue;
		if (bad++ < 5) {
			unsigned int i;

			printf("# seed %llu: mode %u, vector %u, rip %llx:", seed, m.ctx.mode,
			       m.ctx.exception.vector, m.ctx.rip);
			for (i = 0; i < 15; i++)
				printf(" %02x", ram[CODE + i]);
			printf("\n");
		}
	}
	test_result(!bad, "random bytes in all modes: %llu cases, none crashes, hangs or faults half way (seeds %llu to %llu)",
		    cases, options->seed, seed);
}
