// Package faults kills, floods and starves the shipped vignette-agent on a real
// bus, beside a service that keeps the contract of docs/integrate-hmi.md, and
// holds that nothing an actuator was told is forgotten. It has tests only.
package faults
