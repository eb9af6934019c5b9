// Makes the traces of the plan on standard input with dd-trace-go, then says their ids.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/DataDog/dd-trace-go/v2/ddtrace/ext"
	"github.com/DataDog/dd-trace-go/v2/ddtrace/tracer"
)

type plan struct {
	LingerMs int64          `json:"linger_ms"`
	Traces   []plannedTrace `json:"traces"`
}

type plannedTrace struct {
	Decision string        `json:"decision"`
	Spans    []plannedSpan `json:"spans"`
}

type plannedSpan struct {
	Parent   *int               `json:"parent"`
	Service  string             `json:"service"`
	Name     string             `json:"name"`
	Resource string             `json:"resource"`
	Type     string             `json:"type"`
	Error    *plannedError      `json:"error"`
	Meta     map[string]string  `json:"meta"`
	Metrics  map[string]float64 `json:"metrics"`
	Links    []plannedLink      `json:"links"`
	Events   []plannedEvent     `json:"events"`
}

type plannedError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

type plannedLink struct {
	Trace      int               `json:"trace"`
	Span       int               `json:"span"`
	Attributes map[string]string `json:"attributes"`
}

type plannedEvent struct {
	Name       string            `json:"name"`
	Attributes map[string]string `json:"attributes"`
}

type madeTrace struct {
	TraceID string   `json:"trace_id"`
	SpanIDs []string `json:"span_ids"`
}

func main() {
	var wanted plan
	check(json.NewDecoder(os.Stdin).Decode(&wanted))
	check(tracer.Start())
	var made [][]*tracer.Span
	for _, one := range wanted.Traces {
		made = append(made, makeTrace(one, made))
	}
	report := make([]madeTrace, 0, len(made))
	for _, spans := range made {
		trace := madeTrace{TraceID: spans[0].Context().TraceID()}
		for _, span := range spans {
			trace.SpanIDs = append(trace.SpanIDs, strconv.FormatUint(span.Context().SpanID(), 10))
		}
		report = append(report, trace)
	}
	// Neither finishing a span nor flushing waits for the tracer's own threads.
	pause := time.Duration(wanted.LingerMs) * time.Millisecond / 2
	time.Sleep(pause)
	tracer.Flush()
	time.Sleep(pause)
	tracer.Stop()
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{"traces": report}))
}

func makeTrace(wanted plannedTrace, made [][]*tracer.Span) []*tracer.Span {
	spans := make([]*tracer.Span, 0, len(wanted.Spans))
	for index, one := range wanted.Spans {
		options := []tracer.StartSpanOption{
			tracer.ServiceName(one.Service),
			tracer.ResourceName(one.Resource),
		}
		if one.Type != "" {
			options = append(options, tracer.SpanType(one.Type))
		}
		if one.Parent != nil {
			options = append(options, tracer.ChildOf(spans[*one.Parent].Context()))
		}
		span := tracer.StartSpan(one.Name, options...)
		describe(span, one, made)
		if index == 0 {
			decide(span, wanted.Decision)
		}
		spans = append(spans, span)
	}
	for index := len(spans) - 1; index >= 0; index-- {
		spans[index].Finish()
	}
	return spans
}

func describe(span *tracer.Span, one plannedSpan, made [][]*tracer.Span) {
	for key, value := range one.Meta {
		span.SetTag(key, value)
	}
	for key, value := range one.Metrics {
		span.SetTag(key, value)
	}
	for _, link := range one.Links {
		target := made[link.Trace][link.Span].Context()
		span.AddLink(tracer.SpanLink{
			TraceID:     target.TraceIDLower(),
			TraceIDHigh: target.TraceIDUpper(),
			SpanID:      target.SpanID(),
			Attributes:  link.Attributes,
		})
	}
	for _, event := range one.Events {
		attributes := map[string]any{}
		for key, value := range event.Attributes {
			attributes[key] = value
		}
		span.AddEvent(event.Name, tracer.WithSpanEventAttributes(attributes))
	}
	if one.Error != nil {
		span.SetTag(ext.Error, true)
		span.SetTag(ext.ErrorType, one.Error.Type)
		span.SetTag(ext.ErrorMsg, one.Error.Message)
	}
}

func decide(root *tracer.Span, decision string) {
	switch decision {
	case "keep":
		root.SetTag(ext.ManualKeep, true)
	case "drop":
		root.SetTag(ext.ManualDrop, true)
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
