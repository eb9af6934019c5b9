'use strict'

// Uses what `dd-trace` does besides traces, until standard input ends.
//
// Profiles, probes, telemetry and LLM observability are switched on by the environment. Data
// streams get a checkpoint each round, DogStatsD a count, which it sends over HTTP.

const tracer = require('dd-trace').init({ startupLogs: false })
const { Basket } = require('./basket')

const ROUND_MS = 100

const basket = new Basket()
const carrier = {}

function spin () {
  let sum = 0
  for (let number = 0; number < 1e6; number++) sum += number * number
  return sum
}

let count = 0

function work () {
  count++
  tracer.trace('work', () => {
    basket.add('tea', 3, 'hunter2')
    spin()
    tracer.dataStreamsCheckpointer.setProduceCheckpoint('kafka', 'orders', carrier)
    tracer.dataStreamsCheckpointer.setConsumeCheckpoint('kafka', 'orders', carrier)
  })
  tracer.dogstatsd.increment('shop.rounds', 1)
}

tracer.llmobs.trace({ kind: 'workflow', name: 'ask' }, () => {
  tracer.llmobs.annotate({ inputData: 'question', outputData: 'answer' })
})
tracer.llmobs.flush()

const rounds = setInterval(work, ROUND_MS)
process.stdin.resume()
process.stdin.on('end', () => {
  clearInterval(rounds)
  tracer.dogstatsd.flush()
  // The inspector of the probes would keep the process for ever.
  setTimeout(() => process.stdout.write(String(count), () => process.exit(0)), 10 * ROUND_MS)
})
