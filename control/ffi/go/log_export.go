package corelane

// A file with an exported function cannot hold C definitions of its own.

import "C"

import "unsafe"

var logLevels = map[C.int]LogLevel{0: LogError, 1: LogError, 2: LogWarn, 3: LogInfo, 4: LogDebug}

//export corelaneGoLog
func corelaneGoLog(level C.int, message *C.char, _ unsafe.Pointer) {
	function := logFunction.Load()
	if function == nil {
		return
	}
	known, isKnown := logLevels[level]
	if !isKnown {
		known = LogTrace
	}
	(*function)(known, C.GoString(message))
}
