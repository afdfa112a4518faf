# Lights and servos on a PWM chip of a real kernel (drivers/pwm-chip.c), operated over HTTP: what counts is what the driver was told.
driver=/sys/bus/platform/drivers/pwm-chip
told() { sed -n "s/^$1: //p" /sys/module/pwm_chip/parameters/state; } # channel
is_told() { [ "$(told "$1")" = "$2" ]; } # channel, state
driver_shows() { # channel, state
  wait_until is_told "$1" "$2" && return
  echo "# channel $1 is $(told "$1"), not $2"
  sed 's/^/# /' /tmp/agent.log
  return 1
}
entity_is() { # id, what its JSON has
  wget -q -O /tmp/entity.json "http://127.0.0.1:8080/api/entities/$1" 2>/dev/null && grep -q "$2" /tmp/entity.json
}
entity_shows() {
  wait_until entity_is "$1" "$2" && return
  sed 's/^/# /' /tmp/entity.json /tmp/agent.log
  return 1
}
tell() { wget -q -O /dev/null --header 'Content-Type: text/plain' --post-data "$2" "http://127.0.0.1:8080/api/entities/$1"; } # id, command
start_pwm_agent() { # what the light has besides, what the servos have besides
  cat >/tmp/agent.json <<END
{ "stateDirectory": "/tmp/pwm-state",
  "cameras": { "main": { "privacy": "on" } },
  "pwm": { "lamp": { "chip": "pwm-chip", "gamma": 1, "fade": 200 $1 } },
  "panTilt": { "porch": {
    "pan": { "chip": "pwm-chip", "channel": 2, "minimumPulse": 500, "maximumPulse": 2500, "range": 180, "speed": 60 },
    "tilt": { "chip": "pwm-chip", "channel": 3, "inverted": true },
    "presets": { "door": { "pan": 9, "tilt": 18 } } $2 } } }
END
  camera-agent run --config /tmp/agent.json >/tmp/agent.log 2>&1 &
  agent=$!
}
stop_pwm_agent() {
  kill $agent
  wait $agent
}

rm -rf /tmp/pwm-state
modprobe pwm-chip
start_pwm_agent '' ''
check 'the light is available' entity_shows lamp '"isAvailable":true'
check 'the servos are available' entity_shows porch_pan '"isAvailable":true'
check 'a light that was never on is off, its period set' driver_shows 0 '0/1000000 normal disabled'
check 'servos are held at their centre, 50 times a second' driver_shows 2 '1500000/20000000 normal enabled'

check 'a brightness is taken' tell lamp 40
check 'its duty cycle and period reach the driver' driver_shows 0 '400000/1000000 normal enabled'
check 'the state says so' entity_shows lamp '"value":"\?40'
check 'OFF is taken' tell lamp OFF
check 'the output is disabled' driver_shows 0 '0/1000000 normal disabled'
tell lamp ON

echo 0 >/sys/module/pwm_chip/parameters/applied
check 'an angle is taken' tell porch_pan 9
check 'the pulse ends where it is to be' driver_shows 2 '1600000/20000000 normal enabled'
applied=$(cat /sys/module/pwm_chip/parameters/applied)
check "it goes there in small steps: $applied" [ "$applied" -gt 5 ]
check 'an inverted servo is taken to an angle' tell porch_tilt 9
check 'it has the shorter pulse' driver_shows 3 '1400000/20000000 normal enabled'
check 'home is taken' tell porch_home PRESS
check 'both are at their centre' driver_shows 2 '1500000/20000000 normal enabled'
check 'a preset is taken' tell porch_preset_door PRESS
check 'the tilt is where the preset has it' driver_shows 3 '1300000/20000000 normal enabled'
check 'the pan too' driver_shows 2 '1600000/20000000 normal enabled'
check 'an angle beyond the limits is refused' eval '! tell porch_tilt 46'

# The chip goes away and comes back.
echo pwm-chip >$driver/unbind
check 'without its chip the light is unavailable' entity_shows lamp '"isAvailable":false'
check 'without their chip the servos are unavailable' entity_shows porch_tilt '"isAvailable":false'
check 'a command is refused then' eval '! tell lamp 70'
check 'the log says once what is missing' [ "$(grep -c 'PWM channel 0 of chip "pwm-chip" is not there' /tmp/agent.log)" = 1 ]
echo pwm-chip >$driver/bind
check 'with its chip the light is available again' entity_shows lamp '"isAvailable":true'
check 'it is as it was' driver_shows 0 '400000/1000000 normal enabled'
check 'the servos are held again where they were' driver_shows 2 '1600000/20000000 normal enabled'

echo Y >/sys/module/pwm_chip/parameters/refuse
tell lamp 10
check 'when its driver fails the light is unavailable' entity_shows lamp '"isAvailable":false'
echo N >/sys/module/pwm_chip/parameters/refuse
check 'it is available again when the driver works' entity_shows lamp '"isAvailable":true'
check 'it is as it was told to be' driver_shows 0 '100000/1000000 normal enabled'

check 'camera-agent stops when it is asked to' stop_pwm_agent
check 'the light is off at the stop' driver_shows 0 '0/1000000 normal disabled'
check 'the servos let go' driver_shows 2 '1600000/20000000 normal disabled'
check 'every channel is given back' eval '! ls -d /sys/class/pwm/pwmchip*/pwm[0-9] 2>/dev/null'

start_pwm_agent ', "atStop": "keep"' ', "atStop": "hold", "releaseAfter": 1000'
check 'light and servos are as they were after a restart' driver_shows 3 '1300000/20000000 normal enabled'
check 'so is the light' driver_shows 0 '100000/1000000 normal enabled'
check 'the servos let go after standing still' driver_shows 3 '1300000/20000000 normal disabled'
tell porch_home PRESS
check 'they are taken up again' driver_shows 3 '1500000/20000000 normal enabled'
check 'camera-agent stops' stop_pwm_agent
check 'what is to stay as it is stays: the light' driver_shows 0 '100000/1000000 normal enabled'
for channel in 0 2 3; do
  [ ! -e /sys/class/pwm/pwmchip*/pwm$channel ] || echo $channel >"$(echo /sys/class/pwm/pwmchip*/unexport)"
done
modprobe -r pwm-chip
