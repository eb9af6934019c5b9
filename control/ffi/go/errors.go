package corelane

// #include "datadog_agent_native.h"
import "C"

import "strconv"

// Code says why a call failed. Codes are errors, for errors.Is.
type Code int

// The codes, with the numbers of DatadogError in the C header.
const (
	NullPointer       Code = 1
	InvalidString     Code = 2
	ConfigError       Code = 3
	InitError         Code = 4
	StartupError      Code = 5
	ShutdownError     Code = 6
	RuntimeError      Code = 7
	InvalidDataFormat Code = 8
	SubmissionError   Code = 9
	NotAvailable      Code = 10
	UnknownError      Code = 99
)

var codeNames = map[Code]string{
	NullPointer:       "null pointer",
	InvalidString:     "invalid string",
	ConfigError:       "configuration error",
	InitError:         "initialisation error",
	StartupError:      "startup error",
	ShutdownError:     "shutdown error",
	RuntimeError:      "runtime error",
	InvalidDataFormat: "invalid data format",
	SubmissionError:   "submission error",
	NotAvailable:      "not available",
	UnknownError:      "unknown error",
}

// Error is the code in words.
func (c Code) Error() string {
	if name, isKnown := codeNames[c]; isKnown {
		return name
	}
	return "error " + strconv.Itoa(int(c))
}

// Error is a call that failed: Code says why, Message says what to do.
type Error struct {
	Code    Code
	Message string
}

// Error is the code in words and the message.
func (e *Error) Error() string {
	return "corelane: " + e.Code.Error() + ": " + e.Message
}

// Unwrap is the code, so that errors.Is(err, NotAvailable) tells.
func (e *Error) Unwrap() error {
	return e.Code
}

// errorOf takes over an error of the library; nil is success.
func errorOf(failed *C.corelane_error) error {
	if failed == nil {
		return nil
	}
	defer C.corelane_error_free(failed)
	message := C.GoString(C.corelane_error_message(failed))
	return &Error{Code(C.corelane_error_code(failed)), message}
}
