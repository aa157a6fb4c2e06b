// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory, signals and the code page for running bytes on the real CPU. Built
 * without sanitizers: its signal handler runs amid code under test.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "native.h"

/* Linux's code segment for user space. */
#define CS64	0x33

extern const char native_exit[], native_exit_end[];
void native_enter(void);

static volatile bool running;
static sigjmp_buf way_back;

struct native_state *native_state(void)
{
	return (struct native_state *)NATIVE_STATE;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	struct native_state *state = native_state();
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)info;
	if (!running) {
		signal(sig, SIG_DFL);
		return;
	}
	if ((u64)g[REG_RIP] - NATIVE_EXIT < 4096) {
		state->trap = g[REG_TRAPNO];
		/* Which siglongjmp() looks at. */
		if (state->segment[4])
			syscall(SYS_arch_prctl, ARCH_SET_FS, state->host_fs);
		siglongjmp(way_back, 1);
	}
	state->rip = g[REG_RIP];
	state->trap = g[REG_TRAPNO];
	state->error = g[REG_ERR];
	state->address = g[REG_CR2];
	/* Our own INT3: somebody jumped into the void between instructions. */
	if (state->trap == 3) {
		state->trap = -1;
		state->rip--;
	}
	/* Returning restores the code's registers; the way out then saves them. */
	g[REG_RIP] = NATIVE_EXIT;
	g[REG_CSGSFS] = (g[REG_CSGSFS] & 0xffffffff0000ll) | CS64 | (u64)NATIVE_SS64 << 48;
}

static bool map(u64 address, size_t size, int prot)
{
	void *p = mmap((void *)address, size, prot,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0);

	return p == (void *)address;
}

bool native_init(u64 gs_base)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE };
	struct sigaction action = {
		.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};
	static char handler_stack[65536];
	stack_t stack = { .ss_sp = handler_stack, .ss_size = sizeof(handler_stack) };
	unsigned int i;

	if (!__builtin_cpu_supports("avx2"))
		return false;
	if (sigaltstack(&stack, NULL))
		return false;
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
	if (!map(NATIVE_STATE, 4096, PROT_READ | PROT_WRITE) ||
	    !map(NATIVE_EXIT, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) ||
	    !map(NATIVE_CODE, NATIVE_CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) ||
	    !map(NATIVE_DATA, NATIVE_DATA_SIZE, PROT_READ | PROT_WRITE) ||
	    !map(NATIVE_RO, NATIVE_RO_SIZE, PROT_READ))
		return false;
	native_state()->avx512 = !!__builtin_cpu_supports("avx512f");
	memcpy((void *)NATIVE_EXIT, native_exit, native_exit_end - native_exit);
	memset((void *)NATIVE_CODE, 0xcc, NATIVE_CODE_SIZE);
	return syscall(SYS_arch_prctl, ARCH_GET_FS, &native_state()->host_fs) == 0 &&
	       syscall(SYS_arch_prctl, ARCH_SET_GS, gs_base) == 0;
}

u16 native_set_segment(unsigned int seg, u32 base, u32 limit, unsigned int type, bool db)
{
	struct user_desc desc = {
		.entry_number = seg, .base_addr = base, .limit = limit, .seg_32bit = db,
		.contents = type >> 2, .read_exec_only = !(type & 2), .useable = 1,
	};
	u16 selector = seg << 3 | 7;
	u32 rights = 0;
	bool ok;

	if (syscall(SYS_modify_ldt, 1, &desc, sizeof(desc)))
		return 0;
	asm volatile("lar %2, %0\n\tsetz %1" : "+r"(rights), "=qm"(ok) : "r"((u32)selector));
	return ok ? selector : 0;
}

void native_fill_ro(const u8 *data)
{
	mprotect((void *)NATIVE_RO, NATIVE_RO_SIZE, PROT_READ | PROT_WRITE);
	memcpy((void *)NATIVE_RO, data, NATIVE_RO_SIZE);
	mprotect((void *)NATIVE_RO, NATIVE_RO_SIZE, PROT_READ);
}

/* What follows the code: a jump to the way out. Far, but from 64 bit mode. */
static unsigned int way_out(u8 *to, u64 linear, unsigned int bits)
{
	/* ljmp $CS64, $NATIVE_EXIT */
	static const u8 far_jump[] = {
		0x66, 0xea, NATIVE_EXIT & 0xff, (NATIVE_EXIT >> 8) & 0xff,
		(NATIVE_EXIT >> 16) & 0xff, NATIVE_EXIT >> 24, CS64, 0,
	};
	s32 distance = NATIVE_EXIT - (linear + 5);

	if (bits == 64) {
		to[0] = 0xe9;
		memcpy(to + 1, &distance, 4);
		return 5;
	}
	memcpy(to, far_jump + (bits == 32), sizeof(far_jump) - (bits == 32));
	return sizeof(far_jump) - (bits == 32);
}

/* Into the code, and out again; false: a fault on the way out. */
static __attribute__((noinline)) bool enter(void)
{
	if (sigsetjmp(way_back, 0))
		return false;
	native_enter();
	return true;
}

bool native_run(u64 rip, u64 base, const u8 *code, unsigned int len, unsigned int bits)
{
	struct native_state *state = native_state();
	u8 *to = (u8 *)(base + rip), *end = (u8 *)(u64)(NATIVE_CODE + NATIVE_CODE_SIZE);
	unsigned int room = end - to < len ? end - to : len, used = room;
	u8 out[8];
	unsigned int n = way_out(out, base + rip + len, bits);
	bool back;

	memcpy(to, code, room);
	if (to + len + n <= end) {
		memcpy(to + len, out, n);
		used = len + n;
	}
	if (bits == 64)
		memset(state->segment, 0, sizeof(state->segment));
	state->rip = rip;
	state->far_rip = rip;
	state->far_cs = state->segment[1];
	state->trap = -1;
	running = true;
	back = enter();
	running = false;
	if (state->trap == -1 && state->rip == rip)
		state->rip = rip + len;
	memset(to, 0xcc, used);
	return back;
}
