//go:build !corelane_shared

package corelane

// #cgo CFLAGS: -I${SRCDIR}/include
// #cgo linux,amd64 LDFLAGS: ${SRCDIR}/libs/linux_amd64/libdatadog_agent_native.a
// #cgo linux,arm64 LDFLAGS: ${SRCDIR}/libs/linux_arm64/libdatadog_agent_native.a
// #cgo linux LDFLAGS: -lm -ldl -lpthread -lrt -lutil -lgcc_s
import "C"
