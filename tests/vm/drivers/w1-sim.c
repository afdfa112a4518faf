// SPDX-License-Identifier: GPL-2.0
/*
 * A 1-Wire bus master without hardware, with DS18B20 thermometers: what they answer is that chip's data sheet's. Their ids are
 * 28-009876543210, 28-009876543211 and so on.
 */
#include <linux/module.h>
#include <linux/w1.h>

#define MAX_THERMOMETERS 8
#define ROM_SIZE 8
#define SCRATCHPAD_SIZE 9
#define FAMILY_DS18B20 0x28
#define MILLIDEGREES_AT_POWER_ON 85000

/* Byte 6 of the scratchpad: this after power on, another value after a conversion. */
#define RESERVED_AT_POWER_ON 0x0c
#define RESERVED_AFTER_CONVERSION 0x10

enum rom_command {
	ROM_READ = 0x33,
	ROM_MATCH = 0x55,
	ROM_SKIP = 0xcc,
};

enum function_command {
	FUNCTION_CONVERT = 0x44,
	FUNCTION_WRITE_SCRATCHPAD = 0x4e,
	FUNCTION_READ_SCRATCHPAD = 0xbe,
};

enum bus_state {
	EXPECTS_ROM_COMMAND,
	EXPECTS_ROM,
	EXPECTS_FUNCTION,
	EXPECTS_SCRATCHPAD,
	IS_READ,
	IS_IDLE,
};

static int millidegrees = 21500;
module_param(millidegrees, int, 0644);
MODULE_PARM_DESC(millidegrees, "what the first thermometer measures; each further one a degree more");

static int thermometers = 1;
module_param(thermometers, int, 0444);
MODULE_PARM_DESC(thermometers, "how many there are");

static bool answers = true;
module_param(answers, bool, 0644);
MODULE_PARM_DESC(answers, "N: none is on the bus any more");

static bool converts = true;
module_param(converts, bool, 0644);
MODULE_PARM_DESC(converts, "N: conversions fail, as with too weak a supply: the power-on value of 85 degrees stays");

static bool damages;
module_param(damages, bool, 0644);
MODULE_PARM_DESC(damages, "Y: what is read has a wrong CRC");

static u8 roms[MAX_THERMOMETERS][ROM_SIZE];
static int measured[MAX_THERMOMETERS];
static bool has_measured[MAX_THERMOMETERS];
/* TH, TL and the configuration register: 12 bits. */
static u8 settings[3] = { 75, 70, 0x7f };

static enum bus_state state;
static int selected;
static int position;
static u8 bytes[SCRATCHPAD_SIZE];

/* The Dallas CRC of 8 bits: x^8 + x^5 + x^4 + 1, least significant bit first. */
static u8 dallas_crc(const u8 *data, int count)
{
	u8 crc = 0;
	int bit;

	while (count-- > 0) {
		crc ^= *data++;
		for (bit = 0; bit < 8; bit++)
			crc = (crc & 1) ? (crc >> 1) ^ 0x8c : crc >> 1;
	}
	return crc;
}

static void fill_scratchpad(void)
{
	s16 sixteenths = measured[selected] * 16 / 1000;

	bytes[0] = sixteenths & 0xff;
	bytes[1] = sixteenths >> 8;
	memcpy(&bytes[2], settings, sizeof(settings));
	bytes[5] = 0xff;
	bytes[6] = has_measured[selected] ? RESERVED_AFTER_CONVERSION : RESERVED_AT_POWER_ON;
	bytes[7] = 0x10;
	bytes[8] = dallas_crc(bytes, SCRATCHPAD_SIZE - 1);
	if (damages)
		bytes[8] ^= 0xff;
}

static void start_reading(void)
{
	position = 0;
	state = IS_READ;
}

static void take_rom_command(u8 command)
{
	state = IS_IDLE;
	if (command == ROM_SKIP) {
		selected = 0;
		state = EXPECTS_FUNCTION;
	} else if (command == ROM_MATCH) {
		position = 0;
		state = EXPECTS_ROM;
	} else if (command == ROM_READ) {
		memcpy(bytes, roms[0], ROM_SIZE);
		start_reading();
	}
}

static void take_rom(u8 byte)
{
	int i;

	bytes[position++] = byte;
	if (position < ROM_SIZE)
		return;
	state = IS_IDLE;
	for (i = 0; i < thermometers; i++) {
		if (memcmp(bytes, roms[i], ROM_SIZE) == 0) {
			selected = i;
			state = EXPECTS_FUNCTION;
		}
	}
}

static void take_function(u8 command)
{
	state = IS_IDLE;
	if (command == FUNCTION_CONVERT) {
		has_measured[selected] = converts;
		measured[selected] = converts ? millidegrees + selected * 1000 : MILLIDEGREES_AT_POWER_ON;
	} else if (command == FUNCTION_READ_SCRATCHPAD) {
		fill_scratchpad();
		start_reading();
	} else if (command == FUNCTION_WRITE_SCRATCHPAD) {
		position = 0;
		state = EXPECTS_SCRATCHPAD;
	}
}

static void sim_write_byte(void *data, u8 byte)
{
	if (state == EXPECTS_ROM_COMMAND)
		take_rom_command(byte);
	else if (state == EXPECTS_ROM)
		take_rom(byte);
	else if (state == EXPECTS_FUNCTION)
		take_function(byte);
	else if (state == EXPECTS_SCRATCHPAD && position < sizeof(settings))
		settings[position++] = byte;
}

/* A bus that nobody pulls down reads as ones; so does the answer of a thermometer that has its own supply. */
static u8 sim_read_byte(void *data)
{
	if (state == IS_READ && position < SCRATCHPAD_SIZE)
		return bytes[position++];
	return 0xff;
}

static void sim_write_block(void *data, const u8 *block, int count)
{
	while (count-- > 0)
		sim_write_byte(data, *block++);
}

static u8 sim_read_block(void *data, u8 *block, int count)
{
	int i;

	for (i = 0; i < count; i++)
		block[i] = sim_read_byte(data);
	return count;
}

static u8 sim_touch_bit(void *data, u8 bit)
{
	return 1;
}

/* 0 if somebody is there. */
static u8 sim_reset_bus(void *data)
{
	state = answers ? EXPECTS_ROM_COMMAND : IS_IDLE;
	return answers ? 0 : 1;
}

static void sim_search(void *data, struct w1_master *master, u8 type, w1_slave_found_callback found)
{
	__le64 rom;
	int i;

	if (type == W1_ALARM_SEARCH || !answers)
		return;
	for (i = 0; i < thermometers; i++) {
		memcpy(&rom, roms[i], sizeof(rom));
		found(master, le64_to_cpu(rom));
	}
}

static struct w1_bus_master sim_master = {
	.touch_bit = sim_touch_bit,
	.read_byte = sim_read_byte,
	.write_byte = sim_write_byte,
	.read_block = sim_read_block,
	.write_block = sim_write_block,
	.reset_bus = sim_reset_bus,
	.search = sim_search,
};

static int __init sim_init(void)
{
	static const u8 serial[] = { 0x10, 0x32, 0x54, 0x76, 0x98, 0x00 };
	int i;

	thermometers = clamp(thermometers, 0, MAX_THERMOMETERS);
	for (i = 0; i < thermometers; i++) {
		roms[i][0] = FAMILY_DS18B20;
		memcpy(&roms[i][1], serial, sizeof(serial));
		roms[i][1] += i;
		roms[i][ROM_SIZE - 1] = dallas_crc(roms[i], ROM_SIZE - 1);
		measured[i] = MILLIDEGREES_AT_POWER_ON;
	}
	return w1_add_master_device(&sim_master);
}

static void __exit sim_exit(void)
{
	w1_remove_master_device(&sim_master);
}

module_init(sim_init);
module_exit(sim_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("1-Wire bus master without hardware, with DS18B20 thermometers");
