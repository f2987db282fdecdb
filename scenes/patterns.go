package scenes

import "strings"

// pattern is what a text of the formats must look like. Its regular expression
// is for editors, in the JSON Schemas; readers ask fits, and a test holds that
// the two agree. So the agent needs no regular expressions.
type pattern struct {
	text string
	fits func(string) bool
}

var (
	idText        = pattern{`^[a-z0-9][a-z0-9-]{0,63}$`, isID}
	handleText    = pattern{`^[a-z0-9][a-z0-9-]{1,31}$`, isHandle}
	wordText      = pattern{`^[a-z][a-z0-9_]{0,63}$`, isWord}
	nameText      = pattern{`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`, isName}
	licenceText   = pattern{`^[A-Za-z0-9][A-Za-z0-9.+-]{0,63}$`, isLicence}
	claimText     = pattern{`^[A-Za-z_][A-Za-z0-9_. -]{0,255}$`, isClaim}
	ifaceText     = pattern{`^[A-Za-z0-9_.-]{1,15}$`, isIface}
	hashText      = pattern{`^[0-9a-f]{64}$`, isHash}
	versionText   = pattern{`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`, isVersion}
	parentText    = pattern{`^[a-z0-9][a-z0-9-]{0,63}@[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`, isParent}
	langTag       = pattern{`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$`, isLangTag}
	pathText      = pattern{`^(Vehicle|Private)(\.[A-Za-z0-9_]+)+$`, isPath}
	neverText     = pattern{`^(Vehicle|Private)(\.[A-Za-z0-9_]+)*(\.\*)?$`, isNever}
	decimalText   = pattern{`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`, isDecimal}
	wholeText     = pattern{`^(0|-?[1-9][0-9]*)$`, isWhole}
	durationText  = pattern{`^(0|[1-9][0-9]*)(\.[0-9]+)?(us|ms|s|m|h)$`, isDuration}
	slewText      = pattern{`^((0|[1-9][0-9]*)(\.[0-9]+)?)/s$`, isSlew}
	dateText      = pattern{`^20[0-9]{2}-[01][0-9]-[0-3][0-9]$`, isDate}
	timeOfDayText = pattern{`^([01][0-9]|2[0-3]):([0-5][0-9])$`, isTimeOfDay}
	localText     = pattern{`^20[0-9]{2}-[01][0-9]-[0-3][0-9] ([01][0-9]|2[0-3]):[0-5][0-9]$`, isLocal}
	busNameText   = pattern{`^[A-Za-z_-][A-Za-z0-9_-]*(\.[A-Za-z_-][A-Za-z0-9_-]*)+$`, isBusName}
	objectText    = pattern{`^/$|^(/[A-Za-z0-9_]+)+$`, isObject}
	interfaceText = pattern{`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$`, isInterface}
	memberText    = pattern{`^[A-Za-z_][A-Za-z0-9_]*$`, isMember}
	containerText = pattern{`^a([ybnqiuxtdsv]|\{[ybnqiuxtds][ybnqiuxtdsv]\})$`, isContainer}
)

// Sets of characters as in brackets of a regular expression; a hyphen of its own
// stands last.
const (
	digits   = "0-9"
	letters  = "A-Za-z"
	symbols  = "A-Za-z0-9_"
	lowerID  = "a-z0-9-"
	versions = "0-9A-Za-z.-"
	endless  = 1<<31 - 1 // no limit of a length
)

// in reports whether c is of a set.
func in(c byte, set string) bool {
	for i := 0; i < len(set); i++ {
		if i+2 < len(set) && set[i+1] == '-' {
			if set[i] <= c && c <= set[i+2] {
				return true
			}
			i += 2
		} else if set[i] == c {
			return true
		}
	}
	return false
}

// leading is how many bytes at the beginning of s are of a set.
func leading(s, set string) int {
	for i := range len(s) {
		if !in(s[i], set) {
			return i
		}
	}
	return len(s)
}

// made reports whether s is a first character and others, at most most together.
func made(s, first, others string, most int) bool {
	return s != "" && len(s) <= most && in(s[0], first) && leading(s[1:], others) == len(s)-1
}

// parts reports whether s is at least least parts between separators, each of
// which is one.
func parts(s, separator string, least int, is func(string) bool) bool {
	for ; ; least-- {
		part, rest, more := strings.Cut(s, separator)
		if !is(part) {
			return false
		}
		if !more {
			return least <= 1
		}
		s = rest
	}
}

// like reports whether s has the characters of a mask, in which a digit stands
// for itself and those below it.
func like(s, mask string) bool {
	if len(s) != len(mask) {
		return false
	}
	for i := range len(s) {
		if c := mask[i]; s[i] != c && (c < '0' || c > '9' || s[i] < '0' || s[i] > c) {
			return false
		}
	}
	return true
}

func isID(s string) bool      { return made(s, "a-z0-9", lowerID, 64) }
func isHandle(s string) bool  { return len(s) > 1 && made(s, "a-z0-9", lowerID, 32) }
func isWord(s string) bool    { return made(s, "a-z", "a-z0-9_", 64) }
func isName(s string) bool    { return made(s, "A-Za-z_", "A-Za-z0-9_-", 64) }
func isLicence(s string) bool { return made(s, "A-Za-z0-9", "A-Za-z0-9.+-", 64) }
func isClaim(s string) bool   { return made(s, "A-Za-z_", "A-Za-z0-9_. -", 256) }
func isIface(s string) bool   { return made(s, "A-Za-z0-9_.-", "A-Za-z0-9_.-", 15) }
func isHash(s string) bool    { return len(s) == 64 && leading(s, "0-9a-f") == 64 }

func isDigits(s string) bool  { return made(s, digits, digits, endless) }
func isNatural(s string) bool { return s == "0" || made(s, "1-9", digits, endless) }
func isSymbol(s string) bool  { return made(s, symbols, symbols, endless) }

// isFixed is a number with or without digits after a point.
func isFixed(s string) bool {
	whole, part, point := strings.Cut(s, ".")
	return isNatural(whole) && (!point || isDigits(part))
}

func isDecimal(s string) bool {
	s = strings.TrimPrefix(s, "-")
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		exponent := s[i+1:]
		if exponent != "" && in(exponent[0], "+-") {
			exponent = exponent[1:]
		}
		return isFixed(s[:i]) && isDigits(exponent)
	}
	return isFixed(s)
}

func isWhole(s string) bool {
	return s == "0" || made(strings.TrimPrefix(s, "-"), "1-9", digits, endless)
}

// cutDuration splits a duration into its number and its unit.
func cutDuration(s string) (number, unit string) {
	n := leading(s, "0-9.")
	return s[:n], s[n:]
}

func isDuration(s string) bool {
	number, unit := cutDuration(s)
	return isFixed(number) && durationUnit[unit] > 0
}

func isSlew(s string) bool {
	number, ok := strings.CutSuffix(s, "/s")
	return ok && isFixed(number)
}

func isDate(s string) bool { return strings.HasPrefix(s, "20") && like(s, "2099-19-39") }

func isTimeOfDay(s string) bool { return like(s, "19:59") || like(s, "23:59") }

func isLocal(s string) bool {
	return len(s) > 11 && isDate(s[:10]) && s[10] == ' ' && isTimeOfDay(s[11:])
}

func isVersion(s string) bool { return threeNumbers(s, isNatural) }

func isParent(s string) bool {
	id, version, ok := strings.Cut(s, "@")
	return ok && isID(id) && threeNumbers(version, isDigits)
}

// threeNumbers reports whether s is a version, each number of which is one.
func threeNumbers(s string, is func(string) bool) bool {
	s, build, plus := strings.Cut(s, "+")
	s, early, minus := strings.Cut(s, "-")
	return strings.Count(s, ".") == 2 && parts(s, ".", 3, is) && (!plus || made(build, versions, versions, endless)) && (!minus || made(early, versions, versions, endless))
}

func isLangTag(s string) bool {
	language, rest, more := strings.Cut(s, "-")
	return len(language) > 1 && made(language, letters, letters, 3) &&
		(!more || parts(rest, "-", 1, func(s string) bool { return made(s, "A-Za-z0-9", "A-Za-z0-9", 8) }))
}

func isRoot(s string) bool { return s == "Vehicle" || s == "Private" }

func isPath(s string) bool {
	root, rest, ok := strings.Cut(s, ".")
	return ok && isRoot(root) && parts(rest, ".", 1, isSymbol)
}

func isNever(s string) bool {
	s = strings.TrimSuffix(s, ".*")
	return isRoot(s) || isPath(s)
}

func isBusName(s string) bool {
	return parts(s, ".", 2, func(s string) bool { return made(s, "A-Za-z_-", "A-Za-z0-9_-", endless) })
}

func isObject(s string) bool {
	return s == "/" || s != "" && s[0] == '/' && parts(s[1:], "/", 1, isSymbol)
}

func isMember(s string) bool { return made(s, "A-Za-z_", symbols, endless) }

func isInterface(s string) bool { return parts(s, ".", 2, isMember) }

// isContainer is an array or dictionary that an argument may be, if it is empty.
func isContainer(s string) bool {
	const key, value = "ybnqiuxtds", "ybnqiuxtdsv"
	switch len(s) {
	case 2:
		return s[0] == 'a' && in(s[1], value)
	case 5:
		return s[:2] == "a{" && in(s[2], key) && in(s[3], value) && s[4] == '}'
	}
	return false
}

// placeholders are the names in braces in a text, and what is left without them.
func placeholders(text string) (names []string, rest string) {
	for {
		i := strings.IndexByte(text, '{')
		if i < 0 {
			return names, rest + text
		}
		rest, text = rest+text[:i], text[i+1:]
		if n := leading(text, "A-Za-z0-9_-"); n < len(text) && text[n] == '}' {
			names, text = append(names, text[:n]), text[n+1:]
		} else {
			rest += "{"
		}
	}
}

// hasKey reports whether a line of a YAML or JSON text begins with a key.
func hasKey(text, key string) bool {
	const space = " \t\n\f\r"
	for at := 0; ; {
		i := strings.Index(text[at:], key)
		if i < 0 {
			return false
		}
		before := strings.TrimSuffix(text[:at+i], `"`)
		at += i + len(key)
		lead := before[len(strings.TrimRight(before, space+"{")):]
		after := strings.TrimLeft(strings.TrimPrefix(text[at:], `"`), space)
		if strings.HasPrefix(after, ":") && (lead == before || strings.Contains(lead, "\n")) {
			return true
		}
	}
}
