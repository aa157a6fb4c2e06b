/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What main.c offers to the other rooms of core, and what it needs of them.
 */
#ifndef CORE_MAIN_H
#define CORE_MAIN_H

struct module;

/**
 * kvm_vendor_get() - pin the vendor module, for the life of a VM
 *
 * Return: the module, to be released with module_put(); NULL if there is none
 * or it is on its way out.
 */
struct module *kvm_vendor_get(void);

/** kvm_request_init() / kvm_request_exit() - request.c's per-CPU masks. -ENOMEM */
int kvm_request_init(void);
void kvm_request_exit(void);

#endif
