// SPDX-License-Identifier: GPL-2.0-only
/*
 * Port I/O and MMIO in flight: to devices of ours on the buses, else to user
 * space and back. Owns struct x86_io: the log of reads that an emulated
 * instruction has made, and the queue of writes that user space must see.
 * Knows no instruction and no guest page table.
 *
 * What user space answers (kvm_run, the port data page) is hostile and may
 * change under our eyes: it is copied once, and only as data.
 */
#include <linux/export.h>
#include <linux/sched/signal.h>

#include "arch-x86/emulate.h"
#include "arch-x86/events.h"
#include "arch-x86/io.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/regs.h"
#include "arch-x86/trace.h"
#include "arch-x86/vendor.h"
#include "core/io_bus.h"

/* ---- devices of ours ------------------------------------------------------- */

static int port_read(struct x86_vcpu *vcpu, u16 port, unsigned int size, void *data)
{
	int r = kvm_io_bus_read(&vcpu->core, KVM_PIO_BUS, port, size, data);

	if (!r)
		trace_kvm_pio(KVM_PIO_IN, port, size, 1, data);
	return r;
}

static int port_write(struct x86_vcpu *vcpu, u16 port, unsigned int size, const void *data)
{
	trace_kvm_pio(KVM_PIO_OUT, port, size, 1, data);
	return kvm_io_bus_write(&vcpu->core, KVM_PIO_BUS, port, size, data);
}

static int mmio_read(struct x86_vcpu *vcpu, gpa_t gpa, unsigned int len, void *data)
{
	int r = -EOPNOTSUPP;

	if (x86_has_lapic(vcpu))
		r = x86_lapic_mmio_read(vcpu, gpa, len, data);
	if (r)
		r = kvm_io_bus_read(&vcpu->core, KVM_MMIO_BUS, gpa, len, data);
	if (r)
		trace_kvm_mmio(KVM_TRACE_MMIO_READ_UNSATISFIED, len, gpa, NULL);
	else
		trace_kvm_mmio(KVM_TRACE_MMIO_READ, len, gpa, data);
	return r;
}

static int mmio_write(struct x86_vcpu *vcpu, gpa_t gpa, unsigned int len, const void *data)
{
	trace_kvm_mmio(KVM_TRACE_MMIO_WRITE, len, gpa, data);
	if (x86_has_lapic(vcpu) && !x86_lapic_mmio_write(vcpu, gpa, len, data))
		return 0;
	return kvm_io_bus_write(&vcpu->core, KVM_MMIO_BUS, gpa, len, data);
}

/* ---- what an instruction reads ---------------------------------------------- */

void x86_io_begin(struct x86_vcpu *vcpu)
{
	struct x86_io *io = &vcpu->io;

	io->nr_reads = 0;
	io->next_read = 0;
	io->data_used = 0;
	io->nr_writes = 0;
	io->next_write = 0;
	io->pio_out = false;
	io->debug_dr6 = 0;
	io->halted = false;
	io->again = false;
	io->tpr_exit = false;
	io->error = 0;
	emul_forget_pages(vcpu);
}

/* The log's entry for what is asked now: found again, or new. */
static struct x86_io_read *log_entry(struct x86_io *io, u64 addr, unsigned int size,
				     unsigned int len)
{
	struct x86_io_read *r;

	if (io->next_read < io->nr_reads) {
		r = &io->reads[io->next_read];
		if (r->addr == addr && r->size == size && r->len == len)
			return r;
		/* Memory has changed and the instruction does something else. */
		io->nr_reads = io->next_read;
		io->data_used = r->offset;
	}
	if (io->nr_reads == X86_IO_READS || len > X86_IO_DATA - io->data_used)
		return NULL;
	r = &io->reads[io->nr_reads++];
	*r = (struct x86_io_read) {
		.addr = addr,
		.size = size,
		.len = len,
		.offset = io->data_used,
	};
	io->data_used += len;
	return r;
}

int x86_io_read(struct x86_vcpu *vcpu, u64 addr, unsigned int size, void *data,
		unsigned int len)
{
	struct x86_io *io = &vcpu->io;
	struct x86_io_read *r = log_entry(io, addr, size, len);

	if (!r)
		return X86_EMULATOR_UNHANDLEABLE;
	while (r->filled < len) {
		unsigned int n = size ?: min(len - r->filled, 8u);
		void *to = io->data + r->offset + r->filled;

		if (size ? port_read(vcpu, addr, size, to) :
			   mmio_read(vcpu, addr + r->filled, n, to)) {
			/* User space takes all the ports that are left at once. */
			io->asked_len = size ? len - r->filled : n;
			return X86_EMULATOR_IO_NEEDED;
		}
		r->filled += n;
	}
	memcpy(data, io->data + r->offset, len);
	io->next_read++;
	return X86_EMULATOR_CONTINUE;
}

/* ---- what it writes ----------------------------------------------------------- */

int x86_io_write_mmio(struct x86_vcpu *vcpu, gpa_t gpa, const void *data, unsigned int len)
{
	struct x86_io *io = &vcpu->io;
	unsigned int n;

	if (DIV_ROUND_UP(len, 8) > X86_MMIO_WRITES - io->nr_writes)
		return X86_EMULATOR_UNHANDLEABLE;
	for (; len; len -= n, gpa += n, data += n) {
		struct x86_mmio_write *w;

		n = min(len, 8u);
		if (!mmio_write(vcpu, gpa, n, data))
			continue;
		w = &io->writes[io->nr_writes++];
		w->gpa = gpa;
		w->len = n;
		memcpy(w->data, data, n);
		vcpu->emul.io_pending = true;
	}
	return X86_EMULATOR_CONTINUE;
}

int x86_io_write_port(struct x86_vcpu *vcpu, u16 port, unsigned int size, const void *data,
		      unsigned int count)
{
	struct x86_io *io = &vcpu->io;

	if (io->pio_out || size * count > PAGE_SIZE)
		return X86_EMULATOR_UNHANDLEABLE;
	for (; count; count--, data += size)
		if (port_write(vcpu, port, size, data))
			break;
	if (!count)
		return X86_EMULATOR_CONTINUE;
	io->pio = (struct x86_pio) { .port = port, .size = size, .count = count };
	io->pio_out = true;
	memcpy(vcpu->pio_data, data, size * count);
	vcpu->emul.io_pending = true;
	return X86_EMULATOR_CONTINUE;
}

/* ---- exits to user space ------------------------------------------------------ */

static int exit_pio(struct x86_vcpu *vcpu, const struct x86_pio *pio,
		    int (*complete)(struct x86_vcpu *vcpu))
{
	struct kvm_run *run = vcpu->core.run;

	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = pio->in ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT;
	run->io.size = pio->size;
	run->io.port = pio->port;
	run->io.count = pio->count;
	run->io.data_offset = KVM_PIO_PAGE_OFFSET * PAGE_SIZE;
	vcpu->core.mmio_needed = true;
	vcpu->complete_userspace_io = complete;
	return X86_USER;
}

static int exit_mmio(struct x86_vcpu *vcpu, gpa_t gpa, const void *data, unsigned int len,
		     int (*complete)(struct x86_vcpu *vcpu))
{
	struct kvm_run *run = vcpu->core.run;

	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = gpa;
	run->mmio.len = len;
	run->mmio.is_write = !!data;
	memset(run->mmio.data, 0, sizeof(run->mmio.data));
	if (data)
		memcpy(run->mmio.data, data, len);
	vcpu->core.stat.mmio_exits++;
	vcpu->core.mmio_needed = true;
	vcpu->complete_userspace_io = complete;
	return X86_USER;
}

/* The answer to a read of the instruction's: into the log, and go on with it. */
static int complete_read(struct x86_vcpu *vcpu)
{
	struct x86_io *io = &vcpu->io;
	struct x86_io_read *r = &io->reads[io->next_read];
	const void *from;

	vcpu->core.mmio_needed = false;
	if (KVM_BUG_ON(io->next_read >= io->nr_reads ||
		       r->filled + io->asked_len > r->len, vcpu->core.kvm))
		return -EIO;
	from = r->size ? vcpu->pio_data : vcpu->core.run->mmio.data;
	memcpy(io->data + r->offset + r->filled, from, io->asked_len);
	if (r->size)
		trace_kvm_pio(KVM_PIO_IN, r->addr, r->size, io->asked_len / r->size,
			      io->data + r->offset + r->filled);
	else
		trace_kvm_mmio(KVM_TRACE_MMIO_READ, io->asked_len, r->addr + r->filled,
			       io->data + r->offset + r->filled);
	r->filled += io->asked_len;
	emul_forget_pages(vcpu);
	return x86_emulate_instruction(vcpu, 0, X86_EMUL_NO_DECODE, NULL, 0);
}

int x86_io_exit_read(struct x86_vcpu *vcpu)
{
	struct x86_io *io = &vcpu->io;
	const struct x86_io_read *r = &io->reads[io->next_read];
	struct x86_pio pio;

	if (!r->size)
		return exit_mmio(vcpu, r->addr + r->filled, NULL, io->asked_len, complete_read);
	pio = (struct x86_pio) {
		.port = r->addr,
		.size = r->size,
		.in = true,
		.count = io->asked_len / r->size,
	};
	return exit_pio(vcpu, &pio, complete_read);
}

/* Nothing that the run loop would do before the instruction goes on in the guest? */
static bool may_go_on(struct x86_vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->core.run;

	return !kvm_request_pending(&vcpu->core) && !signal_pending(current) &&
	       !READ_ONCE(run->immediate_exit__unsafe) && !READ_ONCE(run->request_interrupt_window);
}

/* Then the rest of the instruction; of a repeated one the next iterations. */
static int complete_write(struct x86_vcpu *vcpu)
{
	int r;

	vcpu->core.mmio_needed = false;
	r = x86_io_exit_writes(vcpu);
	if (r != X86_RESUME || !vcpu->io.again || !may_go_on(vcpu))
		return r;
	vcpu->io.nr_writes = 0;
	vcpu->io.next_write = 0;
	return x86_emulate_instruction(vcpu, 0, X86_EMUL_NO_DECODE, NULL, 0);
}

int x86_io_exit_writes(struct x86_vcpu *vcpu)
{
	struct x86_io *io = &vcpu->io;

	if (io->pio_out) {
		io->pio_out = false;
		return exit_pio(vcpu, &io->pio, complete_write);
	}
	if (io->next_write < io->nr_writes) {
		const struct x86_mmio_write *w = &io->writes[io->next_write++];

		return exit_mmio(vcpu, w->gpa, w->data, w->len, complete_write);
	}
	if (io->debug_dr6) {
		u64 dr6 = io->debug_dr6 | DR6_ACTIVE_LOW;

		io->debug_dr6 = 0;
		return x86_handle_guest_debug_exit(vcpu, dr6, x86_get_linear_rip(vcpu),
						   DB_VECTOR);
	}
	return X86_RESUME;
}

/* ---- IN and OUT without an emulator -------------------------------------------- */

/*
 * RIP moves when user space has done its part (KVM_EXIT_IO in the ABI). If user
 * space has put the vCPU elsewhere meanwhile (a reset), there is nothing to skip.
 */
static bool still_there(struct x86_vcpu *vcpu)
{
	vcpu->core.mmio_needed = false;
	return x86_io_still_there(vcpu);
}

static int complete_fast_in(struct x86_vcpu *vcpu)
{
	u32 val;

	if (!still_there(vcpu))
		return X86_RESUME;
	memcpy(&val, vcpu->pio_data, sizeof(val));
	trace_kvm_pio(KVM_PIO_IN, vcpu->io.pio.port, vcpu->io.pio.size, 1, &val);
	x86_write_sized(vcpu, X86_REG_RAX, val, vcpu->io.pio.size);
	return x86_skip_insn(vcpu);
}

static int complete_fast_out(struct x86_vcpu *vcpu)
{
	return still_there(vcpu) ? x86_skip_insn(vcpu) : X86_RESUME;
}

static int complete_nothing(struct x86_vcpu *vcpu)
{
	vcpu->core.mmio_needed = false;
	return X86_RESUME;
}

int x86_exit_pio(struct x86_vcpu *vcpu, int size, u16 port, bool in)
{
	u64 disabled_quirks = x86_vcpu_vm(vcpu)->disabled_quirks;
	struct x86_pio *pio = &vcpu->io.pio;

	*pio = (struct x86_pio) { .port = port, .size = size, .in = in, .count = 1 };
	x86_io_remember(vcpu);
	if (in)
		return exit_pio(vcpu, pio, complete_fast_in);

	/* As much as there is: only @size bytes are said to be. */
	*(u32 *)vcpu->pio_data = x86_rax_read(vcpu);
	if (port == 0x7e && !(disabled_quirks & KVM_X86_QUIRK_OUT_7E_INC_RIP)) {
		int r = x86_skip_insn(vcpu);

		/* A step's KVM_EXIT_DEBUG would be lost: the guest's own #DB is not. */
		return r < 0 ? r : exit_pio(vcpu, pio, complete_nothing);
	}
	return exit_pio(vcpu, pio, complete_fast_out);
}

int x86_fast_pio(struct x86_vcpu *vcpu, int size, u16 port, bool in)
{
	u32 val = 0;

	if (in) {
		if (port_read(vcpu, port, size, &val))
			return x86_exit_pio(vcpu, size, port, true);
		x86_write_sized(vcpu, X86_REG_RAX, val, size);
	} else {
		val = x86_rax_read(vcpu);
		if (port_write(vcpu, port, size, &val))
			return x86_exit_pio(vcpu, size, port, false);
	}
	return x86_skip_insn(vcpu);
}
EXPORT_SYMBOL_GPL(x86_fast_pio);

/* ---- MOV without an emulator ---------------------------------------------------- */

static int complete_mov(struct x86_vcpu *vcpu)
{
	struct x86_mov *mov = &vcpu->io.mov;
	u64 val = *(u64 *)vcpu->core.run->mmio.data;

	if (!still_there(vcpu))
		return X86_RESUME;
	if (mov->size < 8)
		val &= BIT_ULL(8 * mov->size) - 1;
	trace_kvm_mmio(KVM_TRACE_MMIO_READ, mov->size, mov->gpa, &val);
	x86_peek_load(vcpu, &mov->insn, val);
	vcpu->next_rip = x86_peek_next_rip(vcpu, &mov->insn);
	return x86_skip_insn(vcpu);
}

int x86_exit_mov(struct x86_vcpu *vcpu, const struct x86_peek *insn, gpa_t gpa,
		 unsigned int size, bool write)
{
	u64 val;

	if (write) {
		/* It is done, but for user space's part. */
		val = x86_peek_stored(vcpu, insn);
		trace_kvm_mmio(KVM_TRACE_MMIO_WRITE, size, gpa, &val);
		x86_end_insn(vcpu, x86_peek_next_rip(vcpu, insn));
		return exit_mmio(vcpu, gpa, &val, size, complete_nothing);
	}
	trace_kvm_mmio(KVM_TRACE_MMIO_READ_UNSATISFIED, size, gpa, NULL);
	vcpu->io.mov = (struct x86_mov) { .insn = *insn, .gpa = gpa, .size = size };
	x86_io_remember(vcpu);
	return exit_mmio(vcpu, gpa, NULL, size, complete_mov);
}
