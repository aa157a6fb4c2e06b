/* SPDX-License-Identifier: GPL-2.0-only */
/* kvzalloc() and its family moved here from linux/mm.h in 5.16. */
#ifndef COMPAT_LINUX_SLAB_H
#define COMPAT_LINUX_SLAB_H

#include_next <linux/slab.h>
#include <compat/config.h>

#ifndef HAVE_KVZALLOC_IN_SLAB
#include <linux/mm.h>
#endif

#endif
