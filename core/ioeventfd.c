// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_IOEVENTFD: a guest's write to an address of MMIO or port space signals an
 * eventfd, without an exit to user space. Owns the list of them and their
 * devices on the buses.
 */
#include <linux/eventfd.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

#include "core/io_bus.h"

/**
 * struct ioeventfd - one of them
 * @dev: on the PIO or MMIO bus
 * @fast_dev: on the fast MMIO bus as well, if @len is 0: there an exit need not
 *	be decoded to know that it is ours
 * @node: in kvm->ioeventfds (slots_lock)
 * @ctx: eventfd
 * @addr: guest address
 * @len: 1, 2, 4, 8; 0: any length
 * @match: only writes of this value
 * @wildcard: of any value
 * @bus: KVM_PIO_BUS or KVM_MMIO_BUS
 */
struct ioeventfd {
	struct kvm_io_device dev;
	struct kvm_io_device fast_dev;
	struct list_head node;
	struct eventfd_ctx *ctx;
	u64 addr;
	u32 len;
	u64 match;
	bool wildcard;
	enum kvm_bus bus;
};

static bool is_hit(const struct ioeventfd *e, gpa_t addr, int len, const void *val)
{
	if (addr != e->addr)
		return false;
	if (!e->len)
		return true;
	if (len != e->len)
		return false;
	if (e->wildcard)
		return true;

	switch (len) {
	case 1:
		return *(const u8 *)val == e->match;
	case 2:
		return get_unaligned((const u16 *)val) == e->match;
	case 4:
		return get_unaligned((const u32 *)val) == e->match;
	case 8:
		return get_unaligned((const u64 *)val) == e->match;
	}
	return false;
}

static int ioeventfd_write(struct kvm_vcpu *vcpu, struct kvm_io_device *dev, gpa_t addr,
			   int len, const void *val)
{
	struct ioeventfd *e = container_of(dev, struct ioeventfd, dev);

	if (!is_hit(e, addr, len, val))
		return -EOPNOTSUPP;
	eventfd_signal(e->ctx);
	return 0;
}

static int ioeventfd_fast_write(struct kvm_vcpu *vcpu, struct kvm_io_device *dev, gpa_t addr,
				int len, const void *val)
{
	/* address and length are the bus's match; there is no value */
	eventfd_signal(container_of(dev, struct ioeventfd, fast_dev)->ctx);
	return 0;
}

static void ioeventfd_destroy(struct kvm_io_device *dev)
{
	struct ioeventfd *e = container_of(dev, struct ioeventfd, dev);

	list_del(&e->node);
	eventfd_ctx_put(e->ctx);
	kfree(e);
}

static const struct kvm_io_device_ops ioeventfd_ops = {
	.write = ioeventfd_write,
	.write_irqoff = true,
	.destructor = ioeventfd_destroy,
};

/* Belongs to the other one, which is taken off later and freed then. */
static const struct kvm_io_device_ops ioeventfd_fast_ops = {
	.write = ioeventfd_fast_write,
	.write_irqoff = true,
};

/* ---- the ioctl --------------------------------------------------------- */

/* Would both hear the same write? */
static bool collides(const struct ioeventfd *a, const struct ioeventfd *b)
{
	return a->bus == b->bus && a->addr == b->addr &&
	       (!a->len || !b->len ||
		(a->len == b->len &&
		 (a->wildcard || b->wildcard || a->match == b->match)));
}

static bool any_collision(struct kvm *kvm, const struct ioeventfd *e)
{
	struct ioeventfd *other;

	list_for_each_entry(other, &kvm->ioeventfds, node)
		if (collides(other, e))
			return true;
	return false;
}

static int assign(struct kvm *kvm, const struct ioeventfd *args)
{
	struct ioeventfd *e;
	int err;

	e = kmemdup(args, sizeof(*args), GFP_KERNEL_ACCOUNT);
	if (!e)
		return -ENOMEM;
	kvm_iodevice_init(&e->dev, &ioeventfd_ops);
	kvm_iodevice_init(&e->fast_dev, &ioeventfd_fast_ops);
	e->dev.uncounted = true;
	e->fast_dev.uncounted = true;

	mutex_lock(&kvm->slots_lock);
	err = any_collision(kvm, e) ? -EEXIST : 0;
	if (err)
		goto out_free;
	/* in the list first: taking it off the bus takes it off the list */
	list_add_tail(&e->node, &kvm->ioeventfds);
	err = kvm_io_bus_register_dev(kvm, e->bus, e->addr, e->len, &e->dev);
	if (err)
		goto out_list;
	if (!e->len && e->bus == KVM_MMIO_BUS) {
		err = kvm_io_bus_register_dev(kvm, KVM_FAST_MMIO_BUS, e->addr, 0,
					      &e->fast_dev);
		if (err) {
			/* destroys it, and puts the eventfd */
			kvm_io_bus_unregister_dev(kvm, e->bus, &e->dev);
			mutex_unlock(&kvm->slots_lock);
			return err;
		}
	}
	mutex_unlock(&kvm->slots_lock);
	return 0;

out_list:
	list_del(&e->node);
out_free:
	mutex_unlock(&kvm->slots_lock);
	eventfd_ctx_put(e->ctx);
	kfree(e);
	return err;
}

static int deassign(struct kvm *kvm, const struct ioeventfd *args)
{
	struct ioeventfd *e;
	int err = -ENOENT;

	mutex_lock(&kvm->slots_lock);
	list_for_each_entry(e, &kvm->ioeventfds, node) {
		if (e->bus != args->bus || e->ctx != args->ctx || e->addr != args->addr ||
		    e->len != args->len || e->wildcard != args->wildcard)
			continue;
		if (!e->wildcard && e->match != args->match)
			continue;
		if (!e->len && e->bus == KVM_MMIO_BUS)
			kvm_io_bus_unregister_dev(kvm, KVM_FAST_MMIO_BUS, &e->fast_dev);
		kvm_io_bus_unregister_dev(kvm, e->bus, &e->dev);
		err = 0;
		break;
	}
	mutex_unlock(&kvm->slots_lock);
	eventfd_ctx_put(args->ctx);
	return err;
}

int kvm_ioeventfd(struct kvm *kvm, const struct kvm_ioeventfd *args)
{
	struct ioeventfd e = {
		.addr = args->addr,
		.len = args->len,
		.wildcard = !(args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH),
		.bus = args->flags & KVM_IOEVENTFD_FLAG_PIO ? KVM_PIO_BUS : KVM_MMIO_BUS,
	};

	if (args->flags & ~(KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_PIO |
			    KVM_IOEVENTFD_FLAG_DEASSIGN))
		return -EINVAL;
	if (e.len > 8 || (e.len && !is_power_of_2(e.len)))
		return -EINVAL;
	if (e.addr + e.len < e.addr)
		return -EINVAL;
	/* no length, no value to compare */
	if (!e.len && !e.wildcard)
		return -EINVAL;
	if (!e.wildcard)
		e.match = args->datamatch;

	e.ctx = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(e.ctx))
		return PTR_ERR(e.ctx);
	/* both take the reference to the eventfd over */
	if (args->flags & KVM_IOEVENTFD_FLAG_DEASSIGN)
		return deassign(kvm, &e);
	return assign(kvm, &e);
}
