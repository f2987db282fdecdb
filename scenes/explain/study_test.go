package explain

import (
	"strings"
	"testing"

	"vignette/scenes"
)

// TestWithdrawalIsExplained holds what a driver reads before saying yes: that a no
// deletes what waits at once, and that what has left the car cannot be called back.
// The contract's line 8 (docs/study-cards.md).
func TestWithdrawalIsExplained(t *testing.T) {
	s, err := scenes.LoadStudy("../../testdata/drive/studies/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, panel := range []bool{false, true} {
		s.Panel = panel
		for tag, want := range map[string][]string{
			"en": {"everything that still waits in the car is deleted at once", "What has left the car cannot be called back"},
			"zh": {"车内尚未发出的记录立即删除", "已离开本车的数据无法撤回"},
		} {
			l, err := ParseLanguage(tag)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range want {
				if text := Study(s, l); !strings.Contains(text, w) {
					t.Errorf("%s, panel %v: %q is missing in\n%s", tag, panel, w, text)
				}
			}
		}
	}
}
