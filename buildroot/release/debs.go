package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// nfpm packs a .deb without Debian's own tools. It is run by its version and stands
// in no go.mod: it brings 55 modules.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0"

// maintainer is who stands in the packages, unless the environment's
// VIGNETTE_MAINTAINER names another.
const maintainer = "Vignette <vignette@vignette.example>"

// debs packs the agent for each target.
func (r *release) debs() error {
	who := os.Getenv("VIGNETTE_MAINTAINER")
	if who == "" {
		who = maintainer
	}
	if err := r.debDocs(who); err != nil {
		return err
	}
	for _, t := range targets {
		program := r.program("vignette-agent", t)
		text, err := copyright(r.tree, program)
		if err != nil {
			return err
		}
		if err := r.debDoc("copyright", []byte(text)); err != nil {
			return err
		}
		env := []string{"GOFLAGS=", "VERSION=" + r.version, "ARCH=" + t.nfpm, "MAINTAINER=" + who, "PROGRAM=" + filepath.ToSlash(program)}
		deb := filepath.Join(r.dist, "vignette-agent_"+debVersion(r.version)+"_"+t.debian+".deb")
		if err := r.command(env, "go", "run", nfpm, "package", "--config", "buildroot/deb/nfpm.yaml", "--packager", "deb", "--target", deb); err != nil {
			return err
		}
	}
	return nil
}

// debVersion is a version as Debian orders it: what comes before a release sorts
// before it.
func debVersion(version string) string { return strings.Replace(version, "-", "~", 1) }

// debDocs writes the changelog and the manual page where nfpm's configuration
// looks for them.
func (r *release) debDocs(who string) error {
	changes := fmt.Sprintf("vignette-agent (%s) stable; urgency=medium\n\n  * What is new is in the history of the sources.\n\n -- %s  %s\n",
		debVersion(r.version), who, r.when.Format(time.RFC1123Z))
	page, err := os.ReadFile(filepath.Join(r.tree, "buildroot/deb/vignette-agent.8"))
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{"changelog.gz": []byte(changes), "vignette-agent.8.gz": page} {
		packed, err := zipped(text)
		if err != nil {
			return err
		}
		if err := r.debDoc(name, packed); err != nil {
			return err
		}
	}
	return nil
}

func (r *release) debDoc(name string, data []byte) error {
	return writeFile(filepath.Join(r.tree, "build/deb", name), data, 0o644, r.when)
}

// zipped is a gzip file without name and time.
func zipped(text []byte) ([]byte, error) {
	var out bytes.Buffer
	zip, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := zip.Write(text); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
