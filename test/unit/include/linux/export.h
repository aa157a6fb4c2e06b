/* SPDX-License-Identifier: GPL-2.0-only */
/* User space's stand-in: what is needed of it, a test defines itself. */
