'use strict'

// Sends the plan on standard input with the DogStatsD client of `dd-trace`, then says how many
// calls it made. That client always aggregates and sends telemetry, and speaks UDP only.

const { readFileSync } = require('node:fs')

const plan = JSON.parse(readFileSync(0, 'utf8'))
const [host, port] = plan.target.address.split(':')

const tracer = require('dd-trace').init({
  // It tries HTTP first and turns to UDP when nobody answers there.
  url: 'http://127.0.0.1:1',
  dogstatsd: { hostname: host, port: Number(port) },
  service: 'orders',
  version: '1.2',
  startupLogs: false,
  plugins: false
})

const makers = {
  count: (call) => tracer.dogstatsd.increment(call.name, call.value, call.tags),
  gauge: (call) => tracer.dogstatsd.gauge(call.name, call.value, call.tags),
  histogram: (call) => tracer.dogstatsd.histogram(call.name, call.value, call.tags),
  distribution: (call) => tracer.dogstatsd.distribution(call.name, call.value, call.tags)
}

for (const call of plan.calls) makers[call.kind](call)

// The client flushes, telemetry included, when the process has nothing left to do.
const tags = ['version:1.2', 'service:orders']
process.stdout.write(JSON.stringify({ calls: plan.calls.length, tags }))
