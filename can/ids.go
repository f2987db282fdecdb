package can

// IDs numbers identifiers, to find what is known of a frame's. 11-bit and 29-bit
// identifiers of the same number are different ones. The zero value has none.
type IDs struct {
	standard [2048]int32 // the number and 1; 0: none
	extended map[uint32]int32
}

// Put gives an identifier the number n, 0 or more; 11-bit ones are below 2048.
func (x *IDs) Put(id uint32, extended bool, n int) {
	if !extended {
		x.standard[id] = int32(n) + 1
		return
	}
	if x.extended == nil {
		x.extended = map[uint32]int32{}
	}
	x.extended[id] = int32(n) + 1
}

// Find returns the number of an identifier; -1: it has none.
func (x *IDs) Find(id uint32, extended bool) int {
	switch {
	case extended:
		return int(x.extended[id]) - 1
	case id < uint32(len(x.standard)):
		return int(x.standard[id]) - 1
	}
	return -1
}
