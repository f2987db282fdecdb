package scenes

import (
	"errors"
	"io"
	"io/fs"
	"path"

	"vignette/scenes/pack"
	"vignette/scenes/sign"
)

// MakePack makes a pack of an author's source: a directory with pack.yaml and the
// files that it names. What the cards read, touch and need is written into the
// pack's manifest. dir is the directory's name in messages; a nil key leaves the
// pack unsigned. Errors are Diagnostics.
func MakePack(dir string, source fs.FS, key *sign.SecretKey) ([]byte, error) {
	return makePack(dir, source, key, false)
}

// MakeBarePack makes a pack as MakePack does, without scenarios and picture: one
// for a QR code.
func MakeBarePack(dir string, source fs.FS, key *sign.SecretKey) ([]byte, error) {
	return makePack(dir, source, key, true)
}

func makePack(dir string, source fs.FS, key *sign.SecretKey, bare bool) ([]byte, error) {
	text, err := readSource(dir, source, ManifestName, maxManifest)
	if err != nil {
		return nil, err
	}
	m, err := ParsePackSource(path.Join(dir, ManifestName), text)
	if err != nil {
		return nil, err
	}
	if bare {
		m.Scenarios, m.Picture = nil, ""
	}
	files, err := packFiles(dir, source, m)
	if err != nil {
		return nil, err
	}
	claims := ClaimsOf(files.cards)
	m.Reads, m.Touches, m.Needs = claims.Reads, claims.Touches, claims.Needs
	data, err := pack.Make(append(files.list, pack.File{Name: ManifestName, Data: m.Text()}), key, m.Name())
	if err != nil {
		return nil, Diagnostics{{File: dir, What: err.Error()}}
	}
	_, err = OpenPack(dir, data)
	return data, err
}

// sourceFiles are the files of a pack but for its manifest, and the cards among them.
type sourceFiles struct {
	list  []pack.File
	cards []*Card
}

// packFiles reads the files that a source names.
func packFiles(dir string, source fs.FS, m *Manifest) (files sourceFiles, err error) {
	var diags Diagnostics
	add := func(name string, limit int64) []byte {
		text, err := readSource(dir, source, name, limit)
		diags.merge(dir, err)
		files.list = append(files.list, pack.File{Name: name, Data: text})
		return text
	}
	for _, name := range m.Cards {
		before := len(diags)
		text := add(name, maxCardBytes)
		if len(diags) > before {
			continue
		}
		c, err := ParseCard(path.Join(dir, name), text)
		diags.merge(dir, err)
		if err == nil {
			files.cards = append(files.cards, c)
		}
	}
	for _, name := range m.Scenarios {
		add(name, maxCardBytes)
	}
	if m.Picture != "" {
		add(m.Picture, maxPicture)
	}
	return files, diags.err()
}

// readSource reads a file of at most limit bytes.
func readSource(dir string, source fs.FS, name string, limit int64) ([]byte, error) {
	f, err := source.Open(name)
	if err != nil {
		return nil, Diagnostics{{File: path.Join(dir, name), What: "cannot be read: " + plain(err)}}
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch err = errors.Join(err, f.Close()); {
	case err != nil:
		return nil, Diagnostics{{File: path.Join(dir, name), What: "cannot be read: " + plain(err)}}
	case int64(len(text)) > limit:
		return nil, Diagnostics{{File: path.Join(dir, name), What: tooLong(limit)}}
	}
	return text, nil
}
