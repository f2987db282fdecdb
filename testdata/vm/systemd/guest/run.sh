#!/bin/busybox sh
# Runs the tests when the system is up, writes /out as a tar onto the disk, and
# powers off. What it says after "vm: " is the host's progress.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root TMPDIR=/tmp
say() { echo "vm: $*"; }

read -r up _ </proc/uptime
say "multi-user.target after $up s"
for dir in /tests/*; do
	[ -d "$dir" ] || continue
	say "tests of $(cat "$dir/package")"
	out=/out/tests/${dir##*/}
	mkdir -p "$out"
	cd "$dir" || continue
	{
		./test -test.v -test.timeout=1200s -test.run "$(cat run)" 2>&1
		echo $? >"$out/status"
	} | tee "$out/output"
done
say "write the results"
cd /out || exit
journalctl --no-pager -o short-monotonic >journal
find . -type f ! -name SHA256SUMS | sort | xargs sha256sum >SHA256SUMS
tar -cf /dev/vda . && sync && say end
poweroff -f
