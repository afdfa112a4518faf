/* SPDX-License-Identifier: GPL-2.0 */
/* Before Debian's kernel/irq/irq_sim.c, which the kernel itself has built in or not at all: what it needs to be a module. */
#include <linux/module.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/interrupt.h>

/* Not exported to modules; this goes the same way. */
#define irq_to_desc(irq) irq_data_to_desc(irq_get_irq_data(irq))

MODULE_LICENSE("GPL");
