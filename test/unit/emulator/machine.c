// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations that the emulator asks of its owner, on a machine of arrays.
 */
#include <stddef.h>
#include <stdio.h>

#include "machine.h"
#include "arch-x86/emulate_x87.h"

#define container(c)	((struct machine *)((char *)(c) - offsetof(struct machine, ctx)))

static u64 get_gpr(struct x86_emulator *ctx, unsigned int reg)
{
	return container(ctx)->gpr[reg];
}

static void set_gpr(struct x86_emulator *ctx, unsigned int reg, u64 value)
{
	container(ctx)->gpr[reg] = value;
}

static struct machine_region *find(struct machine *m, u64 linear)
{
	unsigned int i;

	for (i = 0; i < m->nr_regions; i++) {
		struct machine_region *r = &m->region[i];

		if (linear >= r->start && linear - r->start < r->size)
			return r;
	}
	return NULL;
}

static int page_fault(struct x86_emulator *ctx, u64 linear, bool present, u32 access)
{
	u32 code = present;

	if (access & X86_EMULATOR_WRITE)
		code |= 2;
	if (access & X86_EMULATOR_USER)
		code |= 4;
	if (access & X86_EMULATOR_FETCH)
		code |= 16;
	ctx->exception = (struct x86_emulator_exception){
		.vector = 14, .has_error_code = true, .error_code = code, .address = linear,
	};
	return X86_EMULATOR_FAULT;
}

static int check(struct x86_emulator *ctx, u64 linear, unsigned int len, u32 access)
{
	unsigned int done = 0;

	while (done < len) {
		struct machine_region *r = find(container(ctx), linear + done);

		if (!r)
			return page_fault(ctx, linear + done, false, access);
		if (((access & X86_EMULATOR_WRITE) && !r->writable) ||
		    ((access & X86_EMULATOR_USER) && !r->user) ||
		    (!(access & X86_EMULATOR_FETCH) && r->fetch_only))
			return page_fault(ctx, linear + done, true, access);
		done += 4096 - ((linear + done) & 4095);
	}
	return X86_EMULATOR_CONTINUE;
}

static void copy_in(struct machine *m, u64 linear, u8 *data, unsigned int len)
{
	while (len--) {
		struct machine_region *r = find(m, linear);

		*data++ = r->data[linear++ - r->start];
	}
}

static void copy_out(struct machine *m, u64 linear, const u8 *data, unsigned int len)
{
	while (len--) {
		struct machine_region *r = find(m, linear);

		r->data[linear++ - r->start] = *data++;
	}
}

/*
 * MMIO: the first time, remember what is wanted and say IO_NEEDED; when the
 * instruction starts over, answer from the log, in order.
 */
static int read_mmio(struct machine *m, u64 linear, void *data, unsigned int len)
{
	struct machine_io_log *entry;

	if (m->log_pos < m->log_len) {
		entry = &m->log[m->log_pos++];
		if (entry->addr != linear || entry->len != len) {
			fprintf(stderr, "# restart asked for other data: %llx+%u, was %llx+%u\n",
				linear, len, entry->addr, entry->len);
			return X86_EMULATOR_UNHANDLEABLE;
		}
		memcpy(data, entry->data, len);
		return X86_EMULATOR_CONTINUE;
	}
	if (m->log_len == 64 || len > sizeof(entry->data))
		return X86_EMULATOR_UNHANDLEABLE;
	entry = &m->log[m->log_len++];
	entry->addr = linear;
	entry->len = len;
	copy_in(m, linear, entry->data, len);
	return X86_EMULATOR_IO_NEEDED;
}

static int read_memory(struct x86_emulator *ctx, u64 linear, void *data,
		       unsigned int len, u32 access)
{
	struct machine *m = container(ctx);
	int r = check(ctx, linear, len, access);

	if (r != X86_EMULATOR_CONTINUE)
		return r;
	if (!(access & X86_EMULATOR_FETCH) && find(m, linear)->mmio)
		return read_mmio(m, linear, data, len);
	copy_in(m, linear, data, len);
	return r;
}

static int write_memory(struct x86_emulator *ctx, u64 linear, const void *data,
			unsigned int len, u32 access)
{
	int r = check(ctx, linear, len, access | X86_EMULATOR_WRITE);

	if (r == X86_EMULATOR_CONTINUE)
		copy_out(container(ctx), linear, data, len);
	return r;
}

static int probe(struct x86_emulator *ctx, u64 linear, unsigned int len, u32 access)
{
	return check(ctx, linear, len, access);
}

static int cmpxchg(struct x86_emulator *ctx, u64 linear, void *old, const void *new,
		   unsigned int len, u32 access)
{
	u8 now[16];
	int r = check(ctx, linear, len, access | X86_EMULATOR_WRITE);

	if (r != X86_EMULATOR_CONTINUE)
		return r;
	copy_in(container(ctx), linear, now, len);
	if (!memcmp(now, old, len))
		copy_out(container(ctx), linear, new, len);
	else
		memcpy(old, now, len);
	return r;
}

static int io_in(struct x86_emulator *ctx, u16 port, unsigned int size, void *data,
		 unsigned int count)
{
	struct machine *m = container(ctx);
	unsigned int len = size * count, i;

	m->port = port;
	if (!m->port_answered) {
		m->port_answered = true;
		return X86_EMULATOR_IO_NEEDED;
	}
	m->port_answered = false;
	for (i = 0; i < len; i++)
		((u8 *)data)[i] = m->port_in[m->port_in_pos++ % sizeof(m->port_in)];
	return X86_EMULATOR_CONTINUE;
}

static int io_out(struct x86_emulator *ctx, u16 port, unsigned int size, const void *data,
		  unsigned int count)
{
	struct machine *m = container(ctx);
	unsigned int len = size * count;

	m->port = port;
	if (m->port_out_len + len > sizeof(m->port_out))
		return X86_EMULATOR_UNHANDLEABLE;
	memcpy(m->port_out + m->port_out_len, data, len);
	m->port_out_len += len;
	ctx->io_pending = true;
	return X86_EMULATOR_CONTINUE;
}

static void retired(struct x86_emulator *ctx)
{
	struct machine *m = container(ctx);

	m->retired++;
	m->log_len = 0;
	m->log_pos = 0;
}

static bool should_yield(struct x86_emulator *ctx)
{
	struct machine *m = container(ctx);

	return m->yield_after && !(m->retired % m->yield_after);
}

static void get_segment(struct x86_emulator *ctx, unsigned int seg,
			struct x86_emulator_segment *segment)
{
	*segment = container(ctx)->seg[seg];
}

static void set_segment(struct x86_emulator *ctx, unsigned int seg,
			const struct x86_emulator_segment *segment)
{
	container(ctx)->seg[seg] = *segment;
}

static void get_gdt(struct x86_emulator *ctx, struct x86_emulator_table *table)
{
	*table = container(ctx)->gdt;
}

static void set_gdt(struct x86_emulator *ctx, const struct x86_emulator_table *table)
{
	container(ctx)->gdt = *table;
}

static void get_idt(struct x86_emulator *ctx, struct x86_emulator_table *table)
{
	*table = container(ctx)->idt;
}

static void set_idt(struct x86_emulator *ctx, const struct x86_emulator_table *table)
{
	container(ctx)->idt = *table;
}

static void set_cpl(struct x86_emulator *ctx, unsigned int cpl)
{
	(void)ctx;
	(void)cpl;
}

static u64 get_cr(struct x86_emulator *ctx, unsigned int cr)
{
	return container(ctx)->cr[cr];
}

static int set_cr(struct x86_emulator *ctx, unsigned int cr, u64 value)
{
	/* One illegal combination, so that tests can see the fault. */
	if (cr == 0 && (value & (1u << 31)) && !(value & 1))
		return X86_EMULATOR_FAULT;
	container(ctx)->cr[cr] = value;
	return X86_EMULATOR_CONTINUE;
}

static u64 get_dr(struct x86_emulator *ctx, unsigned int dr)
{
	return container(ctx)->dr[dr];
}

static int set_dr(struct x86_emulator *ctx, unsigned int dr, u64 value)
{
	if (dr >= 6 && value >> 32)
		return X86_EMULATOR_FAULT;
	container(ctx)->dr[dr] = value;
	return X86_EMULATOR_CONTINUE;
}

static u64 get_xcr0(struct x86_emulator *ctx)
{
	return container(ctx)->xcr0;
}

static int set_xcr(struct x86_emulator *ctx, u32 index, u64 value)
{
	if (index || !(value & 1))
		return X86_EMULATOR_FAULT;
	container(ctx)->xcr0 = value;
	return X86_EMULATOR_CONTINUE;
}

static u64 *msr(struct machine *m, u32 index)
{
	switch (index) {
	case 0x174:
	case 0x175:
	case 0x176:
		return &m->sysenter[index - 0x174];
	case 0xc0000080:
		return &m->efer;
	case 0xc0000081:
		return &m->star;
	case 0xc0000082:
		return &m->lstar;
	case 0xc0000083:
		return &m->cstar;
	case 0xc0000084:
		return &m->sfmask;
	case 0xc0000100:
		return &m->seg[X86_EMULATOR_FS].base;
	case 0xc0000101:
		return &m->seg[X86_EMULATOR_GS].base;
	case 0xc0000102:
		return &m->kernel_gs_base;
	case 0xc0000103:
		return &m->tsc_aux;
	}
	return NULL;
}

static int get_msr(struct x86_emulator *ctx, u32 index, u64 *value)
{
	u64 *p = msr(container(ctx), index);

	if (!p)
		return X86_EMULATOR_FAULT;
	*value = *p;
	return X86_EMULATOR_CONTINUE;
}

static int set_msr(struct x86_emulator *ctx, u32 index, u64 value)
{
	u64 *p = msr(container(ctx), index);

	if (!p)
		return X86_EMULATOR_FAULT;
	*p = value;
	return X86_EMULATOR_CONTINUE;
}

static int cpuid(struct x86_emulator *ctx, u32 regs[4])
{
	(void)ctx;
	regs[2] = regs[0] ^ regs[1];
	regs[1] = regs[0] + 1;
	regs[3] = ~regs[0];
	regs[0] = 0x12345678;
	return X86_EMULATOR_CONTINUE;
}

static u64 rdtsc(struct x86_emulator *ctx)
{
	(void)ctx;
	return 0x1122334455667788;
}

static int rdpmc(struct x86_emulator *ctx, u32 index, u64 *value)
{
	(void)ctx;
	*value = index;
	return index < 4 ? X86_EMULATOR_CONTINUE : X86_EMULATOR_FAULT;
}

static int hlt(struct x86_emulator *ctx)
{
	container(ctx)->halts++;
	return X86_EMULATOR_CONTINUE;
}

static int invlpg(struct x86_emulator *ctx, u64 linear)
{
	container(ctx)->flushes++;
	container(ctx)->flushed = linear;
	return X86_EMULATOR_CONTINUE;
}

static int invpcid(struct x86_emulator *ctx, u64 type, u64 pcid, u64 linear)
{
	container(ctx)->flushes++;
	container(ctx)->flushed = type ? pcid : linear;
	return X86_EMULATOR_CONTINUE;
}

static int wbinvd(struct x86_emulator *ctx)
{
	container(ctx)->flushes++;
	return X86_EMULATOR_CONTINUE;
}

static int hypercall(struct x86_emulator *ctx)
{
	container(ctx)->hypercalls++;
	x86_emulator_set_gpr(ctx, X86_EMULATOR_RAX, 42);
	return X86_EMULATOR_CONTINUE;
}

static int rsm(struct x86_emulator *ctx)
{
	container(ctx)->rsms++;
	ctx->rip = 0xabcd;
	return X86_EMULATOR_CONTINUE;
}

static void unblock_nmi(struct x86_emulator *ctx)
{
	container(ctx)->nmi_unblocked++;
}

static void read_vector(struct x86_emulator *ctx, unsigned int reg, void *data,
			unsigned int len)
{
	memcpy(data, container(ctx)->vector[reg], len);
}

static void write_vector(struct x86_emulator *ctx, unsigned int reg, const void *data,
			 unsigned int len, bool zero_upper)
{
	u8 *vector = container(ctx)->vector[reg];

	memcpy(vector, data, len);
	if (zero_upper)
		memset(vector + len, 0, sizeof(container(ctx)->vector[reg]) - len);
}

/*
 * The x87 is this CPU's own: the machine's is put there, used, and taken away.
 * FNSAVE leaves an empty one, as compiled code wants it.
 */
static void x87_enter(struct machine *m)
{
	asm volatile("frstor %0" : : "m" (m->x87));
}

static void x87_leave(struct machine *m)
{
	asm volatile("fnsave %0" : "=m" (m->x87));
}

static int x87_pending(struct x86_emulator *ctx)
{
	const struct machine_x87 *x87 = &container(ctx)->x87;

	return x87->status & ~x87->control & 0x3f ? X86_EMULATOR_FAULT : X86_EMULATOR_CONTINUE;
}

static void x87_load(struct x86_emulator *ctx, unsigned int insn, const void *data)
{
	struct x87_env where;
	u8 operand[10];

	memcpy(operand, data, sizeof(operand));
	x87_where(ctx, &where);
	x87_enter(container(ctx));
	x87_run(insn, &operand, &where, true);
	x87_leave(container(ctx));
}

static bool x87_store(struct x86_emulator *ctx, unsigned int insn, void *data, bool commit)
{
	unsigned int size = ctx->insn.operand[0].size;
	struct x87_env where;
	u8 operand[10] = {};
	bool stored;

	x87_where(ctx, &where);
	x87_enter(container(ctx));
	stored = x87_run(insn, &operand, &where, commit);
	x87_leave(container(ctx));
	memcpy(data, operand, size ? size : 2);
	return stored;
}

static void x87_register(struct x86_emulator *ctx, unsigned int insn, u8 *flags)
{
	struct x87_env where;

	x87_where(ctx, &where);
	x87_enter(container(ctx));
	x87_run_register(insn, flags, &where);
	x87_leave(container(ctx));
}

u8 *machine_x87_mmx(struct machine_x87 *x87, unsigned int reg)
{
	/* MM0 to MM7 are the registers, not places in the stack (SDM 1 9.2.1). */
	return x87->st[(reg - (x87->status >> 11)) & 7];
}

/* All MMX instructions but EMMS: the stack's top is 0, and none is empty. */
static void mmx_used(struct machine *m)
{
	u8 *mmx[8], st[8][10];
	unsigned int i;

	for (i = 0; i < 8; i++) {
		mmx[i] = machine_x87_mmx(&m->x87, i);
		memcpy(st[i], mmx[i], 10);
	}
	memcpy(m->x87.st, st, sizeof(st));
	m->x87.status &= ~0x3800u;
	m->x87.tag = 0xffff0000;
	/* Its words are the CPU's to make. */
	x87_enter(m);
	x87_leave(m);
}

static u64 read_mmx(struct x86_emulator *ctx, unsigned int reg)
{
	struct machine *m = container(ctx);
	u64 value;

	mmx_used(m);
	memcpy(&value, machine_x87_mmx(&m->x87, reg), sizeof(value));
	return value;
}

static void write_mmx(struct x86_emulator *ctx, unsigned int reg, u64 value)
{
	struct machine *m = container(ctx);
	u8 *mmx;

	mmx_used(m);
	mmx = machine_x87_mmx(&m->x87, reg);
	memcpy(mmx, &value, sizeof(value));
	memset(mmx + 8, 0xff, 2);
	x87_enter(m);
	x87_leave(m);
}

static const struct x86_emulator_ops machine_ops = {
	.get_gpr = get_gpr, .set_gpr = set_gpr,
	.read = read_memory, .write = write_memory, .probe = probe, .cmpxchg = cmpxchg,
	.io_in = io_in, .io_out = io_out,
	.retired = retired, .should_yield = should_yield,
	.get_segment = get_segment, .set_segment = set_segment,
	.get_gdt = get_gdt, .set_gdt = set_gdt, .get_idt = get_idt, .set_idt = set_idt,
	.set_cpl = set_cpl, .get_cr = get_cr, .set_cr = set_cr,
	.get_dr = get_dr, .set_dr = set_dr, .get_xcr0 = get_xcr0, .set_xcr = set_xcr,
	.get_msr = get_msr, .set_msr = set_msr, .cpuid = cpuid,
	.rdtsc = rdtsc, .rdpmc = rdpmc, .hlt = hlt,
	.invlpg = invlpg, .invpcid = invpcid, .wbinvd = wbinvd,
	.hypercall = hypercall, .rsm = rsm, .unblock_nmi = unblock_nmi,
	.read_vector = read_vector, .write_vector = write_vector,
	.x87_pending = x87_pending, .x87_load = x87_load, .x87_store = x87_store,
	.x87_register = x87_register,
	.read_mmx = read_mmx, .write_mmx = write_mmx,
};

void machine_mode(struct machine *m, enum x86_emulator_mode mode, unsigned int cpl)
{
	bool real = mode == X86_EMULATOR_REAL, vm86 = mode == X86_EMULATOR_VM86;
	bool small = real || vm86 || mode == X86_EMULATOR_PROT16;
	unsigned int i;

	for (i = 0; i < 6; i++) {
		m->seg[i] = (struct x86_emulator_segment){
			.limit = small ? 0xffff : 0xffffffff,
			.type = i == X86_EMULATOR_CS && !vm86 ? 11 : 3,
			.s = 1, .dpl = vm86 ? 3 : cpl, .present = 1,
			.db = mode == X86_EMULATOR_PROT32 ||
			      (mode == X86_EMULATOR_PROT64 && i != X86_EMULATOR_CS),
			.l = mode == X86_EMULATOR_PROT64 && i == X86_EMULATOR_CS,
			.g = !small,
			.selector = real || vm86 ? 0 : (8 * (i + 1)) | cpl,
		};
	}
	m->seg[X86_EMULATOR_LDTR] = (struct x86_emulator_segment){ .unusable = 1 };
	m->seg[X86_EMULATOR_TR] = (struct x86_emulator_segment){
		.type = 11, .present = 1, .limit = 103,
	};
	m->cr[0] = real ? 0x10 : 0x11;
	m->cr[4] = 0x600;	/* OSFXSR, OSXMMEXCPT */
	m->efer = 1;
	if (mode == X86_EMULATOR_PROT64) {
		m->cr[0] |= 1u << 31;
		m->cr[4] |= 0x20;
		m->efer |= 0x500;
	}
	m->ctx.mode = mode;
	m->ctx.cpl = cpl;
	m->ctx.rflags = vm86 ? 0x20002 : 2;
}

void machine_init(struct machine *m)
{
	memset(m, 0, sizeof(*m));
	m->ctx.ops = &machine_ops;
	m->ctx.watch_db = m->dr;
	m->x87.control = 0xffff037f;
	m->x87.tag = 0xffffffff;
	m->ctx.features = ~(u64)X86_EMULATOR_FEAT_INTEL;
	m->xcr0 = 0xe7;
	machine_mode(m, X86_EMULATOR_PROT64, 0);
}

struct machine_region *machine_map(struct machine *m, u64 start, u64 size, void *data,
				   bool writable)
{
	struct machine_region *r = &m->region[m->nr_regions++];

	*r = (struct machine_region){
		.start = start, .size = size, .data = data,
		.writable = writable, .user = true,
	};
	return r;
}

int machine_run(struct machine *m)
{
	struct x86_emulator *ctx = &m->ctx;
	int r;

	m->log_len = 0;
	m->log_pos = 0;
	m->port_answered = false;
	x86_emulator_begin(ctx, NULL, 0);
	r = x86_emulator_decode(ctx);
	if (r != X86_EMULATOR_CONTINUE)
		return r;
	do {
		ctx->io_pending = false;
		m->log_pos = 0;
		r = x86_emulator_execute(ctx);
	} while (r == X86_EMULATOR_IO_NEEDED ||
		 (r == X86_EMULATOR_CONTINUE && ctx->repeating && !ctx->trap_dr6));
	return r;
}
