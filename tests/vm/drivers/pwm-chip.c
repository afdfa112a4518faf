// SPDX-License-Identifier: GPL-2.0
/*
 * A PWM chip without hardware: what it was last told is in its parameter `state`, one line a channel, and how often in `applied`.
 * Unbinding the platform device pwm-chip takes the chip away, binding it brings it back.
 */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pwm.h>
#include <linux/version.h>

#define CHANNELS 4
#define NAME "pwm-chip"

static DEFINE_SPINLOCK(lock);
static struct pwm_state states[CHANNELS];
static unsigned long applied;
module_param(applied, ulong, 0644);
MODULE_PARM_DESC(applied, "states applied since the start, or since 0 was written here");

static bool refuse;
module_param(refuse, bool, 0644);
MODULE_PARM_DESC(refuse, "every state is refused with EIO");

static int state_get(char *buffer, const struct kernel_param *kp)
{
	int i, length = 0;

	spin_lock(&lock);
	for (i = 0; i < CHANNELS; i++)
		length += sysfs_emit_at(buffer, length, "%d: %llu/%llu %s %s\n", i, (u64)states[i].duty_cycle, (u64)states[i].period,
					states[i].polarity == PWM_POLARITY_NORMAL ? "normal" : "inversed", states[i].enabled ? "enabled" : "disabled");
	spin_unlock(&lock);
	return length;
}

static const struct kernel_param_ops state_ops = { .get = state_get };
module_param_cb(state, &state_ops, NULL, 0444);
MODULE_PARM_DESC(state, "each channel's duty cycle and period in nanoseconds, polarity, and whether it is enabled");

static int chip_apply(struct pwm_chip *chip, struct pwm_device *pwm, const struct pwm_state *state)
{
	if (refuse)
		return -EIO;
	spin_lock(&lock);
	states[pwm->hwpwm] = *state;
	applied++;
	spin_unlock(&lock);
	return 0;
}

static const struct pwm_ops chip_ops = {
	.apply = chip_apply,
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	.owner = THIS_MODULE,
#endif
};

static int chip_probe(struct platform_device *device)
{
	struct pwm_chip *chip;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	chip = devm_pwmchip_alloc(&device->dev, CHANNELS, 0);
	if (IS_ERR(chip))
		return PTR_ERR(chip);
#else
	chip = devm_kzalloc(&device->dev, sizeof(*chip), GFP_KERNEL);
	if (!chip)
		return -ENOMEM;
	chip->dev = &device->dev;
	chip->npwm = CHANNELS;
#endif
	chip->ops = &chip_ops;
	return devm_pwmchip_add(&device->dev, chip);
}

static struct platform_driver driver = { .probe = chip_probe, .driver = { .name = NAME } };
static struct platform_device *device;

static int __init chip_init(void)
{
	int result = platform_driver_register(&driver);

	if (result)
		return result;
	device = platform_device_register_simple(NAME, PLATFORM_DEVID_NONE, NULL, 0);
	if (!IS_ERR(device))
		return 0;
	platform_driver_unregister(&driver);
	return PTR_ERR(device);
}

static void __exit chip_exit(void)
{
	platform_device_unregister(device);
	platform_driver_unregister(&driver);
}

module_init(chip_init);
module_exit(chip_exit);
MODULE_DESCRIPTION("camera-agent test PWM chip");
MODULE_LICENSE("GPL");
