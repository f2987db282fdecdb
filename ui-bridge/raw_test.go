package uibridge

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

// rawClient is a program on the bus that does not use a library: it can send
// faster than one, and leave unread what it gets.
type rawClient struct {
	t      *testing.T
	conn   net.Conn
	in     *bufio.Reader
	serial uint32
}

func newRawClient(t *testing.T, address string) *rawClient {
	t.Helper()
	path, err := socketPath(address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &rawClient{t: t, conn: conn, in: bufio.NewReader(conn)}
	uid := hex.EncodeToString([]byte(fmt.Sprint(os.Getuid())))
	fmt.Fprintf(conn, "\x00AUTH EXTERNAL %s\r\n", uid)
	if line, err := c.in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "OK ") {
		t.Fatal(line, err)
	}
	fmt.Fprintf(conn, "BEGIN\r\n")
	c.send(c.call(busDaemon, "/org/freedesktop/DBus", busDaemon, "Hello", 0))
	return c
}

// call is the bytes of a method call.
func (c *rawClient) call(service, path, iface, member string, flags dbus.Flags, args ...any) []byte {
	c.t.Helper()
	m := &dbus.Message{Type: dbus.TypeMethodCall, Flags: flags, Body: args, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldDestination: dbus.MakeVariant(service), dbus.FieldPath: dbus.MakeVariant(dbus.ObjectPath(path)),
		dbus.FieldInterface: dbus.MakeVariant(iface), dbus.FieldMember: dbus.MakeVariant(member)}}
	if len(args) > 0 {
		m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(args...))
	}
	var b bytes.Buffer
	if err := m.EncodeTo(&b, binary.LittleEndian); err != nil {
		c.t.Fatal(err)
	}
	return b.Bytes()
}

// send numbers and sends a call; it reports whether the daemon took it.
func (c *rawClient) send(call []byte) bool {
	c.serial++
	binary.LittleEndian.PutUint32(call[8:], c.serial)
	_, err := c.conn.Write(call)
	return err == nil
}

// refused reads until its last call is answered by an error, and returns that.
func (c *rawClient) refused() (name, text string) {
	c.t.Helper()
	for {
		m, err := dbus.DecodeMessage(c.in)
		if err != nil {
			c.t.Fatal(err)
		}
		if m.Type == dbus.TypeError && m.Headers[dbus.FieldReplySerial].Value() == c.serial {
			return m.Headers[dbus.FieldErrorName].Value().(string), m.Body[0].(string)
		}
	}
}
