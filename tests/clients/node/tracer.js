'use strict'

// Makes the traces of the plan on standard input with `dd-trace`, then says their ids.

const { readFileSync, writeSync } = require('node:fs')

const plan = JSON.parse(readFileSync(0, 'utf8'))

// Standard output is for the report.
const log = (message) => console.error(message)
const tracer = require('dd-trace').init({
  plugins: false,
  logger: { error: log, warn: log, info: () => {}, debug: () => {} }
})

const made = []

function describe (span, planned) {
  for (const [key, value] of Object.entries(planned.meta)) span.setTag(key, value)
  for (const [key, value] of Object.entries(planned.metrics)) span.setTag(key, value)
  for (const link of planned.links) {
    const context = made[link.trace][link.span].context()
    span.addLink({ context, attributes: link.attributes })
  }
  for (const event of planned.events) span.addEvent(event.name, event.attributes)
  if (planned.error) {
    span.setTag('error', true)
    span.setTag('error.type', planned.error.type)
    span.setTag('error.message', planned.error.message)
  }
}

for (const planned of plan.traces) {
  const spans = []
  for (const one of planned.spans) {
    const tags = { 'service.name': one.service, 'resource.name': one.resource }
    if (one.type) tags['span.type'] = one.type
    const childOf = one.parent === null ? undefined : spans[one.parent]
    const span = tracer.startSpan(one.name, { childOf, tags })
    describe(span, one)
    spans.push(span)
  }
  if (planned.decision !== 'auto') spans[0].setTag(`manual.${planned.decision}`, true)
  for (const span of spans.toReversed()) span.finish()
  made.push(spans)
}

const report = made.map((spans) => ({
  trace_id: spans[0].context().toTraceId(true),
  span_ids: spans.map((span) => span.context().toSpanId())
}))

// The tracer sends when the process has nothing left to do; its stats leave every ten seconds.
setTimeout(() => writeSync(1, JSON.stringify({ traces: report })), plan.linger_ms)
