#!/bin/busybox sh
# What an initramfs does: loads the kernel's modules, mounts the disk of what is
# kept, and becomes systemd.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
/bin/busybox --install -s /bin 2>/dev/null
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1

# fail ends the guest early; the host misses its "end".
fail() {
	echo "init: $*"
	poweroff -f
}

while read -r module; do
	insmod "$module" || fail "cannot load $module"
done </modules.list
date -s '2026-02-15 08:00:00' # the demonstration's study is open then
# In memory: while the guest waited for a disk of the host, its clock, which skips
# what it waits, would run away.
/sbin/mke2fs -q -t ext4 -m 0 /dev/ram0 || fail "cannot make a file system"
mount -t ext4 /dev/ram0 /var/lib/vignette || fail "cannot mount it"
mount -t tmpfs out /out # the root becomes read-only while tests write here
read -r up _ </proc/uptime
echo "vm: systemd begins after $up s"
exec /lib/systemd/systemd
