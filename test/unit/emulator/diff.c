// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator against silicon: random instructions with random registers, run
 * by the emulator and by this machine's CPU, must leave the same registers,
 * defined flags, vector registers and memory, and the same fault with the same
 * error code and address. Each case follows from its seed alone.
 */
#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "arch-x86/emulator/internal.h"
#include "arch-x86/emulator/exec.h"
#include "machine.h"
#include "native.h"
#include "tests.h"

#define MEMORY_SIZE	(NATIVE_DATA_SIZE + NATIVE_RO_SIZE)
#define PATTERN_SIZE	65536

static u8 pattern[PATTERN_SIZE + MEMORY_SIZE];
static u8 shadow[MEMORY_SIZE];
static u8 shadow_code[NATIVE_CODE_SIZE];
static struct machine machine;
static u64 state;
static u64 before_rcx;
static unsigned int bits;
static bool in_lab;
static u64 code_base, data_base;	/* segments', outside 64 bit mode */

static u64 next(void)
{
	/* splitmix64 */
	u64 z = (state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned int below(unsigned int n)
{
	return (next() >> 32) * n >> 32;
}

static bool one_in(unsigned int n)
{
	return !below(n);
}

static u64 random_pointer(void)
{
	u64 start = NATIVE_DATA - data_base;
	u64 p = start + below(MEMORY_SIZE + 64) - 32;

	switch (below(4)) {
	case 0:		/* near a page's edge */
		return start + 4096 * below(4) + below(24) - 12;
	case 1:
		return p & ~15ull;
	}
	return p;
}

static u64 random_value(void)
{
	static const u64 edges[] = {
		0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
		0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, ~0ull,
		0x00007fffffffffff, 0x0000800000000000, 0xffff7fffffffffff,
	};

	switch (below(10)) {
	case 0:
	case 1:
	case 2:
	case 3:
		return random_pointer();
	case 4:
	case 5:
		return below(65);
	case 6:
		return edges[below(sizeof(edges) / sizeof(edges[0]))];
	case 7:
		return (u32)next();
	default:
		return next();
	}
}

/* Instructions whose native result is another machine's or the kernel's. */
static bool excluded(const struct x86_emulator_decoded *insn)
{
	static int (* const not_ours[])(struct x86_emulator *ctx) = {
		exec_int, exec_icebp, exec_into, exec_cpuid, exec_rdtsc, exec_rdtscp,
		exec_rdpid, exec_rdpmc, exec_smsw, exec_store_table, exec_sldt_str,
		exec_syscall, exec_sysenter, exec_sysexit, exec_sysret, exec_xgetbv,
		exec_xsetbv, exec_hypercall, exec_fsgsbase, exec_lar, exec_lsl,
		exec_verr_verw, exec_mov_to_seg, exec_mov_from_seg, exec_pop_seg,
		exec_push_seg, exec_load_far_pointer, exec_jmp_far_imm, exec_jmp_far_mem,
		exec_call_far_imm, exec_call_far_mem, exec_ret_far, exec_iret,
		exec_rsm, exec_ac, exec_swapgs, exec_clflush, exec_fwait,
	};
	unsigned int i;

	for (i = 0; i < sizeof(not_ours) / sizeof(not_ours[0]); i++) {
		if (insn->op->exec == not_ours[i])
			return true;
	}
	/* In 64 bit mode FS is the C library's. */
	return bits == 64 && insn->seg_override == X86_EMULATOR_FS;
}

/*
 * What the lab's CPU (Bochs 3.0) does wrong in 32 and 16 bit mode: it has no BMI
 * instructions with VEX.W, which is ignored there, and heeds bit 3 of VEX.vvvv, which is,
 * too (SDM 2A 2.3.5); it looks at memory after what keeps the x87 from storing. What it
 * does another way than CPUs of silicon: CALL and PUSHA leave in memory what they had
 * pushed when they fault, REP CMPS and SCAS no flags; FBLD begins with the sign, and BOUND
 * reads twice.
 */
static bool lab_errs(const struct x86_emulator *ctx, int result)
{
	const struct x86_emulator_decoded *insn = &ctx->insn;
	const u8 *vex = memchr(insn->bytes, 0xc4, insn->nr_bytes);
	int (*exec)(struct x86_emulator *ctx) = insn->op ? insn->op->exec : NULL;

	if (bits == 64)
		return false;
	if (insn->vex && !insn->evex && vex && (vex[2] & 0xc0) != 0x40)
		return true;
	if (exec == exec_x87_store)
		return true;
	return result == EMUL_FAULT &&
	       (exec == exec_call || exec == exec_call_rm || exec == exec_pusha ||
		exec == exec_bound ||
		(exec == exec_x87_load && insn->opcode == 0xdf) ||
		(insn->rep && (exec == exec_cmps || exec == exec_scas)));
}

/* Encodings that may reach the kernel or differ by design, though #UD for us. */
static bool excluded_bytes(const u8 *code)
{
	unsigned int i;

	for (i = 0; i < 14; i++) {
		switch (code[i]) {
		case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
		case 0x66: case 0x67: case 0xf0: case 0xf2: case 0xf3:
			continue;
		}
		if (bits == 64 && (code[i] & 0xf0) == 0x40)
			continue;
		if (code[i] == 0x0f) {
			u8 op = code[i + 1];

			/* 00: AMD's CPUs execute LOCK VERW, against their manual. */
			return op == 0x00 || op == 0x05 || op == 0x34 || op == 0x01 || op == 0x0d ||
			       op == 0x0b || op == 0xff || op == 0xb9;
		}
		/* 8F /1 to /7: what is left of XOP. */
		if (code[i] == 0x8f && (code[i + 1] & 0x38))
			return true;
		return code[i] == 0xcd || code[i] == 0xcc || code[i] == 0xf1;
	}
	return true;
}

static void generate(u8 code[16])
{
	static const u8 prefixes[] = {
		0x66, 0xf2, 0xf3, 0xf0, 0x67, 0x65, 0x2e, 0x3e, 0x26, 0x36, 0x64,
	};
	unsigned int n = 0, i, modrm;
	s32 disp;

	for (i = 0; i < 16; i++)
		code[i] = next();
	while (n < 4 && one_in(3))
		code[n++] = prefixes[one_in(2) ? below(4) : below(sizeof(prefixes))];
	if (bits == 64 && one_in(2))
		code[n++] = 0x40 | below(16);
	switch (below(16)) {
	case 0:		/* VEX */
	case 1:
		if (n && !one_in(16))
			n = 0;
		if (one_in(3)) {
			code[n++] = 0xc5;
			code[n++] = next();
		} else {
			static const u8 vex38[] = {
				0xf2, 0xf3, 0xf5, 0xf6, 0xf7, 0x18, 0x19, 0x1a, 0x2a,
				0x58, 0x59, 0x5a, 0x78, 0x79,
			};
			static const u8 vex3a[] = {
				0xf0, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x20, 0x22, 0x38, 0x39,
			};
			unsigned int map = 1 + below(3);

			code[n++] = 0xc4;
			code[n++] = (next() & 0xe0) | map;
			code[n++] = next();
			if (map == 2)
				code[n] = vex38[below(sizeof(vex38))];
			if (map == 3)
				code[n] = vex3a[below(sizeof(vex3a))];
		}
		if (one_in(2))
			code[n - 1] |= 0x78;	/* vvvv unused */
		n++;
		break;
	case 2:		/* EVEX */
		if (one_in(2)) {
			static const u8 evex0f[] = {
				0x10, 0x11, 0x28, 0x29, 0x2b, 0x6e, 0x6f, 0x7e, 0x7f, 0xd6, 0xe7,
			};
			bool map2 = one_in(8);

			n = 0;
			code[n++] = 0x62;
			code[n++] = (next() & 0xf0) | (map2 ? 2 : 1);
			code[n++] = (next() & 0x83) | 4 | (one_in(8) ? next() & 0x78 : 0x78);
			code[n++] = (below(3) << 5) | (one_in(8) ? 0 : 8);
			code[n++] = map2 ? 0x2a : evex0f[below(sizeof(evex0f))];
			break;
		}
		code[n++] = 0x0f;
		code[n++] = one_in(4) ? 0x3a : 0x38;
		code[n] = code[n - 1] == 0x38 ? 0xf0 + below(16) : 0x14 + below(16);
		n++;
		break;
	case 3:
	case 4:
	case 5:
	case 6:
	case 7:
		code[n++] = 0x0f;
		n++;
		break;
	default:
		n++;
	}
	/* Displacements that stay near: most of what is random would only fault. */
	modrm = code[n];
	disp = (s32)below(512) - 256;
	if (one_in(8))
		disp = next();
	if ((modrm & 0xc7) == 5) {
		disp = NATIVE_DATA - (bits == 64 ? NATIVE_CODE + 0x800 : data_base) +
		       below(MEMORY_SIZE);
		memcpy(code + n + 1, &disp, 4);
	} else if ((modrm & 0xc0) == 0x80 && n + 6 <= 16) {
		memcpy(code + n + ((modrm & 7) == 4 ? 2 : 1), &disp, 4);
	}
}

/* Flags that the manual leaves undefined after this instruction. */
static u64 undefined_flags(const struct x86_emulator_decoded *insn)
{
	int (*exec)(struct x86_emulator *ctx) = insn->op->exec;
	u64 szap = FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF;

	if (exec == exec_alu)
		return insn->op->arg == 1 || insn->op->arg == 4 || insn->op->arg == 6 ?
		       FLAG_AF : 0;
	if (exec == exec_test)
		return FLAG_AF;
	if (exec == exec_shift) {
		u64 count = insn->operand[1].kind == X86_EMULATOR_OPERAND_IMMEDIATE ?
			    insn->operand[1].value : before_rcx;
		unsigned int bits = 8 * insn->operand[0].size;

		count &= bits == 64 ? 63 : 31;
		if (!count)
			return 0;
		return (insn->op->arg >= 4 ? FLAG_AF : 0) | (count != 1 ? FLAG_OF : 0) |
		       (insn->op->arg >= 4 && count > bits - (insn->op->arg == 7) ?
			FLAG_CF : 0);
	}
	if (exec == exec_shld_shrd) {
		u64 count = insn->operand[2].kind == X86_EMULATOR_OPERAND_IMMEDIATE ?
			    insn->operand[2].value : before_rcx;

		count &= insn->operand[0].size == 8 ? 63 : 31;
		if (count > 16 && insn->operand[0].size == 2)
			return FLAGS_ARITH;
		return !count ? 0 : FLAG_AF | (count != 1 ? FLAG_OF : 0);
	}
	if (exec == exec_mul || exec == exec_imul3)
		return szap;
	if (exec == exec_div)
		return FLAGS_ARITH;
	if (exec == exec_bt)
		return FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF;
	if (exec == exec_bit_scan)
		return insn->rep == 0xf3 ? FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF :
		       FLAGS_ARITH & ~FLAG_ZF;
	if (exec == exec_andn || exec == exec_bls || exec == exec_bzhi)
		return FLAG_AF | FLAG_PF;
	if (exec == exec_bextr)
		return FLAG_AF | FLAG_SF | FLAG_PF;
	return 0;
}

static bool complain(u64 seed, const char *what, u64 ours, u64 theirs)
{
	printf("# seed %llu: %s: emulator %llx, CPU %llx\n", seed, what, ours, theirs);
	return false;
}

/* Without the pointers to the last instruction, which not all CPUs keep. */
static bool compare_x87(u64 seed, const struct machine_x87 *theirs)
{
	const struct machine_x87 *ours = &machine.x87;
	bool ok = true;
	unsigned int i;

	if ((u16)ours->control != (u16)theirs->control)
		ok = complain(seed, "x87 control", (u16)ours->control, (u16)theirs->control);
	if ((u16)ours->status != (u16)theirs->status)
		ok = complain(seed, "x87 status", (u16)ours->status, (u16)theirs->status);
	if ((u16)ours->tag != (u16)theirs->tag)
		ok = complain(seed, "x87 tag", (u16)ours->tag, (u16)theirs->tag);
	for (i = 0; i < 8; i++) {
		u64 a, b;

		if (!memcmp(ours->st[i], theirs->st[i], 10))
			continue;
		memcpy(&a, ours->st[i], 8);
		memcpy(&b, theirs->st[i], 8);
		ok = complain(seed, "st", a, b);
	}
	return ok;
}

/* An x87 with numbers of all kinds, full or not, sometimes with something pending. */
static void random_x87(void)
{
	struct machine_x87 *x87 = &machine.x87;
	unsigned int i;

	memset(x87, 0, sizeof(*x87));
	x87->control = 0x37f | (next() & 0xc00);
	if (one_in(4))
		x87->control &= ~(next() & 0x3f);
	x87->status = next() & 0x7f00;
	if (one_in(4))
		x87->status |= next() & (one_in(4) ? 0x7f : x87->control & 0x3f);
	x87->tag = one_in(2) ? 0 : next();
	for (i = 0; i < 8; i++) {
		u64 fraction = random_value() | (u64)!one_in(4) << 63;
		u16 exponent = one_in(2) ? 16383 + below(70) - 3 : next();

		memcpy(x87->st[i], &fraction, 8);
		memcpy(x87->st[i] + 8, &exponent, 2);
	}
	/* Its words as the CPU makes them. */
	asm volatile("frstor %0\n\tfnsave %0" : "+m" (*x87));
}

static bool compare(u64 seed, int result, u64 rip)
{
	static const char * const names[16] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
	};
	const struct native_state *cpu = native_state();
	struct x86_emulator *ctx = &machine.ctx;
	u64 mask = 0x3f7fd5 & ~FLAG_RF & ~FLAG_IF & ~FLAG_VM;
	bool ok = true, jumped;
	unsigned int i;

	/* A jump to where nothing is: the CPU faults there, the emulator has done. */
	jumped = result == EMUL_OK && cpu->trap == 14 && cpu->rip == ctx->rip &&
		 (cpu->error & 16);
	if (result == EMUL_FAULT) {
		const struct x86_emulator_exception *e = &ctx->exception;

		if (cpu->trap != e->vector)
			return complain(seed, "fault", e->vector, cpu->trap);
		if (e->has_error_code && cpu->error != e->error_code)
			ok = complain(seed, "error code", e->error_code, cpu->error);
		if (e->vector == 14 && cpu->address != e->address)
			ok = complain(seed, "cr2", e->address, cpu->address);
		if (cpu->rip != rip)
			ok = complain(seed, "rip of fault", rip, cpu->rip);
	} else if (cpu->trap >= 0 && !jumped) {
		return complain(seed, "fault", -1, cpu->trap);
	} else if (cpu->rip != ctx->rip) {
		ok = complain(seed, "rip", ctx->rip, cpu->rip);
	} else {
		mask &= ~undefined_flags(&ctx->insn);
	}
	for (i = 0; i < (bits == 64 ? 16 : 8); i++) {
		u64 all = bits == 64 ? ~0ull : 0xffffffff;

		if ((machine.gpr[i] ^ cpu->gpr[i]) & all)
			ok = complain(seed, names[i], machine.gpr[i], cpu->gpr[i]);
	}
	if ((ctx->rflags ^ cpu->rflags) & mask)
		ok = complain(seed, "rflags", ctx->rflags & mask, cpu->rflags & mask);
	for (i = 0; i < (cpu->avx512 ? 32 : 16); i++) {
		if (memcmp(machine.vector[i], cpu->vector[i], cpu->avx512 ? 64 : 32))
			ok = complain(seed, "vector", i, i);
	}
	if (!compare_x87(seed, (const struct machine_x87 *)cpu->x87))
		ok = false;
	if (memcmp(shadow, (void *)NATIVE_DATA, NATIVE_DATA_SIZE)) {
		for (i = 0; shadow[i] == ((u8 *)NATIVE_DATA)[i]; i++)
			;
		ok = complain(seed, "memory at", NATIVE_DATA + i, NATIVE_DATA + i);
	}
	return ok;
}

static void dump(const u8 *code, unsigned int len, const u64 *before, u64 rflags)
{
	unsigned int i;

	printf("# bytes:");
	for (i = 0; i < len; i++)
		printf(" %02x", code[i]);
	printf("\n# rflags %llx", rflags);
	for (i = 0; i < 16; i++)
		printf("%s r%u=%llx", i % 4 ? "" : "\n#", i, before[i]);
	printf("\n");
}

enum verdict { SAME, DIFFERENT, SKIPPED, LOST };

static enum verdict try_case(u64 seed, const u8 *given, unsigned int given_len)
{
	struct x86_emulator *ctx = &machine.ctx;
	struct native_state *cpu = native_state();
	const u8 *fresh;
	u64 before[16], rflags, rip = NATIVE_CODE - code_base + 0x800;
	u8 *at;
	unsigned int i, len;
	bool cut = false;
	u8 code[16];
	int r;

	state = seed * 0xd1342543de82ef95 + 1;
	generate(code);
	if (given_len)
		memcpy(code, given, given_len);
	if (excluded_bytes(code))
		return SKIPPED;
	if (one_in(64)) {
		rip += NATIVE_CODE_SIZE - 1 - 0x800 - below(14);
		cut = true;
	} else if (one_in(16)) {
		rip += 4096 - 1 - 0x800 - below(14);
	}
	at = shadow_code + (code_base + rip - NATIVE_CODE);
	memset(at, 0xcc, cut ? 1 : 32);
	len = cut ? shadow_code + NATIVE_CODE_SIZE - at : 15;
	if (len > 15)
		len = 15;
	memcpy(at, code, len);

	/* Does the emulator know it, and may this process run it? */
	ctx->rip = rip;
	ctx->rflags = 2;
	x86_emulator_begin(ctx, NULL, 0);
	r = x86_emulator_decode(ctx);
	if (r == EMUL_UNHANDLEABLE)
		return SKIPPED;
	if (r == EMUL_OK && (!ctx->insn.op->exec || excluded(&ctx->insn)))
		return SKIPPED;
	if (r == EMUL_OK)
		len = ctx->insn.length;
	/* Of random bytes a third is nothing. */
	else if (!given_len && !one_in(8))
		return SKIPPED;

	for (i = 0; i < 16; i++)
		before[i] = random_value();
	before[RSP] = one_in(8) ? random_value() : random_pointer();
	/* Most addresses are of something, too. */
	if (r == EMUL_OK && !one_in(4)) {
		if (ctx->insn.index < 16)
			before[ctx->insn.index] = below(32);
		if (ctx->insn.base < 16)
			before[ctx->insn.base] = random_pointer();
	}
	if (r == EMUL_OK && ctx->insn.rep)
		before[RCX] = one_in(4) ? random_value() : below(20);
	/* A count that is all of a register would run for hours without a fault. */
	if (r == EMUL_OK && ctx->insn.rep && before[RCX] > 0xffff)
		before[RCX] &= 0xfff;
	for (i = 0; bits != 64 && i < 8; i++)
		before[i] = (u32)before[i];
	rflags = 0x202 | (next() & (FLAGS_ARITH | FLAG_ID));
	if (one_in(4))
		rflags |= FLAG_DF;
	fresh = pattern + (next() & (PATTERN_SIZE - 1));
	memcpy(shadow, fresh, MEMORY_SIZE);
	memcpy(shadow + NATIVE_DATA_SIZE, pattern, NATIVE_RO_SIZE);
	memcpy((void *)NATIVE_DATA, fresh, NATIVE_DATA_SIZE);
	for (i = 0; i < 32; i++)
		memcpy(machine.vector[i], pattern + (next() & (PATTERN_SIZE - 1)), 64);
	random_x87();
	before_rcx = before[RCX];
	memcpy(machine.gpr, before, sizeof(before));
	memcpy(cpu->gpr, before, sizeof(before));
	memcpy(cpu->vector, machine.vector, sizeof(cpu->vector));
	memcpy(cpu->x87, &machine.x87, sizeof(cpu->x87));
	cpu->rflags = rflags;
	ctx->rflags = rflags;
	machine.region[1].mmio = one_in(4);
	machine.yield_after = one_in(2) ? 1 + below(7) : 0;

	r = machine_run(&machine);
	if (r == EMUL_UNHANDLEABLE)
		return SKIPPED;
	/* A third of all would fault, most in the same few ways, at the price of four others. */
	if (r == EMUL_FAULT && !given_len && !one_in(4))
		return SKIPPED;
	/* Traps and alignment checks would hit the harness; so would itself changed. */
	if (ctx->rflags & (FLAG_TF | FLAG_AC | FLAG_NT))
		return SKIPPED;
	if (r == EMUL_OK && ctx->rip != rip + len &&
	    ctx->rip >= rip - 16 && ctx->rip < rip + len + 16)
		return SKIPPED;
	if (r == EMUL_OK && ctx->rip != rip + len &&
	    code_base + ctx->rip - NATIVE_STATE < NATIVE_CODE - NATIVE_STATE)
		return SKIPPED;
	/* Linux answers calls of its vsyscall page itself. */
	if (r == EMUL_OK && ctx->rip >> 12 == 0xffffffffff600)
		return SKIPPED;
	/*
	 * Signals with a stack pointer that isn't canonical are beyond some
	 * hypervisors that this may run under.
	 */
	if ((machine.gpr[RSP] + (1ull << 47)) >> 48 && (r != EMUL_OK || ctx->rip != rip + len))
		return SKIPPED;
	if (in_lab && lab_errs(ctx, r))
		return SKIPPED;
	/* CPUs fetch all of an instruction before they find it undefined. */
	if (cut && (r == EMUL_OK || ctx->exception.vector == VEC_UD))
		return SKIPPED;
	/*
	 * Beyond 2 GB are the sanitizers' shadow, this process and the kernel;
	 * below the data, the harness.
	 */
	if (r == EMUL_FAULT && ctx->exception.vector == VEC_PF &&
	    !(ctx->exception.error_code & 16) &&
	    (ctx->exception.address >= 0x7fff0000 ||
	     ctx->exception.address - NATIVE_STATE < NATIVE_DATA - 4096 - NATIVE_STATE))
		return SKIPPED;

	if (!native_run(rip, code_base, code, len, bits))
		return LOST;
	/* Likewise: #GP(0) for more than 15 bytes beats #UD. */
	if (r == EMUL_FAULT && ctx->exception.vector == VEC_UD && cpu->trap == VEC_GP &&
	    ctx->insn.length >= 5)
		return SKIPPED;
	if (compare(seed, r, rip))
		return SAME;
	dump(code, len, before, rflags);
	return DIFFERENT;
}

/* A case that is lost is tried again; one that always is has a reason in it. */
static enum verdict one_case(u64 seed, const u8 *given, unsigned int given_len)
{
	enum verdict verdict;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		verdict = try_case(seed, given, given_len);
		if (verdict != LOST)
			return verdict;
	}
	printf("# seed %llu: vector %lld on the way out of the case\n", seed,
	       native_state()->trap);
	return DIFFERENT;
}

static bool cpuid_bit(u32 leaf, unsigned int reg, unsigned int bit)
{
	u32 regs[4] = {};

	return __get_cpuid_count(leaf, 0, &regs[0], &regs[1], &regs[2], &regs[3]) &&
	       regs[reg] >> bit & 1;
}

static void detect_features(struct x86_emulator *ctx)
{
	enum { EAX, EBX, ECX, EDX };
	/* What differs among the CPUs in reach; the rest all of them have. */
	static const struct {
		u64 feature;
		u32 leaf;
		u8 reg, bit;
	} some[] = {
		{ X86_EMULATOR_FEAT_SSE4_2, 1, ECX, 20 },
		{ X86_EMULATOR_FEAT_MOVBE, 1, ECX, 22 },
		{ X86_EMULATOR_FEAT_POPCNT, 1, ECX, 23 },
		{ X86_EMULATOR_FEAT_AVX, 1, ECX, 28 },
		{ X86_EMULATOR_FEAT_BMI1, 7, EBX, 3 },
		{ X86_EMULATOR_FEAT_AVX2, 7, EBX, 5 },
		{ X86_EMULATOR_FEAT_BMI2, 7, EBX, 8 },
		{ X86_EMULATOR_FEAT_ADX, 7, EBX, 19 },
		{ X86_EMULATOR_FEAT_AVX512F, 7, EBX, 16 },
		{ X86_EMULATOR_FEAT_AVX512BW, 7, EBX, 30 },
		{ X86_EMULATOR_FEAT_AVX512VL, 7, EBX, 31 },
		{ X86_EMULATOR_FEAT_MOVDIRI, 7, ECX, 27 },
		{ X86_EMULATOR_FEAT_LZCNT, 0x80000001, ECX, 5 },
	};
	unsigned int i;

	ctx->features = X86_EMULATOR_FEAT_LM | X86_EMULATOR_FEAT_MMX | X86_EMULATOR_FEAT_SSE |
			X86_EMULATOR_FEAT_SSE2 | X86_EMULATOR_FEAT_SSE3 |
			X86_EMULATOR_FEAT_SSE4_1 | X86_EMULATOR_FEAT_CX8 |
			X86_EMULATOR_FEAT_CX16 | X86_EMULATOR_FEAT_CMOV |
			X86_EMULATOR_FEAT_LAHF64 | X86_EMULATOR_FEAT_XSAVE;
	for (i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		if (cpuid_bit(some[i].leaf, some[i].reg, some[i].bit))
			ctx->features |= some[i].feature;
	}
	if (__builtin_cpu_is("intel"))
		ctx->features |= X86_EMULATOR_FEAT_INTEL;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/*
 * Segments of all kinds, in the LDT: small, read-only, expand-down, with other
 * bases; code whose limit ends with its pages (16 bit), and behind them (32 bit).
 */
static bool set_segments(void)
{
	const bool big = bits == 32;
	const struct {
		u32 base, limit;
		u8 type;
	} segments[6] = {
		[X86_EMULATOR_ES] = { NATIVE_DATA - 0x1000, 0x3fff, 3 },
		[X86_EMULATOR_CS] = { NATIVE_CODE, NATIVE_CODE_SIZE - 1 + 0x1000 * big, 11 },
		[X86_EMULATOR_SS] = { NATIVE_DATA - 0x1000, 0x3fdf, 3 },
		[X86_EMULATOR_DS] = { NATIVE_DATA - 0x1000, 0x4fff, 3 },
		[X86_EMULATOR_FS] = { NATIVE_DATA - 0x1000, 0x17ff, 7 },
		[X86_EMULATOR_GS] = { NATIVE_DATA + 0x10, 0x1ffe, 1 },
	};
	struct native_state *cpu = native_state();
	unsigned int i;

	for (i = 0; i < 6; i++) {
		struct x86_emulator_segment *seg = &machine.seg[i];

		cpu->segment[i] = native_set_segment(i, segments[i].base, segments[i].limit,
						     segments[i].type, big);
		if (!cpu->segment[i])
			return false;
		*seg = (struct x86_emulator_segment){
			.base = segments[i].base, .limit = segments[i].limit,
			.selector = cpu->segment[i], .type = segments[i].type,
			.s = 1, .dpl = 3, .present = 1, .db = big,
		};
	}
	return true;
}

static bool setup(const u64 gs_base)
{
	machine_init(&machine);
	machine_mode(&machine, bits == 64 ? X86_EMULATOR_PROT64 :
		     bits == 32 ? X86_EMULATOR_PROT32 : X86_EMULATOR_PROT16, 3);
	machine.cr[4] |= 1u << 18;	/* OSXSAVE */
	machine.efer = 0xd01;
	detect_features(&machine.ctx);
	machine.seg[X86_EMULATOR_TR].limit = 0x50;	/* no I/O bitmap */
	machine_map(&machine, NATIVE_CODE, NATIVE_CODE_SIZE, shadow_code, false)->fetch_only = true;
	machine_map(&machine, NATIVE_DATA, NATIVE_DATA_SIZE, shadow, true);
	machine_map(&machine, NATIVE_RO, NATIVE_RO_SIZE, shadow + NATIVE_DATA_SIZE, false);
	memset(shadow_code, 0xcc, sizeof(shadow_code));
	code_base = bits == 64 ? 0 : NATIVE_CODE;
	data_base = bits == 64 ? 0 : NATIVE_DATA - 0x1000;
	if (bits == 64)
		machine.seg[X86_EMULATOR_GS].base = gs_base;
	return bits == 64 || set_segments();
}

/* What one process of a run has done; shared with the one that reports. */
struct share {
	u64 same, skipped, seed;
	unsigned int different, killed;
	pid_t pid;
};

static void run_share(const struct test_options *options, u64 cases, double end,
		      struct share *share)
{
	for (;; share->seed++) {
		if (cases ? share->same + share->different >= cases : now() >= end)
			break;
		switch (one_case(share->seed, NULL, 0)) {
		case SAME:
			share->same++;
			break;
		case DIFFERENT:
			share->different++;
			break;
		default:
			share->skipped++;
			break;
		}
		if (share->different >= 10)
			break;
	}
	fflush(stdout);
}

static struct share sum(const struct share *shares, unsigned int jobs)
{
	struct share all = {};
	unsigned int j;

	for (j = 0; j < jobs; j++) {
		all.same += shares[j].same;
		all.skipped += shares[j].skipped;
		all.different += shares[j].different;
	}
	return all;
}

static void progress(const struct share *shares, unsigned int jobs, double began)
{
	struct share all = sum(shares, jobs);
	double took = now() - began;

	printf("# %u bit: %llu cases in %.0f s, %.0f a second, seeds now", bits,
	       all.same + all.different, took, (all.same + all.different) / took);
	for (; jobs--; shares++)
		printf(" %llu", shares->seed);
	printf("\n");
	fflush(stdout);
}

static bool start(const struct test_options *options, u64 cases, double end,
		  struct share *share)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		run_share(options, cases, end, share);
		exit(0);	/* which writes down what was covered */
	}
	share->pid = pid;	/* shared memory: not the child's 0 */
	return pid > 0;
}

/*
 * Nothing that a case executes can send SIGKILL: the machine's own kernel met something,
 * such as a fault at its GDT where it is a guest without an MMU of its own. It says so in
 * its log; the cases go on behind that one. Not again and again: twice, and once more per
 * million.
 */
static bool killed_by_kernel(struct share *share, int status)
{
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL ||
	    share->killed++ >= 2 + share->same / 1000000)
		return false;
	printf("# seed %llu: this machine's kernel killed the process; its log says why\n",
	       share->seed++);
	return true;
}

/* Each process has seeds of its own, far from the others'. */
static void run_cases(const struct test_options *options)
{
	unsigned int jobs = options->jobs, running = 0, j, broken = 0;
	double began = now(), report = began + 10, end = began + options->seconds;
	u64 cases = (options->cases + jobs - 1) / jobs;
	struct share *shares, all;

	shares = mmap(NULL, jobs * sizeof(*shares), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shares == MAP_FAILED) {
		test_result(false, "differential, %u bit: no memory", bits);
		return;
	}
	for (j = 0; j < jobs; j++) {
		shares[j].seed = options->seed + ((u64)j << 40);
		if (start(options, cases, end, &shares[j]))
			running++;
		else
			broken++;
	}
	while (running) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid > 0) {
			for (j = 0; shares[j].pid != pid; j++)
				;
			if (killed_by_kernel(&shares[j], status) &&
			    start(options, cases, end, &shares[j]))
				continue;
			running--;
			broken += !!status;
			continue;
		}
		usleep(10000);
		if (options->verbose && now() > report) {
			report += 10;
			progress(shares, jobs, began);
		}
	}
	all = sum(shares, jobs);
	if (options->verbose)
		progress(shares, jobs, began);
	test_result(!all.different && !broken, "differential, %u bit: %llu random instructions do what they do on this CPU (from seed %llu in %u processes, %llu skipped)",
		    bits, all.same + all.different, options->seed, jobs, all.skipped);
	if (all.different || broken)
		printf("# replay one: emulator-test --only diff%u --cases 1 --seed N\n", bits);
	munmap(shares, jobs * sizeof(*shares));
}

bool diff_init(unsigned int which)
{
	const u64 gs_base = NATIVE_DATA + 0x100;
	static bool ready;
	unsigned int i;

	if (!ready) {
		if (!native_init(gs_base))
			return false;
		state = 1;
		for (i = 0; i < sizeof(pattern); i++)
			pattern[i] = next();
		native_fill_ro(pattern);
		ready = true;
	}
	bits = which;
	return setup(gs_base);
}

bool diff_case(u64 seed, const u8 *code, unsigned int len)
{
	return one_case(seed, code, len) != DIFFERENT;
}

void test_diff(const struct test_options *options, unsigned int which)
{
	in_lab = options->lab;
	if (!diff_init(which)) {
		test_skip(which == 64 ?
			  "differential, 64 bit: this machine can't run cases natively (no AVX2)" :
			  "differential, 32 and 16 bit: this machine lets no process have an LDT");
		return;
	}
	run_cases(options);
}
