//go:build vm

package unit

import (
	"os/exec"
	"testing"
	"time"
)

func TestADebug(t *testing.T) {
	fresh(t)
	run(t, "systemctl", "start", "--no-block", agentUnit)
	time.Sleep(8 * time.Second)
	out, _ := exec.Command("sh", "-c", "P=$(systemctl show -P MainPID vignette-agent); for t in /proc/$P/task/*; do cat $t/comm $t/wchan $t/syscall $t/stack; done; cat /proc/$P/status; ls -la /proc/$P/fd; ls -la /var/lib/vignette; kill -QUIT $P; sleep 2; journalctl -b --no-pager -o cat | tail -150").CombinedOutput()
	t.Logf("%s", out)
	t.Fail()
}
