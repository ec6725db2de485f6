// Runs the functions of the user's script, but only when the gate lets this VU go on.
//
// k6 runs as many VUs as there may ever be. Before each iteration a VU looks whether it may run, and
// asks the gate every few tenths of a second; between two questions it decides by itself, without
// waiting. Nothing of this makes a request that k6 would measure.

import { sleep } from "k6";
import exec from "k6/execution";
/* transport */
import * as script from /* script */ "";
export * from /* script */ "";

/* options */

const TICK_MS = /* tick */ 200;
// How old an answer can be: k6 keeps one a tick for all VUs, or fetches each anew.
const STALE_MS = /* stale */ TICK_MS;
// A VU that runs asks again after this time and a random bit, so that VUs ask at all times. A pause
// is heard of within 850 ms, whatever the transport.
const POLL_MS = 700 - STALE_MS;
const SPREAD_MS = 150;
// The next ones to be let in ask often too: the keys are for them.
const NEAR_VUS = 3;
const NEAR_MS = 500;
const DEAD_MAN_MS = 8000;
const RATE = 1;

let rank = 0; // this VU's place in the order in which VUs are let in, from 1; 0: not known yet
let count = 0; // how many VUs there are
let mode = 0;
let at = 0; // when the line begins
let until = 0; // when it ends
let from = 0; // the target then: VUs, or iterations per millisecond
let slope = 0; // its change per millisecond
let starts = 0; // rate: iterations that should have been started by then, by all VUs
let mine = -1; // rate: the number of the iteration that this VU starts next
let patience = 500; // how long a VU far from its turn waits before it asks again

let free = 0; // until when to run without looking
let fresh = 0; // until when the line is to be believed
let seen = 0; // when the gate answered last
let turned = 0; // how often the clock was put back: k6 would give us old answers again
let running = false; // what the gate knows of this VU
let told = 0;
let failures = 0;

function numbers(text) {
  // Binary numbers written in blanks, one a line: k6 forgets secrets of blanks at once.
  return text
    .replace(/ /g, "0")
    .replace(/\t/g, "1")
    .split("\n")
    .map((digits) => parseInt(digits, 2));
}

// Tell the gate that this VU begins to run or to wait; it may say no to running.
async function tell(wantsToRun) {
  told += 1;
  try {
    const [yes] = numbers(await ask(`${wantsToRun ? "run" : "park"}.${exec.vu.idInTest}.${told}`));
    running = wantsToRun && yes === 1;
  } catch (_) {
    fresh = 0;
  }
  return running;
}

function follow(tick, line) {
  const scale = line[0] === RATE ? 1e6 : 1e3;
  mode = line[0];
  at = tick * TICK_MS;
  until = at + line[3];
  from = line[1] / scale;
  slope = (line[2] - line[1]) / scale / line[3];
  starts = line[4] / 1e3;
  patience = line[5];
}

async function refresh(places) {
  const now = Date.now();
  if (now < seen) {
    turned += 1;
    seen = now;
  }
  try {
    if (!rank) {
      const place = places[exec.scenario.name];
      [rank, count] = numbers(await ask(`slot.${place}.${exec.vu.idInTest}`));
      mine = rank - 1;
    }
    const tick = Math.floor(now / TICK_MS);
    follow(tick, numbers(await ask(`tick.${turned}.${tick}`)));
    seen = now;
    failures = 0;
  } catch (error) {
    failures += 1;
    if (!seen) seen = now;
    if (failures > 2 && now - seen > DEAD_MAN_MS) {
      exec.test.abort(`flashpoint: the gate does not answer, so the load ends (${error})`);
    }
    until = now + 2 * POLL_MS;
    sleep(POLL_MS / 1e3);
  }
  fresh = Math.min(Date.now() + waitToAsk(now) + Math.random() * SPREAD_MS, until);
  free = 0;
}

// How long to act on one answer: who is far from its turn asks less often.
function waitToAsk(now) {
  if (nextTurn(now) <= now + POLL_MS) return POLL_MS;
  const isNear = mode !== RATE && rank - from < NEAR_VUS;
  return isNear ? NEAR_MS : patience - STALE_MS;
}

// Return when this VU may start an iteration, or Infinity; sets `free`.
function nextTurn(now) {
  if (!rank) return Infinity;
  return mode === RATE ? pacedTurn(now) : leveledTurn(now);
}

function leveledTurn(now) {
  const above = from + slope * (now - at) - (rank - 0.5);
  if (above >= 0) {
    free = slope < 0 ? Math.min(fresh, now - above / slope) : fresh;
    return now;
  }
  return slope > 0 ? now - above / slope : Infinity;
}

function pacedTurn(now) {
  const dt = now - at;
  const speed = from + slope * dt;
  const due = starts + from * dt + (slope * dt * dt) / 2;
  if (speed <= 0 && slope <= 0) return Infinity;
  // What is more than a second late is not made up for, nor what was due before this VU was let in.
  const behind = due - Math.max(speed, 0) * (running ? 1000 : 100) - mine;
  if (behind > 0) mine += Math.ceil(behind / count) * count;
  // What was started too much before a lower rate was heard of is not saved again.
  const ahead = mine - due - count;
  if (ahead > 0) mine -= Math.ceil(ahead / count) * count;
  if (mine <= due) return now;
  if (Math.abs(slope) < 1e-12) return now + (mine - due) / speed;
  const root = speed * speed + 2 * slope * (mine - due);
  return root < 0 ? Infinity : now + (Math.sqrt(root) - speed) / slope;
}

// Wait for this VU's turn; return false when the gate has to be asked first.
function waitForTurn() {
  let now = Date.now();
  while (now < fresh && now >= seen) {
    const turn = nextTurn(now);
    if (turn <= now) {
      if (mode === RATE) mine += count;
      return true;
    }
    sleep(Math.max(Math.min(turn, fresh) - now, 1) / 1e3);
    now = Date.now();
  }
  return false;
}

async function askAndRun(places, run, data) {
  for (;;) {
    await refresh(places);
    if (running && nextTurn(Date.now()) === Infinity) await tell(false);
    if (waitForTurn()) {
      if (running || (await tell(true))) return run(data);
      sleep(POLL_MS / 1e3);
    }
  }
}

function gated(places, name) {
  const run = script[name];
  if (typeof run !== "function") {
    throw new Error(`the script exports no function '${name}'`);
  }
  return (data) => {
    const now = Date.now();
    if (now < free && now >= seen) return run(data);
    return waitForTurn() ? run(data) : askAndRun(places, run, data);
  };
}

/* functions */
