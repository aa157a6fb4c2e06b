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

/*
 * Where zydis and the CPUs this product runs on differ, or instructions of CPUs
 * that never met this one: the reason, else NULL.
 */
static const char *known_difference(const ZydisDecodedInstruction *insn, bool valid)
{
	unsigned int op = machine.ctx.insn.opcode, map = machine.ctx.insn.map;

	if (!valid && op >= 0xd8 && op <= 0xdf && map == 0)
		return "x87: reserved encodings have a length, too";
	if (!valid && map == 1 && (op == 0x1a || op == 0x1b))
		return "MPX: hints where the CPU lacks it";
	if (!valid)
		return NULL;
	switch (insn->encoding) {
	case ZYDIS_INSTRUCTION_ENCODING_XOP:
		return "XOP: left AMD's CPUs with Zen";
	case ZYDIS_INSTRUCTION_ENCODING_EVEX:
	case ZYDIS_INSTRUCTION_ENCODING_MVEX:
		return "EVEX: not in the table";
	default:
		break;
	}
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
		return "undefined by definition";
	default:
		return NULL;
	}
}

static bool check(ZydisDecoder *decoder, u64 seed, const char *mode, u64 *compared)
{
	static unsigned int shown;
	ZydisDecodedInstruction insn;
	bool valid;
	int r;

	machine.ctx.rip = CODE;
	x86_emulator_begin(&machine.ctx, NULL, 0);
	r = x86_emulator_decode(&machine.ctx);
	if (r == X86_EMULATOR_UNHANDLEABLE)
		return true;
	valid = ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(decoder, NULL, page, 15, &insn));
	++*compared;
	if (known_difference(&insn, valid))
		return true;
	if (r != X86_EMULATOR_CONTINUE ? !valid :
	    valid && insn.length == machine.ctx.insn.length)
		return true;
	if (shown++ < 40) {
		unsigned int i;

		printf("# seed %llu, %s: ours %s %u, zydis %s %u %s:", seed, mode,
		       r == X86_EMULATOR_CONTINUE ? "valid" : "fault",
		       machine.ctx.insn.length, valid ? "valid" : "invalid",
		       valid ? insn.length : 0,
		       valid ? ZydisMnemonicGetString(insn.mnemonic) : "");
		for (i = 0; i < 15; i++)
			printf(" %02x", page[i]);
		printf("\n");
	}
	return false;
}

void test_length(const struct test_options *options)
{
	static const struct {
		const char *name;
		enum x86_emulator_mode mode;
		ZydisMachineMode zydis;
		ZydisStackWidth stack;
	} modes[] = {
		{ "64 bit", X86_EMULATOR_PROT64, ZYDIS_MACHINE_MODE_LONG_64,
		  ZYDIS_STACK_WIDTH_64 },
		{ "32 bit", X86_EMULATOR_PROT32, ZYDIS_MACHINE_MODE_LEGACY_32,
		  ZYDIS_STACK_WIDTH_32 },
		{ "16 bit", X86_EMULATOR_PROT16, ZYDIS_MACHINE_MODE_LEGACY_16,
		  ZYDIS_STACK_WIDTH_16 },
	};
	unsigned int m;

	machine_init(&machine);
	machine_map(&machine, CODE, sizeof(page), page, false);
	machine.ctx.features |= X86_EMULATOR_FEAT_INTEL;	/* as zydis does by default */
	for (m = 0; m < 3; m++) {
		u64 seed = options->seed, compared = 0, wrong = 0;
		clock_t end = clock() + options->seconds / 3 * CLOCKS_PER_SEC;
		ZydisDecoder decoder;

		machine_mode(&machine, modes[m].mode, 0);
		ZydisDecoderInit(&decoder, modes[m].zydis, modes[m].stack);
		for (;; seed++) {
			unsigned int i;

			if (options->cases ? compared >= options->cases :
			    !(seed & 255) && clock() >= end)
				break;
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
			if (!check(&decoder, seed, modes[m].name, &compared))
				wrong++;
		}
		test_result(!wrong, "decode, %s: %llu random encodings have the length and validity that zydis gives (%llu differ)",
			    modes[m].name, compared, wrong);
	}
}
