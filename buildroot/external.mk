include $(sort $(wildcard $(BR2_EXTERNAL_VIGNETTE_PATH)/package/*/*.mk))
