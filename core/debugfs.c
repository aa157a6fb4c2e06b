// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counters in debugfs: kvm/NAME is the sum over all VMs, kvm/PID-FD/NAME is
 * one VM's (its vCPUs' summed up), kvm/PID-FD/vcpuN/pid the thread that runs a
 * vCPU. Names and places are those that kvm_stat and others look for. Writing 0
 * clears. Owns no counter.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "core/kvm.h"
#include "core/stats.h"
#include "core/vm.h"

static struct dentry *top_dir;

/* What a file of a VM shows; kvm->debugfs_files is an array of them. */
struct kvm_debugfs_file {
	struct kvm *kvm;
	const struct kvm_stat_entry *entry;
};

/* ---- values ------------------------------------------------------------ */

static u64 *counter(void *stats, const struct kvm_stat_entry *entry)
{
	return stats + entry->offset;
}

static bool is_vcpu_entry(const struct kvm_stat_entry *entry)
{
	return entry >= kvm_vcpu_stat_entries &&
	       entry < kvm_vcpu_stat_entries + kvm_nr_vcpu_stat_entries;
}

static u64 vm_value(struct kvm *kvm, const struct kvm_stat_entry *entry)
{
	struct kvm_vcpu *vcpu;
	u64 sum = 0;
	int i;

	if (!is_vcpu_entry(entry))
		return READ_ONCE(*counter(&kvm->stat, entry));
	kvm_for_each_vcpu(i, vcpu, kvm)
		sum += READ_ONCE(*counter(&vcpu->stat, entry));
	return sum;
}

static void vm_clear(struct kvm *kvm, const struct kvm_stat_entry *entry)
{
	struct kvm_vcpu *vcpu;
	int i;

	if (!is_vcpu_entry(entry)) {
		WRITE_ONCE(*counter(&kvm->stat, entry), 0);
		return;
	}
	kvm_for_each_vcpu(i, vcpu, kvm)
		WRITE_ONCE(*counter(&vcpu->stat, entry), 0);
}

/* What is now, rather than what has been, isn't to be cleared. */
static umode_t file_mode(const struct kvm_stat_entry *entry)
{
	if ((entry->flags & KVM_STATS_TYPE_MASK) == KVM_STATS_TYPE_INSTANT)
		return 0444;
	return 0644;
}

/* Histograms are for the binary file only. */
static bool is_shown(const struct kvm_stat_entry *entry)
{
	return entry->size == 1;
}

/* ---- files of one VM --------------------------------------------------- */

static int vm_stat_get(void *data, u64 *val)
{
	struct kvm_debugfs_file *f = data;

	*val = vm_value(f->kvm, f->entry);
	return 0;
}

static int vm_stat_set(void *data, u64 val)
{
	struct kvm_debugfs_file *f = data;

	if (val)
		return -EINVAL;
	vm_clear(f->kvm, f->entry);
	return 0;
}

/* An open file keeps the VM: its removal waits for calls, not for closes. */
static int vm_stat_open(struct inode *inode, struct file *file)
{
	struct kvm_debugfs_file *f = inode->i_private;
	int err;

	if (!kvm_get_kvm_safe(f->kvm))
		return -ENOENT;
	err = simple_attr_open(inode, file, vm_stat_get, vm_stat_set, "%llu\n");
	if (err)
		kvm_put_kvm(f->kvm);
	return err;
}

static int vm_stat_release(struct inode *inode, struct file *file)
{
	struct kvm_debugfs_file *f = inode->i_private;
	struct kvm *kvm = f->kvm;

	simple_attr_release(inode, file);
	kvm_put_kvm(kvm);
	return 0;
}

static const struct file_operations vm_stat_fops = {
	.owner = THIS_MODULE,
	.open = vm_stat_open,
	.release = vm_stat_release,
	.read = simple_attr_read,
	.write = simple_attr_write,
	.llseek = noop_llseek,
};

static void add_vm_files(struct kvm *kvm, struct kvm_debugfs_file *f,
			 const struct kvm_stat_entry *entries, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (!is_shown(&entries[i]))
			continue;
		f[i].kvm = kvm;
		f[i].entry = &entries[i];
		debugfs_create_file(entries[i].name, file_mode(&entries[i]), kvm->debugfs,
				    &f[i], &vm_stat_fops);
	}
}

void kvm_debugfs_add_vm(struct kvm *kvm, int fd)
{
	unsigned int nr = kvm_nr_vm_stat_entries + kvm_nr_vcpu_stat_entries;
	struct dentry *dir;
	char name[32];

	if (!debugfs_initialized())
		return;
	snprintf(name, sizeof(name), "%d-%d", kvm->userspace_pid, fd);
	/* an earlier VM of this name lives on while a vCPU's descriptor is open */
	dir = debugfs_lookup(name, top_dir);
	if (dir) {
		dput(dir);
		return;
	}
	kvm->debugfs_files = kcalloc(nr, sizeof(*kvm->debugfs_files), GFP_KERNEL_ACCOUNT);
	if (!kvm->debugfs_files)
		return;
	dir = debugfs_create_dir(name, top_dir);
	if (IS_ERR(dir))
		return;
	kvm->debugfs = dir;
	add_vm_files(kvm, kvm->debugfs_files, kvm_vm_stat_entries, kvm_nr_vm_stat_entries);
	add_vm_files(kvm, kvm->debugfs_files + kvm_nr_vm_stat_entries,
		     kvm_vcpu_stat_entries, kvm_nr_vcpu_stat_entries);
}

void kvm_debugfs_remove_vm(struct kvm *kvm)
{
	debugfs_remove(kvm->debugfs);
	kvm->debugfs = NULL;
	kfree(kvm->debugfs_files);
	kvm->debugfs_files = NULL;
}

/* ---- files of a vCPU --------------------------------------------------- */

static int vcpu_pid_get(void *data, u64 *val)
{
	struct kvm_vcpu *vcpu = data;

	read_lock(&vcpu->pid_lock);
	*val = pid_nr(vcpu->pid);
	read_unlock(&vcpu->pid_lock);
	return 0;
}

/* The value is read at once: no reference beyond the call, which removal awaits. */
DEFINE_DEBUGFS_ATTRIBUTE(vcpu_pid_fops, vcpu_pid_get, NULL, "%llu\n");

void kvm_debugfs_add_vcpu(struct kvm_vcpu *vcpu)
{
	struct dentry *dir;
	char name[16];

	if (!vcpu->kvm->debugfs)
		return;
	snprintf(name, sizeof(name), "vcpu%d", vcpu->id);
	dir = debugfs_create_dir(name, vcpu->kvm->debugfs);
	if (IS_ERR(dir))
		return;
	vcpu->debugfs = dir;
	debugfs_create_file_unsafe("pid", 0444, dir, vcpu, &vcpu_pid_fops);
}

/* ---- totals ------------------------------------------------------------ */

struct total {
	const struct kvm_stat_entry *entry;
	u64 sum;
};

static void total_add(struct kvm *kvm, void *arg)
{
	struct total *total = arg;

	total->sum += vm_value(kvm, total->entry);
}

static void total_clear(struct kvm *kvm, void *arg)
{
	struct total *total = arg;

	vm_clear(kvm, total->entry);
}

static int total_get(void *data, u64 *val)
{
	struct total total = { .entry = data };

	kvm_for_each_vm(total_add, &total);
	*val = total.sum;
	return 0;
}

static int total_set(void *data, u64 val)
{
	struct total total = { .entry = data };

	if (val)
		return -EINVAL;
	kvm_for_each_vm(total_clear, &total);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(total_fops, total_get, total_set, "%llu\n");

static void add_totals(const struct kvm_stat_entry *entries, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (is_shown(&entries[i]))
			debugfs_create_file_unsafe(entries[i].name, file_mode(&entries[i]),
						   top_dir, (void *)&entries[i], &total_fops);
}

void kvm_debugfs_init(void)
{
	top_dir = debugfs_create_dir("kvm", NULL);
	add_totals(kvm_vm_stat_entries, kvm_nr_vm_stat_entries);
	add_totals(kvm_vcpu_stat_entries, kvm_nr_vcpu_stat_entries);
}

void kvm_debugfs_exit(void)
{
	debugfs_remove(top_dir);
}
