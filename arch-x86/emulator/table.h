/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words in which the opcode tables are written: operands in the notation of
 * the manuals' opcode maps (SDM 2D A.2), and a macro for each kind of row. Only
 * the table files include it: the names are short.
 */
#ifndef ARCH_X86_EMULATOR_TABLE_H
#define ARCH_X86_EMULATOR_TABLE_H

#include "internal.h"
#include "exec.h"

#define OPERAND(where, size)	(WHERE_##where | SIZE_##size << 8)

#define Eb	OPERAND(RM, 1)
#define Ew	OPERAND(RM, 2)
#define Ed	OPERAND(RM, 4)
#define Ev	OPERAND(RM, V)
#define Ey	OPERAND(RM, Y)
#define Ewv	OPERAND(RM, 2V)
#define M	OPERAND(RM_MEM, NONE)
#define Mb	OPERAND(RM_MEM, 1)
#define Mw	OPERAND(RM_MEM, 2)
#define Md	OPERAND(RM_MEM, 4)
#define Mq	OPERAND(RM_MEM, 8)
#define Mv	OPERAND(RM_MEM, V)
#define My	OPERAND(RM_MEM, Y)
#define Mp	OPERAND(RM_MEM, P)
#define Mx	OPERAND(RM_MEM, X)
#define Mt	OPERAND(RM_MEM, 10)
#define Mdq	OPERAND(RM_MEM, 16)
#define Rv	OPERAND(RM_REG, V)
#define Rd	OPERAND(RM_REG, 4)
#define Ry	OPERAND(RM_REG, Y)
#define Rn	OPERAND(RM_GPR, NATIVE)
#define Gb	OPERAND(REG, 1)
#define Gw	OPERAND(REG, 2)
#define Gd	OPERAND(REG, 4)
#define Gv	OPERAND(REG, V)
#define Gy	OPERAND(REG, Y)
#define Zb	OPERAND(OPCODE, 1)
#define Zv	OPERAND(OPCODE, V)
#define By	OPERAND(VVVV, Y)
#define AL	OPERAND(ACC, 1)
#define AX	OPERAND(ACC, V)
#define AZ	OPERAND(ACC, Z)
#define CL	OPERAND(CL, 1)
#define DXw	OPERAND(DX, 2)
#define One	OPERAND(ONE, 1)
#define Ib	OPERAND(IMM, 1)
#define Iw	OPERAND(IMM, 2)
#define Iv	OPERAND(IMM, V)
#define Iz	OPERAND(SIMM, Z)
#define sIb	OPERAND(SIMM, 1)
#define Jb	OPERAND(REL, 1)
#define Jz	OPERAND(REL, Z)
#define Ap	OPERAND(FAR, P)
#define Ob	OPERAND(MOFFS, 1)
#define Ov	OPERAND(MOFFS, V)
#define Sw	OPERAND(SEG, 2)
#define SegES	OPERAND(ES, 2)
#define SegCS	OPERAND(CS, 2)
#define SegSS	OPERAND(SS, 2)
#define SegDS	OPERAND(DS, 2)
#define SegFS	OPERAND(FS, 2)
#define SegGS	OPERAND(GS, 2)
#define Cn	OPERAND(CR, NATIVE)
#define Dn	OPERAND(DR, NATIVE)
#define Xb	OPERAND(SI, 1)
#define Xv	OPERAND(SI, V)
#define Xz	OPERAND(SI, Z)
#define Yb	OPERAND(DI, 1)
#define Yv	OPERAND(DI, V)
#define Yz	OPERAND(DI, Z)
#define Vx	OPERAND(VREG, X)
#define Vdq	OPERAND(VREG, 16)
#define Vq	OPERAND(VREG, 8)
#define Vd	OPERAND(VREG, 4)
#define Wx	OPERAND(VRM, X)
#define Wdq	OPERAND(VRM, 16)
#define Wq	OPERAND(VRM, 8)
#define Wd	OPERAND(VRM, 4)
#define Ww	OPERAND(VRM, 2)
#define Ux	OPERAND(VRM_REG, X)
#define Pq	OPERAND(MREG, 8)
#define Pd	OPERAND(MREG, 4)
#define Qq	OPERAND(MRM, 8)
#define Nq	OPERAND(MRM_REG, 8)

/* An instruction: function, flags, operands. */
#define I(fn, fl, ...) \
	{ .kind = OPCODE_INSN, .flags = (fl), .exec = (fn), .operand = { __VA_ARGS__ } }
/* With a constant for the function. */
#define IA(fn, a, fl, ...) \
	{ .kind = OPCODE_INSN, .flags = (fl), .arg = (a), .exec = (fn), \
	  .operand = { __VA_ARGS__ } }
/* With a name that vendors know. */
#define ID(fn, n, fl, ...) \
	{ .kind = OPCODE_INSN, .flags = (fl), .id = X86_EMULATOR_INSN_##n, .exec = (fn), \
	  .operand = { __VA_ARGS__ } }
#define IDA(fn, n, a, fl, ...) \
	{ .kind = OPCODE_INSN, .flags = (fl), .id = X86_EMULATOR_INSN_##n, .arg = (a), \
	  .exec = (fn), .operand = { __VA_ARGS__ } }
/* Length only. */
#define D(fl, ...)	{ .kind = OPCODE_INSN, .flags = (fl), .operand = { __VA_ARGS__ } }
#define DN(n, fl, ...) \
	{ .kind = OPCODE_INSN, .flags = (fl), .id = X86_EMULATOR_INSN_##n, \
	  .operand = { __VA_ARGS__ } }
/* Undefined; unknown. */
#define U		{ .kind = OPCODE_UD }
#define N		{ .kind = OPCODE_UNKNOWN }

#define TO(k, n, ...) \
	{ .kind = (k), .sub = (const struct x86_emulator_opcode[n]){ __VA_ARGS__ } }
#define REG(...)	TO(OPCODE_REG, 8, __VA_ARGS__)
#define MODREG(...)	TO(OPCODE_MODREG, 16, __VA_ARGS__)
#define RM(...)		TO(OPCODE_RM, 8, __VA_ARGS__)
#define PREFIX(...)	TO(OPCODE_PREFIX, 4, __VA_ARGS__)
#define MODE(...)	TO(OPCODE_MODE, 2, __VA_ARGS__)
#define X2(...)		__VA_ARGS__, __VA_ARGS__
#define X4(...)		X2(__VA_ARGS__), X2(__VA_ARGS__)
#define X8(...)		X4(__VA_ARGS__), X4(__VA_ARGS__)
#define X16(...)	X8(__VA_ARGS__), X8(__VA_ARGS__)

#endif
