'use strict'

// Sends the plan on standard input with `hot-shots`, then says how many calls it made.
// Aggregation, buffering and telemetry are on.

const { readFileSync } = require('node:fs')
const { StatsD } = require('hot-shots')

const plan = JSON.parse(readFileSync(0, 'utf8'))

function transportOf (target) {
  if (target.transport === 'uds') return { protocol: 'uds', path: target.address }
  const [host, port] = target.address.split(':')
  return { protocol: 'udp', host, port: Number(port), maxBufferSize: 1432 }
}

function fail (error) {
  console.error(error)
  process.exit(1)
}

const client = new StatsD({
  ...transportOf(plan.target),
  aggregation: true,
  includeDatadogTelemetry: true,
  errorHandler: fail
})

const makers = {
  count: (call) => client.increment(call.name, call.value, call.tags),
  gauge: (call) => client.gauge(call.name, call.value, call.tags),
  histogram: (call) => client.histogram(call.name, call.value, call.tags),
  distribution: (call) => client.distribution(call.name, call.value, call.tags),
  timing: (call) => client.timing(call.name, call.value, call.tags),
  set: (call) => client.set(call.name, call.member, call.tags),
  event: (call) => client.event(call.title, call.text, {
    alert_type: call.alert_type,
    aggregation_key: call.aggregation_key,
    source_type_name: call.source_type_name,
    priority: call.priority
  }, call.tags),
  check: (call) => client.check(call.name, call.status, { message: call.message }, call.tags)
}

for (const call of plan.calls) makers[call.kind](call)

client.close((error) => {
  if (error) fail(error)
  process.stdout.write(JSON.stringify({ calls: plan.calls.length, tags: [] }))
})
