//go:build linux

package socketcan

import (
	"fmt"
	"slices"
	"sort"

	"golang.org/x/sys/unix"
)

// everyFrame is the kernel's filter that passes all data and remote frames.
var everyFrame = []unix.CanFilter{{}}

// kernelFilters is f as the kernel takes it, each identifier once, and whether
// it filters at all. The masks hold the two flags as well, since a bare 0x7FF
// would let extended frames through that end in the same bits.
func kernelFilters(f []Filter) (filters []unix.CanFilter, filtered bool, err error) {
	if f == nil {
		return everyFrame, false, nil
	}
	filters = make([]unix.CanFilter, 0, len(f))
	for _, one := range f {
		k := unix.CanFilter{Id: one.ID, Mask: unix.CAN_EFF_FLAG | unix.CAN_RTR_FLAG | unix.CAN_SFF_MASK}
		limit := uint32(unix.CAN_SFF_MASK)
		if one.Extended {
			k = unix.CanFilter{Id: one.ID | unix.CAN_EFF_FLAG, Mask: unix.CAN_EFF_FLAG | unix.CAN_RTR_FLAG | unix.CAN_EFF_MASK}
			limit = unix.CAN_EFF_MASK
		}
		if one.ID > limit {
			return nil, false, fmt.Errorf("filter for identifier 0x%X: the largest is 0x%X (extended: %t)", one.ID, limit, one.Extended)
		}
		filters = append(filters, k)
	}
	sort.SliceStable(filters, func(i, j int) bool { return filters[i].Id < filters[j].Id })
	filters = slices.Compact(filters)
	if len(filters) > MaxFilters {
		return everyFrame, false, nil
	}
	return filters, true, nil
}
