//go:build corelane_shared

package corelane

// #cgo CFLAGS: -I${SRCDIR}/include
// #cgo LDFLAGS: -ldatadog_agent_native
import "C"
