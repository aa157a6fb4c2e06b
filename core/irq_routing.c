// SPDX-License-Identifier: GPL-2.0-only
/*
 * GSI routing: the table, driving a GSI through it, and telling those who want
 * to know that the guest has handled one. What a pin or an MSI is, the
 * architecture says (kvm_arch_set_routing_entry()).
 *
 * The table is built whole, then replaces the old one; readers hold
 * kvm->irq_srcu and copy what they need, so that no callback runs on an entry
 * that may go.
 */
#include <linux/export.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "core/arch.h"
#include "core/irq_routing.h"

/**
 * struct kvm_irq_routing_table - one version of it
 * @pin_gsi: GSI behind each pin of each chip, or -1
 * @nr_gsis: largest GSI with a route, plus 1
 * @first: entries of GSI g are [first[g], first[g + 1]); nr_gsis + 1 of them
 * @entries: by GSI
 */
struct kvm_irq_routing_table {
	int pin_gsi[KVM_MAX_IRQCHIPS][KVM_NR_IRQCHIP_PINS];
	unsigned int nr_gsis;
	unsigned int *first;
	struct kvm_kernel_irq_routing_entry entries[];
};

/* ---- readers ----------------------------------------------------------- */

static struct kvm_irq_routing_table *table_of(struct kvm *kvm)
{
	return srcu_dereference_check(kvm->irq_routing, &kvm->irq_srcu,
				      lockdep_is_held(&kvm->irq_lock));
}

int kvm_irq_map_gsi(struct kvm *kvm, struct kvm_kernel_irq_routing_entry *entries, u32 gsi)
{
	struct kvm_irq_routing_table *table = table_of(kvm);
	unsigned int i, n = 0;

	if (!table || gsi >= table->nr_gsis)
		return 0;
	gsi = array_index_nospec(gsi, table->nr_gsis);
	for (i = table->first[gsi]; i < table->first[gsi + 1]; i++)
		entries[n++] = table->entries[i];
	return n;
}
EXPORT_SYMBOL_GPL(kvm_irq_map_gsi);

int kvm_irq_map_chip_pin(struct kvm *kvm, unsigned int irqchip, unsigned int pin)
{
	struct kvm_irq_routing_table *table = table_of(kvm);

	if (!table || irqchip >= KVM_MAX_IRQCHIPS || pin >= KVM_NR_IRQCHIP_PINS)
		return -1;
	return table->pin_gsi[array_index_nospec(irqchip, KVM_MAX_IRQCHIPS)]
			     [array_index_nospec(pin, KVM_NR_IRQCHIP_PINS)];
}
EXPORT_SYMBOL_GPL(kvm_irq_map_chip_pin);

int kvm_set_irq(struct kvm *kvm, int irq_source_id, u32 gsi, int level, bool line_status)
{
	struct kvm_kernel_irq_routing_entry routes[KVM_MAX_IRQCHIPS];
	int best = -1, idx, i, n, r;

	idx = srcu_read_lock(&kvm->irq_srcu);
	n = kvm_irq_map_gsi(kvm, routes, gsi);
	srcu_read_unlock(&kvm->irq_srcu, idx);

	for (i = 0; i < n; i++) {
		r = routes[i].set(&routes[i], kvm, irq_source_id, level, line_status);
		/* delivered to some wins over coalesced, and that over masked */
		if (r > 0 && best > 0)
			best += r;
		else
			best = max(best, r);
	}
	return best;
}
EXPORT_SYMBOL_GPL(kvm_set_irq);

int kvm_set_irq_inatomic(struct kvm *kvm, int irq_source_id, u32 gsi, int level, bool line_status)
{
	struct kvm_kernel_irq_routing_entry routes[KVM_MAX_IRQCHIPS];
	int idx, n;

	idx = srcu_read_lock(&kvm->irq_srcu);
	n = kvm_irq_map_gsi(kvm, routes, gsi);
	srcu_read_unlock(&kvm->irq_srcu, idx);

	/* half of several routes can't be delivered here and half elsewhere */
	if (n != 1)
		return -EWOULDBLOCK;
	return kvm_arch_set_irq_inatomic(&routes[0], kvm, irq_source_id, level, line_status);
}
EXPORT_SYMBOL_GPL(kvm_set_irq_inatomic);

int kvm_signal_msi(struct kvm *kvm, const struct kvm_msi *msi)
{
	struct kvm_kernel_irq_routing_entry route = { };
	struct kvm_irq_routing_entry entry = {
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi.address_lo = msi->address_lo,
		.u.msi.address_hi = msi->address_hi,
		.u.msi.data = msi->data,
	};
	int err;

	if (msi->flags || !kvm_arch_irqchip_in_kernel(kvm))
		return -EINVAL;
	route.type = KVM_IRQ_ROUTING_MSI;
	err = kvm_arch_set_routing_entry(kvm, &route, &entry);
	if (err)
		return err;
	err = route.set(&route, kvm, KVM_USERSPACE_IRQ_SOURCE_ID, 1, false);
	/* The ABI's 0 is "blocked by the guest"; -1 would read as -EPERM. */
	return max(err, 0);
}

/* ---- the writer -------------------------------------------------------- */

static void free_table(struct kvm_irq_routing_table *table)
{
	if (!table)
		return;
	kvfree(table->first);
	kvfree(table);
}

/*
 * A GSI may go to one pin of each chip (a PIC's and the IOAPIC's), or to one
 * MSI (or other message), not to both.
 */
static bool fits(const struct kvm_irq_routing_table *table, unsigned int from, unsigned int to,
		 const struct kvm_kernel_irq_routing_entry *in)
{
	const struct kvm_kernel_irq_routing_entry *e;

	for (; from < to; from++) {
		e = &table->entries[from];
		if (e->type != KVM_IRQ_ROUTING_IRQCHIP || in->type != KVM_IRQ_ROUTING_IRQCHIP ||
		    e->irqchip.irqchip == in->irqchip.irqchip)
			return false;
	}
	return true;
}

static int fill_entry(struct kvm *kvm, struct kvm_irq_routing_table *table,
		      struct kvm_kernel_irq_routing_entry *e,
		      const struct kvm_irq_routing_entry *ue)
{
	int err;

	/* what an MSI's flags may be, the architecture knows */
	if (ue->flags && ue->type != KVM_IRQ_ROUTING_MSI)
		return -EINVAL;
	e->gsi = ue->gsi;
	e->type = ue->type;
	err = kvm_arch_set_routing_entry(kvm, e, ue);
	if (err)
		return err;
	if (e->type == KVM_IRQ_ROUTING_IRQCHIP) {
		if (e->irqchip.irqchip >= KVM_MAX_IRQCHIPS ||
		    e->irqchip.pin >= KVM_NR_IRQCHIP_PINS)
			return -EINVAL;
		table->pin_gsi[e->irqchip.irqchip][e->irqchip.pin] = e->gsi;
	}
	return 0;
}

static int fill_table(struct kvm *kvm, struct kvm_irq_routing_table *table,
		      const struct kvm_irq_routing_entry *ue, unsigned int nr)
{
	unsigned int *first = table->first;
	unsigned int i, at, gsi;
	int err;

	memset(table->pin_gsi, 0xff, sizeof(table->pin_gsi));
	/* count, then sum: first[gsi + 1] becomes the end of gsi's part */
	for (i = 0; i < nr; i++)
		first[ue[i].gsi + 1]++;
	for (gsi = 0; gsi < table->nr_gsis; gsi++)
		first[gsi + 1] += first[gsi];

	/* a part that passes fits() is short: look for its first free entry */
	for (i = 0; i < nr; i++) {
		gsi = ue[i].gsi;
		for (at = first[gsi]; table->entries[at].set; at++)
			;
		err = fill_entry(kvm, table, &table->entries[at], &ue[i]);
		if (err)
			return err;
		if (!fits(table, first[gsi], at, &table->entries[at]))
			return -EINVAL;
	}
	return 0;
}

int kvm_set_irq_routing(struct kvm *kvm, const struct kvm_irq_routing_entry *ue,
			unsigned int nr, unsigned int flags)
{
	struct kvm_irq_routing_table *table, *old;
	unsigned int i, nr_gsis = 0;
	int err;

	if (flags || nr > KVM_MAX_IRQ_ROUTES)
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		if (ue[i].gsi >= KVM_MAX_IRQ_ROUTES)
			return -EINVAL;
		nr_gsis = max(nr_gsis, ue[i].gsi + 1);
	}

	table = kvzalloc(struct_size(table, entries, nr), GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	table->nr_gsis = nr_gsis;
	table->first = kvcalloc(nr_gsis + 1, sizeof(*table->first), GFP_KERNEL_ACCOUNT);
	err = table->first ? fill_table(kvm, table, ue, nr) : -ENOMEM;
	if (err) {
		free_table(table);
		return err;
	}

	mutex_lock(&kvm->irq_lock);
	old = table_of(kvm);
	rcu_assign_pointer(kvm->irq_routing, table);
	kvm_arch_irq_routing_updated(kvm);
	mutex_unlock(&kvm->irq_lock);

	synchronize_srcu_expedited(&kvm->irq_srcu);
	free_table(old);
	return 0;
}
EXPORT_SYMBOL_GPL(kvm_set_irq_routing);

void kvm_free_irq_routing(struct kvm *kvm)
{
	free_table(rcu_dereference_protected(kvm->irq_routing, 1));
	RCU_INIT_POINTER(kvm->irq_routing, NULL);
}

/* ---- acknowledgements -------------------------------------------------- */

void kvm_register_irq_ack_notifier(struct kvm *kvm, struct kvm_irq_ack_notifier *kian)
{
	mutex_lock(&kvm->irq_lock);
	hlist_add_head_rcu(&kian->link, &kvm->irq_ack_notifiers);
	/* the IOAPIC must now report EOIs of its pin */
	kvm_arch_irq_routing_updated(kvm);
	mutex_unlock(&kvm->irq_lock);
}
EXPORT_SYMBOL_GPL(kvm_register_irq_ack_notifier);

void kvm_unregister_irq_ack_notifier(struct kvm *kvm, struct kvm_irq_ack_notifier *kian)
{
	mutex_lock(&kvm->irq_lock);
	hlist_del_init_rcu(&kian->link);
	mutex_unlock(&kvm->irq_lock);
	synchronize_srcu_expedited(&kvm->irq_srcu);

	mutex_lock(&kvm->irq_lock);
	kvm_arch_irq_routing_updated(kvm);
	mutex_unlock(&kvm->irq_lock);
}
EXPORT_SYMBOL_GPL(kvm_unregister_irq_ack_notifier);

void kvm_notify_acked_gsi(struct kvm *kvm, int gsi)
{
	struct kvm_irq_ack_notifier *kian;

	hlist_for_each_entry_srcu(kian, &kvm->irq_ack_notifiers, link,
				  srcu_read_lock_held(&kvm->irq_srcu))
		if (kian->gsi == gsi)
			kian->irq_acked(kian);
}
EXPORT_SYMBOL_GPL(kvm_notify_acked_gsi);

void kvm_notify_acked_irq(struct kvm *kvm, unsigned int irqchip, unsigned int pin)
{
	int gsi, idx;

	idx = srcu_read_lock(&kvm->irq_srcu);
	gsi = kvm_irq_map_chip_pin(kvm, irqchip, pin);
	if (gsi >= 0)
		kvm_notify_acked_gsi(kvm, gsi);
	srcu_read_unlock(&kvm->irq_srcu, idx);
}
EXPORT_SYMBOL_GPL(kvm_notify_acked_irq);

bool kvm_irq_has_notifier(struct kvm *kvm, unsigned int irqchip, unsigned int pin)
{
	struct kvm_irq_ack_notifier *kian;
	bool found = false;
	int gsi, idx;

	idx = srcu_read_lock(&kvm->irq_srcu);
	gsi = kvm_irq_map_chip_pin(kvm, irqchip, pin);
	if (gsi >= 0) {
		hlist_for_each_entry_srcu(kian, &kvm->irq_ack_notifiers, link,
					  srcu_read_lock_held(&kvm->irq_srcu))
			if (kian->gsi == gsi)
				found = true;
	}
	srcu_read_unlock(&kvm->irq_srcu, idx);
	return found;
}
EXPORT_SYMBOL_GPL(kvm_irq_has_notifier);
