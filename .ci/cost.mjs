#!/usr/bin/env node
// Refuses a command that takes a third more instructions than were kept for it: `.ci/cost.mjs --keep` keeps those of now.
// Callgrind counts them. Times would depend on the machine and its load; these differ by some percent from run to run.
import { spawnSync } from 'node:child_process';
import console from 'node:console';
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';

const COMMANDS = [
  'walk 0x401000',
  'fork --resident 1M --pages 4K,2M --json',
  'compare -w zipf --footprint 16M --accesses 20k --pages 4K,2M --json',
];
const MOST = 4 / 3;
const FILE = new URL('cost.json', import.meta.url);
const MAIN = fileURLToPath(new URL('../dist/bundle/main.js', import.meta.url));
const NODE = process.version.replace(/\..*/, '');

/** Millions of instructions of a Node process. V8 compiles on the main thread, where its work always falls on the same place. */
function millions(...words) {
  const tool = ['--tool=callgrind', '--callgrind-out-file=/dev/null'];
  const node = [process.execPath, '--single-threaded', '--predictable', ...words];
  // Prices of this host would change what compare does.
  const env = { PATH: process.env.PATH, XDG_CACHE_HOME: '/nonexistent' };
  const { status, stderr, error } = spawnSync('valgrind', [...tool, ...node], { encoding: 'utf8', env });
  const count = /Collected : (\d+)/.exec(stderr ?? '')?.[1];
  if (status !== 0 || count === undefined) throw new Error(`valgrind ${words.join(' ')}: ${error?.message ?? stderr}`);
  return Number(count) / 1e6;
}

const empty = millions('-e', '0');
// What Node itself takes is no cost of ours.
const costs = Object.fromEntries(
  COMMANDS.map((command) => [command, Math.round(millions(MAIN, ...command.split(' ')) - empty)]),
);
if (process.argv.includes('--keep')) {
  writeFileSync(FILE, `${JSON.stringify({ node: NODE, millions: costs }, undefined, 2)}\n`);
}
const kept = JSON.parse(readFileSync(FILE, 'utf8'));
if (kept.node !== NODE) console.log(`Node ${NODE}: costs are kept for ${kept.node} alone, and not compared`);
for (const [command, cost] of Object.entries(costs)) {
  const before = kept.node === NODE ? kept.millions[command] : undefined;
  console.log(`${command}: ${cost} million instructions${before === undefined ? '' : `, kept: ${before}`}`);
  if (cost <= MOST * (before ?? cost)) continue;
  console.error(`${command} takes a third more than it did; if that is worth it, run .ci/cost.mjs --keep`);
  process.exitCode = 1;
}
