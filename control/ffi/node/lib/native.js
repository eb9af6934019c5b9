'use strict';

/*
 * Finds the addon and the library.
 *
 * The addon is `prebuilds/<platform>-<arch>[-musl]/agent.node`. The library is the file or directory
 * in DATADOG_AGENT_NATIVE_LIBRARY_PATH, or else the first of: beside the addon, the package's
 * directory, its parent, what the system's loader knows.
 */

const fs = require('fs');
const path = require('path');
const process = require('process');

const { DatadogError } = require('./enums');
const { DatadogAgentException } = require('./exception');

const LIBRARY_PATH_VARIABLE = 'DATADOG_AGENT_NATIVE_LIBRARY_PATH';
const PACKAGE = path.dirname(__dirname);
const LIBRARY =
  process.platform === 'darwin' ? 'libdatadog_agent_native.dylib' : 'libdatadog_agent_native.so';

let loaded = null;

/** The addon with its library open, and the library's version. */
function native() {
  loaded ??= load();
  return loaded;
}

function load() {
  const { addon, library } = addonOf('agent.node');
  return { addon, version: addon.open(library, DatadogAgentException) };
}

/** An addon of this package, and the path of the library that it is to open. */
function addonOf(name) {
  const prebuilt = path.join(PACKAGE, 'prebuilds', platform());
  const file = path.join(prebuilt, name);
  if (!fs.existsSync(file)) {
    throw new DatadogAgentException(
      `this package was not built for ${platform()}: ${file} is missing`,
      DatadogError.NOT_AVAILABLE,
    );
  }
  return { addon: require(file), library: libraryPath(prebuilt) };
}

function libraryPath(prebuilt) {
  const chosen = process.env[LIBRARY_PATH_VARIABLE];
  if (chosen) {
    // What was asked for by name is not silently replaced by another.
    const isDirectory = fs.statSync(chosen, { throwIfNoEntry: false })?.isDirectory();
    return path.resolve(isDirectory ? path.join(chosen, LIBRARY) : chosen);
  }
  const bundled = [prebuilt, PACKAGE, path.dirname(PACKAGE)].map((directory) =>
    path.join(directory, LIBRARY),
  );
  return bundled.find((file) => fs.existsSync(file)) ?? LIBRARY;
}

/** Only a Node.js that is linked to glibc reports its version. */
function platform() {
  const name = `${process.platform}-${process.arch}`;
  const isMusl =
    process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime;
  return isMusl ? `${name}-musl` : name;
}

module.exports = { addonOf, native };
