package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
)

// licences are the SPDX expressions of what the programs link, each read in the
// module's own text. A module without a line here fails the release: look at its
// licence first.
var licences = map[string]string{
	"std":                           "BSD-3-Clause",
	"github.com/fsnotify/fsnotify":  "BSD-3-Clause",
	"github.com/godbus/dbus/v5":     "BSD-2-Clause",
	"github.com/klauspost/compress": "BSD-3-Clause AND Apache-2.0 AND MIT",
	"github.com/makiuchi-d/gozxing": "MIT AND Apache-2.0",
	"github.com/philhofer/fwd":      "MIT",
	"github.com/tinylib/msgp":       "MIT",
	"go.einride.tech/can":           "MIT",
	"golang.org/x/crypto":           "BSD-3-Clause",
	"golang.org/x/sys":              "BSD-3-Clause",
	"golang.org/x/text":             "BSD-3-Clause",
	"golang.org/x/xerrors":          "BSD-3-Clause",
}

// linkedModules are the modules that a program links, as the program itself says,
// by path; Go's standard library is the first, as std of the toolchain's version.
func linkedModules(program string) ([]debug.Module, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, err
	}
	list := []debug.Module{{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			return nil, fmt.Errorf("%s: %s is replaced by %s; a release has what go.mod requires", program, m.Path, m.Replace.Path)
		}
		list = append(list, *m)
	}
	for _, m := range list {
		if licences[m.Path] == "" {
			return nil, fmt.Errorf("%s links %s, whose licence nobody has looked at; add it to buildroot/release/licences.go", program, m.Path)
		}
	}
	return list, nil
}

// licenceFiles are the texts of a vendored module's licence, below the tree.
func licenceFiles(tree, module string) (files []string, err error) {
	for _, pattern := range []string{"LICENSE*", "NOTICE*"} {
		found, err := filepath.Glob(filepath.Join(tree, "vendor", filepath.FromSlash(module), pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range found {
			below, err := filepath.Rel(tree, file)
			if err != nil {
				return nil, err
			}
			files = append(files, filepath.ToSlash(below))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no licence text in vendor/", module)
	}
	return files, nil
}

// copyright is Debian's copyright file of a program: our licence, and the texts of
// those of everything that is linked.
func copyright(tree, program string) (string, error) {
	modules, err := linkedModules(program)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	text.WriteString(`Vignette, the co-creation agent of a car's head unit.

Copyright: the Vignette authors
License: Apache-2.0
On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.

The program is static: it also has parts of the modules below, each under its
own licence.
`)
	for _, m := range modules {
		fmt.Fprintf(&text, "\n==== %s %s: %s\n", m.Path, m.Version, licences[m.Path])
		if m.Path == "std" {
			// Go's own modules have the licence of Go itself.
			m.Path = "golang.org/x/sys"
		}
		files, err := licenceFiles(tree, m.Path)
		if err != nil {
			return "", err
		}
		for _, file := range files {
			data, err := os.ReadFile(filepath.Join(tree, filepath.FromSlash(file)))
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&text, "\n%s\n", strings.TrimSpace(string(data)))
		}
	}
	return text.String(), nil
}
