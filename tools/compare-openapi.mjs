#!/usr/bin/env node
// usage: node tools/compare-openapi.mjs OLD.json NEW.json
// What clients of the old API meet in the new one: what is gone, what has another meaning or a narrower form, what is new.
// Texts for people (descriptions, summaries, examples) do not count. Ends with 1 when anything is gone.
import { readFileSync } from "node:fs";

const [oldFile, newFile] = process.argv.slice(2);
if (!newFile) {
  console.error("usage: node tools/compare-openapi.mjs OLD.json NEW.json");
  process.exit(2);
}

const texts = new Set(["description", "summary", "title", "example", "examples"]);

/** What stands in a list is known by its name or its value, not by its place. */
const nameOf = (item, index) => typeof item !== "object" || item === null ? JSON.stringify(item) : item.name ? (item.in ? `${item.in} ${item.name}` : item.name) : item.$ref ?? index;

/** Every leaf of the document by its path. */
function leaves(node, path, found) {
  if (Array.isArray(node)) {
    node.forEach((item, index) => leaves(item, `${path} › ${nameOf(item, index)}`, found));
  } else if (node !== null && typeof node === "object") {
    // A property may be called "example"; a text for people is one.
    const isMap = / › properties$/.test(path);
    const entries = Object.entries(node).filter(([name]) => isMap || !texts.has(name));
    entries.forEach(([name, value]) => leaves(value, path ? `${path} › ${name}` : name, found));
    if (entries.length === 0) {
      found.set(path, "{}");
    }
  } else {
    found.set(path, JSON.stringify(node));
  }
  return found;
}

const read = file => leaves(JSON.parse(readFileSync(file, "utf8")), "", new Map());
const [before, after] = [read(oldFile), read(newFile)];
const gone = [...before.keys()].filter(path => !after.has(path));
const changed = [...before.keys()].filter(path => after.has(path) && after.get(path) !== before.get(path));
const added = [...after.keys()].filter(path => !before.has(path));

/** The longest beginning of a path that the old document has nothing of. */
function root(path) {
  const parts = path.split(" › ");
  for (let length = 1; length < parts.length; length++) {
    const start = parts.slice(0, length).join(" › ");
    if (!before.has(start) && ![...before.keys()].some(known => known.startsWith(`${start} › `))) {
      return start;
    }
  }
  return path;
}

const narrower = added.filter(path => /› (maxLength|minLength|maximum|minimum|maxItems|minItems|pattern|required)( ›|$)/.test(path) && root(path).match(/› (maxLength|minLength|maximum|minimum|maxItems|minItems|pattern|required)( ›|$)/));
const roots = [...new Set(added.map(root))].filter(path => !narrower.includes(path));
const show = (title, lines) => {
  console.log(`${title}: ${lines.length}`);
  lines.sort().forEach(line => console.log(`  ${line}`));
};
show("gone", gone.map(path => `${path} = ${before.get(path)}`));
show("changed", changed.map(path => `${path} = ${before.get(path)} → ${after.get(path)}`));
show("narrower", narrower.map(path => `${path} = ${after.get(path)}`));
show("new", roots);
process.exit(gone.length > 0 ? 1 : 0);
