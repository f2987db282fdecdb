package review

import (
	"reflect"

	"vignette/ui-bridge/shape"
)

// Schema is the JSON Schema of reports, made from their Go types.
func Schema() []byte {
	return shape.Of(reflect.TypeFor[Report](), "urn:vignette:review:1", "A report of vignette review", nil)
}
