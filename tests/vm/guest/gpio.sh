# GPIO lines on gpio-sim: what the agent shows of inputs that sysfs pulls, what it drives, and how it takes lines that are taken, away or
# as another run has left them. The agent is driven over its HTTP API.
modprobe configfs
grep -q ' /sys/kernel/config ' /proc/mounts || mount -t configfs config /sys/kernel/config
modprobe gpio-sim
sims=/sys/kernel/config/gpio-sim

new_chip() { # name lines... ("-" for a line without a name)
  local chip=$sims/$1 offset=0 line
  mkdir "$chip" "$chip/bank0"
  echo "$1" >"$chip/bank0/label"
  shift
  echo $# >"$chip/bank0/num_lines"
  for line in "$@"; do
    if [ "$line" != - ]; then
      mkdir "$chip/bank0/line$offset"
      echo "$line" >"$chip/bank0/line$offset/name"
    fi
    offset=$((offset + 1))
  done
}
node() { cat "$sims/$1/bank0/chip_name"; }
sim() { echo "/sys/devices/platform/$(cat "$sims/$1/dev_name")/$(node "$1")/sim_gpio$2"; } # chip offset: its folder in sysfs
pull() { echo "pull-$2" >"$board$1/pull"; } # offset on the board, up|down; starts no process, so that what is to be short is
level() { cat "$(sim "$1" "$2")/value"; }
is_level() { [ "$(level "$1" "$2")" = "$3" ]; }

new_chip board PIR DOOR BELL RELAY LAMP OPENER CUT_IN CUT_OUT DRAIN - HEATER PRIVACY TWICE UP DOWN TAKEN
mkdir $sims/board/bank0/line10/hog
echo warmer >$sims/board/bank0/line10/hog/name
echo output-high >$sims/board/bank0/line10/hog/direction
new_chip expander EXP0 TWICE
echo 1 >$sims/board/live
echo 1 >$sims/expander/live
board=$(sim board '')

camera-agent probe >/tmp/probe.txt
check "camera-agent probe shows a chip, its lines and who uses them" grep -q "/dev/$(node board)  board (16 lines)" /tmp/probe.txt
check "camera-agent probe names the kernel's consumer of a line" grep -q '10 HEATER (warmer)' /tmp/probe.txt
check "camera-agent probe --config is a configuration" sh -c 'camera-agent probe --config >/tmp/suggested.json && camera-agent config check /tmp/suggested.json'

start_agent() { # what is in "gpio", and after it; port
  cat >/tmp/gpio-$2.json <<JSON
{ "http": { "listen": "127.0.0.1:$2" }, "webrtc": { "udpPort": $2 }, "stateDirectory": "/tmp/gpio-state-$2", "gpio": { $1 } }
JSON
  camera-agent run --config /tmp/gpio-$2.json >/tmp/gpio-$2.log 2>&1 &
  agent=$!
}
entity() { wget -q -O - http://127.0.0.1:8080/api/entities/$1 2>/dev/null; }
shows() { entity "$1" | grep -q "\"value\":\"$2\".*\"isAvailable\":true"; } # entity value
is_available() { entity "$1" | grep -q "\"isAvailable\":$2"; }
command() { wget -q -O /dev/null --post-data "{\"value\":\"$2\"}" http://127.0.0.1:8080/api/entities/$1; } # entity value
becomes() { # entity value
  wait_until shows "$1" "$2" && return
  { entity "$1"; echo; tail -20 /tmp/gpio-8080.log; } | sed 's/^/# /'
  return 1
}
log_says() { grep -q "$1" /tmp/gpio-8080.log; }
metric() { wget -q -O - http://127.0.0.1:8080/metrics | sed -n "s/^camera_agent_gpio_$1 //p"; }

things='
  "pir": { "kind": "motion", "line": "PIR", "debounce": 0 },
  "door": { "kind": "door", "chip": "board", "offset": 1, "debounce": 1000 },
  "bell": { "kind": "button", "line": "BELL", "longPress": 4000, "multiPress": 3000 },
  "relay": { "kind": "relay", "line": "RELAY", "start": "off" },
  "lamp": { "kind": "light", "line": "LAMP", "activeLow": true },
  "opener": { "kind": "pulse", "line": "OPENER", "pulse": 6000 },
  "ir_cut": { "kind": "irCut", "line": "CUT_IN", "outLine": "CUT_OUT", "pulse": 6000 },
  "drain": { "kind": "switch", "line": "DRAIN", "drive": "open-drain" },
  "plain": { "kind": "switch", "chip": "/dev/'$(node board)'", "offset": 9, "maximumOn": 6 },
  "heater": { "kind": "relay", "line": "HEATER" },
  "privacy_key": { "kind": "privacySwitch", "line": "PRIVACY" },
  "twice": { "kind": "contact", "line": "TWICE" },
  "up": { "kind": "relay", "line": "UP", "interlock": "blind" },
  "down": { "kind": "relay", "line": "DOWN", "interlock": "blind" },
  "taken": { "kind": "relay", "line": "TAKEN" },
  "siren": { "kind": "relay", "line": "EXP0" }'

# Another process has a line before.
start_agent '"other": { "kind": "relay", "line": "TAKEN" }' 8081
other=$agent
wait_until sh -c 'camera-agent probe | grep -q "15 TAKEN (camera-agent)"'
start_agent "$things"' }, "automations": { "bell_lamp": { "when": [{ "entity": "bell", "event": "double" }], "do": [{ "set": "lamp", "to": "on" }] }' 8080

check "a motion sensor is found by its line's name" becomes pir OFF
pull 0 up
check "a rising level is motion" becomes pir ON
pull 0 down
check "a falling level ends it" becomes pir OFF
check "a door is found by chip and offset, and its pull-up opens it" becomes door ON
pull 1 down
check "a closed contact closes it" becomes door OFF
seen=$(metric edges_total)
pull 1 up
pull 1 down
usleep 1500000
check "the kernel's debounce keeps a glitch out" [ "$(metric edges_total)" = "$seen" ]
check "so the door stays closed" shows door OFF

press() { pull 2 down; usleep "$1"; pull 2 up; } # microseconds
wait_until is_available bell true
press 100000
check "a short press of a button is single" becomes bell single
pull 2 down
check "a held one is long" becomes bell long
pull 2 up
check "and is let go of" becomes bell release
wait_until is_level board 4 1
press 80000; usleep 80000; press 80000
check "two are double" becomes bell double
check "which an automation takes to switch the lamp on: low, as it is active-low" wait_until is_level board 4 0
check "the lamp shows so" becomes lamp 100
pull 2 down
usleep 200000
kill -STOP $agent
pull 2 up
usleep 5000000
kill -CONT $agent
check "an agent that was asleep for 5 s still tells a short press from a long one, by the kernel's timestamps" becomes bell single

kill -STOP $agent
# A level has to last until the interrupt's thread has seen it; shorter ones are no event that could be lost.
for i in $(seq 100); do pull 0 up; usleep 25000; pull 0 down; usleep 25000; done
pull 0 up
kill -CONT $agent
check "after more changes than the kernel keeps, the state is the last one" becomes pir ON
has_counted() { [ "$(metric edges_lost_total)" -gt 50 ]; }
check "and the lost ones are counted" wait_until has_counted

command relay ON
check "a relay that is switched on is driven high" is_level board 3 1
check "and shows so" becomes relay ON
command relay OFF
check "switched off it is low" is_level board 3 0
command opener PRESS
check "a pulse begins with the command" is_level board 5 1
check "and ends by itself" wait_until is_level board 5 0
wait_until is_level board 6 0
check "a filter on a bridge rests with both lines low" [ "$(level board 6)$(level board 7)" = 00 ]
command ir_cut OFF
check "it is moved out by a pulse on the one line only" [ "$(level board 6)$(level board 7)" = 01 ]
check "which ends" wait_until is_level board 7 0
check "the filter is out" becomes ir_cut OFF
command drain ON
check "an open-drain output is never driven high" is_level board 8 0
check "though it is on" becomes drain ON
command plain ON
check "a line without a name is driven" is_level board 9 1
check "and goes off by itself after its maximumOn" becomes plain OFF
check "so does the line" is_level board 9 0
command up ON
check "an interlocked output is refused while the other is on" sh -c '! wget -q -O /dev/null --post-data "{\"value\":\"ON\"}" http://127.0.0.1:8080/api/entities/down'
check "and stays low" is_level board 14 0

check "a line that a driver has makes its entity unavailable" is_available heater false
check "and the log names the consumer" log_says '"HEATER".*is in use by "warmer"'
check "a name that two chips have is refused with both" log_says '"TWICE" can be .*(board) or .*(expander)'
check "a line that another process has is unavailable" is_available taken false
check "and the log names that process" log_says '"TAKEN".*is in use by "camera-agent"'
kill $other
wait $other
# It is asked for every ten seconds by now.
wait_until is_available taken true || wait_until is_available taken true
check "it is used as soon as it is free" is_available taken true

check "without the privacy switch the camera is not private" becomes main_privacy OFF
# Closed to ground.
pull 11 down
check "the privacy switch turns the camera off" becomes main_privacy ON
check "and nobody turns it on from afar" sh -c '! wget -q -O /dev/null --post-data "{\"value\":\"OFF\"}" http://127.0.0.1:8080/api/entities/main_privacy'
check "the camera stays private" shows main_privacy ON
pull 11 up
check "when the switch is opened it is back" becomes main_privacy OFF

# An output: the kernel itself warns (remove_proc_entry) when gpio-sim is removed while an input's interrupt is in use.
command siren ON
check "a relay on the expander is driven" is_level expander 0 1
echo 0 >$sims/expander/live
check "a chip that is removed makes its entities unavailable" wait_until is_available siren false
check "and leaves the others alone" shows pir ON
echo 1 >$sims/expander/live
wait_until is_available siren true || wait_until is_available siren true
check "the chip that is put back is used again" is_available siren true
check "and its relay is driven again" is_level expander 0 1

# gpio-sim lets a line that nobody has any more fall to its pull, and keeps its direction; what the agent drives is told from that by the pull.
command relay ON
command lamp OFF
pull 3 down
kill -KILL $agent
wait $agent 2>/dev/null
check "a killed agent's lines are free" sh -c 'camera-agent probe | grep -q "3 RELAY,"'
check "and are what the driver makes of them: this one's relay falls to its pull" is_level board 3 0
start_agent "$things" 8080
check "after a kill what is to be restored is" becomes up ON
check "and driven" is_level board 13 1
check "what starts off is off" becomes relay OFF
kill $agent
check "camera-agent stops when it is asked to" wait $agent

# Without a memory the level of a line that is an output is its state.
rm -rf /tmp/gpio-state-8080
pull 13 up
start_agent '"up": { "kind": "relay", "line": "UP" }' 8080
check "an output is taken over at the level that it has" becomes up ON
check "which it keeps" is_level board 13 1
kill $agent
wait $agent

for chip in board expander; do
  echo 0 >$sims/$chip/live
  for entry in $sims/$chip/bank0/line*; do
    [ ! -d "$entry/hog" ] || rmdir "$entry/hog"
    rmdir "$entry"
  done
  rmdir $sims/$chip/bank0 $sims/$chip
done
modprobe -r gpio-sim
