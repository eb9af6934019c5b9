module github.com/corelane/corelane/control/ffi/go

go 1.19
