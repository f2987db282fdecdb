package scenes

import (
	"path/filepath"
	"strings"

	"vignette/can/dbc"
	"vignette/scenes/yaml"
)

// Bus is one CAN bus of the car.
type Bus struct {
	Name      string
	Interface string // Linux interface, such as can0; empty on a desk
	FD        bool
	DBCs      []DBC // in the profile's order
	Pos       Pos
}

// DBC is one file that describes messages of a bus.
type DBC struct {
	File     string // as the profile names it, relative to the profile
	SHA256   string // of the bytes that were read, hexadecimal
	Pinned   bool   // the profile gives the SHA-256 itself
	Database *dbc.Database
}

// busText is a bus as the profile writes it.
type busText struct {
	name  Name
	iface Name
	fd    bool
	files []fileText
}

type fileText struct{ file, sha256 Name }

func busKeys() object[busText] {
	return object[busText]{"a bus", []key[busText]{
		{"dbc", required, func(r *reader, n *yaml.Node, b *busText) {
			r.list(n, "`dbc`", func(n *yaml.Node) { b.files = append(b.files, r.dbcFile(n)) })
		}},
		{"interface", optional, func(r *reader, n *yaml.Node, b *busText) {
			b.iface = Name{r.pattern(n, ifaceText, "a network interface, such as can0"), at(n)}
		}},
		{"fd", optional, func(r *reader, n *yaml.Node, b *busText) { b.fd = r.boolean(n) }},
	}}
}

func fileKeys() object[fileText] {
	return object[fileText]{"a DBC file", []key[fileText]{
		{"file", required, func(r *reader, n *yaml.Node, f *fileText) { f.file = r.name(n) }},
		{"sha256", optional, func(r *reader, n *yaml.Node, f *fileText) {
			f.sha256 = Name{r.pattern(n, hashText, "a SHA-256: 64 hexadecimal digits in lower case"), at(n)}
		}},
	}}
}

// dbcFile reads a bare file name or {file, sha256}.
func (r *reader) dbcFile(n *yaml.Node) fileText {
	if n.Kind == yaml.ScalarNode {
		return fileText{file: r.name(n)}
	}
	var f fileText
	fileKeys().read(r, n, &f)
	return f
}

func (r *reader) readBuses(n *yaml.Node, p *profile) {
	r.named(n, "`buses`", func(name, value *yaml.Node) {
		b := busText{name: Name{r.pattern(name, nameText, nameWant), at(name)}}
		busKeys().read(r, value, &b)
		p.buses = append(p.buses, b)
	})
	switch {
	case n.Kind == yaml.MappingNode && len(n.Content) == 0:
		r.fault(n, "`buses` is empty; name at least one bus")
	case len(p.buses) > 255:
		r.fault(n, "there are more than 255 buses; leave some out")
	}
}

// resolveBuses reads the DBC files.
func (p *profile) resolveBuses(open func(string) ([]byte, error)) {
	interfaces := map[string]string{}
	for _, t := range p.buses {
		if other, twice := interfaces[t.iface.Text]; twice && t.iface.Text != "" {
			p.diags.add(p.file, t.iface.Pos, "interface %s already belongs to bus `%s`; give each bus its own", t.iface.Text, other)
		}
		interfaces[t.iface.Text] = t.name.Text
		b := Bus{Name: t.name.Text, Interface: t.iface.Text, FD: t.fd, Pos: t.name.Pos}
		for _, f := range t.files {
			if d, ok := p.openDBC(f, open); ok && p.distinct(&b, d, f.file.Pos) {
				b.DBCs = append(b.DBCs, d)
			}
		}
		p.v.Buses = append(p.v.Buses, b)
	}
}

// distinct holds that no message of a bus is defined in two of its files.
func (p *profile) distinct(b *Bus, d DBC, pos Pos) bool {
	for _, other := range b.DBCs {
		for _, m := range d.Database.Messages {
			if other.Database.Message(m.Name) != nil || other.Database.Lookup(m.ID, m.Extended) != nil {
				p.diags.add(p.file, pos, "%s defines message %s (id 0x%X), which %s defines too; keep it in one", d.File, m.Name, m.ID, other.File)
				return false
			}
		}
	}
	return true
}

// openDBC reads one DBC file and compares its hash, if the profile gives one.
func (p *profile) openDBC(f fileText, open func(string) ([]byte, error)) (DBC, bool) {
	if f.file.Text == "" {
		return DBC{}, false
	}
	path := f.file.Text
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(p.file), path)
	}
	text, err := open(path)
	if err != nil {
		p.diags.add(p.file, f.file.Pos, "DBC file %s", err)
		return DBC{}, false
	}
	sum := hash(text)
	if f.sha256.Text != "" && f.sha256.Text != sum {
		p.diags.add(p.file, f.sha256.Pos, "%s has SHA-256 %s, but the profile says %s; take the right file, or correct the profile",
			f.file.Text, sum, f.sha256.Text)
	}
	db, err := dbc.Parse(path, text)
	if err != nil {
		p.diags.add(p.file, f.file.Pos, "DBC file cannot be used: %v", err)
		return DBC{}, false
	}
	return DBC{File: f.file.Text, SHA256: sum, Pinned: f.sha256.Text != "", Database: db}, true
}

// resolve finds bus.Message.Signal.
func (p *profile) resolve(from Name) (bus int, m *dbc.Message, s *dbc.Signal, ok bool) {
	fail := func(format string, args ...any) (int, *dbc.Message, *dbc.Signal, bool) {
		p.diags.add(p.file, from.Pos, format, args...)
		return 0, nil, nil, false
	}
	parts := strings.Split(from.Text, ".")
	if len(parts) != 3 {
		return fail("`%s` does not name a signal of a DBC; write bus.Message.Signal", from.Text)
	}
	var buses, messages, signals []string
	for i, b := range p.v.Buses {
		buses = append(buses, b.Name)
		if b.Name != parts[0] {
			continue
		}
		for _, d := range b.DBCs {
			for _, c := range d.Database.Messages {
				messages = append(messages, c.Name)
			}
			if c := d.Database.Message(parts[1]); c != nil {
				bus, m = i, c
			}
		}
		if len(b.DBCs) == 0 {
			return 0, nil, nil, false // its DBC files are reported already
		}
		if m == nil {
			return fail("bus `%s` has no message `%s`%s", b.Name, parts[1], orElse(hint(parts[1], messages), "; look in its DBC"))
		}
	}
	if len(buses) == 0 {
		return 0, nil, nil, false // reported already
	}
	if m == nil {
		return fail("`%s` is not a bus of this profile%s", parts[0], orElse(hint(parts[0], buses), "; known are "+quoted(buses)))
	}
	for _, c := range m.Signals {
		signals = append(signals, c.Name)
	}
	if s = m.Signal(parts[2]); s == nil {
		return fail("message %s has no signal `%s`%s", m.Name, parts[2], orElse(hint(parts[2], signals), "; known are "+quoted(signals)))
	}
	return bus, m, s, true
}
