package yaml

import (
	"strconv"
	"strings"
)

// tag is what a plain scalar is, as go.yaml.in/yaml/v3 takes it, but for dates.
func tag(s string) string {
	switch s {
	case "", "~", "null", "Null", "NULL":
		return "!!null"
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return "!!bool"
	case "<<":
		return "!!merge"
	}
	switch c := s[0]; {
	case c == '.':
		if _, err := strconv.ParseFloat(s, 64); err == nil || infinite(s) || s == ".nan" || s == ".NaN" || s == ".NAN" {
			return "!!float"
		}
	case c == '+', c == '-', c >= '0' && c <= '9':
		plain := strings.ReplaceAll(s, "_", "")
		if whole(plain) {
			return "!!int"
		}
		if infinite(s[1:]) && (c == '+' || c == '-') {
			return "!!float"
		}
		if _, err := strconv.ParseFloat(plain, 64); err == nil && strings.Trim(plain, "0123456789.eE+-") == "" {
			return "!!float"
		}
	}
	return "!!str"
}

func infinite(s string) bool { return s == ".inf" || s == ".Inf" || s == ".INF" }

// whole reports whether s is a whole number in any base.
func whole(s string) bool {
	if fits(s, 0) {
		return true
	}
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	switch {
	case strings.HasPrefix(s, "0b"):
		return fits(sign+s[2:], 2)
	case strings.HasPrefix(s, "0o"):
		return fits(sign+s[2:], 8)
	}
	return false
}

// fits reports whether s is a number of 64 bits.
func fits(s string, base int) bool {
	if _, err := strconv.ParseInt(s, base, 64); err == nil {
		return true
	}
	_, err := strconv.ParseUint(s, base, 64)
	return err == nil
}
