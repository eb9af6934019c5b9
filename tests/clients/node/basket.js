'use strict'

// What the probes of `products.js` look into. The line that they name is marked.

class Basket {
  constructor () {
    this.items = []
  }

  add (name, count, password) {
    const total = count * 2
    this.items = [[name, total]]
    return total // probe
  }
}

module.exports = { Basket }
