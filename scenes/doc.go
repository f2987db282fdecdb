// Package scenes reads scene cards and vehicle profiles, as strict YAML or
// JSON, checks them against each other and against the DBC files that the
// profile names, and compiles them for the engine. What is wrong comes back as
// Diagnostics, each with its file, line and column. The format is that of
// docs/scene-cards.md; a part of it that this version does not support is
// refused by name, never ignored.
package scenes
