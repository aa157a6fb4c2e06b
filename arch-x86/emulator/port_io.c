// SPDX-License-Identifier: GPL-2.0-only
/*
 * IN, OUT, INS, OUTS: permission (IOPL, the TSS's I/O bitmap; SDM 1 19.5), and
 * string I/O in blocks, so that one exit to user space moves many items.
 */
#include "internal.h"
#include "exec.h"
#include "repeat.h"

/* Offset of the bitmap's offset in a 32 or 64 bit TSS. */
#define TSS_IO_BASE	102

static int bitmap_allows(struct x86_emulator *ctx, u16 port, unsigned int size)
{
	const struct x86_emulator_segment *tr = emul_segment(ctx, TR);
	u16 base, bits;
	int r;

	/* 32 or 64 bit TSS, available or busy; a 16 bit one has no bitmap. */
	if (tr->unusable || !tr->present || (tr->type & ~2) != 9 ||
	    tr->limit < TSS_IO_BASE + 1)
		return emul_gp(ctx, 0);
	r = emul_read_system(ctx, tr->base + TSS_IO_BASE, &base, sizeof(base));
	if (r != EMUL_OK)
		return r;
	/* Two bytes are read, always (SDM 1 19.5.2). */
	if ((u32)base + port / 8 + 1 > tr->limit)
		return emul_gp(ctx, 0);
	r = emul_read_system(ctx, tr->base + base + port / 8, &bits, sizeof(bits));
	if (r != EMUL_OK)
		return r;
	if ((bits >> (port & 7)) & ((1 << size) - 1))
		return emul_gp(ctx, 0);
	return EMUL_OK;
}

static int check_permission(struct x86_emulator *ctx, u16 port, unsigned int size)
{
	if (ctx->watch_dr7 && (ctx->ops->get_cr(ctx, 4) & CR4_DE_BIT))
		emul_watch(ctx, port, size, 1 << 2);
	if (ctx->mode == X86_EMULATOR_REAL)
		return EMUL_OK;
	if (ctx->mode != X86_EMULATOR_VM86 && ctx->cpl <= emul_iopl(ctx))
		return EMUL_OK;
	return bitmap_allows(ctx, port, size);
}

int exec_in(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size;
	u64 port;
	u32 value = 0;
	int r;

	r = emul_load(ctx, 1, &port);
	if (r == EMUL_OK)
		r = check_permission(ctx, port, size);
	if (r == EMUL_OK)
		r = ctx->ops->io_in(ctx, port, size, &value, 1);
	return r == EMUL_OK ? emul_store(ctx, 0, value) : r;
}

int exec_out(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[1].size;
	u64 port, value;
	u32 data;
	int r;

	r = emul_load(ctx, 0, &port);
	if (r == EMUL_OK)
		r = emul_load(ctx, 1, &value);
	if (r == EMUL_OK)
		r = check_permission(ctx, port, size);
	if (r != EMUL_OK)
		return r;
	data = value;
	return ctx->ops->io_out(ctx, port, size, &data, 1);
}

/*
 * How many items the next block has: all that are left, if they go upwards,
 * stay in one page and in the segment, and fit the buffer; else one.
 */
static unsigned int block_items(struct x86_emulator *ctx,
				const struct x86_emulator_operand *memory,
				unsigned int size, u32 access)
{
	u64 items = ctx->insn.rep ? emul_string_count(ctx) : 1, linear;
	unsigned int room;

	if (items == 1 || (ctx->rflags & (FLAG_DF | FLAG_TF)) || ctx->watch_dr7)
		return 1;
	if (emul_linear(ctx, memory->seg, memory->value, size, access, &linear) != EMUL_OK)
		return 1;
	room = 4096 - (linear & 4095);
	if (room > X86_EMULATOR_IO_BUFFER)
		room = X86_EMULATOR_IO_BUFFER;
	if (items > room / size)
		items = room / size;
	if (items < 2)
		return 1;
	/* Offsets that wrap, and limits, are left to the items themselves. */
	if (memory->value + items * size - 1 > emul_mask(ctx->insn.addr_size))
		return 1;
	if (emul_linear(ctx, memory->seg, memory->value, items * size, access,
			&linear) != EMUL_OK)
		return 1;
	return items;
}

/* Nothing may be lost between the device and memory: check the memory first. */
static int ins_block(struct x86_emulator *ctx, u16 port, unsigned int *items)
{
	const struct x86_emulator_operand *memory = &ctx->insn.operand[0];
	unsigned int size = memory->size, n;
	u32 access = X86_EMULATOR_WRITE | (ctx->cpl == 3 ? X86_EMULATOR_USER : 0);
	u64 linear;
	int r;

	n = block_items(ctx, memory, size, X86_EMULATOR_WRITE);
	r = emul_linear(ctx, memory->seg, memory->value, n * size, X86_EMULATOR_WRITE, &linear);
	if (r == EMUL_OK)
		r = ctx->ops->probe(ctx, linear, n * size, access);
	if (r == EMUL_OK)
		r = ctx->ops->io_in(ctx, port, size, ctx->io_buffer, n);
	if (r == EMUL_OK)
		r = ctx->ops->write(ctx, linear, ctx->io_buffer, n * size, access);
	if (r != EMUL_OK)
		return r;
	emul_string_advance(ctx, RDI, n * size);
	*items = n;
	return EMUL_OK;
}

static int outs_block(struct x86_emulator *ctx, u16 port, unsigned int *items)
{
	const struct x86_emulator_operand *memory = &ctx->insn.operand[1];
	unsigned int size = memory->size, n;
	int r;

	n = block_items(ctx, memory, size, 0);
	r = emul_read(ctx, memory->seg, memory->value, ctx->io_buffer, n * size, 0);
	if (r == EMUL_OK)
		r = ctx->ops->io_out(ctx, port, size, ctx->io_buffer, n);
	if (r != EMUL_OK)
		return r;
	emul_string_advance(ctx, RSI, n * size);
	*items = n;
	return EMUL_OK;
}

static int string_io(struct x86_emulator *ctx, unsigned int size,
		     int (*block)(struct x86_emulator *ctx, u16 port, unsigned int *items))
{
	u16 port = emul_read_reg(ctx, RDX, 2);
	unsigned int items;
	int r;

	/* Permission is checked even where RCX is 0. */
	r = check_permission(ctx, port, size);
	if (r != EMUL_OK)
		return r;
	for (;;) {
		u64 count = emul_string_count(ctx);

		if (ctx->insn.rep && !count)
			return EMUL_OK;
		r = block(ctx, port, &items);
		if (r != EMUL_OK || !ctx->insn.rep)
			return r;
		count -= items;
		emul_write_reg(ctx, RCX, ctx->insn.addr_size, count);
		if (!count)
			return EMUL_OK;
		emul_string_commit(ctx);
		if (emul_string_pause(ctx)) {
			emul_string_stay(ctx);
			return EMUL_OK;
		}
		emul_resolve(ctx);
	}
}

int exec_ins(struct x86_emulator *ctx)
{
	return string_io(ctx, ctx->insn.operand[0].size, ins_block);
}

int exec_outs(struct x86_emulator *ctx)
{
	return string_io(ctx, ctx->insn.operand[1].size, outs_block);
}
