// Sends the plan on standard input with datadog-go, then says how many calls it made.
//
// Aggregation is on for every type and telemetry is on; origin detection is left at its default.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/DataDog/datadog-go/v5/statsd"
)

type plan struct {
	Target struct {
		Transport string `json:"transport"`
		Address   string `json:"address"`
	} `json:"target"`
	LingerMs int64  `json:"linger_ms"`
	Calls    []call `json:"calls"`
}

type call struct {
	Kind           string   `json:"kind"`
	Name           string   `json:"name"`
	Value          float64  `json:"value"`
	Member         string   `json:"member"`
	Tags           []string `json:"tags"`
	Title          string   `json:"title"`
	Text           string   `json:"text"`
	AlertType      string   `json:"alert_type"`
	Priority       string   `json:"priority"`
	AggregationKey string   `json:"aggregation_key"`
	SourceTypeName string   `json:"source_type_name"`
	Status         byte     `json:"status"`
	Message        string   `json:"message"`
}

var schemes = map[string]string{"udp": "", "uds": "unixgram://", "uds-stream": "unixstream://"}

func main() {
	var wanted plan
	check(json.NewDecoder(os.Stdin).Decode(&wanted))
	client, err := statsd.New(
		schemes[wanted.Target.Transport]+wanted.Target.Address,
		statsd.WithClientSideAggregation(),
		statsd.WithExtendedClientSideAggregation(),
		statsd.WithErrorHandler(check),
	)
	check(err)
	for _, one := range wanted.Calls {
		check(send(client, one))
	}
	check(client.Flush())
	// Telemetry leaves every ten seconds, at no other time.
	time.Sleep(time.Duration(wanted.LingerMs) * time.Millisecond)
	check(client.Close())
	fmt.Printf(`{"calls": %d, "tags": []}`, len(wanted.Calls))
}

func send(client *statsd.Client, one call) error {
	switch one.Kind {
	case "count":
		return client.Count(one.Name, int64(one.Value), one.Tags, 1)
	case "gauge":
		return client.Gauge(one.Name, one.Value, one.Tags, 1)
	case "histogram":
		return client.Histogram(one.Name, one.Value, one.Tags, 1)
	case "distribution":
		return client.Distribution(one.Name, one.Value, one.Tags, 1)
	case "timing":
		return client.TimeInMilliseconds(one.Name, one.Value, one.Tags, 1)
	case "set":
		return client.Set(one.Name, one.Member, one.Tags, 1)
	case "event":
		return client.Event(&statsd.Event{
			Title:          one.Title,
			Text:           one.Text,
			AlertType:      statsd.EventAlertType(one.AlertType),
			Priority:       statsd.EventPriority(one.Priority),
			AggregationKey: one.AggregationKey,
			SourceTypeName: one.SourceTypeName,
			Tags:           one.Tags,
		})
	case "check":
		return client.ServiceCheck(&statsd.ServiceCheck{
			Name:    one.Name,
			Status:  statsd.ServiceCheckStatus(one.Status),
			Message: one.Message,
			Tags:    one.Tags,
		})
	}
	return fmt.Errorf("no such call: %s", one.Kind)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
