package audit

import (
	"reflect"

	"vignette/ui-bridge/shape"
)

// Schema is the JSON Schema of certificates, made from their Go types.
func Schema() []byte {
	return shape.Of(reflect.TypeFor[Certificate](), "urn:vignette:audit:1", "A certificate of vignette audit",
		shape.Enums{reflect.TypeFor[Verdict](): []Verdict{Pass, Fail, NotRun}, reflect.TypeFor[Signature](): []Signature{Unsigned, NotChecked, Checked}})
}
