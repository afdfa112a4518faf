# Sensors behind real kernel drivers: a BME280 (bmp280) and an LM75 (lm75) on a simulated I2C bus, DS18B20 thermometers (w1_therm) on a
# simulated 1-Wire bus; and the same BME280 by the agent's own driver over i2c-dev. Read over the agent's HTTP API.
mount -t debugfs debugfs /sys/kernel/debug
modprobe i2c-dev
modprobe i2c-sim chip_addr=0x76,0x48
modprobe bmp280-i2c
modprobe lm75
modprobe w1_therm
modprobe w1-sim thermometers=2
adapter=$(grep -l '^i2c-sim' /sys/class/i2c-dev/*/name | cut -d/ -f5)
bus=/sys/bus/i2c/devices/$adapter
chips=/sys/kernel/debug/i2c-sim
wire=/sys/module/w1_sim/parameters
thermometer=28-009876543210

set_registers() { # chip, first register in decimal, bytes as \x60...
  printf "$3" | dd of=$chips/$1/registers bs=1 seek="$2" conv=notrunc 2>/dev/null
}
# The worked example of the BMP280's data sheet (BST-BMP280-DS001, 3.12): its trimming values dig_T1 to dig_P9, and the numbers 519888 and
# 415148, which make 25.08 degrees and 100653 Pa. The humidity's are a BME280's; the data sheet has no example for them.
set_registers 76 136 '\x70\x6b\x43\x67\x18\xfc\x7d\x8e\x43\xd6\xd0\x0b\x27\x0b\x8c\x00\xf9\xff\x8c\x3c\xf8\xc6\x70\x17\x00\x4b'
set_registers 76 208 '\x60'
set_registers 76 225 '\x72\x01\x00\x13\x2a\x03\x1e'
set_registers 76 247 '\x65\x5a\xc0\x7e\xed\x00\x75\x30'
echo bme280 0x76 >$bus/new_device
echo lm75 0x48 >$bus/new_device
# 25.5 degrees, in the two bytes of the temperature register; the simulated chip's second byte is the configuration register as well.
set_registers 48 0 '\x19\x80'

sees_thermometer() { [ -e /sys/bus/w1/devices/$thermometer/temperature ]; }
check 'the kernel finds the thermometer' wait_until sees_thermometer
camera-agent probe >/tmp/probe.txt
probe_has() { grep -q "$1" /tmp/probe.txt || { sed 's/^/# /' /tmp/probe.txt; return 1; }; }
check 'probe lists the BME280 with its values' probe_has "iio bme280 (${adapter#i2c-}-0076): .*pressure 1006.5 hPa.*temp 25.1 °C"
check 'probe lists the LM75' probe_has "hwmon lm75 (${adapter#i2c-}-0048): temp1 25.5 °C"
check 'probe lists the thermometer' probe_has "w1 $thermometer: temp 21.5 °C"
check 'probe lists the I2C bus with its chips' probe_has "/dev/$adapter  i2c-sim: lm75 (${adapter#i2c-}-0048), bme280 (${adapter#i2c-}-0076)"
camera-agent probe --config >/tmp/suggestion.json
check 'what probe suggests is a configuration' camera-agent config check /tmp/suggestion.json
check 'it has the sensors' grep -q '"bme280_pressure"' /tmp/suggestion.json

entity_is() { # id, what its JSON has
  wget -q -O /tmp/entity.json "http://127.0.0.1:8080/api/entities/$1" 2>/dev/null && grep -q "$2" /tmp/entity.json
}
entity_shows() {
  wait_until entity_is "$1" "$2" && return
  sed 's/^/# /' /tmp/entity.json /tmp/agent.log
  return 1
}
is_available() { entity_shows "$1" '"isAvailable":true'; }
is_unavailable() { entity_shows "$1" '"isAvailable":false'; }
has_value() { entity_shows "$1" "\"value\":\"$2\"" && is_available "$1"; }
metric_is() { wget -q -O - http://127.0.0.1:8080/metrics | grep -q "^camera_agent_sensor_$1"; }
value_of() { wget -q -O - "http://127.0.0.1:8080/api/entities/$1" | sed -n 's/.*"value":"\([^"]*\)".*/\1/p'; }

own='"kind": "bme280", "device": "/dev/'$adapter'", "interval": "200ms", "precision": 2'
cat >/tmp/agent.json <<END2
{ "cameras": { "main": { "privacy": "on" } },
  "sensors": {
    "air": { "device": "bme280", "interval": "200ms", "precision": 2 },
    "air_pressure": { "device": "bme280", "channel": "pressure", "interval": "200ms", "precision": 2 },
    "air_humidity": { "device": "${adapter#i2c-}-0076", "channel": "humidityrelative", "interval": "200ms", "precision": 2 },
    "board": { "kind": "hwmon", "device": "lm75", "interval": "200ms" },
    "pool": { "kind": "w1", "device": "$thermometer", "interval": "500ms" },
    "own": { $own },
    "own_pressure": { $own, "channel": "pressure" },
    "own_humidity": { $own, "channel": "humidityrelative" } } }
END2
camera-agent run --config /tmp/agent.json >/tmp/agent.log 2>&1 &
agent=$!
check "the kernel's driver: 25.08 °C, as in the data sheet's example" has_value air 25.08
check "the kernel's driver: 1006.53 hPa, as in the data sheet's example" has_value air_pressure 1006.53
check 'hwmon: 25.5 °C' has_value board 25.5
check '1-Wire: 21.5 °C' has_value pool 21.5
check 'the unit and the device class are those of the channel' entity_shows air_humidity '"deviceClass":"humidity".*"unit":"%"'
check "while the kernel's driver has the chip, the agent's own leaves it alone" is_unavailable own
says_why() { grep -q 'a kernel driver has the chip at 0x76' /tmp/agent.log; }
check 'and says why' wait_until says_why
check 'the values are metrics' metric_is 'value{sensor="air_pressure"} 1006.53'

# The chip changes hands while the agent runs; the kernel's values are kept to compare.
humidity=$(value_of air_humidity)
echo 0x76 >$bus/delete_device
check 'a device that is gone is unavailable' is_unavailable air
check "the agent's own driver: 25.08 °C, as in the data sheet's example" has_value own 25.08
check "the agent's own driver: 1006.53 hPa, as in the data sheet's example" has_value own_pressure 1006.53
own_humidity=$(value_of own_humidity)
check "both drivers compute the same humidity: $humidity and $own_humidity %" \
  awk "BEGIN { d = ${humidity:-0} - ${own_humidity:-99}; exit !(${humidity:-0} > 5 && d < 0.02 && d > -0.02) }"
echo N >$chips/76/answers
check "the agent's own driver: a chip that is unplugged is unavailable" is_unavailable own
echo Y >$chips/76/answers
check "the agent's own driver: it comes back by itself" is_available own
echo bme280 0x76 >$bus/new_device
check "the kernel's driver gets its chip back" has_value air 25.08
check "the agent's own driver notices" is_unavailable own

echo N >$chips/48/answers
check 'hwmon: a chip that is unplugged is unavailable' is_unavailable board
echo Y >$chips/48/answers
check 'hwmon: it comes back by itself' has_value board 25.5
set_registers 48 0 '\xe7\x00'
check 'hwmon: below zero' has_value board '-25.0'

echo 23187 >$wire/millidegrees
check '1-Wire: a change is seen' has_value pool 23.1
for trouble in answers converts damages; do
  case $trouble in damages) echo Y ;; *) echo N ;; esac >$wire/$trouble
  check "1-Wire: unavailable, and no wrong value, when trouble is '$trouble'" is_unavailable pool
  case $trouble in damages) echo N ;; *) echo Y ;; esac >$wire/$trouble
  check "1-Wire: it comes back after '$trouble'" has_value pool 23.1
done
echo 85000 >$wire/millidegrees
check '1-Wire: 85 °C that are measured are shown' has_value pool 85.0
echo $thermometer >/sys/bus/w1/devices/w1_bus_master1/w1_master_remove
check '1-Wire: a thermometer that is removed is unavailable' is_unavailable pool
echo $thermometer >/sys/bus/w1/devices/w1_bus_master1/w1_master_add
check '1-Wire: it comes back by itself' has_value pool 85.0

# A driver that hangs: each of the two messages of a reading takes 6.5 s, which together is more than the agent waits.
echo 6500 >$chips/48/delay_ms
usleep 500000
echo 30000 >$wire/millidegrees
check 'while a driver hangs the others go on' has_value pool 30.0
# Whatever else is on the adapter hangs with it.
has_hung() { metric_is 'hangs_total [1-9]'; }
hangs() { wait_until has_hung || wait_until has_hung; }
check 'a driver that hangs is given up on' hangs
check 'its sensor is unavailable' is_unavailable board
echo 0 >$chips/48/delay_ms
check 'it comes back when the driver does' is_available board

kill $agent
check 'the agent stops' wait $agent
modprobe -r w1-sim
modprobe -r w1_therm
echo 0x76 >$bus/delete_device
echo 0x48 >$bus/delete_device
for module in i2c-sim bmp280-i2c lm75 i2c-dev; do modprobe -r $module; done
umount /sys/kernel/debug
