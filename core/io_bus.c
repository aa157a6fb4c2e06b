// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O buses: which device of ours hears an access. An array, sorted by
 * address, that readers search without a lock. A device comes by a new array
 * that replaces the old one; it goes by being crossed out in the array that is
 * there, which can't fail. Knows nothing of what devices do.
 */
#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "core/io_bus.h"

#define MAX_DEVICES	1000	/* on a bus; eventfds are not counted */

/**
 * struct bus_range - what a device listens to
 * @addr: first address
 * @last: last address; the same as @addr for a device of length 0
 * @reach: largest @last of this and all earlier entries: where a search
 *	backwards may stop
 * @any_len: hears accesses of any length to @addr
 * @owned: the device has a destructor, and goes with this entry
 * @dev: NULL once it is crossed out
 */
struct bus_range {
	gpa_t addr;
	gpa_t last;
	gpa_t reach;
	bool any_len;
	bool owned;
	struct kvm_io_device *dev;
};

struct kvm_io_bus {
	struct rcu_head rcu;
	unsigned int nr;
	struct bus_range ranges[];
};

static struct kvm_io_bus *bus_of(struct kvm *kvm, enum kvm_bus bus)
{
	return srcu_dereference_check(kvm->buses[bus], &kvm->srcu,
				      lockdep_is_held(&kvm->slots_lock) ||
				      rcu_read_lock_any_held() ||
				      !refcount_read(&kvm->users));
}

/* ---- an access --------------------------------------------------------- */

/* Index behind the last range that begins at or before addr. */
static unsigned int search(const struct kvm_io_bus *bus, gpa_t addr)
{
	unsigned int low = 0, high = bus->nr, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (bus->ranges[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* A guest asks for the same again and again: is it where it was? */
static __always_inline unsigned int upper_bound(const struct kvm_io_bus *bus, unsigned int *hint,
						gpa_t addr)
{
	unsigned int i = *hint;

	if (likely(i - 1 < bus->nr && bus->ranges[i - 1].addr <= addr &&
		   (i == bus->nr || bus->ranges[i].addr > addr)))
		return i;
	return *hint = search(bus, addr);
}

/* Those that begin nearest to the access are asked first. What is written is not changed. */
static __always_inline int bus_access(struct kvm_vcpu *vcpu, enum kvm_bus nr, gpa_t addr,
				      int len, void *val, bool write, bool irqoff)
{
	struct kvm_io_bus *bus = bus_of(vcpu->kvm, nr);
	gpa_t last = addr + (len ? len - 1 : 0);
	const struct kvm_io_device_ops *ops;
	const struct bus_range *r;
	struct kvm_io_device *dev;
	unsigned int i;
	int ret;

	if (!bus || last < addr)
		return -EOPNOTSUPP;
	for (i = upper_bound(bus, &vcpu->bus_hint[nr], addr); i; i--) {
		r = &bus->ranges[i - 1];
		if (r->reach < addr)
			break;
		if (r->any_len ? r->addr != addr : r->last < last)
			continue;
		dev = READ_ONCE(r->dev);
		if (!dev)
			continue;
		ops = dev->ops;
		if (write ? !ops->write : !ops->read)
			continue;
		if (irqoff && !(write ? ops->write_irqoff : ops->read_irqoff))
			return -EOPNOTSUPP;
		ret = write ? ops->write(vcpu, dev, addr, len, val) :
			      ops->read(vcpu, dev, addr, len, val);
		if (ret != -EOPNOTSUPP)
			return ret;
	}
	return -EOPNOTSUPP;
}

int kvm_io_bus_write(struct kvm_vcpu *vcpu, enum kvm_bus nr, gpa_t addr, int len,
		     const void *val)
{
	return bus_access(vcpu, nr, addr, len, (void *)val, true, false);
}
EXPORT_SYMBOL_GPL(kvm_io_bus_write);

int kvm_io_bus_read(struct kvm_vcpu *vcpu, enum kvm_bus nr, gpa_t addr, int len, void *val)
{
	return bus_access(vcpu, nr, addr, len, val, false, false);
}
EXPORT_SYMBOL_GPL(kvm_io_bus_read);

bool kvm_io_bus_may_listen(struct kvm_vcpu *vcpu, enum kvm_bus nr, gpa_t addr)
{
	struct kvm_io_bus *bus = bus_of(vcpu->kvm, nr);
	unsigned int i = bus ? upper_bound(bus, &vcpu->bus_hint[nr], addr) : 0;

	return i && bus->ranges[i - 1].reach >= addr;
}

int kvm_io_bus_write_irqoff(struct kvm_vcpu *vcpu, enum kvm_bus nr, gpa_t addr, int len,
			    const void *val)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return -EOPNOTSUPP;
	return bus_access(vcpu, nr, addr, len, (void *)val, true, true);
}

int kvm_io_bus_read_irqoff(struct kvm_vcpu *vcpu, enum kvm_bus nr, gpa_t addr, int len,
			   void *val)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return -EOPNOTSUPP;
	return bus_access(vcpu, nr, addr, len, val, false, true);
}

/* ---- devices come and go ----------------------------------------------- */

/*
 * An array that was replaced: after both grace periods nobody searches it. No
 * one waits for that: a VM registers its ioeventfds by the hundred.
 */
static void retire_after_srcu(struct rcu_head *rcu)
{
	struct kvm_io_bus *bus = container_of(rcu, struct kvm_io_bus, rcu);

	kvfree_rcu(bus, rcu);
}

static void wait_for_readers(struct kvm *kvm)
{
	synchronize_srcu_expedited(&kvm->srcu);
	synchronize_rcu_expedited();
}

int kvm_io_bus_register_dev(struct kvm *kvm, enum kvm_bus nr, gpa_t addr, int len,
			    struct kvm_io_device *dev)
{
	struct kvm_io_bus *old, *new;
	struct bus_range in = { .addr = addr, .dev = dev, .owned = dev->ops->destructor };
	unsigned int i, counted = 0;
	gpa_t reach = 0;
	bool placed = false;

	lockdep_assert_held(&kvm->slots_lock);
	if (len < 0 || check_add_overflow(addr, (gpa_t)(len ? len - 1 : 0), &in.last))
		return -EINVAL;
	in.any_len = !len;

	old = bus_of(kvm, nr);
	if (!old)
		return -ENOMEM;
	new = kvmalloc(struct_size(new, ranges, (size_t)old->nr + 1), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;

	/* those that are crossed out don't come along */
	new->nr = 0;
	for (i = 0; i <= old->nr; i++) {
		if (!placed && (i == old->nr || old->ranges[i].addr > addr)) {
			new->ranges[new->nr++] = in;
			placed = true;
		}
		if (i == old->nr || !old->ranges[i].dev)
			continue;
		counted += !old->ranges[i].dev->uncounted;
		new->ranges[new->nr++] = old->ranges[i];
	}
	if (!dev->uncounted && counted >= MAX_DEVICES) {
		kvfree(new);
		return -ENOSPC;
	}
	for (i = 0; i < new->nr; i++) {
		reach = max(reach, new->ranges[i].last);
		new->ranges[i].reach = reach;
	}

	rcu_assign_pointer(kvm->buses[nr], new);
	call_srcu(&kvm->srcu, &old->rcu, retire_after_srcu);
	return 0;
}
EXPORT_SYMBOL_GPL(kvm_io_bus_register_dev);

int kvm_io_bus_unregister_dev(struct kvm *kvm, enum kvm_bus nr, struct kvm_io_device *dev)
{
	struct kvm_io_bus *bus = bus_of(kvm, nr);
	bool found = false;
	unsigned int i;

	lockdep_assert_held(&kvm->slots_lock);
	for (i = 0; bus && i < bus->nr; i++) {
		if (bus->ranges[i].dev == dev) {
			WRITE_ONCE(bus->ranges[i].dev, NULL);
			found = true;
		}
	}
	if (!found)
		return -ENOENT;
	wait_for_readers(kvm);
	if (dev->ops->destructor)
		dev->ops->destructor(dev);
	return 0;
}
EXPORT_SYMBOL_GPL(kvm_io_bus_unregister_dev);

/* ---- birth and death --------------------------------------------------- */

int kvm_io_bus_init(struct kvm *kvm)
{
	struct kvm_io_bus *bus;
	int i;

	for (i = 0; i < KVM_NR_BUSES; i++) {
		bus = kvzalloc(sizeof(*bus), GFP_KERNEL_ACCOUNT);
		if (!bus) {
			kvm_io_bus_destroy(kvm);
			return -ENOMEM;
		}
		rcu_assign_pointer(kvm->buses[i], bus);
	}
	return 0;
}

void kvm_io_bus_destroy(struct kvm *kvm)
{
	struct kvm_io_bus *bus;
	unsigned int i;
	int nr;

	/*
	 * No vCPU is left to look: no grace period. A device that is not owned by
	 * its entry may be part of another one, and gone already.
	 */
	for (nr = 0; nr < KVM_NR_BUSES; nr++) {
		bus = rcu_dereference_protected(kvm->buses[nr], 1);
		if (!bus)
			continue;
		RCU_INIT_POINTER(kvm->buses[nr], NULL);
		for (i = 0; i < bus->nr; i++) {
			if (bus->ranges[i].dev && bus->ranges[i].owned)
				bus->ranges[i].dev->ops->destructor(bus->ranges[i].dev);
			cond_resched();
		}
		kvfree(bus);
	}
	/* arrays that were replaced are on their way */
	srcu_barrier(&kvm->srcu);
}
