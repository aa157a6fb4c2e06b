/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions that opcode table rows name, one block for each room.
 *
 * All are alike: each executes the decoded instruction @ctx->insn, whose
 * encoding, mode and CPL the row's flags have checked, whose memory operands have
 * their effective addresses, and whose changes go to the context's
 * registers, next_rip and next_rflags. Return: any result; EMUL_OK commits
 * these. No function here keeps a lock; all may sleep in the owner's operations.
 */
#ifndef ARCH_X86_EMULATOR_EXEC_H
#define ARCH_X86_EMULATOR_EXEC_H

struct x86_emulator;

/* alu.c: one result, arithmetic flags */
int exec_alu(struct x86_emulator *ctx);
int exec_test(struct x86_emulator *ctx);
int exec_inc_dec(struct x86_emulator *ctx);
int exec_not(struct x86_emulator *ctx);
int exec_neg(struct x86_emulator *ctx);
int exec_adx(struct x86_emulator *ctx);
int exec_flag(struct x86_emulator *ctx);
int exec_daa_das(struct x86_emulator *ctx);
int exec_aaa_aas(struct x86_emulator *ctx);
int exec_aam(struct x86_emulator *ctx);
int exec_aad(struct x86_emulator *ctx);
int exec_salc(struct x86_emulator *ctx);

/* muldiv.c */
int exec_mul(struct x86_emulator *ctx);
int exec_imul3(struct x86_emulator *ctx);
int exec_mulx(struct x86_emulator *ctx);
int exec_div(struct x86_emulator *ctx);

/* shift.c */
int exec_shift(struct x86_emulator *ctx);
int exec_shld_shrd(struct x86_emulator *ctx);
int exec_shift_x(struct x86_emulator *ctx);
int exec_rorx(struct x86_emulator *ctx);

/* bit.c */
int exec_bt(struct x86_emulator *ctx);
int exec_bit_scan(struct x86_emulator *ctx);
int exec_popcnt(struct x86_emulator *ctx);
int exec_andn(struct x86_emulator *ctx);
int exec_bls(struct x86_emulator *ctx);
int exec_bzhi(struct x86_emulator *ctx);
int exec_bextr(struct x86_emulator *ctx);
int exec_pdep_pext(struct x86_emulator *ctx);
int exec_crc32(struct x86_emulator *ctx);

/* move.c: no arithmetic */
int exec_mov(struct x86_emulator *ctx);
int exec_movzx(struct x86_emulator *ctx);
int exec_movsx(struct x86_emulator *ctx);
int exec_movbe(struct x86_emulator *ctx);
int exec_movdiri(struct x86_emulator *ctx);
int exec_lea(struct x86_emulator *ctx);
int exec_cmov(struct x86_emulator *ctx);
int exec_setcc(struct x86_emulator *ctx);
int exec_bswap(struct x86_emulator *ctx);
int exec_xlat(struct x86_emulator *ctx);
int exec_cbw(struct x86_emulator *ctx);
int exec_cwd(struct x86_emulator *ctx);
int exec_lahf(struct x86_emulator *ctx);
int exec_sahf(struct x86_emulator *ctx);
int exec_nop(struct x86_emulator *ctx);
int exec_pause(struct x86_emulator *ctx);
int exec_xchg(struct x86_emulator *ctx);
int exec_xchg_acc(struct x86_emulator *ctx);
int exec_cmpxchg(struct x86_emulator *ctx);
int exec_cmpxchg8b(struct x86_emulator *ctx);
int exec_xadd(struct x86_emulator *ctx);

/* stack.c */
int exec_push(struct x86_emulator *ctx);
int exec_pop(struct x86_emulator *ctx);
int exec_pop_rm(struct x86_emulator *ctx);
int exec_push_seg(struct x86_emulator *ctx);
int exec_pusha(struct x86_emulator *ctx);
int exec_popa(struct x86_emulator *ctx);
int exec_pushf(struct x86_emulator *ctx);
int exec_popf(struct x86_emulator *ctx);
int exec_cli(struct x86_emulator *ctx);
int exec_sti(struct x86_emulator *ctx);
int exec_enter(struct x86_emulator *ctx);
int exec_leave(struct x86_emulator *ctx);

/* string.c */
int exec_movs(struct x86_emulator *ctx);
int exec_cmps(struct x86_emulator *ctx);
int exec_stos(struct x86_emulator *ctx);
int exec_lods(struct x86_emulator *ctx);
int exec_scas(struct x86_emulator *ctx);

/* port_io.c */
int exec_in(struct x86_emulator *ctx);
int exec_out(struct x86_emulator *ctx);
int exec_ins(struct x86_emulator *ctx);
int exec_outs(struct x86_emulator *ctx);

/* control.c: near transfers */
int exec_jcc(struct x86_emulator *ctx);
int exec_jmp(struct x86_emulator *ctx);
int exec_jmp_rm(struct x86_emulator *ctx);
int exec_call(struct x86_emulator *ctx);
int exec_call_rm(struct x86_emulator *ctx);
int exec_ret(struct x86_emulator *ctx);
int exec_loop(struct x86_emulator *ctx);
int exec_bound(struct x86_emulator *ctx);

/* segment.c */
int exec_mov_from_seg(struct x86_emulator *ctx);
int exec_mov_to_seg(struct x86_emulator *ctx);
int exec_pop_seg(struct x86_emulator *ctx);
int exec_load_far_pointer(struct x86_emulator *ctx);
int exec_lldt(struct x86_emulator *ctx);
int exec_ltr(struct x86_emulator *ctx);
int exec_lar(struct x86_emulator *ctx);
int exec_lsl(struct x86_emulator *ctx);
int exec_verr_verw(struct x86_emulator *ctx);
int exec_arpl(struct x86_emulator *ctx);

/* far.c */
int exec_jmp_far_imm(struct x86_emulator *ctx);
int exec_jmp_far_mem(struct x86_emulator *ctx);
int exec_call_far_imm(struct x86_emulator *ctx);
int exec_call_far_mem(struct x86_emulator *ctx);
int exec_ret_far(struct x86_emulator *ctx);
int exec_iret(struct x86_emulator *ctx);

/* interrupt.c */
int exec_int(struct x86_emulator *ctx);
int exec_into(struct x86_emulator *ctx);
int exec_icebp(struct x86_emulator *ctx);

/* syscall.c */
int exec_syscall(struct x86_emulator *ctx);
int exec_sysret(struct x86_emulator *ctx);
int exec_sysenter(struct x86_emulator *ctx);
int exec_sysexit(struct x86_emulator *ctx);
int exec_swapgs(struct x86_emulator *ctx);
int exec_fsgsbase(struct x86_emulator *ctx);

/* system.c */
int exec_mov_from_cr(struct x86_emulator *ctx);
int exec_mov_to_cr(struct x86_emulator *ctx);
int exec_mov_from_dr(struct x86_emulator *ctx);
int exec_mov_to_dr(struct x86_emulator *ctx);
int exec_clts(struct x86_emulator *ctx);
int exec_lmsw(struct x86_emulator *ctx);
int exec_smsw(struct x86_emulator *ctx);
int exec_load_table(struct x86_emulator *ctx);
int exec_store_table(struct x86_emulator *ctx);
int exec_sldt_str(struct x86_emulator *ctx);
int exec_invlpg(struct x86_emulator *ctx);
int exec_invpcid(struct x86_emulator *ctx);
int exec_wbinvd(struct x86_emulator *ctx);
int exec_clflush(struct x86_emulator *ctx);
int exec_rdmsr(struct x86_emulator *ctx);
int exec_wrmsr(struct x86_emulator *ctx);
int exec_rdtsc(struct x86_emulator *ctx);
int exec_rdtscp(struct x86_emulator *ctx);
int exec_rdpid(struct x86_emulator *ctx);
int exec_rdpmc(struct x86_emulator *ctx);
int exec_cpuid(struct x86_emulator *ctx);
int exec_xgetbv(struct x86_emulator *ctx);
int exec_xsetbv(struct x86_emulator *ctx);
int exec_hlt(struct x86_emulator *ctx);
int exec_hypercall(struct x86_emulator *ctx);
int exec_rsm(struct x86_emulator *ctx);
int exec_ac(struct x86_emulator *ctx);

/* sse_move.c */
int exec_vec_mov(struct x86_emulator *ctx);
int exec_vec_mov_scalar(struct x86_emulator *ctx);
int exec_vex_mov_scalar(struct x86_emulator *ctx);
int exec_vec_mov_half(struct x86_emulator *ctx);
int exec_vec_movq(struct x86_emulator *ctx);
int exec_vec_dup(struct x86_emulator *ctx);
int exec_vec_extract128(struct x86_emulator *ctx);
int exec_vec_insert128(struct x86_emulator *ctx);
int exec_vec_extract(struct x86_emulator *ctx);
int exec_vec_insert(struct x86_emulator *ctx);
int exec_vec_broadcast(struct x86_emulator *ctx);
int exec_movd_vec(struct x86_emulator *ctx);
int exec_movd_mmx(struct x86_emulator *ctx);
int exec_mmx_mov(struct x86_emulator *ctx);

/* x87.c */
int exec_fwait(struct x86_emulator *ctx);
int exec_x87_load(struct x86_emulator *ctx);
int exec_x87_store(struct x86_emulator *ctx);
int exec_fnstsw_ax(struct x86_emulator *ctx);
int exec_x87_register(struct x86_emulator *ctx);
int exec_x87_compare(struct x86_emulator *ctx);

#endif
