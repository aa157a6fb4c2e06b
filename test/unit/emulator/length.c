// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instruction length and validity against libzydis, over random bytes in three
 * modes. What the emulator's tables don't know is counted, not compared.
 */
#include <stdio.h>
#include <time.h>

#include <Zydis/Zydis.h>

#include "machine.h"
#include "tests.h"

#define CODE	0x8000

static u8 page[4096];
static struct machine machine;
static u64 state;

static u64 next(void)
{
	u64 z = (state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Where zydis and this emulator differ on purpose, and what is not compared. */
enum reason {
	COMPARED,
	X87_RESERVED, MPX_HINT, UD_BY_NAME,
	NO_EVEX, NO_XOP, NO_3DNOW, NO_KNC, NO_VEX, NO_AMX, NO_ROW,
	NR_REASONS,
};

static const char * const reasons[NR_REASONS] = {
	[COMPARED] = "compared",
	[X87_RESERVED] = "x87, reserved encodings: they have a length, and CPUs execute them (APM 5, appendix A)",
	[MPX_HINT] = "0F 1A, 0F 1B: hints where the CPU lacks MPX (SDM 2B NOP, SDM 1 appendix E)",
	[UD_BY_NAME] = "UD0, UD1, UD2: zydis has names for what is #UD by definition (SDM 2B UD)",
	[NO_EVEX] = "EVEX and MVEX: not in the table: unhandleable (SDM 2A 2.7)",
	[NO_XOP] = "XOP: AMD's CPUs up to Excavator, #UD on all others (APM 3 1.9)",
	[NO_3DNOW] = "3DNow!: AMD's CPUs up to 2011: not in the table (APM 3 appendix A)",
	[NO_KNC] = "JKZD, DELAY and the like: Knights Corner's alone, in no manual of this list; #UD",
	[NO_VEX] = "VEX arithmetic: not in the table: unhandleable (SDM 2D tables A-3 to A-5)",
	[NO_AMX] = "key locker, SEV, SGX, SSE4A and the like: not in the table (SDM 2D A.3, APM 3 appendix A)",
	[NO_ROW] = "opcodes without a row",
};

static u64 counts[NR_REASONS];

static enum reason not_known(const struct x86_emulator_decoded *ours)
{
	if (ours->evex)
		return NO_EVEX;
	if (ours->vex)
		return NO_VEX;
	if (ours->map == 1 && ours->opcode == 0x0f)
		return NO_3DNOW;
	return ours->map ? NO_AMX : NO_ROW;
}

static enum reason known_difference(const ZydisDecodedInstruction *insn, bool valid)
{
	unsigned int op = machine.ctx.insn.opcode, map = machine.ctx.insn.map;

	if (!valid && op >= 0xd8 && op <= 0xdf && map == 0)
		return X87_RESERVED;
	if (!valid && map == 1 && (op == 0x1a || op == 0x1b))
		return MPX_HINT;
	if (!valid)
		return COMPARED;
	switch (insn->encoding) {
	case ZYDIS_INSTRUCTION_ENCODING_XOP:
		return NO_XOP;
	case ZYDIS_INSTRUCTION_ENCODING_EVEX:
	case ZYDIS_INSTRUCTION_ENCODING_MVEX:
		return NO_EVEX;
	default:
		break;
	}
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_JKZD:
	case ZYDIS_MNEMONIC_JKNZD:
	case ZYDIS_MNEMONIC_DELAY:
	case ZYDIS_MNEMONIC_CLEVICT0:
	case ZYDIS_MNEMONIC_CLEVICT1:
	case ZYDIS_MNEMONIC_SPFLT:
		return NO_KNC;
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
		return UD_BY_NAME;
	default:
		return COMPARED;
	}
}

/*
 * Decode what is in the page. *tells: how many of its bytes decided length and
 * validity; what follows is a displacement or an immediate, or was not looked at.
 */
static bool check(ZydisDecoder *decoder, u64 seed, const char *mode, unsigned int *tells)
{
	static unsigned int shown;
	const struct x86_emulator_decoded *ours = &machine.ctx.insn;
	ZydisDecodedInstruction insn;
	enum reason reason;
	bool valid;
	int r;

	machine.ctx.rip = CODE;
	x86_emulator_begin(&machine.ctx, NULL, 0);
	r = x86_emulator_decode(&machine.ctx);
	*tells = 15;
	if (r == X86_EMULATOR_UNHANDLEABLE) {
		reason = not_known(ours);
		counts[reason]++;
		if (reason != NO_ROW && reason != NO_AMX)
			*tells = ours->length;
		return true;
	}
	valid = ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(decoder, NULL, page, 15, &insn));
	reason = known_difference(&insn, valid);
	counts[reason]++;
	if (valid && r == X86_EMULATOR_CONTINUE) {
		*tells = insn.length;
		if (insn.raw.disp.size && insn.raw.disp.offset < *tells)
			*tells = insn.raw.disp.offset;
		if (insn.raw.imm[0].size && insn.raw.imm[0].offset < *tells)
			*tells = insn.raw.imm[0].offset;
	}
	/* Undefined for both: does one byte more change zydis's mind? */
	if (!valid && r != X86_EMULATOR_CONTINUE)
		*tells = ours->length + 1;
	if (reason != COMPARED)
		return true;
	if (r != X86_EMULATOR_CONTINUE ? !valid : valid && insn.length == ours->length)
		return true;
	if (shown++ < 40) {
		unsigned int i;

		printf("# seed %llu, %s: ours %s %u, zydis %s %u %s:", seed, mode,
		       r == X86_EMULATOR_CONTINUE ? "valid" : "fault",
		       ours->length, valid ? "valid" : "invalid",
		       valid ? insn.length : 0,
		       valid ? ZydisMnemonicGetString(insn.mnemonic) : "");
		for (i = 0; i < 15; i++)
			printf(" %02x", page[i]);
		printf("\n");
	}
	return false;
}

static void random_bytes(u64 seed)
{
	unsigned int i;

	state = seed;
	for (i = 0; i < 16; i++)
		page[i] = next();
	/* Half of them in the larger maps. */
	i = next() & 7;
	if (i >= 4)
		page[0] = 0x0f;
	if (i == 5)
		page[1] = next() & 1 ? 0x38 : 0x3a;
	if (i == 6) {
		page[0] = 0x66 + (next() & 1);
		page[1] = 0x0f;
	}
	if (i == 7) {
		page[0] = 0xf2 + (next() & 1);
		page[1] = 0x0f;
	}
}

static bool is_prefix(u8 byte, bool is_64)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
	case 0x66: case 0x67: case 0xf0: case 0xf2: case 0xf3:
		return true;
	}
	return is_64 && (byte & 0xf0) == 0x40;
}

struct prefixes {
	u8 bytes[3], n;
};

/*
 * All encodings of up to 4 bytes behind these prefixes. Like an odometer, but
 * bytes that don't tell aren't turned: their 256 values are one encoding.
 */
static u64 all_encodings(ZydisDecoder *decoder, const char *mode,
			 const struct prefixes *prefixes, bool is_64, u64 *encodings)
{
	unsigned int n = prefixes->n, tells, at;
	u8 *code = page + n;
	u64 wrong = 0;

	memset(page, 0, 16);
	memcpy(page, prefixes->bytes, n);
	/* A displacement, or an immediate that is long, has something to read. */
	memset(code + 4, 0x24, 11);
	for (;;) {
		/* Behind the prefixes: one more would be another set. */
		tells = 0;
		if (!is_prefix(code[0], is_64)) {
			if (!check(decoder, 0, mode, &tells))
				wrong++;
			++*encodings;
		}
		/* VEX and EVEX behind 66, F2, F3, F0 or REX are #UD (SDM 2A 2.3.2 to 2.3.5). */
		if (is_64 && n && (code[0] == 0xc4 || code[0] == 0xc5 || code[0] == 0x62) &&
		    prefixes->bytes[0] != 0x67 && tells > n + 2)
			tells = n + 2;
		at = tells < n + 1 ? 0 : tells - n - 1;
		if (at > 3)
			at = 3;
		memset(code + at + 1, 0, 3 - at);
		while (!++code[at]) {
			if (!at)
				return wrong;
			at--;
		}
	}
}

static u64 everything(ZydisDecoder *decoder, const char *mode, bool is_64, u64 *encodings)
{
	/* A REX must be the last; outside 64 bit mode these are INC and DEC. */
	static const struct prefixes prefixes[] = {
		{ {}, 0 }, { { 0x66 }, 1 }, { { 0xf2 }, 1 }, { { 0xf3 }, 1 }, { { 0xf0 }, 1 },
		{ { 0x67 }, 1 }, { { 0x2e }, 1 }, { { 0x66, 0xf2 }, 2 }, { { 0x66, 0xf3 }, 2 },
		{ { 0x66, 0x67 }, 2 }, { { 0x66, 0xf0 }, 2 }, { { 0xf3, 0xf0 }, 2 },
		{ { 0x48 }, 1 }, { { 0x41 }, 1 }, { { 0x44 }, 1 }, { { 0x66, 0x48 }, 2 },
		{ { 0xf2, 0x48 }, 2 }, { { 0xf3, 0x48 }, 2 }, { { 0xf0, 0x48 }, 2 },
	};
	u64 wrong = 0;
	unsigned int i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (!is_64 && i && (prefixes[i].bytes[prefixes[i].n - 1] & 0xf0) == 0x40)
			continue;
		wrong += all_encodings(decoder, mode, &prefixes[i], is_64, encodings);
		printf("# %s, %u of %zu sets of prefixes: %llu encodings\n", mode, i + 1,
		       sizeof(prefixes) / sizeof(prefixes[0]), *encodings);
		fflush(stdout);
	}
	return wrong;
}

void test_length(const struct test_options *options, unsigned int bits)
{
	static const struct {
		const char *name;
		enum x86_emulator_mode mode;
		ZydisMachineMode zydis;
		ZydisStackWidth stack;
	} modes[] = {
		{ "16 bit", X86_EMULATOR_PROT16, ZYDIS_MACHINE_MODE_LEGACY_16,
		  ZYDIS_STACK_WIDTH_16 },
		{ "32 bit", X86_EMULATOR_PROT32, ZYDIS_MACHINE_MODE_LEGACY_32,
		  ZYDIS_STACK_WIDTH_32 },
		{ "64 bit", X86_EMULATOR_PROT64, ZYDIS_MACHINE_MODE_LONG_64,
		  ZYDIS_STACK_WIDTH_64 },
	};
	clock_t end = clock() + options->seconds / 3 * CLOCKS_PER_SEC;
	u64 seed = options->seed, total = 0, wrong = 0;
	typeof(&modes[0]) mode = &modes[bits / 32];
	ZydisDecoder decoder;
	unsigned int i, tells;

	machine_init(&machine);
	machine_map(&machine, CODE, sizeof(page), page, false);
	machine.ctx.features |= X86_EMULATOR_FEAT_INTEL;	/* as zydis does by default */
	memset(counts, 0, sizeof(counts));
	machine_mode(&machine, mode->mode, 0);
	ZydisDecoderInit(&decoder, mode->zydis, mode->stack);
	if (options->full)
		wrong = everything(&decoder, mode->name, bits == 64, &total);
	for (; !options->full; seed++) {
		if (options->cases ? counts[COMPARED] >= options->cases :
		    !(seed & 255) && clock() >= end)
			break;
		random_bytes(seed);
		wrong += !check(&decoder, seed, mode->name, &tells);
	}
	test_result(!wrong, "decode, %s: %llu %s encodings have the length and validity that zydis gives (%llu differ)",
		    mode->name, counts[COMPARED], options->full ? "of all" : "random", wrong);
	for (i = 1; options->full && i < NR_REASONS; i++)
		printf("#   %12llu not compared: %s\n", counts[i], reasons[i]);
}
