/* SPDX-License-Identifier: GPL-2.0-only */
/* Before each access that other threads can see, the model may let one of them run. */
#ifndef TEST_UNIT_POSTED_STEP_H
#define TEST_UNIT_POSTED_STEP_H

void model_step(const volatile void *p);
#define STEP(p)	model_step(p)

#endif
