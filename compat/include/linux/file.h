/* SPDX-License-Identifier: GPL-2.0-only */
/* struct fd hides its file behind fd_file() since 6.12. */
#ifndef COMPAT_LINUX_FILE_H
#define COMPAT_LINUX_FILE_H

#include_next <linux/file.h>

#ifndef fd_file
#define fd_file(f)	((f).file)
#define fd_empty(f)	unlikely(!(f).file)
#endif

#endif
