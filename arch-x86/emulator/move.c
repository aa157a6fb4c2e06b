// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that move and convert without arithmetic, and the exchanges
 * that other CPUs watch: XCHG, CMPXCHG, XADD.
 */
#include "internal.h"
#include "exec.h"

int exec_mov(struct x86_emulator *ctx)
{
	u64 value;
	int r = emul_load(ctx, 1, &value);

	return r == EMUL_OK ? emul_store(ctx, 0, value) : r;
}

int exec_movzx(struct x86_emulator *ctx)
{
	return exec_mov(ctx);
}

/* MOVSX, MOVSXD. */
int exec_movsx(struct x86_emulator *ctx)
{
	u64 value;
	int r = emul_load(ctx, 1, &value);

	if (r != EMUL_OK)
		return r;
	return emul_store(ctx, 0, emul_sign_extend(value, ctx->insn.operand[1].size));
}

static u64 swap_bytes(u64 value, unsigned int size)
{
	u64 result = 0;

	while (size--) {
		result = result << 8 | (value & 0xff);
		value >>= 8;
	}
	return result;
}

int exec_movbe(struct x86_emulator *ctx)
{
	u64 value;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_MOVBE))
		return emul_ud(ctx);
	r = emul_load(ctx, 1, &value);
	if (r != EMUL_OK)
		return r;
	return emul_store(ctx, 0, swap_bytes(value, ctx->insn.operand[0].size));
}

/* With 16 bit operands the result is undefined; CPUs give 0. */
int exec_bswap(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size;
	u64 value;
	int r = emul_load(ctx, 0, &value);

	if (r != EMUL_OK)
		return r;
	return emul_store(ctx, 0, size == 2 ? 0 : swap_bytes(value, size));
}

int exec_movdiri(struct x86_emulator *ctx)
{
	return emul_has(ctx, X86_EMULATOR_FEAT_MOVDIRI) ? exec_mov(ctx) : emul_ud(ctx);
}

int exec_lea(struct x86_emulator *ctx)
{
	return emul_store(ctx, 0, ctx->insn.operand[1].value);
}

/* The source is read, and a 32 bit destination zero extended, either way. */
int exec_cmov(struct x86_emulator *ctx)
{
	bool move = emul_condition(ctx->rflags, ctx->insn.opcode);
	u64 value;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_CMOV))
		return emul_ud(ctx);
	r = emul_load(ctx, 1, &value);
	if (r == EMUL_OK && !move)
		r = emul_load(ctx, 0, &value);
	return r == EMUL_OK ? emul_store(ctx, 0, value) : r;
}

int exec_setcc(struct x86_emulator *ctx)
{
	return emul_store(ctx, 0, emul_condition(ctx->rflags, ctx->insn.opcode));
}

int exec_xlat(struct x86_emulator *ctx)
{
	const struct x86_emulator_decoded *insn = &ctx->insn;
	unsigned int seg = insn->seg_override >= 0 ? insn->seg_override : DS;
	u64 offset = x86_emulator_get_gpr(ctx, RBX) + emul_read_reg(ctx, RAX, 1);
	u8 al;
	int r;

	r = emul_read(ctx, seg, offset & emul_mask(insn->addr_size), &al, 1, 0);
	if (r == EMUL_OK)
		emul_write_reg(ctx, RAX, 1, al);
	return r;
}

/* CBW, CWDE, CDQE. */
int exec_cbw(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.op_size;
	u64 value = emul_read_reg(ctx, RAX, size / 2);

	emul_write_reg(ctx, RAX, size, emul_sign_extend(value, size / 2));
	return EMUL_OK;
}

/* CWD, CDQ, CQO. */
int exec_cwd(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.op_size;
	u64 value = emul_read_reg(ctx, RAX, size);

	emul_write_reg(ctx, RDX, size, value & emul_sign_bit(size) ? ~0ull : 0);
	return EMUL_OK;
}

int exec_lahf(struct x86_emulator *ctx)
{
	u64 ax = emul_read_reg(ctx, RAX, 1);

	if (emul_is_64(ctx) && !emul_has(ctx, X86_EMULATOR_FEAT_LAHF64))
		return emul_ud(ctx);
	emul_write_reg(ctx, RAX, 2, ax | (ctx->rflags & 0xd5) << 8 | FLAG_FIXED << 8);
	return EMUL_OK;
}

int exec_sahf(struct x86_emulator *ctx)
{
	u64 mask = FLAGS_ARITH & 0xff;

	if (emul_is_64(ctx) && !emul_has(ctx, X86_EMULATOR_FEAT_LAHF64))
		return emul_ud(ctx);
	ctx->next_rflags &= ~mask;
	ctx->next_rflags |= (x86_emulator_get_gpr(ctx, RAX) >> 8) & mask;
	return EMUL_OK;
}

/* NOP with a ModRM byte, and hints: the operand is not accessed. */
int exec_nop(struct x86_emulator *ctx)
{
	return EMUL_OK;
}

/* A memory operand is locked whether or not LOCK says so (SDM 3A 9.1.2.1). */
int exec_xchg(struct x86_emulator *ctx)
{
	u64 a, b;
	int r;

	r = emul_load(ctx, 1, &b);
	if (r == EMUL_OK)
		r = emul_load_rmw(ctx, &a);
	if (r == EMUL_OK)
		r = emul_store_rmw(ctx, a, b, true);
	return r == EMUL_OK ? emul_store(ctx, 1, a) : r;
}

/* 90 is NOP: it doesn't even zero the upper half of RAX. */
int exec_xchg_acc(struct x86_emulator *ctx)
{
	if (ctx->insn.operand[0].reg == RAX)
		return EMUL_OK;
	return exec_xchg(ctx);
}

/* F3 90; with REX.B it is XCHG with R8 all the same. */
int exec_pause(struct x86_emulator *ctx)
{
	return exec_xchg_acc(ctx);
}

int exec_cmpxchg(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size;
	u64 acc = emul_read_reg(ctx, RAX, size), old, new;
	int r;

	r = emul_load(ctx, 1, &new);
	if (r == EMUL_OK)
		r = emul_load_rmw(ctx, &old);
	if (r != EMUL_OK)
		return r;
	emul_alu(ctx, 7, acc, old, size);
	/*
	 * To memory there is always a write, of the old value where they
	 * differ; a register's upper half isn't even zeroed then.
	 */
	if (acc == old || ctx->insn.operand[0].kind == X86_EMULATOR_OPERAND_MEMORY)
		r = emul_store_rmw(ctx, old, acc == old ? new : old, ctx->insn.lock);
	if (r == EMUL_OK && acc != old)
		emul_write_reg(ctx, RAX, size, old);
	return r;
}

/* CMPXCHG8B, and CMPXCHG16B with REX.W: EDX:EAX against memory, ECX:EBX to it. */
int exec_cmpxchg8b(struct x86_emulator *ctx)
{
	const struct x86_emulator_operand *operand = &ctx->insn.operand[0];
	unsigned int half = ctx->insn.op_size == 8 ? 8 : 4;
	u32 access = X86_EMULATOR_WRITE | (ctx->insn.lock ? X86_EMULATOR_LOCKED : 0);
	u8 old[16], seen[16], new[16];
	u64 linear, low = 0, high = 0, b, c;
	bool equal;
	int r;

	if (!emul_has(ctx, half == 8 ? X86_EMULATOR_FEAT_CX16 : X86_EMULATOR_FEAT_CX8))
		return emul_ud(ctx);
	/* Misalignment is found before what is wrong with the address itself. */
	r = emul_linear(ctx, operand->seg, operand->value, 0, 0, &linear);
	if (r == EMUL_OK && half == 8 && (linear & 15))
		return emul_gp(ctx, 0);
	r = emul_linear(ctx, operand->seg, operand->value, 2 * half, access, &linear);
	if (r != EMUL_OK)
		return r;
	if (ctx->cpl == 3)
		access |= X86_EMULATOR_USER;
	r = ctx->ops->read(ctx, linear, old, 2 * half, access);
	if (r != EMUL_OK)
		return r;

	memcpy(&low, old, half);
	memcpy(&high, old + half, half);
	equal = low == emul_read_reg(ctx, RAX, half) && high == emul_read_reg(ctx, RDX, half);
	b = emul_read_reg(ctx, RBX, half);
	c = emul_read_reg(ctx, RCX, half);
	memcpy(new, equal ? &b : &low, half);
	memcpy(new + half, equal ? &c : &high, half);

	if (ctx->insn.lock) {
		memcpy(seen, old, sizeof(seen));
		r = (ctx->ops->cmpxchg)(ctx, linear, seen, new, 2 * half, access);
		if (r == EMUL_OK && memcmp(seen, old, 2 * half))
			return EMUL_RETRY;
	} else {
		r = ctx->ops->write(ctx, linear, new, 2 * half, access);
	}
	if (r != EMUL_OK)
		return r;
	emul_flags_set(ctx, FLAG_ZF, equal);
	if (!equal) {
		emul_write_reg(ctx, RAX, half, low);
		emul_write_reg(ctx, RDX, half, high);
	}
	return EMUL_OK;
}

int exec_xadd(struct x86_emulator *ctx)
{
	u64 a, b, sum;
	int r;

	r = emul_load(ctx, 1, &b);
	if (r == EMUL_OK)
		r = emul_load_rmw(ctx, &a);
	if (r != EMUL_OK)
		return r;
	sum = emul_alu(ctx, 0, a, b, ctx->insn.operand[0].size);
	if (ctx->insn.operand[0].kind == X86_EMULATOR_OPERAND_MEMORY) {
		r = emul_store_rmw(ctx, a, sum, ctx->insn.lock);
		return r == EMUL_OK ? emul_store(ctx, 1, a) : r;
	}
	/* XADD of a register with itself leaves the sum. */
	emul_store(ctx, 1, a);
	return emul_store(ctx, 0, sum);
}
