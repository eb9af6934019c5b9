package corelane

// #include "datadog_agent_native.h"
//
// extern void corelaneGoLog(int level, char *message, void *userdata);
//
// static void corelane_go_install_log(int is_wanted) {
//     corelane_set_log_callback(is_wanted ? (corelane_log_fn)corelaneGoLog : NULL, NULL);
// }
import "C"

import "sync/atomic"

// logFunction is what lines go to.
var logFunction atomic.Pointer[func(LogLevel, string)]

// SetLogFunction sends what all agents of this process log to a function; nil ends that. It is
// called from threads of the agents, must return soon and must not call an agent.
func SetLogFunction(function func(level LogLevel, message string)) {
	if function == nil {
		C.corelane_go_install_log(0)
		logFunction.Store(nil)
		return
	}
	logFunction.Store(&function)
	C.corelane_go_install_log(1)
}
