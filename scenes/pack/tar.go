package pack

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// The payload is what `tar --format=ustar --owner=0 --group=0 --numeric-owner
// --mode=644 --mtime=@0 -b1` writes of regular files in the order of their
// names, so that others can read it and make it; and nothing else is read: each
// header is made anew from the file's name and size and compared. Links, devices,
// sparse files, extensions and names that lead elsewhere cannot be written so.

const block = 512

// The fields of a header.
const (
	nameEnd = MaxName
	sizeAt  = 124
	sumAt   = 148
	kindAt  = 156
)

// CheckName says what is wrong with a file's name; nil: nothing. Names are of
// lower-case letters, digits, dots, hyphens and underscores, parts of them
// between slashes, each part beginning with a letter or digit.
func CheckName(name string) error {
	if len(name) > MaxName {
		return fmt.Errorf("file name `%s…` is longer than %d bytes; shorten it", name[:20], MaxName)
	}
	for _, part := range strings.Split(name, "/") {
		first := true
		for _, c := range []byte(part) {
			if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || !first && (c == '.' || c == '-' || c == '_')) {
				return badName(name)
			}
			first = false
		}
		if first {
			return badName(name)
		}
	}
	return nil
}

func badName(name string) error {
	return fmt.Errorf("file name %q is not allowed: a pack's names are of lower-case letters, digits, `.`, `-` and `_`, with `/` between parts that begin with a letter or digit", name)
}

// checkNames checks the names of files, which are in order.
func checkNames(files []File) error {
	for i := range files {
		if err := CheckName(files[i].Name); err != nil {
			return err
		}
		for j := range i {
			if files[i].Name == files[j].Name {
				return fmt.Errorf("file `%s` is there twice", files[i].Name)
			}
			if strings.HasPrefix(files[i].Name, files[j].Name+"/") {
				return fmt.Errorf("file `%s` has another below it, `%s`, as only a directory may", files[j].Name, files[i].Name)
			}
		}
	}
	return nil
}

// Payload is the payload of a pack of files, which is what is signed.
func Payload(files []File) ([]byte, error) {
	if len(files) == 0 || len(files) > MaxFiles {
		return nil, fmt.Errorf("a pack has 1 to %d files, not %d", MaxFiles, len(files))
	}
	files = slices.Clone(files)
	sort.SliceStable(files, func(i, j int) bool { return files[i].Name < files[j].Name })
	if err := checkNames(files); err != nil {
		return nil, err
	}
	size := 2 * block
	for i := range files {
		size += block + padded(len(files[i].Data))
	}
	if size+maxHead > MaxBytes {
		return nil, fmt.Errorf("the pack would have %d bytes, at most %d are read; take something out", size, MaxBytes-maxHead)
	}
	out := make([]byte, 0, size)
	for i := range files {
		h := header(files[i].Name, len(files[i].Data))
		out = append(append(out, h[:]...), files[i].Data...)
		out = out[:len(out)+padded(len(files[i].Data))-len(files[i].Data)]
	}
	return out[:size], nil
}

func padded(n int) int { return (n + block - 1) / block * block }

// header is the one header that a file of a name and size has.
func header(name string, size int) (h [block]byte) {
	copy(h[:nameEnd], name)
	copy(h[100:], "0000644\x000000000\x000000000\x00")
	copy(h[sizeAt:], fmt.Sprintf("%011o", size))
	copy(h[136:], "00000000000\x00        0")
	copy(h[257:], "ustar\x0000")
	copy(h[329:], "0000000\x000000000\x00")
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	copy(h[sumAt:], fmt.Sprintf("%06o\x00 ", sum))
	return h
}

// untar takes a payload apart.
func untar(payload []byte) (files []File, err error) {
	rest := payload
	for {
		if len(rest) < 2*block || len(rest)%block != 0 {
			return nil, bad("its payload is cut")
		}
		if rest[0] == 0 {
			break
		}
		if len(files) == MaxFiles {
			return nil, bad("it has more than %d files", MaxFiles)
		}
		f, n, err := entry(rest)
		if err != nil {
			return nil, err
		}
		if len(files) > 0 && cmp.Compare(files[len(files)-1].Name, f.Name) >= 0 {
			return nil, bad("file `%s` is there twice or out of order", f.Name)
		}
		files, rest = append(files, f), rest[n:]
	}
	if len(rest) != 2*block || len(bytes.Trim(rest, "\x00")) > 0 {
		return nil, bad("something follows its last file")
	}
	if len(files) == 0 {
		return nil, bad("it has no files")
	}
	if err := checkNames(files); err != nil {
		return nil, bad("%v", err)
	}
	return files, nil
}

// entry takes the first file of a payload, which is n bytes of it.
func entry(rest []byte) (f File, n int, err error) {
	name, _, _ := strings.Cut(string(rest[:nameEnd]), "\x00")
	if what, known := kinds[rest[kindAt]]; known {
		return f, 0, bad("%q is %s; a pack has regular files only", name, what)
	}
	if err := CheckName(name); err != nil {
		return f, 0, bad("%v", err)
	}
	size := 0
	for _, c := range rest[sizeAt : sizeAt+11] {
		if c < '0' || c > '7' || size > MaxBytes {
			return f, 0, bad("the size of `%s` is no number that fits", name)
		}
		size = size<<3 | int(c-'0')
	}
	if size > len(rest)-3*block {
		return f, 0, bad("`%s` is said to have %d bytes, more than there are", name, size)
	}
	if h := header(name, size); !bytes.Equal(h[:], rest[:block]) {
		return f, 0, bad("the header of `%s` is not in the one form that is read (owner, time, mode or a name with a prefix)", name)
	}
	n = block + padded(size)
	if len(bytes.Trim(rest[block+size:n], "\x00")) > 0 {
		return f, 0, bad("something hides behind the end of `%s`", name)
	}
	return File{name, rest[block : block+size : block+size]}, n, nil
}

// kinds are the entries of archives that a pack cannot have.
var kinds = map[byte]string{
	'1': "a hard link", '2': "a symbolic link", '3': "a device", '4': "a device", '5': "a directory", '6': "a pipe", '7': "a contiguous file",
	'g': "an extended header", 'x': "an extended header", 'L': "a long name", 'K': "a long link", 'S': "a sparse file",
}
