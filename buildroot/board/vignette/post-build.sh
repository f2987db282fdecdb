#!/bin/sh
# Buildroot runs this with the image's root when its files are there. It refuses an
# image that would not start the agent, or that no car may have. Every fault is
# named, not only the first.
set -eu

target=${1:?"usage: post-build.sh TARGET_DIR"}
car=etc/vignette
faults=0

fault() {
	echo "vignette: $*" >&2
	faults=$((faults + 1))
}

need() {
	[ -e "$target/$1" ] || fault "/$1 is missing; $2"
}

need usr/bin/vignette-agent "select BR2_PACKAGE_VIGNETTE_AGENT"
need $car/agent.yaml "put it into the directory that BR2_PACKAGE_VIGNETTE_AGENT_CAR names"
need usr/share/dbus-1/system.d/org.vignette.Agent1.conf "without it the agent cannot own its name; rebuild vignette-agent"

if [ ! -e "$target/usr/lib/systemd/system/vignette-agent.service" ] && [ ! -x "$target/etc/init.d/S80vignette-agent" ]; then
	fault "nothing starts the agent; it knows BR2_INIT_SYSTEMD, BR2_INIT_BUSYBOX and BR2_INIT_SYSV"
fi

if [ -e "$target/$car/vehicle.yaml" ]; then
	need $car/vehicle.yaml.minisig "sign the profile: vignette sign --key oem.key vehicle.yaml"
elif [ -e "$target/$car/agent.yaml" ] && grep -q '^vehicle: *vehicle\.yaml' "$target/$car/agent.yaml"; then
	echo "vignette: there is no car in this image, so the agent will not run; see BR2_PACKAGE_VIGNETTE_AGENT_CAR" >&2
fi

# A directory of a car may lie where its keys are made. minisign's secret keys are
# 158 bytes, in a line of base64 that no other file of it has.
if [ -d "$target/$car" ]; then
	find "$target/$car" -type f -exec grep -lE '^RW[A-Za-z0-9+/=]{210}$' {} + >"$target/.keys" || true
	while read -r key; do
		fault "/${key#"$target/"} is a secret key; it must not leave the desk"
	done <"$target/.keys"
	rm "$target/.keys"
fi

# For a desk only: with it anybody who can write the profile drives the car.
for file in "$target"/etc/default/vignette-agent "$target"/usr/lib/systemd/system/vignette-agent.service \
	"$target"/etc/systemd/system/vignette-agent.service.d/*.conf; do
	if [ -e "$file" ] && grep -q -e '--unsigned' "$file"; then
		fault "/${file#"$target/"} has --unsigned; an image takes signed profiles only"
	fi
done

[ "$faults" -eq 0 ]
