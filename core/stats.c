// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counters of a VM and of a vCPU by name, and the binary statistics file
 * that shows them (KVM_GET_STATS_FD). Owns the tables of names, which debugfs.c
 * uses too. Those who count write to the structures of stats.h.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core/kvm.h"
#include "core/stats.h"

/* ---- the tables -------------------------------------------------------- */

#define STAT(type, field, what, unit_exponent)				\
	{								\
		.name = #field,						\
		.flags = (what) | KVM_STATS_BASE_POW10,			\
		.exponent = (unit_exponent),				\
		.size = sizeof(((type *)0)->field) / sizeof(u64),	\
		.offset = offsetof(type, field),			\
	}

#define COUNTER		(KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_NONE)
#define GAUGE		(KVM_STATS_TYPE_INSTANT | KVM_STATS_UNIT_NONE)
#define PEAK		(KVM_STATS_TYPE_PEAK | KVM_STATS_UNIT_NONE)
#define FLAG		(KVM_STATS_TYPE_INSTANT | KVM_STATS_UNIT_BOOLEAN)
#define TIME		(KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_SECONDS)
#define TIME_LOG_HIST	(KVM_STATS_TYPE_LOG_HIST | KVM_STATS_UNIT_SECONDS)

#define VCPU(field)		STAT(struct kvm_vcpu_stats, field, COUNTER, 0)
#define VCPU_FLAG(field)	STAT(struct kvm_vcpu_stats, field, FLAG, 0)
#define VCPU_NS(field)		STAT(struct kvm_vcpu_stats, field, TIME, -9)
#define VCPU_NS_HIST(field)	STAT(struct kvm_vcpu_stats, field, TIME_LOG_HIST, -9)

const struct kvm_stat_entry kvm_vcpu_stat_entries[] = {
	VCPU(halt_successful_poll),
	VCPU(halt_attempted_poll),
	VCPU(halt_poll_invalid),
	VCPU(halt_wakeup),
	VCPU_NS(halt_poll_success_ns),
	VCPU_NS(halt_poll_fail_ns),
	VCPU_NS(halt_wait_ns),
	VCPU_NS_HIST(halt_poll_success_hist),
	VCPU_NS_HIST(halt_poll_fail_hist),
	VCPU_NS_HIST(halt_wait_hist),
	VCPU_FLAG(blocking),
	VCPU(pf_taken),
	VCPU(pf_fixed),
	VCPU(pf_emulate),
	VCPU(pf_spurious),
	VCPU(pf_fast),
	VCPU(pf_mmio_spte_created),
	VCPU(pf_guest),
	VCPU(tlb_flush),
	VCPU(invlpg),
	VCPU(exits),
	VCPU(io_exits),
	VCPU(mmio_exits),
	VCPU(signal_exits),
	VCPU(irq_window_exits),
	VCPU(nmi_window_exits),
	VCPU(l1d_flush),
	VCPU(halt_exits),
	VCPU(request_irq_exits),
	VCPU(irq_exits),
	VCPU(host_state_reload),
	VCPU(fpu_reload),
	VCPU(insn_emulation),
	VCPU(insn_emulation_fail),
	VCPU(hypercalls),
	VCPU(irq_injections),
	VCPU(nmi_injections),
	VCPU(req_event),
	VCPU(nested_run),
	VCPU(directed_yield_attempted),
	VCPU(directed_yield_successful),
	VCPU(preemption_reported),
	VCPU(preemption_other),
	VCPU_FLAG(guest_mode),
	VCPU(notify_window_exits),
	VCPU(hw_timer_exits),
	VCPU(apic_access_exits),
	VCPU(apic_write_exits),
	VCPU(apic_eoi_exits),
	VCPU(pml_pages),
};
const unsigned int kvm_nr_vcpu_stat_entries = ARRAY_SIZE(kvm_vcpu_stat_entries);

#define VM(field)	STAT(struct kvm_vm_stats, field, COUNTER, 0)
#define VM_GAUGE(field)	STAT(struct kvm_vm_stats, field, GAUGE, 0)
#define VM_PEAK(field)	STAT(struct kvm_vm_stats, field, PEAK, 0)

const struct kvm_stat_entry kvm_vm_stat_entries[] = {
	VM(remote_tlb_flush),
	VM(remote_tlb_flush_requests),
	VM(mmu_shadow_zapped),
	VM(mmu_pte_write),
	VM(mmu_pde_zapped),
	VM(mmu_flooded),
	VM(mmu_recycled),
	VM(mmu_cache_miss),
	VM_GAUGE(mmu_unsync),
	VM_GAUGE(pages_4k),
	VM_GAUGE(pages_2m),
	VM_GAUGE(pages_1g),
	VM_GAUGE(nx_lpage_splits),
	VM_PEAK(max_mmu_page_hash_collisions),
	VM_PEAK(max_mmu_rmap_size),
};
const unsigned int kvm_nr_vm_stat_entries = ARRAY_SIZE(kvm_vm_stat_entries);

/* the file's data block is the structure itself, whose fields are all u64 */
static_assert(sizeof(atomic64_t) == sizeof(u64));

/* ---- the file ---------------------------------------------------------- */

/**
 * struct stats_file - what one open statistics file shows
 * @kvm: a reference to the VM
 * @id: KVM_STATS_NAME_SIZE bytes
 * @entries: its table
 * @nr: entries in it
 * @data: the counters
 * @data_size: bytes
 */
struct stats_file {
	struct kvm *kvm;
	const char *id;
	const struct kvm_stat_entry *entries;
	unsigned int nr;
	const void *data;
	size_t data_size;
};

/* Layout: header, id, descriptors, data. */
static size_t id_offset(void)
{
	return sizeof(struct kvm_stats_header);
}

static size_t desc_offset(void)
{
	return id_offset() + KVM_STATS_NAME_SIZE;
}

static size_t data_offset(const struct stats_file *sf)
{
	return desc_offset() + sf->nr * sizeof(struct kvm_stats_desc);
}

/* The descriptors up to the data, as user space sees them. */
static void *make_head(const struct stats_file *sf)
{
	struct kvm_stats_header *header;
	struct kvm_stats_desc *desc;
	unsigned int i;
	void *head;

	head = kvzalloc(data_offset(sf), GFP_KERNEL_ACCOUNT);
	if (!head)
		return NULL;
	header = head;
	header->name_size = KVM_STATS_NAME_SIZE;
	header->num_desc = sf->nr;
	header->id_offset = id_offset();
	header->desc_offset = desc_offset();
	header->data_offset = data_offset(sf);
	strscpy(head + id_offset(), sf->id, KVM_STATS_NAME_SIZE);

	desc = head + desc_offset();
	for (i = 0; i < sf->nr; i++, desc++) {
		desc->flags = sf->entries[i].flags;
		desc->exponent = sf->entries[i].exponent;
		desc->size = sf->entries[i].size;
		desc->offset = sf->entries[i].offset;
		strscpy(desc->name, sf->entries[i].name, KVM_STATS_NAME_SIZE);
	}
	return head;
}

static ssize_t stats_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	const struct stats_file *sf = file->private_data;
	size_t head_size = data_offset(sf);
	ssize_t done = 0, n;
	loff_t at;
	void *head;

	if (*pos < 0)
		return -EINVAL;
	if (*pos < head_size) {
		head = make_head(sf);
		if (!head)
			return -ENOMEM;
		done = simple_read_from_buffer(buf, count, pos, head, head_size);
		kvfree(head);
		if (done < 0)
			return done;
	}
	at = *pos - head_size;
	if (*pos < head_size || done == count)
		return done;
	n = simple_read_from_buffer(buf + done, count - done, &at, sf->data, sf->data_size);
	if (n < 0)
		return done ?: n;
	*pos = at + head_size;
	return done + n;
}

static int stats_release(struct inode *inode, struct file *file)
{
	struct stats_file *sf = file->private_data;
	struct kvm *kvm = sf->kvm;

	kfree(sf);
	kvm_put_kvm(kvm);
	return 0;
}

static const struct file_operations stats_fops = {
	.owner = THIS_MODULE,
	.read = stats_read,
	.release = stats_release,
	.llseek = noop_llseek,
};

static int stats_open(const struct stats_file *what, const char *name)
{
	struct stats_file *sf;
	struct file *file;
	int fd;

	sf = kmemdup(what, sizeof(*what), GFP_KERNEL_ACCOUNT);
	if (!sf)
		return -ENOMEM;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		kfree(sf);
		return fd;
	}
	/* the file's reference, before there is a file */
	kvm_get_kvm(sf->kvm);
	file = anon_inode_getfile(name, &stats_fops, sf, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		kvm_put_kvm(sf->kvm);
		kfree(sf);
		return PTR_ERR(file);
	}
	file->f_mode |= FMODE_PREAD;
	fd_install(fd, file);
	return fd;
}

int kvm_vm_stats_fd(struct kvm *kvm)
{
	struct stats_file sf = {
		.kvm = kvm,
		.id = kvm->stats_id,
		.entries = kvm_vm_stat_entries,
		.nr = kvm_nr_vm_stat_entries,
		.data = &kvm->stat,
		.data_size = sizeof(kvm->stat),
	};

	return stats_open(&sf, "kvm-vm-stats");
}

int kvm_vcpu_stats_fd(struct kvm_vcpu *vcpu)
{
	struct stats_file sf = {
		.kvm = vcpu->kvm,
		.id = vcpu->stats_id,
		.entries = kvm_vcpu_stat_entries,
		.nr = kvm_nr_vcpu_stat_entries,
		.data = &vcpu->stat,
		.data_size = sizeof(vcpu->stat),
	};
	char name[32];

	snprintf(name, sizeof(name), "kvm-vcpu-stats:%d", vcpu->id);
	return stats_open(&sf, name);
}
