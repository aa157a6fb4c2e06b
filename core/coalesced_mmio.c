// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coalesced MMIO and port writes: into a ring in a page that user space maps,
 * which it reads at its next exit, instead of an exit each. Owns the ring.
 *
 * The page is user space's to write: its first and last are read once, and
 * bounded before they index anything.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/nospec.h>

#include "core/io_bus.h"

struct coalesced_zone {
	struct kvm_io_device dev;
	struct list_head node;		/* kvm->coalesced_zones (slots_lock) */
	struct kvm *kvm;
	struct kvm_coalesced_mmio_zone where;
};

static int zone_write(struct kvm_vcpu *vcpu, struct kvm_io_device *dev, gpa_t addr, int len,
		      const void *val)
{
	struct coalesced_zone *zone = container_of(dev, struct coalesced_zone, dev);
	struct kvm *kvm = zone->kvm;
	struct kvm_coalesced_mmio_ring *ring = page_address(kvm->coalesced_page);
	struct kvm_coalesced_mmio *slot;
	u32 first, last, next;
	int ret = -EOPNOTSUPP;

	if (len <= 0 || len > sizeof(slot->data))
		return -EOPNOTSUPP;

	spin_lock(&kvm->coalesced_lock);
	last = READ_ONCE(ring->last);
	first = READ_ONCE(ring->first);
	/* nonsense, or full: user space gets an exit, and can tidy up */
	if (last >= KVM_COALESCED_MMIO_MAX)
		goto unlock;
	last = array_index_nospec(last, KVM_COALESCED_MMIO_MAX);
	next = (last + 1) % KVM_COALESCED_MMIO_MAX;
	if (next == first)
		goto unlock;

	slot = &ring->coalesced_mmio[last];
	slot->phys_addr = addr;
	slot->len = len;
	memcpy(slot->data, val, len);
	slot->pio = zone->where.pio;
	/* whoever sees the new last sees the entry */
	smp_store_release(&ring->last, next);
	ret = 0;
unlock:
	spin_unlock(&kvm->coalesced_lock);
	return ret;
}

static void zone_destroy(struct kvm_io_device *dev)
{
	struct coalesced_zone *zone = container_of(dev, struct coalesced_zone, dev);

	list_del(&zone->node);
	kfree(zone);
}

static const struct kvm_io_device_ops zone_ops = {
	.write = zone_write,
	.destructor = zone_destroy,
};

static enum kvm_bus zone_bus(const struct kvm_coalesced_mmio_zone *where)
{
	return where->pio ? KVM_PIO_BUS : KVM_MMIO_BUS;
}

int kvm_register_coalesced_zone(struct kvm *kvm, const struct kvm_coalesced_mmio_zone *where)
{
	struct coalesced_zone *zone;
	int err;

	if (where->pio > 1 || !where->size || where->size > INT_MAX)
		return -EINVAL;
	zone = kzalloc(sizeof(*zone), GFP_KERNEL_ACCOUNT);
	if (!zone)
		return -ENOMEM;
	kvm_iodevice_init(&zone->dev, &zone_ops);
	zone->kvm = kvm;
	zone->where = *where;

	mutex_lock(&kvm->slots_lock);
	err = kvm_io_bus_register_dev(kvm, zone_bus(where), where->addr, where->size,
				      &zone->dev);
	if (!err)
		list_add_tail(&zone->node, &kvm->coalesced_zones);
	mutex_unlock(&kvm->slots_lock);
	if (err)
		kfree(zone);
	return err;
}

static bool lies_in(const struct coalesced_zone *zone, const struct kvm_coalesced_mmio_zone *where)
{
	return zone->where.pio == where->pio && zone->where.addr >= where->addr &&
	       zone->where.addr - where->addr <= where->size &&
	       zone->where.size <= where->size - (zone->where.addr - where->addr);
}

int kvm_unregister_coalesced_zone(struct kvm *kvm, const struct kvm_coalesced_mmio_zone *where)
{
	struct coalesced_zone *zone, *next;

	if (where->pio > 1)
		return -EINVAL;
	/* all that lie in the range; none is no error, as it never was */
	mutex_lock(&kvm->slots_lock);
	list_for_each_entry_safe(zone, next, &kvm->coalesced_zones, node)
		if (lies_in(zone, where))
			kvm_io_bus_unregister_dev(kvm, zone_bus(where), &zone->dev);
	mutex_unlock(&kvm->slots_lock);
	return 0;
}

int kvm_coalesced_mmio_init(struct kvm *kvm)
{
	spin_lock_init(&kvm->coalesced_lock);
	INIT_LIST_HEAD(&kvm->coalesced_zones);
	kvm->coalesced_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	return kvm->coalesced_page ? 0 : -ENOMEM;
}

void kvm_coalesced_mmio_free(struct kvm *kvm)
{
	if (kvm->coalesced_page)
		__free_page(kvm->coalesced_page);
	kvm->coalesced_page = NULL;
}
