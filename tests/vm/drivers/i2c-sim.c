// SPDX-License-Identifier: GPL-2.0
/*
 * An I2C adapter without hardware that takes plain I2C transfers, as i2c-stub does not: so I2C_RDWR works on its /dev/i2c-N. Its chips
 * are 256 registers each: the first byte written is the register, and each further byte written or read is the next one's.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/i2c.h>
#include <linux/module.h>

#define MAX_CHIPS 8
#define REGISTERS 256

struct sim_chip {
	u8 registers[REGISTERS];
	u8 next_register;
	bool answers;
	u32 delay_ms;
};

static struct sim_chip chips[MAX_CHIPS];
static struct dentry *folder;

static unsigned short addresses[MAX_CHIPS] = { 0x76 };
static int chip_count = 1;
module_param_array_named(chip_addr, addresses, ushort, &chip_count, 0444);
MODULE_PARM_DESC(chip_addr, "addresses at which chips answer");

static struct sim_chip *find_chip(u16 address)
{
	int i;

	for (i = 0; i < chip_count; i++) {
		if (addresses[i] == address && READ_ONCE(chips[i].answers))
			return &chips[i];
	}
	return NULL;
}

static void transfer_message(struct sim_chip *chip, const struct i2c_msg *message)
{
	int i = 0;

	if (message->flags & I2C_M_RD) {
		for (; i < message->len; i++)
			message->buf[i] = chip->registers[chip->next_register++];
		return;
	}
	if (message->len > 0)
		chip->next_register = message->buf[i++];
	for (; i < message->len; i++)
		chip->registers[chip->next_register++] = message->buf[i];
}

static int sim_transfer(struct i2c_adapter *adapter, struct i2c_msg *messages, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		struct sim_chip *chip = find_chip(messages[i].addr);

		/* Nobody acknowledges the address: Documentation/i2c/fault-codes.rst. */
		if (!chip)
			return -ENXIO;
		if (READ_ONCE(chip->delay_ms))
			msleep(READ_ONCE(chip->delay_ms));
		transfer_message(chip, &messages[i]);
	}
	return count;
}

static u32 sim_functionality(struct i2c_adapter *adapter)
{
	return I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL;
}

static const struct i2c_algorithm sim_algorithm = {
	.master_xfer = sim_transfer,
	.functionality = sim_functionality,
};

static struct i2c_adapter sim_adapter = {
	.owner = THIS_MODULE,
	.algo = &sim_algorithm,
	.name = "i2c-sim",
};

static ssize_t registers_read(struct file *file, char __user *buffer, size_t count, loff_t *position)
{
	struct sim_chip *chip = file->private_data;

	return simple_read_from_buffer(buffer, count, position, chip->registers, REGISTERS);
}

static ssize_t registers_write(struct file *file, const char __user *buffer, size_t count, loff_t *position)
{
	struct sim_chip *chip = file->private_data;

	return simple_write_to_buffer(chip->registers, REGISTERS, position, buffer, count);
}

static const struct file_operations registers_operations = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = registers_read,
	.write = registers_write,
	.llseek = default_llseek,
};

static void add_chip_folder(struct sim_chip *chip, u16 address)
{
	char name[8];
	struct dentry *chip_folder;

	snprintf(name, sizeof(name), "%02x", address);
	chip_folder = debugfs_create_dir(name, folder);
	debugfs_create_file("registers", 0600, chip_folder, chip, &registers_operations);
	debugfs_create_bool("answers", 0600, chip_folder, &chip->answers);
	debugfs_create_u32("delay_ms", 0600, chip_folder, &chip->delay_ms);
}

static int __init sim_init(void)
{
	int i;
	int error;

	folder = debugfs_create_dir("i2c-sim", NULL);
	for (i = 0; i < chip_count; i++) {
		chips[i].answers = true;
		add_chip_folder(&chips[i], addresses[i]);
	}
	error = i2c_add_adapter(&sim_adapter);
	if (error)
		debugfs_remove_recursive(folder);
	return error;
}

static void __exit sim_exit(void)
{
	i2c_del_adapter(&sim_adapter);
	debugfs_remove_recursive(folder);
}

module_init(sim_init);
module_exit(sim_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("I2C adapter without hardware, with chips that are registers");
