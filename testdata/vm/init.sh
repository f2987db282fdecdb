#!/bin/busybox sh
# The guest's init: readies CAN buses, runs the scenarios and the vm tests,
# writes /out as a tar onto the disk, and powers off. What it says after "vm: "
# is the host's progress.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root TMPDIR=/tmp
/bin/busybox --install -s /bin 2>/dev/null
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
say() { echo "vm: $*"; }
ip() { /bin/ip "$@"; } # iproute2's, not busybox's

# fail ends the guest early; the host misses its "end".
fail() {
	echo "init: $*"
	poweroff -f
}

read -r up _ </proc/uptime
say "user space after $up s"
while read -r module; do
	insmod "$module" || fail "cannot load $module"
done </modules.list
sysctl -p /etc/sysctl.d/90-vignette-can.conf || fail "the shipped sysctl file does not apply"
# A virtual bus's frames pass through the processor's backlog, of which a real
# controller's driver knows nothing. What is lost there no socket counts.
sysctl -w net.core.netdev_max_backlog=100000
ip link set lo up
for bus in vcan0 vcan1; do
	ip link add "$bus" type vcan && ip link set "$bus" mtu 72 up || fail "cannot make $bus"
done
# can0 and can1 are controllers, each with another on its bus, on which what is
# sent to it is sent; or they are virtual.
if [ -e /sys/class/net/can0 ]; then
	peer=peer
	ip link set can2 name peer0 && ip link set can3 name peer1 || fail "there are no four CAN controllers"
	for bus in can0 can1 peer0 peer1; do
		ip link set "$bus" txqueuelen 1000 up type can bitrate 500000 restart-ms 100 || fail "cannot ready $bus"
	done
else
	peer=can
	for bus in can0 can1; do
		ip link add "$bus" type vcan && ip link set "$bus" mtu 72 up || fail "cannot make $bus"
	done
fi

# vm_test DIR: runs one package's tests.
vm_test() {
	out=/out/tests/${1##*/}
	mkdir -p "$out"
	cd "$1" || return
	{
		./test -test.v -test.timeout=600s -test.run "$(cat run)" 2>&1
		echo $? >"$out/status"
	} | tee "$out/output"
	cd /
}

# await FILE TEXT N: waits for N lines with a text, and gives up after 30 s.
await() {
	for _ in $(seq 300); do
		[ "$(grep -c "$2" "$1" 2>/dev/null)" -ge "$3" ] 2>/dev/null && return
		usleep 100000
	done
	echo "init: not $3 times '$2' in $1:"
	cat "$1"
}

# scenario DIR: the HMI, if DIR/hmi is there, and the agent are on the bus, and
# canplayer plays; then the agent is told to stop.
scenario() {
	out=/out/scenarios/${1##*/}
	mkdir -p "$out"
	cp "$1/agent.yaml" "$out"
	if [ -e "$1/hmi" ]; then
		vignette-hmi --bus unix:path=/run/bus --summary "$out/hmi.json" >"$out/hmi.out" 2>&1 &
		hmi=$!
		await "$out/hmi.out" waiting 1
	fi
	vignette-agent --unsigned --config "$out/agent.yaml" >"$out/agent.out" 2>&1 &
	agent=$!
	await "$out/agent.out" link=up "$(cat "$1/buses")"
	canplayer -g 10 -I "$1/play.log" "${peer}0=can0" "${peer}1=can1" vcan1=vcan1
	echo $? >"$out/canplayer.status"
	sleep 2 # the agent takes the last frames; the HMI answers
	kill -TERM $agent
	wait $agent
	echo $? >"$out/agent.status"
	if [ -e "$1/hmi" ]; then
		wait $hmi
		echo $? >"$out/hmi.status"
	fi
	cat "$out/agent.out"
}

dbus-daemon --config-file=/etc/bus.conf --fork --nopidfile || fail "dbus-daemon does not start"
for dir in /scenarios/*; do
	[ -d "$dir" ] || continue
	say "scenario ${dir##*/}"
	scenario "$dir"
done
# After the scenarios, since they raise limits and set the clock.
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/bus VM_RUNS=/out/runs
for dir in /tests/*; do
	[ -d "$dir" ] || continue
	say "tests of $(cat "$dir/package")"
	vm_test "$dir"
done
ip -s -d link show >/out/links
cp /proc/net/softnet_stat /out
say "write the results"
cd /out || fail "no /out"
find . -type f ! -name SHA256SUMS | sort | xargs sha256sum >SHA256SUMS
tar -cf /dev/vda . || fail "cannot write the results"
sync
say end
poweroff -f
