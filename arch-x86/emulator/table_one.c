// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one-byte opcode map (SDM 2D table A-2, APM 3 table A-1). To be laid
 * beside the manual's page: sixteen opcodes to a block. Prefixes never get
 * here, and neither do C4, C5 and 62 where they are VEX and EVEX.
 */
#include "table.h"

#define ALU(n, lock) \
	IA(exec_alu, n, lock, Eb, Gb), IA(exec_alu, n, lock, Ev, Gv), \
	IA(exec_alu, n, 0, Gb, Eb), IA(exec_alu, n, 0, Gv, Ev), \
	IA(exec_alu, n, 0, AL, Ib), IA(exec_alu, n, 0, AX, Iz)

/* Group 1 with one immediate form. */
#define GROUP1(fl, e, i) \
	REG(IA(exec_alu, 0, (fl) | ROW_LOCK, e, i), IA(exec_alu, 1, (fl) | ROW_LOCK, e, i), \
	    IA(exec_alu, 2, (fl) | ROW_LOCK, e, i), IA(exec_alu, 3, (fl) | ROW_LOCK, e, i), \
	    IA(exec_alu, 4, (fl) | ROW_LOCK, e, i), IA(exec_alu, 5, (fl) | ROW_LOCK, e, i), \
	    IA(exec_alu, 6, (fl) | ROW_LOCK, e, i), IA(exec_alu, 7, fl, e, i))

/* Group 2: rotates and shifts. /6 is SHL, again. */
#define GROUP2(e, i) \
	REG(IA(exec_shift, 0, 0, e, i), IA(exec_shift, 1, 0, e, i), \
	    IA(exec_shift, 2, 0, e, i), IA(exec_shift, 3, 0, e, i), \
	    IA(exec_shift, 4, 0, e, i), IA(exec_shift, 5, 0, e, i), \
	    IA(exec_shift, 4, 0, e, i), IA(exec_shift, 7, 0, e, i))

/*
 * x87: of the moves of its environment, and of what the manuals reserve, only the length.
 */
#define X87		D(ROW_MODRM)
#define FLOAD(m)	I(exec_x87_load, 0, m)
#define FSTORE(m)	I(exec_x87_store, 0, m)
#define FNSTORE(m)	IA(exec_x87_store, 1, 0, m)
#define FREG		I(exec_x87_register, ROW_MODRM)
#define FNREG		IA(exec_x87_register, 1, ROW_MODRM)
#define FCOMPARE	I(exec_x87_compare, ROW_MODRM)

const struct x86_emulator_opcode emul_table_one[256] = {
	/* 00 */
	ALU(0, ROW_LOCK),
	I(exec_push_seg, ROW_NO64, SegES), I(exec_pop_seg, ROW_NO64, SegES),
	ALU(1, ROW_LOCK),
	I(exec_push_seg, ROW_NO64, SegCS), N /* 0F: two-byte */,
	/* 10 */
	ALU(2, ROW_LOCK),
	I(exec_push_seg, ROW_NO64, SegSS), I(exec_pop_seg, ROW_NO64, SegSS),
	ALU(3, ROW_LOCK),
	I(exec_push_seg, ROW_NO64, SegDS), I(exec_pop_seg, ROW_NO64, SegDS),
	/* 20 */
	ALU(4, ROW_LOCK), N, IA(exec_daa_das, 0, ROW_NO64),
	ALU(5, ROW_LOCK), N, IA(exec_daa_das, 1, ROW_NO64),
	/* 30 */
	ALU(6, ROW_LOCK), N, IA(exec_aaa_aas, 0, ROW_NO64),
	ALU(7, 0), N, IA(exec_aaa_aas, 1, ROW_NO64),
	/* 40: REX in 64 bit mode */
	X8(IA(exec_inc_dec, 0, ROW_NO64, Zv)), X8(IA(exec_inc_dec, 1, ROW_NO64, Zv)),
	/* 50 */
	X8(I(exec_push, ROW_DEF64, Zv)), X8(I(exec_pop, ROW_DEF64, Zv)),
	/* 60 */
	I(exec_pusha, ROW_NO64), I(exec_popa, ROW_NO64),
	I(exec_bound, ROW_NO64, Gv, Mv),
	MODE(I(exec_arpl, ROW_PROT, Ew, Gw), I(exec_movsx, 0, Gv, Ed)),
	N, N, N, N,
	I(exec_push, ROW_DEF64, Iz), I(exec_imul3, 0, Gv, Ev, Iz),
	I(exec_push, ROW_DEF64, sIb), I(exec_imul3, 0, Gv, Ev, sIb),
	ID(exec_ins, INS, ROW_STRING, Yb, DXw), ID(exec_ins, INS, ROW_STRING, Yz, DXw),
	ID(exec_outs, OUTS, ROW_STRING, DXw, Xb), ID(exec_outs, OUTS, ROW_STRING, DXw, Xz),
	/* 70 */
	X16(I(exec_jcc, ROW_BRANCH64, Jb)),
	/* 80 */
	GROUP1(0, Eb, Ib), GROUP1(0, Ev, Iz), GROUP1(ROW_NO64, Eb, Ib), GROUP1(0, Ev, sIb),
	I(exec_test, 0, Eb, Gb), I(exec_test, 0, Ev, Gv),
	I(exec_xchg, ROW_LOCK, Eb, Gb), I(exec_xchg, ROW_LOCK, Ev, Gv),
	I(exec_mov, 0, Eb, Gb), I(exec_mov, 0, Ev, Gv),
	I(exec_mov, 0, Gb, Eb), I(exec_mov, 0, Gv, Ev),
	I(exec_mov_from_seg, 0, Ewv, Sw),
	I(exec_lea, 0, Gv, M),
	I(exec_mov_to_seg, 0, Sw, Ew),
	REG(I(exec_pop_rm, ROW_DEF64, Ev), U, U, U, U, U, U, U) /* else XOP */,
	/* 90 */
	PREFIX(I(exec_xchg_acc, 0, Zv, AX), I(exec_xchg_acc, 0, Zv, AX),
	       ID(exec_pause, PAUSE, 0, Zv, AX), I(exec_xchg_acc, 0, Zv, AX)),
	I(exec_xchg_acc, 0, Zv, AX), I(exec_xchg_acc, 0, Zv, AX),
	I(exec_xchg_acc, 0, Zv, AX), X4(I(exec_xchg_acc, 0, Zv, AX)),
	I(exec_cbw, 0), I(exec_cwd, 0),
	I(exec_call_far_imm, ROW_NO64, Ap), I(exec_fwait, 0),
	ID(exec_pushf, PUSHF, ROW_DEF64), ID(exec_popf, POPF, ROW_DEF64),
	I(exec_sahf, 0), I(exec_lahf, 0),
	/* A0 */
	I(exec_mov, 0, AL, Ob), I(exec_mov, 0, AX, Ov),
	I(exec_mov, 0, Ob, AL), I(exec_mov, 0, Ov, AX),
	I(exec_movs, ROW_STRING, Yb, Xb), I(exec_movs, ROW_STRING, Yv, Xv),
	I(exec_cmps, ROW_STRING, Xb, Yb), I(exec_cmps, ROW_STRING, Xv, Yv),
	I(exec_test, 0, AL, Ib), I(exec_test, 0, AX, Iz),
	I(exec_stos, ROW_STRING, Yb, AL), I(exec_stos, ROW_STRING, Yv, AX),
	I(exec_lods, ROW_STRING, AL, Xb), I(exec_lods, ROW_STRING, AX, Xv),
	I(exec_scas, ROW_STRING, AL, Yb), I(exec_scas, ROW_STRING, AX, Yv),
	/* B0 */
	X8(I(exec_mov, 0, Zb, Ib)), X8(I(exec_mov, 0, Zv, Iv)),
	/* C0 */
	GROUP2(Eb, Ib), GROUP2(Ev, Ib),
	I(exec_ret, ROW_BRANCH64, Iw), I(exec_ret, ROW_BRANCH64),
	IA(exec_load_far_pointer, X86_EMULATOR_ES, ROW_NO64, Gv, Mp),
	IA(exec_load_far_pointer, X86_EMULATOR_DS, ROW_NO64, Gv, Mp),
	MODREG(I(exec_mov, 0, Eb, Ib), U, U, U, U, U, U, U,
	       I(exec_mov, 0, Eb, Ib), U, U, U, U, U, U,
	       RM(D(ROW_MODRM, Ib) /* XABORT */, U, U, U, U, U, U, U)),
	MODREG(I(exec_mov, 0, Ev, Iz), U, U, U, U, U, U, U,
	       I(exec_mov, 0, Ev, Iz), U, U, U, U, U, U,
	       RM(D(ROW_MODRM, Jz) /* XBEGIN */, U, U, U, U, U, U, U)),
	I(exec_enter, ROW_DEF64, Iw, Ib), I(exec_leave, ROW_DEF64),
	I(exec_ret_far, 0, Iw), I(exec_ret_far, 0),
	IDA(exec_int, INT3, 3, 0), ID(exec_int, INT_N, 0, Ib),
	IDA(exec_into, INTO, 4, ROW_NO64), ID(exec_iret, IRET, 0),
	/* D0 */
	GROUP2(Eb, One), GROUP2(Ev, One), GROUP2(Eb, CL), GROUP2(Ev, CL),
	I(exec_aam, ROW_NO64, Ib), I(exec_aad, ROW_NO64, Ib),
	I(exec_salc, ROW_NO64), I(exec_xlat, 0),
	MODREG(X8(FLOAD(Md)), X8(FREG)),
	MODREG(FLOAD(Md), X87, FSTORE(Md), FSTORE(Md), X87 /* FLDENV */, FLOAD(Mw),
	       X87 /* FNSTENV */, FNSTORE(Mw),
	       FREG, FREG, RM(FREG, X4(X87), X2(X87), X87), X87,
	       RM(X2(FREG), X2(X87), X2(FREG), X2(X87)), RM(X4(FREG), X2(FREG), FREG, X87),
	       FREG, FREG),
	MODREG(X8(FLOAD(Md)), X4(FREG), X87, RM(X87, FREG, X4(X87), X2(X87)), X2(X87)),
	MODREG(FLOAD(Md), FSTORE(Md), FSTORE(Md), FSTORE(Md), X87, FLOAD(Mt), X87, FSTORE(Mt),
	       X4(FREG), RM(X2(X87), X2(FNREG) /* FNCLEX, FNINIT */, X4(X87)),
	       FCOMPARE, FCOMPARE, X87),
	MODREG(X8(FLOAD(Mq)), X2(FREG), X2(X87), X4(FREG)),
	MODREG(FLOAD(Mq), FSTORE(Mq), FSTORE(Mq), FSTORE(Mq), X87 /* FRSTOR */, X87,
	       X87 /* FNSAVE */, FNSTORE(Mw), FREG, X87, X4(FREG), X2(X87)),
	MODREG(X8(FLOAD(Mw)), X2(FREG), X87, RM(X87, FREG, X4(X87), X2(X87)), X4(FREG)),
	MODREG(FLOAD(Mw), FSTORE(Mw), FSTORE(Mw), FSTORE(Mw),
	       FLOAD(Mt), FLOAD(Mq), FSTORE(Mt), FSTORE(Mq),
	       FREG, X2(X87), X87, RM(I(exec_fnstsw_ax, 0), X4(X87), X2(X87), X87),
	       FCOMPARE, FCOMPARE, X87),
	/* E0 */
	IA(exec_loop, 0, ROW_BRANCH64, Jb), IA(exec_loop, 1, ROW_BRANCH64, Jb),
	IA(exec_loop, 2, ROW_BRANCH64, Jb), IA(exec_loop, 3, ROW_BRANCH64, Jb),
	ID(exec_in, IN, 0, AL, Ib), ID(exec_in, IN, 0, AZ, Ib),
	ID(exec_out, OUT, 0, Ib, AL), ID(exec_out, OUT, 0, Ib, AZ),
	I(exec_call, ROW_BRANCH64, Jz), I(exec_jmp, ROW_BRANCH64, Jz),
	I(exec_jmp_far_imm, ROW_NO64, Ap), I(exec_jmp, ROW_BRANCH64, Jb),
	ID(exec_in, IN, 0, AL, DXw), ID(exec_in, IN, 0, AZ, DXw),
	ID(exec_out, OUT, 0, DXw, AL), ID(exec_out, OUT, 0, DXw, AZ),
	/* F0 */
	N, ID(exec_icebp, ICEBP, 0), N, N,
	ID(exec_hlt, HLT, ROW_PRIV), IA(exec_flag, 0xf5, 0),
	REG(I(exec_test, 0, Eb, Ib), I(exec_test, 0, Eb, Ib),
	    I(exec_not, ROW_LOCK, Eb), I(exec_neg, ROW_LOCK, Eb),
	    IA(exec_mul, 0, 0, Eb), IA(exec_mul, 1, 0, Eb),
	    IA(exec_div, 0, 0, Eb), IA(exec_div, 1, 0, Eb)),
	REG(I(exec_test, 0, Ev, Iz), I(exec_test, 0, Ev, Iz),
	    I(exec_not, ROW_LOCK, Ev), I(exec_neg, ROW_LOCK, Ev),
	    IA(exec_mul, 0, 0, Ev), IA(exec_mul, 1, 0, Ev),
	    IA(exec_div, 0, 0, Ev), IA(exec_div, 1, 0, Ev)),
	IA(exec_flag, 0xf8, 0), IA(exec_flag, 0xf9, 0),
	I(exec_cli, 0), I(exec_sti, 0), IA(exec_flag, 0xfc, 0), IA(exec_flag, 0xfd, 0),
	REG(IA(exec_inc_dec, 0, ROW_LOCK, Eb), IA(exec_inc_dec, 1, ROW_LOCK, Eb),
	    U, U, U, U, U, U),
	REG(IA(exec_inc_dec, 0, ROW_LOCK, Ev), IA(exec_inc_dec, 1, ROW_LOCK, Ev),
	    I(exec_call_rm, ROW_BRANCH64, Ev), I(exec_call_far_mem, 0, Mp),
	    I(exec_jmp_rm, ROW_BRANCH64, Ev), I(exec_jmp_far_mem, 0, Mp),
	    I(exec_push, ROW_DEF64, Ev), U),
};
