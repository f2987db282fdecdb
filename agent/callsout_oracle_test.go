//go:build oracle

package agent

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// byHand is a card that is run by hand.
func byHand(id, then string) string {
	return "schema: 1\nid: " + id + "\nversion: 1.0.0\ntitle: {en: " + id + "}\nwhen:\n  - {phone: near}\nthen:\n  - " + then + "\nmanual: true\n"
}

// run runs a card by hand and waits until its call was answered well.
func (h *headUnit) run(card string, replies int) {
	h.t.Helper()
	h.busctl("call", "org.vignette.Agent1", "/org/vignette/Agent1", "org.vignette.Agent1", "RunCard", "s", card)
	h.records(`"what":"replied"`, replies)
}

// silence writes a minute of it: a WAV file of 8 bits, 8000 a second.
func silence(t *testing.T, dir string) string {
	t.Helper()
	const n = 60 * 8000
	wav := binary.LittleEndian.AppendUint32([]byte("RIFF"), 36+n)
	wav = append(wav, "WAVEfmt "...)
	for _, x := range []uint32{16, 1 | 1<<16, 8000, 8000, 1 | 8<<16} {
		wav = binary.LittleEndian.AppendUint32(wav, x)
	}
	wav = binary.LittleEndian.AppendUint32(append(wav, "data"...), n)
	for range n {
		wav = append(wav, 128)
	}
	path := filepath.Join(dir, "silence.wav")
	if err := os.WriteFile(path, wav, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPlayer has cards pause, play and turn down mpv, behind playerctld; playerctl
// says what became of it.
func TestPlayer(t *testing.T) {
	h := newHeadUnit(t, []string{fragment(t, "org.mpris"), fragment(t, "org.bluez")}, map[string]string{
		"pause": byHand("pause", "{do: media-pause}"), "play": byHand("play", "{do: media-play}"),
		"softly": byHand("softly", "{set: Private.Media.Volume, to: 0.3, lease: 10m, at_end: {set: 0.8}}\n  - {wait: 1s}\n  - {release: Private.Media.Volume}")})
	h.program("playerctld")
	h.await("org.mpris.MediaPlayer2.playerctld")
	h.program("mpv", "--no-config", "--no-terminal", "--no-video", "--ao=null", "--loop", "--script=/usr/lib/mpv-mpris/mpris.so", silence(t, h.dir))
	h.await("org.mpris.MediaPlayer2.mpv")
	is := func(what, want string) {
		t.Helper()
		h.until("playerctl "+what+" is "+want, func() bool {
			out, err := h.ask("playerctl", "--player=mpv", what)
			return err == nil && strings.TrimSpace(out) == want // mpv has its name before it has its object
		})
	}
	is("status", "Playing")
	end := h.start()
	h.run("pause", 1)
	is("status", "Paused")
	h.run("play", 2)
	is("status", "Playing")
	h.busctl("call", "org.vignette.Agent1", "/org/vignette/Agent1", "org.vignette.Agent1", "RunCard", "s", "softly")
	is("volume", "0.300000")
	is("volume", "0.800000")
	end()
}

// TestNotification has a card notify python-dbusmock's notification daemon, which
// keeps what it was called with.
func TestNotification(t *testing.T) {
	h := newHeadUnit(t, []string{fragment(t, "Notifications"), fragment(t, "org.bluez")}, map[string]string{
		"tell": byHand("tell", "{do: notify, with: {title: {en: Vignette, zh: 微光}, text: {en: Airing the cabin, zh: 正在通风}}}")})
	h.config.Language = "zh"
	h.mock("notification_daemon", "org.freedesktop.Notifications", "{}")
	end := h.start()
	h.run("tell", 1)
	calls := h.busctl("--json=short", "call", "org.freedesktop.Notifications", "/org/freedesktop/Notifications", "org.freedesktop.DBus.Mock", "GetMethodCalls", "s", "Notify")
	for _, want := range []string{`"Vignette"`, `"微光"`, `"正在通风"`, `{"type":"as","data":[]}`, `{"type":"a{sv}","data":{}}`, `{"type":"i","data":5000}`} {
		if !strings.Contains(calls, want) {
			t.Errorf("Notify was not called with %s: %s", want, calls)
		}
	}
	end()
}
