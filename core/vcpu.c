// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU as user space sees it: its creation, its file descriptor, its mmap
 * and its ioctls. How it shares a CPU with others is sched.c; what it does is
 * the architecture's.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include "core/arch.h"
#include "core/async_pf.h"
#include "core/dirty_ring.h"
#include "core/sched.h"
#include "core/vcpu.h"
#include "core/vm.h"

struct kvm_vcpu *kvm_get_vcpu_by_id(struct kvm *kvm, int id)
{
	struct kvm_vcpu *vcpu;
	int i;

	if (id < 0)
		return NULL;
	/* mostly they are created in the order of their ids */
	if (id < KVM_MAX_VCPUS) {
		vcpu = kvm_get_vcpu(kvm, array_index_nospec(id, KVM_MAX_VCPUS));
		if (vcpu && vcpu->id == id)
			return vcpu;
	}
	kvm_for_each_vcpu(i, vcpu, kvm)
		if (vcpu->id == id)
			return vcpu;
	return NULL;
}
EXPORT_SYMBOL_GPL(kvm_get_vcpu_by_id);

/* ---- mmap -------------------------------------------------------------- */

/* Pages that core and the architecture have behind the first one. */
#define VCPU_MMAP_PAGES		(max(KVM_PIO_PAGE_OFFSET, KVM_COALESCED_MMIO_PAGE_OFFSET) + 1)

int kvm_vcpu_mmap_size(void)
{
	return VCPU_MMAP_PAGES * PAGE_SIZE;
}

static vm_fault_t vcpu_mmap_fault(struct vm_fault *vmf)
{
	struct kvm_vcpu *vcpu = vmf->vma->vm_file->private_data;
	struct page *page;

	if (vmf->pgoff == 0)
		page = virt_to_page(vcpu->run);
	else if (vmf->pgoff == KVM_COALESCED_MMIO_PAGE_OFFSET)
		page = vcpu->kvm->coalesced_page;
	else if (vmf->pgoff >= KVM_DIRTY_LOG_PAGE_OFFSET)
		page = kvm_dirty_ring_page(vcpu, vmf->pgoff - KVM_DIRTY_LOG_PAGE_OFFSET);
	else
		page = kvm_arch_vcpu_page(vcpu, vmf->pgoff);
	if (!page)
		return VM_FAULT_SIGBUS;
	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct vcpu_vm_ops = {
	.fault = vcpu_mmap_fault,
};

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* A private copy of a ring would be nobody's ring. */
	if (vma->vm_pgoff + vma_pages(vma) > KVM_DIRTY_LOG_PAGE_OFFSET &&
	    ((vma->vm_flags & VM_EXEC) || !(vma->vm_flags & VM_SHARED)))
		return -EINVAL;
	vma->vm_ops = &vcpu_vm_ops;
	return 0;
}

/* ---- ioctls ------------------------------------------------------------ */

static long vcpu_run(struct kvm_vcpu *vcpu)
{
	long ret;

	kvm_vcpu_set_thread(vcpu);
	kvm_vcpu_load(vcpu);
	kvm_sigset_activate(vcpu);
	ret = kvm_arch_vcpu_run(vcpu);
	kvm_sigset_deactivate(vcpu);
	kvm_vcpu_put(vcpu);
	return ret;
}

void kvm_vcpu_set_signal_mask(struct kvm_vcpu *vcpu, const sigset_t *set)
{
	vcpu->sigset_active = false;
	if (!set)
		return;
	vcpu->sigset = *set;
	sigdelsetmask(&vcpu->sigset, sigmask(SIGKILL) | sigmask(SIGSTOP));
	vcpu->sigset_active = true;
}

static long vcpu_set_signal_mask(struct kvm_vcpu *vcpu, void __user *argp)
{
	struct kvm_signal_mask mask;
	sigset_t set;

	if (!argp) {
		kvm_vcpu_set_signal_mask(vcpu, NULL);
		return 0;
	}
	if (copy_from_user(&mask, argp, sizeof(mask)))
		return -EFAULT;
	if (mask.len != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, argp + offsetof(struct kvm_signal_mask, sigset),
			   sizeof(set)))
		return -EFAULT;
	kvm_vcpu_set_signal_mask(vcpu, &set);
	return 0;
}

long kvm_vcpu_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	struct kvm_vcpu *vcpu = filp->private_data;
	long ret;

	ret = kvm_check_owner(vcpu->kvm);
	if (ret)
		return ret;
	if (_IOC_TYPE(ioctl) != KVMIO)
		return -EINVAL;

	/* those that a running vCPU must hear */
	ret = kvm_arch_vcpu_async_ioctl(vcpu, ioctl, arg);
	if (ret != -ENOIOCTLCMD)
		return ret;

	if (mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	switch (ioctl) {
	case KVM_RUN:
		ret = arg ? -EINVAL : vcpu_run(vcpu);
		break;
	case KVM_SET_SIGNAL_MASK:
		ret = vcpu_set_signal_mask(vcpu, (void __user *)arg);
		break;
	case KVM_GET_STATS_FD:
		ret = kvm_vcpu_stats_fd(vcpu);
		break;
	default:
		ret = kvm_arch_vcpu_ioctl(vcpu, ioctl, arg);
	}
	mutex_unlock(&vcpu->mutex);
	return ret;
}

static int vcpu_release(struct inode *inode, struct file *filp)
{
	struct kvm_vcpu *vcpu = filp->private_data;

	kvm_put_kvm(vcpu->kvm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.release = vcpu_release,
	.unlocked_ioctl = kvm_vcpu_ioctl,
	.compat_ioctl = IS_ENABLED(CONFIG_COMPAT) ? kvm_vcpu_ioctl_compat : NULL,
	.mmap = vcpu_mmap,
	.llseek = noop_llseek,
};

/* ---- birth and death --------------------------------------------------- */

static struct kvm_vcpu *vcpu_new(struct kvm *kvm, int id)
{
	struct kvm_vcpu *vcpu;
	struct page *page;
	int err;

	vcpu = kvm_arch_vcpu_alloc(kvm);
	if (IS_ERR(vcpu))
		return vcpu;
	page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!page) {
		err = -ENOMEM;
		goto out_free;
	}

	vcpu->kvm = kvm;
	vcpu->id = id;
	vcpu->idx = -1;
	vcpu->run = page_address(page);
	vcpu->mode = KVM_VCPU_OUTSIDE_GUEST;
	mutex_init(&vcpu->mutex);
	INIT_LIST_HEAD(&vcpu->async_pf.waiting);
	INIT_LIST_HEAD(&vcpu->async_pf.done);
	snprintf(vcpu->stats_id, sizeof(vcpu->stats_id), "kvm-%d/vcpu-%d",
		 kvm->userspace_pid, id);
	kvm_vcpu_sched_init(vcpu);

	err = kvm_dirty_ring_create(vcpu);
	if (err)
		goto out_page;
	err = kvm_arch_vcpu_create(vcpu);
	if (err)
		goto out_ring;
	return vcpu;

out_ring:
	kvm_dirty_ring_destroy(vcpu);
out_page:
	kvm_vcpu_sched_destroy(vcpu);
	free_page((unsigned long)vcpu->run);
out_free:
	kvm_arch_vcpu_free(vcpu);
	return ERR_PTR(err);
}

static void vcpu_delete(struct kvm_vcpu *vcpu)
{
	kvm_async_pf_forget(vcpu);
	kvm_arch_vcpu_destroy(vcpu);
	kvm_dirty_ring_destroy(vcpu);
	kvm_vcpu_sched_destroy(vcpu);
	free_page((unsigned long)vcpu->run);
	kvm_arch_vcpu_free(vcpu);
}

/*
 * Give it an index, a file, and to the others of the VM. The file is the last
 * thing that may fail, so that nothing visible is ever undone; the caller
 * installs it when all is done.
 */
static struct file *vcpu_publish(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	int idx = atomic_read(&kvm->online_vcpus);
	struct file *file;
	char name[24];
	int err;

	lockdep_assert_held(&kvm->lock);

	if (kvm_get_vcpu_by_id(kvm, vcpu->id))
		return ERR_PTR(-EEXIST);
	err = xa_insert(&kvm->vcpus, idx, vcpu, GFP_KERNEL_ACCOUNT);
	if (WARN_ON_ONCE(err == -EBUSY))
		return ERR_PTR(-EIO);
	if (err)
		return ERR_PTR(err);
	vcpu->idx = idx;

	/* the file's reference, before there is a file */
	kvm_get_kvm(kvm);
	snprintf(name, sizeof(name), "kvm-vcpu:%d", vcpu->id);
	file = anon_inode_getfile(name, &vcpu_fops, vcpu, O_RDWR);
	if (IS_ERR(file)) {
		kvm_put_kvm(kvm);
		xa_erase(&kvm->vcpus, idx);
		return file;
	}

	/* pairs with the smp_rmb() in kvm_get_vcpu() */
	smp_wmb();
	atomic_inc(&kvm->online_vcpus);
	return file;
}

int kvm_create_vcpu(struct kvm *kvm, unsigned long id)
{
	struct kvm_vcpu *vcpu;
	struct file *file;
	int fd, err;

	/* the largest id is the architecture's to know; ours is an int */
	if (id > INT_MAX)
		return -EINVAL;

	mutex_lock(&kvm->lock);
	err = kvm->created_vcpus < kvm->max_vcpus ? 0 : -EINVAL;
	if (!err)
		err = kvm_arch_vcpu_precreate(kvm, id);
	if (!err)
		kvm->created_vcpus++;
	mutex_unlock(&kvm->lock);
	if (err)
		return err;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		err = fd;
		goto out_count;
	}
	vcpu = vcpu_new(kvm, id);
	if (IS_ERR(vcpu)) {
		err = PTR_ERR(vcpu);
		goto out_fd;
	}

	mutex_lock(&kvm->lock);
	file = vcpu_publish(vcpu);
	mutex_unlock(&kvm->lock);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		vcpu_delete(vcpu);
		goto out_fd;
	}

	kvm_arch_vcpu_postcreate(vcpu);
	kvm_debugfs_add_vcpu(vcpu);
	fd_install(fd, file);
	return fd;

out_fd:
	put_unused_fd(fd);
out_count:
	mutex_lock(&kvm->lock);
	kvm->created_vcpus--;
	mutex_unlock(&kvm->lock);
	return err;
}

void kvm_vcpus_destroy(struct kvm *kvm)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

	xa_for_each(&kvm->vcpus, i, vcpu) {
		vcpu_delete(vcpu);
		/* the architecture may look at those that are left */
		xa_erase(&kvm->vcpus, i);
	}
	atomic_set(&kvm->online_vcpus, 0);
}
EXPORT_SYMBOL_GPL(kvm_vcpus_destroy);
