/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What string.c and port_io.c share: the steps of a repeated string instruction.
 */
#ifndef ARCH_X86_EMULATOR_REPEAT_H
#define ARCH_X86_EMULATOR_REPEAT_H

#include "internal.h"

/**
 * emul_string_advance - move RSI or RDI, in the address size, as DF says
 * @ctx: context.
 * @reg: RSI or RDI.
 * @bytes: how far.
 */
void emul_string_advance(struct x86_emulator *ctx, unsigned int reg, unsigned int bytes);

/**
 * emul_string_count - iterations left
 * @ctx: context.
 *
 * Return: RCX in the address size.
 */
u64 emul_string_count(struct x86_emulator *ctx);

/**
 * emul_string_commit - an iteration is done: hand its registers over
 * @ctx: context.
 */
void emul_string_commit(struct x86_emulator *ctx);

/**
 * emul_string_pause - should a repeated instruction stop between iterations?
 * @ctx: context.
 *
 * Return: true for single step, I/O under way, and if the owner wants to.
 */
bool emul_string_pause(struct x86_emulator *ctx);

/**
 * emul_string_stay - end this execute() with RIP at the same instruction
 * @ctx: context.
 */
void emul_string_stay(struct x86_emulator *ctx);

#endif
