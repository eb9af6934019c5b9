// Starts an agent, hands over a metric and a log, and waits until SIGINT or SIGTERM.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	corelane "github.com/corelane/corelane/control/ffi/go"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	agent, err := corelane.Start(corelane.Config{
		APIKey:      "your-api-key",
		Site:        "datadoghq.com",
		Service:     "my-go-app",
		Environment: "production",
		Version:     "1.0.0",
		LogLevel:    corelane.LogInfo,
		DogStatsD:   true,
		Settings:    map[string]string{"logs_enabled": "true"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Agent version:", corelane.Version())
	fmt.Println("Trace port:", agent.BoundPort())
	fmt.Println("DogStatsD port:", agent.DogStatsDPort())

	// Your application code here...
	if err := agent.SubmitDogStatsD([]byte("example.go.starts:1|c|#language:go")); err != nil {
		log.Print(err)
	}
	entry := fmt.Sprintf(`{"message":"started","timestamp":%d}`, time.Now().UnixMilli())
	if err := agent.SubmitLogs([]byte(entry)); err != nil {
		log.Print(err)
	}

	// Wait for shutdown
	_, _ = agent.Wait(ctx)
	if err := agent.Close(); err != nil {
		log.Fatal(err)
	}
}
