################################################################################
#
# vignette-agent
#
################################################################################

# A release's tree has its own version here, and the sources in dl.
VIGNETTE_AGENT_VERSION = 0.1.0
VIGNETTE_AGENT_SOURCE = vignette-$(VIGNETTE_AGENT_VERSION).tar.gz
VIGNETTE_AGENT_SITE = file://$(BR2_EXTERNAL_VIGNETTE_PATH)/dl
VIGNETTE_AGENT_LICENSE = \
	Apache-2.0, \
	BSD-2-Clause (godbus), \
	BSD-3-Clause (fsnotify, x/crypto, x/sys), \
	MIT (can-go, fwd, msgp)
VIGNETTE_AGENT_LICENSE_FILES = \
	LICENSE \
	vendor/github.com/fsnotify/fsnotify/LICENSE \
	vendor/github.com/godbus/dbus/v5/LICENSE \
	vendor/github.com/philhofer/fwd/LICENSE.md \
	vendor/github.com/tinylib/msgp/LICENSE \
	vendor/go.einride.tech/can/LICENSE \
	vendor/golang.org/x/crypto/LICENSE \
	vendor/golang.org/x/sys/LICENSE

VIGNETTE_AGENT_GOMOD = vignette
VIGNETTE_AGENT_BUILD_TARGETS = agent/cmd/vignette-agent
# Static, whatever the C library is: nothing in it is C.
VIGNETTE_AGENT_GO_ENV = CGO_ENABLED=0
# As agent/cmd/vignette-agent/goflags has them: for a small program.
VIGNETTE_AGENT_TAGS = godbus_no_tcp
VIGNETTE_AGENT_BUILD_OPTS = \
	-gcflags=crypto/internal/fips140/aes=-l \
	-gcflags=crypto/internal/fips140/drbg=-l \
	-gcflags=crypto/internal/fips140/ed25519=-l \
	-gcflags=crypto/internal/fips140/edwards25519/field=-l \
	-gcflags=crypto/internal/fips140/edwards25519=-l \
	-gcflags=crypto/internal/fips140/sha512=-l \
	-gcflags=encoding/json=-l \
	-gcflags=fmt=-l \
	-gcflags=internal/poll=-l \
	-gcflags=net/netip=-l \
	-gcflags=net/url=-l \
	-gcflags=net=-l \
	-gcflags=os/exec=-l \
	-gcflags=os/user=-l \
	-gcflags=os=-l \
	-gcflags=path/filepath=-l \
	-gcflags=reflect=-l \
	-gcflags=time=-l \
	-gcflags=vignette/agent=-l \
	-gcflags=vignette/can/canlog/candump=-l \
	-gcflags=vignette/scenes/check=-l \
	-gcflags=vignette/scenes/clock=-l \
	-gcflags=vignette/scenes/explain=-l \
	-gcflags=vignette/scenes/habit=-l \
	-gcflags=vignette/scenes/pack=-l \
	-gcflags=vignette/scenes/rehearse=-l \
	-gcflags=vignette/scenes/sign=-l \
	-gcflags=vignette/scenes=-l \
	-gcflags=vignette/ui-bridge/services=-l \
	-gcflags=vignette/ui-bridge/trace=-l \
	-gcflags=vignette/ui-bridge=-l \
	-gcflags=github.com/fsnotify/fsnotify=-l \
	-gcflags=github.com/godbus/dbus/v5=-l \
	-gcflags=go.einride.tech/can/pkg/dbc=-l
VIGNETTE_AGENT_LDFLAGS = \
	-s -w -R 0x4000 -buildid= \
	-X vignette/scenes/engine.ReleasedAs=$(VIGNETTE_AGENT_VERSION)

# dbus-daemon's user database knows the group of HMIs.
define VIGNETTE_AGENT_USERS
	vignette -1 vignette -1 * /var/lib/vignette - - Vignette agent
	- -1 vignette-hmi -1 * - - - HMIs that may call the Vignette agent
endef

define VIGNETTE_AGENT_LINUX_CONFIG_FIXUPS
	$(call KCONFIG_ENABLE_OPT,CONFIG_NET)
	$(call KCONFIG_ENABLE_OPT,CONFIG_CAN)
	$(call KCONFIG_ENABLE_OPT,CONFIG_CAN_RAW)
	$(call KCONFIG_ENABLE_OPT,CONFIG_CAN_DEV)
	$(call KCONFIG_ENABLE_OPT,CONFIG_CAN_NETLINK)
	$(call KCONFIG_ENABLE_OPT,CONFIG_CAN_CALC_BITTIMING)
	$(call KCONFIG_ENABLE_OPT,CONFIG_HIGH_RES_TIMERS)
	$(call KCONFIG_ENABLE_OPT,CONFIG_INOTIFY_USER)
endef

VIGNETTE_AGENT_CAR = $(call qstrip,$(BR2_PACKAGE_VIGNETTE_AGENT_CAR))

define VIGNETTE_AGENT_INSTALL_FILES
	$(INSTALL) -D -m 0644 $(VIGNETTE_AGENT_PKGDIR)/agent.yaml \
		$(TARGET_DIR)/etc/vignette/agent.yaml
	$(INSTALL) -D -m 0644 $(VIGNETTE_AGENT_PKGDIR)/org.vignette.Agent1.conf \
		$(TARGET_DIR)/usr/share/dbus-1/system.d/org.vignette.Agent1.conf
	$(INSTALL) -D -m 0644 $(VIGNETTE_AGENT_PKGDIR)/org.vignette.Agent1.service \
		$(TARGET_DIR)/usr/share/dbus-1/system-services/org.vignette.Agent1.service
	$(INSTALL) -D -m 0644 $(VIGNETTE_AGENT_PKGDIR)/90-vignette-can.conf \
		$(TARGET_DIR)/usr/lib/sysctl.d/90-vignette-can.conf
	mkdir -p $(TARGET_DIR)/usr/share/dbus-1/interfaces
	$(INSTALL) -m 0644 $(@D)/ui-bridge/dbus/org.vignette.*.xml \
		$(TARGET_DIR)/usr/share/dbus-1/interfaces
endef
VIGNETTE_AGENT_POST_INSTALL_TARGET_HOOKS += VIGNETTE_AGENT_INSTALL_FILES

ifneq ($(VIGNETTE_AGENT_CAR),)
define VIGNETTE_AGENT_INSTALL_CAR
	cp -rL $(VIGNETTE_AGENT_CAR)/. $(TARGET_DIR)/etc/vignette/
	chmod -R u=rwX,go=rX $(TARGET_DIR)/etc/vignette
endef
VIGNETTE_AGENT_POST_INSTALL_TARGET_HOOKS += VIGNETTE_AGENT_INSTALL_CAR
endif

define VIGNETTE_AGENT_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(VIGNETTE_AGENT_PKGDIR)/S80vignette-agent \
		$(TARGET_DIR)/etc/init.d/S80vignette-agent
endef

define VIGNETTE_AGENT_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0644 $(VIGNETTE_AGENT_PKGDIR)/vignette-agent.service \
		$(TARGET_DIR)/usr/lib/systemd/system/vignette-agent.service
endef

$(eval $(golang-package))
